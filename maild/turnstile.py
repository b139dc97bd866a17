"""Lets mails be filed in the order in which they arrived, although they are read side by side.

Ticket numbers then follow arrival, as people expect. A mail that takes long is overtaken: nobody waits for it
longer than half a second, and nobody after that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

PATIENCE_S = 0.5


class Turnstile:
    """Knows which mails are under way. Thread-safe."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self.patience_s = patience_s
        self._lock = threading.Lock()
        self._under_way: set[int] = set()
        self._waiting: dict[int, threading.Event] = {}  # each is woken alone: its turn is nobody else's

    def enter(self, items: Iterable[int]) -> None:
        """These were claimed; those after them wait for them."""
        with self._lock:
            self._under_way.update(items)

    def wait(self, item: int) -> None:
        """Return when all that arrived before this one have passed, or have had their time."""
        with self._lock:
            if self._is_first(item):
                return
            turn = self._waiting[item] = threading.Event()
        has_come = turn.wait(self.patience_s)
        with self._lock:
            del self._waiting[item]
            if not has_come:
                self._under_way = {other for other in self._under_way if other >= item}

    def passed(self, item: int) -> None:
        """This one has taken its place; may be said more than once."""
        with self._lock:
            self._under_way.discard(item)
            turn = self._waiting.get(min(self._under_way, default=0))
            if turn is not None:
                turn.set()

    def _is_first(self, item: int) -> bool:
        return not self._under_way or min(self._under_way) >= item
