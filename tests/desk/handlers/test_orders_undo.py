"""Taking orders back: everything is as it was, once, and only one's own."""

from __future__ import annotations

from typing import Any

import pytest
from orders_parts import Shop

from desk.commands import (
    AddNote,
    Assign,
    ChangePreference,
    Merge,
    Reopen,
    Reply,
    Resolve,
    SetFields,
    Take,
    Undo,
)
from desk.errors import Conflict, IllegalMove, NotFound
from desk.handlers.undo import REVERSALS
from desk.outbox import claim
from desk.states import MessageState, OutboxState
from desk.store.schema import Message, Outbox, TicketTag


def _state(shop: Shop, number: int) -> tuple[dict[str, Any], list[str], list[int]]:
    """The ticket, its tags, and the messages that count."""
    tags = [row.tag for row in shop.rows(TicketTag, TicketTag.ticket == number)]
    standing = shop.rows(Message, Message.ticket == number, Message.state == int(MessageState.STANDS))
    return shop.plain(number), tags, [row.id for row in standing]


def _fields(**fields: str) -> SetFields:
    return SetFields(1, tuple(fields.items()))


UNDOABLE: list[tuple[list[Any], Any]] = [  # what went before, what is taken back
    ([], Take(1)),
    ([Take(1)], Assign(1, "tom")),
    ([Take(1)], Assign(1, None)),
    ([], AddNote(1, "text")),
    ([], Reply(1, "text")),
    ([], Reply(1, "text", resolve=True)),
    ([Take(1)], Reply(1, "text", wait=True)),
    ([], Resolve(1)),
    ([_fields(status="waiting")], Resolve(1)),
    ([Resolve(1)], Reopen(1)),
    ([Resolve(1)], _fields(status="closed")),
    ([Resolve(1), _fields(status="closed")], Reopen(1)),
    ([Resolve(1), Reopen(1), _fields(status="closed")], Reopen(1)),
    ([_fields(status="spam")], Reopen(1)),
    ([Resolve(1)], _fields(status="spam")),
    ([Resolve(1), _fields(status="spam")], Reopen(1)),
    ([], _fields(status="vendor")),
    ([], _fields(priority="critical")),
    ([], _fields(impact="2")),
    ([_fields(impact="2")], _fields(urgency="1")),
    ([_fields(impact="2", urgency="3")], _fields(impact="1", urgency="1")),
    ([_fields(impact="2", urgency="3"), _fields(priority="low")], _fields(urgency="1")),
    ([], _fields(queue="network", category="network.vpn", kind="request", language="zh-Hans", tier="2")),
    ([], _fields(tag="a,b")),
    ([_fields(tag="a,b")], _fields(tag="-a,c")),
    ([_fields(tag="a")], _fields(tag="-a,a,b,-b", status="resolved", priority="low")),
]


@pytest.mark.parametrize(("before", "order"), UNDOABLE, ids=lambda value: type(value).__name__)
def test_an_order_taken_back_leaves_the_ticket_as_it_was(shop: Shop, before: list[Any], order: Any) -> None:
    shop.open()
    for each in before:
        shop.order(each)
    then = _state(shop, 1)
    given = shop.order(order)

    shop.order(Undo(1))

    assert _state(shop, 1) == then
    done = shop.events(1)[-1]
    assert done.data["of"] == sorted(event.id for event in given)


def test_the_history_names_the_order_that_was_taken_back(shop: Shop) -> None:
    shop.open()
    first = shop.order(Take(1))[0]
    second = shop.order(_fields(priority="high"))[0]

    undos = [shop.order(Undo(1))[0], shop.order(Undo())[0]]

    named = [(event.ticket, event.happening.undo_of) for event in undos]
    assert named == [(1, second.id), (1, first.id)]
    kept = [event.data["undo_of"] for event in shop.events(1) if event.event == "order.given"]
    assert kept == [None, None, second.id, first.id]


def test_all_events_that_undoable_orders_cause_can_be_reversed(shop: Shop) -> None:
    """Nothing that an order does may be forgotten when it is taken back."""
    shop.open()
    caused: set[str] = set()
    for each in [order for before, last in UNDOABLE for order in (*before, last)]:
        try:
            caused |= {event.event for event in shop.order(each, "lea") if event.event != "order.given"}
        except IllegalMove:  # the orders of one case do not fit behind those of another
            continue

    assert caused <= set(REVERSALS)


def test_undo_twice_goes_to_the_order_before(shop: Shop) -> None:
    shop.open()
    start = _state(shop, 1)
    shop.order(Take(1))
    taken = _state(shop, 1)
    shop.order(_fields(priority="high"))
    shop.order(_fields(tier="1"))  # changes nothing, so there is nothing to take back

    shop.order(Undo())
    once = _state(shop, 1)
    shop.order(Undo(1))

    assert (once, _state(shop, 1)) == (taken, start)
    with pytest.raises(NotFound, match="tess has given no order on ticket 1"):
        shop.order(Undo(1))


def test_an_order_after_an_undo_is_taken_back_alone(shop: Shop) -> None:
    shop.open()
    shop.order(_fields(priority="high"))
    shop.order(_fields(priority="low"))
    shop.order(Undo(1))
    shop.order(_fields(priority="planned"))

    shop.order(Undo(1))

    assert shop.ticket(1)["priority"] == 2


def test_undo_takes_back_on_the_named_ticket_only(shop: Shop) -> None:
    first, second = shop.open(), shop.open()
    shop.order(Take(first))
    shop.order(Take(second))

    shop.order(Undo(first))

    assert (shop.ticket(first)["owner"], shop.ticket(second)["owner"]) == (None, "tess")


def test_another_actor_finds_nothing_to_take_back(shop: Shop) -> None:
    shop.open()
    shop.order(Take(1))
    before = shop.counts()

    with pytest.raises(NotFound, match="tom has given no order"):
        shop.order(Undo(1), "tom")

    assert shop.counts() == before


OVERWRITTEN: list[tuple[Any, Any]] = [  # tess orders, lea orders something else
    (Take(1), Assign(1, "tom")),
    (_fields(priority="high"), _fields(priority="low")),
    (_fields(impact="1"), _fields(urgency="4")),
    (_fields(queue="network"), _fields(queue="help-desk")),
    (_fields(tag="a"), _fields(tag="-a")),
    (Resolve(1), Reopen(1)),
    (Reply(1, "text", wait=True), _fields(status="vendor")),
]


@pytest.mark.parametrize(("mine", "theirs"), OVERWRITTEN, ids=lambda value: type(value).__name__)
def test_what_somebody_has_changed_since_is_not_taken_back(shop: Shop, mine: Any, theirs: Any) -> None:
    shop.open()
    shop.order(mine)
    shop.order(theirs, "lea")
    before, counts = _state(shop, 1), shop.counts()

    with pytest.raises(Conflict):
        shop.order(Undo(1))

    assert (_state(shop, 1), shop.counts()) == (before, counts)


def test_what_somebody_has_set_to_the_same_value_again_is_not_taken_back(shop: Shop) -> None:
    shop.open()
    shop.order(Resolve(1))
    shop.mail("a@client.example", "still broken", ticket=1)
    shop.order(Resolve(1), "lea")
    before = _state(shop, 1)

    with pytest.raises(Conflict, match="state was changed since"):
        shop.order(Undo(1))

    assert _state(shop, 1) == before


def test_a_removed_tag_that_was_added_again_is_a_conflict(shop: Shop) -> None:
    shop.open()
    shop.order(_fields(tag="a"))
    shop.order(_fields(tag="-a"))
    shop.order(_fields(tag="a"), "lea")

    with pytest.raises(Conflict, match="the tag a was added again"):
        shop.order(Undo(1))


def test_work_of_others_on_other_fields_stays(shop: Shop) -> None:
    shop.open()
    shop.order(_fields(priority="high"))
    shop.order(_fields(tier="2"), "lea")
    shop.order(AddNote(1, "hers"), "lea")

    shop.order(Undo(1))

    after = shop.ticket(1)
    assert (after["priority"], after["tier"], after["messages"]) == (3, 2, 2)


def test_a_reply_taken_back_in_time_leaves_no_letter(shop: Shop) -> None:
    number = shop.ticket_of(shop.mail("a@client.example", "hi", newcomers=("c@client.example",)))
    shop.order(Reply(number, "text", resolve=True))

    shop.order(Undo(number))

    assert [row.state for row in shop.letters(number)] == [OutboxState.WITHDRAWN] * 2
    reply = shop.rows(Message)[-1]
    assert (reply.kind, reply.state) == ("reply", MessageState.WITHDRAWN)
    shop.desk.store.write_tx(lambda tx: tx.run("UPDATE outbox SET run_at = 0"))
    assert shop.send_all() == 0


@pytest.mark.parametrize("is_sent", [True, False])
def test_a_reply_that_has_left_is_not_taken_back(shop: Shop, is_sent: bool) -> None:
    number = shop.ticket_of(shop.mail("a@client.example", "hi", newcomers=("c@client.example",)))
    shop.order(Reply(number, "text", now=True))
    if is_sent:
        shop.send_all()
    else:
        assert len(claim(shop.desk.store, "deliverer", 1)) == 1
    before, counts = _state(shop, number), shop.counts()
    states = [row.state for row in shop.rows(Outbox)]

    with pytest.raises(IllegalMove, match="has left already"):
        shop.order(Undo(number))

    assert (_state(shop, number), shop.counts()) == (before, counts)
    assert [row.state for row in shop.rows(Outbox)] == states


def test_a_merge_is_not_taken_back_and_says_so(shop: Shop) -> None:
    shop.open()
    shop.open()
    shop.order(Take(1))
    shop.order(Merge(1, 2))

    for command in (Undo(), Undo(1)):
        with pytest.raises(IllegalMove, match="ticket 1 was merged; a merge cannot be taken back yet"):
            shop.order(command)

    shop.order(Take(2))
    shop.order(Undo())
    assert shop.ticket(2)["owner"] is None


def test_orders_on_no_ticket_are_not_taken_back(shop: Shop) -> None:
    shop.order(ChangePreference("tess", "undo_seconds", "3"))
    shop.open()

    with pytest.raises(NotFound, match="tess has given no order that can be taken back"):
        shop.order(Undo())
