"""The door goes first: while a burst of mail comes in, filing steps back to a trickle, and indexing waits.

A sender waits for his 250 and nobody waits for a ticket within the same second, so a burst is taken in at the
speed of the disk and worked off after it. The trickle keeps a desk under lasting load moving.
"""

from __future__ import annotations

import threading
import time
from collections import deque

WINDOW_S = 0.1
BURST = 30  # mails within the window: 300 a second, far above what a site gets but in a burst
TRICKLE_S = 0.02
REST_S = 3.0  # how long after a burst what nobody waits for still waits


class Precedence:
    """Counts the mails that were stored lately, and says what may be done meanwhile. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stored_at: deque[float] = deque(maxlen=BURST)
        self._last_burst = -REST_S

    def stored(self) -> None:
        """A mail has come in."""
        with self._lock:
            self._stored_at.append(time.monotonic())
            if self._is_burst():
                self._last_burst = time.monotonic()

    def allowed(self, wanted: int) -> int:
        """How many mails may be claimed for filing: all that are wanted, in a burst one after a short wait."""
        with self._lock:
            if not self._is_burst():
                return wanted
        time.sleep(TRICKLE_S)
        return 1

    def is_quiet(self) -> bool:
        """Whether the last burst is over long enough for work that can wait."""
        with self._lock:
            return time.monotonic() - self._last_burst >= REST_S

    def _is_burst(self) -> bool:
        return len(self._stored_at) == BURST and time.monotonic() - self._stored_at[0] < WINDOW_S
