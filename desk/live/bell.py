"""The doorbell: one datagram to every listening process, rung after each commit.

A hint and nothing more: a ring may be lost, and two may become one, so listeners still poll now and then.
Where no socket can be (a path over the 107 bytes of AF_UNIX, no folder, no permission) there is no bell, and
`Listener.is_rung` says so. Standards: unix(7).
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import logging
import os
import select
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

log = logging.getLogger(__name__)
_LONGEST_PATH = 107
_FRESH_S = 0.2  # so long a list of listeners is used again, while the folder says that nobody came or went
_TICK_S = 0.02  # two changes within one tick of the kernel's clock (10 ms at most) leave the same mtime
_numbers = itertools.count()


class _Seen(NamedTuple):
    """Who listened: the folder's mtime, since when it was known, and when the folder was listed."""

    changed_ns: int
    since_s: float
    listed_s: float
    listeners: list[Path]

    @property
    def is_settled(self) -> bool:
        """Whether every later change must show in the mtime."""
        return self.listed_s - self.since_s > _TICK_S


class Bell:
    """The bell of one desk; `folder` is its home's run/."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: _Seen | None = None

    def ring(self) -> None:
        """Wake all listeners. Cheap, from any thread, never blocks and never raises."""
        with contextlib.suppress(OSError):
            listeners = self._listeners()
            if listeners:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ringer:
                    ringer.setblocking(False)
                    for listener in listeners:
                        _ring_one(ringer, listener)

    def _listeners(self) -> list[Path]:
        changed_ns, now_s, seen = self._folder.stat().st_mtime_ns, time.monotonic(), self._seen
        is_same = seen is not None and seen.changed_ns == changed_ns
        if seen is not None and is_same and seen.is_settled and now_s - seen.listed_s < _FRESH_S:
            return seen.listeners
        since_s = seen.since_s if seen is not None and is_same else now_s
        found = list(self._folder.glob("bell-*.sock"))
        self._seen = _Seen(changed_ns, since_s, now_s, found)
        return found

    def listen(self) -> Listener:
        """A listener of this process; close it, or use it as a context manager."""
        return Listener(self._folder)


def _ring_one(ringer: socket.socket, listener: Path) -> None:
    try:
        ringer.sendto(b"\0", os.fspath(listener))
    except OSError as error:
        if error.errno == errno.ECONNREFUSED:  # its process is dead
            with contextlib.suppress(OSError):
                listener.unlink()
        # a full queue is a bell that rings already; all else is a bell that nobody hears


class Listener:
    """Hears the bell. `is_rung` is False where no bell can be: then only polling helps."""

    def __init__(self, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._path = folder / f"bell-{os.getpid()}-{next(_numbers)}.sock"
        self.is_rung = self._bind()

    def _bind(self) -> bool:
        if len(os.fsencode(self._path)) > _LONGEST_PATH:
            log.warning("no doorbell, the path is too long path=%s", self._path)
            return False
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._path.unlink(missing_ok=True)  # of a dead process that had our number
            self._socket.bind(os.fspath(self._path))
            self._path.chmod(0o600)
        except OSError as error:
            log.warning("no doorbell path=%s reason=%s", self._path, error)
            return False
        return True

    def wait(self, timeout_s: float) -> bool:
        """Wait until the bell rings, and take all rings so far; False when it did not in time."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000)) and self.drain()

    def fileno(self) -> int:
        """For `add_reader` of a loop: readable once the bell has rung; then call `drain`."""
        return self._socket.fileno()

    def drain(self) -> bool:
        """Take all rings so far; True when there were any."""
        has_rung = False
        with contextlib.suppress(OSError):  # nothing more to read
            while self._socket.recv(16):
                has_rung = True
        return has_rung

    def close(self) -> None:
        """Hear nothing more."""
        self._socket.close()
        if self.is_rung:
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
