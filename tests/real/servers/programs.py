"""Find the programs of the real servers; one that is missing skips the test, and fails it in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

# Debian keeps daemons out of a user's PATH, and PostgreSQL's out of everybody's.
_SERVER_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec/postfix"]


def require_program(name: str) -> Path:
    """The path of a program; without it the test is skipped, or fails when the environment has CI=true."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *_SERVER_FOLDERS]))
    if found is None:
        _missing(f"{name} is not installed")
    return Path(found)


def require_postgresql_program(name: str) -> Path:
    """The path of a program of the newest PostgreSQL there is; all of them lie in one folder."""
    newest_first = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_version, reverse=True)
    return newest_first[0] if newest_first else require_program(name)


def require_root() -> None:
    """Postfix's master process and a change of user need root."""
    if os.geteuid() != 0:
        _missing("only root can start this server")


def _version(program: Path) -> float:
    return float(program.parent.parent.name)


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and CI must not skip", pytrace=False)
    pytest.skip(reason)
