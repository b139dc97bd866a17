"""The outbox: claimed once, given back when a deliverer dies, settled once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from orders_parts import Shop

from desk import outbox
from desk.commands import Reply
from desk.outbox import Sending
from desk.states import OutboxState
from desk.store.schema import Outbox
from desk.store.writer import Transaction


@pytest.fixture
def two(shop: Shop) -> Shop:
    """Two letters that are due."""
    for who in "ab":
        shop.order(Reply(shop.open(f"{who}@client.example"), f"for {who}", now=True))
    return shop


def _write(shop: Shop, fn: Callable[..., Any], sending: Sending, **more: Any) -> None:
    def write(tx: Transaction) -> None:
        fn(tx, sending, code=None, answer="x" * 2000, **more)

    shop.desk.store.write_tx(write)


def _later(shop: Shop, step: timedelta) -> None:
    """Let leases and hold times run out by moving the rows into the past."""
    us = step // timedelta(microseconds=1)
    shop.desk.store.write_tx(
        lambda tx: tx.run("UPDATE outbox SET lease = lease - ?, run_at = run_at - ?", us, us)
    )


def _states(shop: Shop) -> list[OutboxState]:
    return [OutboxState(row.state) for row in shop.rows(Outbox)]


def _letter_events(shop: Shop) -> list[str]:
    return [event.event for event in shop.events() if event.event.startswith("letter.")]


def test_a_letter_is_claimed_once(two: Shop) -> None:
    store = two.desk.store

    first, second = outbox.claim(store, "one", 1), outbox.claim(store, "two", 5)

    assert [sending.id for sending in (*first, *second)] == [1, 2]
    assert [sending.recipient for sending in (*first, *second)] == ["a@client.example", "b@client.example"]
    assert outbox.claim(store, "three", 5) == []
    assert str(first[0]) == "letter=1 ticket=1 to=a@client.example"


def test_a_letter_that_is_held_back_is_not_claimed_before_its_time(shop: Shop) -> None:
    shop.order(Reply(shop.open(), "text"))
    early = outbox.claim(shop.desk.store, "one", 5)

    _later(shop, timedelta(seconds=20))

    assert (early, [sending.tries for sending in outbox.claim(shop.desk.store, "one", 5)]) == ([], [1])


def test_the_claim_of_a_deliverer_that_died_comes_back(two: Shop) -> None:
    store = two.desk.store
    outbox.claim(store, "died", 5)
    too_early = outbox.claim(store, "other", 5)

    _later(two, outbox.LEASE + timedelta(seconds=1))
    again = outbox.claim(store, "other", 5)

    assert too_early == []
    assert [(sending.id, sending.tries) for sending in again] == [(1, 2), (2, 2)]


def test_claims_of_a_former_process_are_released_at_once(two: Shop) -> None:
    store = two.desk.store
    outbox.claim(store, "one", 1)
    outbox.claim(store, "two", 1)

    assert outbox.release_claims(store, "one") == 1
    assert [sending.id for sending in outbox.claim(store, "one", 5)] == [1]


def test_a_letter_is_marked_sent_once(two: Shop) -> None:
    sending = outbox.claim(two.desk.store, "one", 1)[0]

    _write(two, outbox.mark_sent, sending)
    _write(two, outbox.mark_sent, sending)
    _write(two, outbox.mark_failed, sending)
    _write(two, outbox.defer, sending, after=timedelta(0))

    row = two.rows(Outbox)[0]
    assert (row.state, row.holder, len(row.answer), row.done is not None) == (
        OutboxState.SENT,
        "",
        1000,
        True,
    )
    assert _letter_events(two) == ["letter.sent"]


def test_a_failed_letter_is_never_sent_again(two: Shop) -> None:
    sending = outbox.claim(two.desk.store, "one", 1)[0]

    _write(two, outbox.mark_failed, sending)
    _later(two, timedelta(days=1))

    assert [each.id for each in outbox.claim(two.desk.store, "one", 5)] == [2]
    assert _letter_events(two) == ["letter.failed"]


def test_a_deferred_letter_is_tried_again_and_told_once(shop: Shop) -> None:
    shop.order(Reply(shop.open(), "text", now=True))
    claimed = []
    for _ in range(3):
        (sending,) = outbox.claim(shop.desk.store, "one", 5)
        _write(shop, outbox.defer, sending, after=timedelta(minutes=5))
        claimed.append(outbox.claim(shop.desk.store, "one", 5))
        _later(shop, timedelta(minutes=5, seconds=1))

    assert claimed == [[], [], []]
    assert _letter_events(shop) == ["letter.deferred"]
    assert shop.rows(Outbox)[0].tries == 3


def test_who_lost_the_lease_only_reports_what_was_sent(two: Shop) -> None:
    store = two.desk.store
    slow = outbox.claim(store, "slow", 1)[0]
    _later(two, outbox.LEASE + timedelta(seconds=1))
    outbox.claim(store, "quick", 1)

    _write(two, outbox.defer, slow, after=timedelta(0))
    _write(two, outbox.mark_failed, slow)
    still = _states(two)[0]
    _write(two, outbox.mark_sent, slow)

    assert (still, _states(two)[0]) == (OutboxState.SENDING, OutboxState.SENT)
    assert _letter_events(two) == ["letter.sent"]


def test_only_waiting_letters_are_withdrawn(two: Shop) -> None:
    messages = [row.message for row in two.rows(Outbox)]
    outbox.claim(two.desk.store, "one", 1)

    withdrawn = [two.desk.store.write_tx(lambda tx, m=m: outbox.withdraw(tx, m)) for m in messages]

    assert withdrawn == [0, 1]
    assert _states(two) == [OutboxState.SENDING, OutboxState.WITHDRAWN]


def test_an_idle_outbox_is_only_read(shop: Shop) -> None:
    def version() -> int:
        return int(shop.desk.store.database.execute_sql("PRAGMA data_version").fetchone()[0])

    with shop.desk.reading():
        before = version()
        assert outbox.claim(shop.desk.store, "one", 5) == []
        assert version() == before
