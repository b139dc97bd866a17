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
        self._under_way: set[int] = set()
        self._changed = threading.Condition()

    def enter(self, items: Iterable[int]) -> None:
        """These were claimed; those after them wait for them."""
        with self._changed:
            self._under_way.update(items)

    def wait(self, item: int) -> None:
        """Return when all that arrived before this one have passed, or have had their time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_first(item), self.patience_s):
                self._under_way = {other for other in self._under_way if other >= item}
                self._changed.notify_all()

    def passed(self, item: int) -> None:
        """This one has taken its place; may be said more than once."""
        with self._changed:
            self._under_way.discard(item)
            self._changed.notify_all()

    def _is_first(self, item: int) -> bool:
        return not self._under_way or min(self._under_way) >= item
