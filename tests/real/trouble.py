"""A running daemon seen and troubled from outside: its readers, files, limits, and how it ends."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from tests.real.clients import Crowd
from tests.real.oracle import (
    assert_every_ticket_is_acknowledged_once,
    assert_nothing_is_lost_or_doubled,
    assert_store_is_whole,
)
from tests.real.servers.desk_home import Home
from tests.real.servers.desk_process import DeskProcess
from tests.real.servers.sink import Sink

DRAINED_S = 10.0


def children(process: int) -> list[int]:
    """The ids of the reader processes of a daemon."""
    found = []
    for child in Path(f"/proc/{process}/task").glob("*/children"):
        found += [int(word) for word in child.read_text().split()]
    return [child for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def open_files(process: int) -> int:
    """How many files and sockets the daemon has open, without the connections that its pool keeps."""
    names = [str(file.readlink()) for file in Path(f"/proc/{process}/fd").iterdir()]
    return len([name for name in names if "desk.db" not in name])


def stop(desk: DeskProcess) -> tuple[int, bool]:
    """SIGTERM: the exit status, and whether it was in time."""
    began = time.monotonic()
    status = desk.stop(timeout_s=30)
    return status, time.monotonic() - began <= DRAINED_S


def assert_all_is_well(home: Home, crowd: Crowd, sink: Sink) -> None:
    assert_nothing_is_lost_or_doubled(home, crowd)
    assert_every_ticket_is_acknowledged_once(home, sink.taken)
    assert_store_is_whole(home)


def set_limit(desk: DeskProcess, which: int, soft: int) -> int:
    """Change a limit of the running daemon; the one before."""
    before, hard = resource.prlimit(desk.process.pid, which)
    resource.prlimit(desk.process.pid, which, (soft, hard))
    return before
