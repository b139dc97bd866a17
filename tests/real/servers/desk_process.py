"""`desk up` in a process of its own: wait until its doors listen, end it gently or by kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.real.servers.loopback import wait_until

# Beside the interpreter of the tests, so that the code under test is run and no other desk on the PATH.
DESK = Path(sys.executable).with_name("desk")


@dataclass
class DeskProcess:
    """A running daemon. `doors` are its addresses as it printed them: {"smtp": "127.0.0.1:2525", ...}."""

    process: subprocess.Popen[bytes]
    doors: dict[str, str]
    output: Path
    errors: Path

    @property
    def smtp(self) -> tuple[str, int]:
        """Host and port of the SMTP door."""
        host, _, port = self.doors["smtp"].rpartition(":")
        return host, int(port)

    def stop(self, how: signal.Signals = signal.SIGTERM, *, timeout_s: float = 20.0) -> int:
        """Send a signal to this process, wait for its end, return its exit status (-9 when killed)."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(timeout=timeout_s)

    def kill(self) -> int:
        """kill -9: nothing of the daemon runs any more; its children notice by themselves."""
        return self.stop(signal.SIGKILL)


def start_desk(
    home: Path,
    logs: Path,
    *,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str | Path] | None = None,
    timeout_s: float = 30.0,
) -> DeskProcess:
    """Run `desk --home HOME up` and return once it said `ready smtp=HOST:PORT`.

    Args:
        home: an initialised home.
        logs: a folder for what the process prints.
        environment: added to the environment of the tests.
        command: another program in its place, with the same contract.

    Raises:
        RuntimeError: it ended before it was ready; the text is what it printed on stderr.
        TimeoutError: it did not get ready; it is killed.
    """
    number = len(list(logs.glob("desk-*.out")))
    output, errors = logs / f"desk-{number}.out", logs / f"desk-{number}.err"
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            list(command or (DESK, "--home", home, "up")),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **(environment or {})},
        )
    desk = DeskProcess(process, {}, output, errors)
    try:
        wait_until(lambda: _is_ready(desk), "the line `ready smtp=...` of desk up", timeout_s=timeout_s)
    except TimeoutError:
        desk.kill()
        raise
    return desk


def _is_ready(desk: DeskProcess) -> bool:
    for line in desk.output.read_text().splitlines(keepends=True):
        if line.startswith("ready ") and line.endswith("\n"):
            desk.doors = dict(word.split("=", 1) for word in line.split()[1:])
            return True
    if desk.process.poll() is not None:
        raise RuntimeError(
            f"desk up ended with {desk.process.returncode}:\n{desk.errors.read_text(errors='replace')}"
        )
    return False
