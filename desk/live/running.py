"""Whether a desk runs on a home: the running one holds a lock on run/up.lock.

The lock belongs to the open file, so the kernel takes it back when the process ends, however it ends; the
file itself says nothing and stays. Standards: flock(2). Does not reach other machines on one store.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desk.errors import Unavailable

_PATIENCE_S = 1.0  # somebody who only asks holds the lock for a moment


def lock_path(home: Path) -> Path:
    """The file whose lock the running desk holds."""
    return home / "run" / "up.lock"


def is_running(home: Path) -> bool:
    """Whether a desk of this machine runs on the home now."""
    try:
        descriptor = os.open(lock_path(home), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # shared, so that two who ask at once do not take each other for a running desk
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def hold(home: Path) -> Iterator[None]:
    """Be the running desk of the home for the length of the block.

    Raises:
        Unavailable: another one is, or the lock file cannot be made.
    """
    path = lock_path(home)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"{path} cannot be opened: {error.strerror}") from error
    try:
        _take(descriptor, home)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, home: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise Unavailable(f"a desk runs on {home} already; stop that one first") from error
            time.sleep(0.02)
        else:
            return
