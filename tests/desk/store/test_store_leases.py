"""Leases: one holder at a time, and an epoch that shows every change of hands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from desk import clock
from desk.store import leases
from desk.store.writer import Store

NOON = datetime(2026, 11, 6, 12, tzinfo=UTC)
MINUTE_US = 60_000_000


@pytest.fixture(autouse=True)
def _stopped_clock() -> object:
    with clock.frozen(NOON):
        yield


def taken(store: Store, owner: str) -> int | None:
    return store.write_tx(lambda tx: leases.take(tx, "timers", owner, MINUTE_US))


def test_one_has_it_and_the_other_waits_until_it_runs_out(store: Store) -> None:
    answers = [taken(store, "a"), taken(store, "b")]
    clock.advance(timedelta(seconds=60))
    answers.append(taken(store, "b"))

    assert answers == [1, None, 2]


def test_renewing_in_time_keeps_the_epoch(store: Store) -> None:
    first = taken(store, "a")
    clock.advance(timedelta(seconds=59))
    second = taken(store, "a")
    clock.advance(timedelta(seconds=59))

    assert (first, second, taken(store, "b")) == (1, 1, None)


def test_renewing_too_late_is_a_new_epoch(store: Store) -> None:
    taken(store, "a")
    clock.advance(timedelta(seconds=61))

    assert taken(store, "a") == 2


def test_whoever_slept_through_a_change_of_hands_holds_nothing(store: Store) -> None:
    taken(store, "a")
    clock.advance(timedelta(seconds=61))
    before = store.write_tx(lambda tx: leases.holds(tx, "timers", "a", 1))
    taken(store, "b")

    after = store.write_tx(lambda tx: leases.holds(tx, "timers", "a", 1))

    assert (before, after) == (True, False)


def test_given_back_it_is_free_at_once(store: Store) -> None:
    taken(store, "a")
    store.write_tx(lambda tx: leases.give_back(tx, "timers", "a", 1))

    assert taken(store, "b") == 2


def test_nobody_gives_back_what_another_has(store: Store) -> None:
    taken(store, "a")
    store.write_tx(lambda tx: leases.give_back(tx, "timers", "b", 1))

    assert taken(store, "b") is None
