"""Passwords and tokens from the admin's own commands. They are never kept and never logged."""

from __future__ import annotations

import subprocess

from desk.errors import Unavailable

_COMMAND_S = 30


def secret_of(command: tuple[str, ...]) -> str:
    """What the admin's command prints on its first line; run without a shell.

    Raises:
        Unavailable: it failed, took too long, or printed nothing.
    """
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_COMMAND_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"the command {command[0]!r} of [smarthost] could not be run: {error}") from error
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    if done.returncode != 0 or not lines or not lines[0]:
        raise Unavailable(
            f"the command {command[0]!r} of [smarthost] gave no password (exit {done.returncode})"
        )
    return lines[0]
