"""Work that is done again and again: sealing, indexing, looking at the home's files. Each is a worker loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from desk.work import Loop, Pace


class Chore:
    """A source whose one item is due every so often. A failure is logged, and a later turn tries again."""

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
        """The next turn comes by itself, but not while what failed (a store that is away) fails for sure."""
        self._next = max(self._next, time.monotonic() + after.total_seconds())

    def park(self, item: str, reason: str) -> None:
        """The next turn comes by itself."""

    def hurry(self) -> None:
        """Be due now; from any thread."""
        self._next = 0.0


def chore(name: str, every: timedelta, fn: Callable[[], object]) -> Loop[str]:
    """A loop that does one thing every so often."""
    return Loop(Chore(name, every, fn), Pace(workers=1, poll=every))
