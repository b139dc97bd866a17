"""The worker loop: what fails is tried again, parked with its reason, and never in the way of others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from desk.errors import Conflict, DeskError, Invalid, NoSpace, NotFound, Unavailable
from desk.work import Loop, Pace, attempt, carry_out, describe, run_until_idle
from tests.real.servers.loopback import wait_until

AT_ONCE = timedelta(0)
QUICK = Pace(workers=2, waits=(AT_ONCE, AT_ONCE), poll=timedelta(milliseconds=5), jitter=0)


@dataclass
class Errands:
    """A source in memory. `deeds` says by name what an item does; each call is one try."""

    deeds: dict[str, Callable[[], None]] = field(default_factory=dict)
    name: str = "errands"

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.waiting: list[str] = []
        self.begun: dict[str, int] = {}
        self.done: list[str] = []
        self.pauses: list[tuple[str, timedelta]] = []
        self.parked: dict[str, str] = {}
        self.claims = 0
        self.limits: set[int] = set()

    def add(self, *names: str) -> None:
        with self._lock:
            self.waiting += names

    def claim(self, limit: int) -> Sequence[str]:
        with self._lock:
            self.claims += 1
            self.limits.add(limit)
            taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
            for name in taken:
                self.begun[name] = self.begun.get(name, 0) + 1
            return taken

    def do(self, item: str) -> None:
        self.deeds.get(item, lambda: None)()
        with self._lock:
            self.done.append(item)

    def tries(self, item: str) -> int:
        return self.begun[item]

    def again(self, item: str, after: timedelta, reason: str) -> None:
        with self._lock:
            self.pauses.append((item, after))
            self.waiting.append(item)

    def park(self, item: str, reason: str) -> None:
        with self._lock:
            self.parked[item] = reason


def failing(error: Exception, times: int = 1_000_000) -> Callable[[], None]:
    """A deed that fails so many times."""
    left = [times]

    def deed() -> None:
        if left[0]:
            left[0] -= 1
            raise error

    return deed


@contextmanager
def running(source: Errands, pace: Pace = QUICK) -> Iterator[Loop[str]]:
    loop = Loop(source, pace)
    loop.start()
    try:
        yield loop
    finally:
        loop.stop()


def test_all_items_are_done_once() -> None:
    source = Errands()
    names = [f"item {n}" for n in range(50)]
    source.add(*names)

    with running(source):
        wait_until(lambda: len(source.done) == 50, "all items")

    assert sorted(source.done) == sorted(names)
    assert max(source.limits) == 4


def test_what_fails_is_tried_again_until_it_works() -> None:
    source = Errands({"shy": failing(Conflict("busy"), 2)})
    source.add("shy")

    with running(source):
        wait_until(lambda: source.done == ["shy"], "the item")

    assert (source.begun["shy"], source.parked) == (3, {})


@pytest.mark.parametrize(
    ("error", "reason"),
    [(Conflict("changed meanwhile"), "changed meanwhile"), (ValueError("odd\nthing"), "ValueError: odd")],
)
def test_what_fails_every_time_is_parked_with_the_last_reason(error: Exception, reason: str) -> None:
    source = Errands({"bad": failing(error)})
    source.add("bad", "good")

    with running(source):
        wait_until(lambda: "bad" in source.parked, "the bad item")

    assert (source.begun["bad"], source.parked, source.done) == (3, {"bad": reason}, ["good"])


def test_a_final_refusal_is_parked_at_once() -> None:
    source = Errands({"bad": failing(NotFound("there is no ticket 7"))})
    source.add("bad")

    with running(source):
        wait_until(lambda: bool(source.parked), "the bad item")

    assert (source.begun["bad"], source.parked) == (1, {"bad": "there is no ticket 7"})


@pytest.mark.parametrize("error", [Unavailable("no store"), NoSpace("disk full")])
def test_what_is_not_the_items_fault_waits_for_ever(error: DeskError) -> None:
    source = Errands({"waits": failing(error, 30)})
    source.add("waits")

    with running(source):
        wait_until(lambda: source.done == ["waits"], "the store to come back")

    assert (source.begun["waits"], source.parked) == (31, {})


def test_pauses_grow_as_the_pace_says_and_have_jitter() -> None:
    source = Errands({"bad": failing(Conflict("busy"))})
    pace = Pace(waits=(timedelta(seconds=1), timedelta(seconds=10)), jitter=0.5)
    source.add("bad")

    run_until_idle(source, pace)

    [(_, first), (_, second)] = source.pauses
    assert timedelta(seconds=1) <= first <= timedelta(seconds=1.5)
    assert timedelta(seconds=10) <= second <= timedelta(seconds=15)


def test_a_pace_without_waits_parks_at_the_first_failure_but_not_for_the_store() -> None:
    source = Errands({"bad": failing(Conflict("busy")), "waits": failing(Unavailable("no store"), 1)})
    source.add("bad", "waits")

    run_until_idle(source, Pace(waits=()))

    assert (source.parked, source.done) == ({"bad": "busy"}, ["waits"])
    assert timedelta(seconds=1) <= source.pauses[0][1] <= timedelta(seconds=1.2)


def test_a_slow_item_is_not_in_the_way_of_others() -> None:
    may_end = threading.Event()
    source = Errands({"slow": lambda: _wait(may_end)})
    source.add("slow", *(f"quick {n}" for n in range(20)))

    with running(source):
        wait_until(lambda: len(source.done) == 20, "the quick items")
        done_meanwhile = sorted(source.done)
        may_end.set()

    assert "slow" not in done_meanwhile
    assert source.done[-1] == "slow"


def test_stop_drains_what_was_claimed_and_leaves_the_rest() -> None:
    may_end = threading.Event()
    source = Errands({f"item {n}": lambda: _wait(may_end) for n in range(10)})
    source.add(*(f"item {n}" for n in range(10)))
    loop = Loop(source, QUICK)
    loop.start()
    wait_until(lambda: len(source.begun) == 4, "the first claim")
    stopping = threading.Thread(target=loop.stop)
    stopping.start()
    wait_until(loop._stopping.is_set, "the order to stop")
    may_end.set()
    stopping.join(30)

    assert stopping.is_alive() is False
    assert sorted(source.done) == sorted(source.begun)
    assert len(source.done) + len(source.waiting) == 10
    assert source.waiting != []


def test_a_loop_that_never_ran_can_be_stopped() -> None:
    source = Errands()
    source.add("item")

    Loop(source, QUICK).stop()

    assert (source.done, source.waiting) == ([], ["item"])


def test_a_ring_makes_it_look_at_once() -> None:
    source = Errands()
    with running(source, Pace(poll=timedelta(hours=1))) as loop:
        wait_until(lambda: source.claims == 1, "the first look")
        source.add("item")

        loop.ring()

        wait_until(lambda: source.done == ["item"], "the item")


def test_a_claim_that_fails_is_made_again() -> None:
    class Broken(Errands):
        def claim(self, limit: int) -> Sequence[str]:
            taken = super().claim(limit)
            if self.claims == 1:
                raise Unavailable("no store")
            return taken

    source = Broken()
    with running(source):
        wait_until(lambda: source.claims > 2, "another claim")
        source.add("item")

        wait_until(lambda: source.done == ["item"], "the item")


def test_an_item_that_cannot_be_given_back_does_not_end_the_worker(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Errands):
        def again(self, item: str, after: timedelta, reason: str) -> None:
            raise Unavailable("no store")

    source = Broken({"bad": failing(Conflict("busy"))})
    source.add("bad", "good")

    run_until_idle(source, QUICK)

    assert source.done == ["good"]
    assert caplog.records[-1].getMessage() == "could not give back loop=errands item=bad reason=no store"


def test_run_until_idle_counts_and_shows_progress() -> None:
    source, steps = Errands(), [0]
    source.add("a", "b", "c")

    count = run_until_idle(source, QUICK, progress=lambda: steps.append(steps[-1] + 1))

    assert (count, steps, source.done) == (3, [0, 1, 2, 3], ["a", "b", "c"])


def test_carry_out_never_raises_what_the_item_caused() -> None:
    source = Errands({"bad": failing(ZeroDivisionError())})
    source.add("bad")
    [item] = source.claim(1)

    carry_out(source, item, QUICK)

    assert source.pauses == [("bad", AT_ONCE)]


def test_attempt_gives_the_value_or_the_error() -> None:
    error = Invalid("no")

    assert attempt(lambda: 3).value == 3
    assert attempt(failing(error)).error is error


def test_a_description_is_one_short_line() -> None:
    assert describe(Invalid("as it is")) == "as it is"
    assert describe(ValueError("a\nb")) == "ValueError: a"
    assert len(describe(ValueError("x" * 5000))) == 500


def _wait(event: threading.Event) -> None:
    assert event.wait(30)


def test_what_could_not_be_given_back_is_given_back_before_the_next_claim() -> None:
    given_back: list[str] = []
    store_is_away = threading.Event()
    store_is_away.set()
    done = threading.Event()

    class Forgetful:
        name = "forgetful"
        waiting = ["mail"]

        def claim(self, limit: int) -> list[str]:
            taken, self.waiting = self.waiting, []
            return taken

        def do(self, item: str) -> None:
            raise Unavailable("the store is away")

        def tries(self, item: str) -> int:
            return 1

        def again(self, item: str, after: timedelta, reason: str) -> None:
            if store_is_away.is_set():
                store_is_away.clear()
                raise Unavailable("the store is away")
            given_back.append(item)
            done.set()

        def park(self, item: str, reason: str) -> None:
            raise AssertionError("it is not the item's fault")

    loop: Loop[str] = Loop(Forgetful(), Pace(workers=1, poll=timedelta(milliseconds=5)))
    loop.start()

    assert done.wait(10)
    loop.stop()
    assert given_back == ["mail"]
