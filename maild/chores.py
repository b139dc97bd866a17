"""Work that is done again and again: sealing, indexing, looking at the home's files. Each is a worker loop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from desk.work import Loop, Pace

log = logging.getLogger(__name__)


class Chore:
    """A source whose one item is due every so often. A failure is logged, and the next turn tries again."""

    def __init__(self, name: str, every: timedelta, fn: Callable[[], object]) -> None:
        self.name, self._every_s, self._fn = name, every.total_seconds(), fn
        self._next = 0.0

    def claim(self, limit: int) -> Sequence[str]:
        if time.monotonic() < self._next:
            return ()
        self._next = time.monotonic() + self._every_s
        return (self.name,)

    def do(self, item: str) -> None:
        self._fn()

    def tries(self, item: str) -> int:
        return 1

    def again(self, item: str, after: timedelta, reason: str) -> None:
        """The next turn comes by itself."""

    def park(self, item: str, reason: str) -> None:
        """The next turn comes by itself."""


def chore(name: str, every: timedelta, fn: Callable[[], object]) -> Loop[str]:
    """A loop that does one thing every so often."""
    return Loop(Chore(name, every, fn), Pace(workers=1, poll=every))
