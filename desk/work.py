"""The one worker loop: claim, do, back off, park with the reason. Every loop of the desk is one of these.

On failure: a refusal that is final, or the last of the tries, parks the item with its reason; all else is
tried again later. Unknown errors count as temporary. An item is never lost and never in the way of others.
"""

from __future__ import annotations

import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Generic, Protocol, TypeVar

from desk.errors import DeskError, Unavailable

log = logging.getLogger(__name__)
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Result]):
    """What came of an attempt: a value, or the error."""

    value: Result | None = None
    error: Exception | None = None


def attempt(fn: Callable[[], Result]) -> Outcome[Result]:
    """Call `fn` and hand over whatever it raised as a value, for the one who asked to decide about."""
    try:
        return Outcome(value=fn())
    except Exception as error:  # the one broad except of the desk
        return Outcome(error=error)


class Source(Protocol[Item]):
    """Where a loop's items come from and where they go. All methods are called from worker threads."""

    name: str

    def claim(self, limit: int) -> Sequence[Item]:
        """Take up to `limit` items that are due; nobody else gets them while the lease runs."""

    def do(self, item: Item) -> None:
        """Carry the item out and mark it done, in one transaction."""

    def tries(self, item: Item) -> int:
        """How often this item has been begun, this time included."""

    def again(self, item: Item, after: timedelta, reason: str) -> None:
        """Give the item back, to be claimed after this time."""

    def park(self, item: Item, reason: str) -> None:
        """Set the item aside for people."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a loop behaves. `waits` are the pauses before the second, third ... try; after them it parks."""

    workers: int = 1
    waits: tuple[timedelta, ...] = (timedelta(seconds=1), timedelta(seconds=10), timedelta(minutes=1))
    poll: timedelta = timedelta(seconds=1)
    jitter: float = 0.2


class Loop(Generic[Item]):
    """Runs a source with its own threads until stopped. `ring()` makes it look at once."""

    def __init__(self, source: Source[Item], pace: Pace) -> None:
        self.source, self.pace = source, pace
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._room = threading.Semaphore(pace.workers * 2)
        self._owed: deque[Callable[[], None]] = deque()  # what could not be given back or parked yet
        self._pool = ThreadPoolExecutor(pace.workers, thread_name_prefix=source.name)
        self._thread = threading.Thread(target=self._run, name=f"{source.name}-loop", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ring(self) -> None:
        """Say that there may be work; cheap, from any thread, never blocks."""
        self._bell.set()

    def stop(self) -> None:
        """Claim nothing more and return when the items under way are through."""
        self._stopping.set()
        self._bell.set()
        if self._thread.ident is not None:  # it may never have been started
            self._thread.join()
        self._pool.shutdown(wait=True)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._bell.clear()
            if not self._claim_and_hand_out():
                self._bell.wait(self.pace.poll.total_seconds())

    def _claim_and_hand_out(self) -> bool:
        """True when there may be more at once."""
        if not self._settle_what_is_owed():
            return False
        places = self._free_places()
        if self._stopping.is_set():
            self._room.release(places)
            return False
        got = attempt(lambda: self.source.claim(places))
        items = got.value or ()
        if unused := places - len(items):
            self._room.release(unused)
        if got.error is not None:
            log.warning("claim failed loop=%s reason=%s", self.source.name, got.error)
            return False
        for item in items:
            self._pool.submit(self._work, item)
        return len(items) == places

    def _free_places(self) -> int:
        """Wait for some places and take all that are free.

        What is claimed is begun soon and not kept waiting, and a claim, which is a write, is for several.
        """
        places = max(1, self.pace.workers // 2)
        for _ in range(places):
            self._room.acquire()
        while self._room.acquire(blocking=False):
            places += 1
        return places

    def _work(self, item: Item) -> None:
        try:
            carry_out(self.source, item, self.pace, owed=self._owed)
        finally:
            self._room.release()
            self._bell.set()

    def _settle_what_is_owed(self) -> bool:
        """Whether all is settled; while the store is away there is nothing to claim either."""
        while self._owed:
            if attempt(self._owed[0]).error is not None:
                return False
            self._owed.popleft()
        return True


def carry_out(
    source: Source[Item], item: Item, pace: Pace, *, owed: deque[Callable[[], None]] | None = None
) -> None:
    """Do one item; on error give it back or park it. Never raises what the item caused.

    `owed` takes what could not be settled because the store was away; without it the item's lease runs out.
    """
    error = attempt(lambda: source.do(item)).error
    if error is None:
        return
    tries = source.tries(item)
    is_final = isinstance(error, DeskError) and not error.temporary
    if isinstance(error, Unavailable):  # not the item's fault: it waits as long as it takes
        tries = min(tries, len(pace.waits))
    if not isinstance(error, DeskError):
        log.error("unexpected error loop=%s item=%s", source.name, item, exc_info=error)
    reason = describe(error)
    settle: Callable[[], None]
    if is_final or tries > len(pace.waits):
        log.error("parked loop=%s item=%s reason=%s", source.name, item, reason)
        settle = partial(source.park, item, reason)
    else:
        wait = pace.waits[tries - 1] if pace.waits else pace.poll
        after = wait * (1 + random.uniform(0, pace.jitter))
        log.warning("again later loop=%s item=%s after=%s reason=%s", source.name, item, after, reason)
        settle = partial(source.again, item, after, reason)
    settled = attempt(settle)
    if settled.error is not None:
        log.error("could not give back loop=%s item=%s reason=%s", source.name, item, settled.error)
        if owed is not None:
            owed.append(settle)


def describe(error: Exception) -> str:
    """One line for people: the refusal itself, or the kind and text of an unexpected error."""
    if isinstance(error, DeskError):
        return str(error)
    return f"{type(error).__name__}: {error}".splitlines()[0][:500]


def run_until_idle(source: Source[Item], pace: Pace, *, progress: Callable[[], None] | None = None) -> int:
    """Carry out in this thread all that is due now; the number of items. For commands without a daemon."""
    count = 0
    while items := source.claim(pace.workers * 2):
        for item in items:
            carry_out(source, item, pace)
            count += 1
            if progress is not None:
                progress()
    return count
