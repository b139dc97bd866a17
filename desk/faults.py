"""Named points at which tests let the process die, stop or fail; nothing in normal runs.

`DESK_FAULTS="ingest.before_commit:kill:3"` kills the process (SIGKILL, no clean-up) when that point is
reached for the third time. Actions: kill, stop (SIGSTOP), error. Several are separated by commas.
"""

from __future__ import annotations

import os
import signal
import threading

from desk.errors import Unavailable

_lock = threading.Lock()
_armed: dict[str, tuple[str, int]] = {}


def arm(specification: str) -> None:
    """Set the points from their text form; an empty text disarms all.

    Raises:
        ValueError: the text is not of the form point:action[:count].
    """
    _armed.clear()
    for part in filter(None, specification.split(",")):
        point, action, *count = part.split(":")
        if action not in ("kill", "stop", "error"):
            raise ValueError(f"fault action {action!r} is none of kill, stop, error")
        _armed[point] = (action, int(count[0]) if count else 1)


def fault_point(name: str) -> None:
    """Do what is armed for this point, if anything."""
    if not _armed:
        return
    with _lock:
        action, left = _armed.get(name, ("", 0))
        if not action:
            return
        if left > 1:
            _armed[name] = (action, left - 1)
            return
        del _armed[name]
    if action == "error":
        raise Unavailable(f"fault point {name}")
    os.kill(os.getpid(), signal.SIGKILL if action == "kill" else signal.SIGSTOP)


arm(os.environ.get("DESK_FAULTS", ""))
