"""Merging tickets: one conversation, and everything that led to the first leads to the second."""

from __future__ import annotations

import pytest
from orders_parts import Shop

from desk.commands import AddNote, Assign, Merge, Reply, Resolve, SetFields, Take
from desk.errors import IllegalMove, Invalid, NotAllowed, NotFound
from desk.states import Status
from desk.store.schema import Inbox, Message, MessageIdentity, Outbox, Participant, Ticket


def _people(shop: Shop, number: int) -> list[tuple[str, str]]:
    rows = shop.rows(Participant, Participant.ticket == number)
    return [(row.address, row.role) for row in sorted(rows, key=lambda row: row.contact)]


def test_a_merge_brings_conversation_people_and_ids(shop: Shop) -> None:
    first = shop.ticket_of(shop.mail("a@client.example", "one", newcomers=("c@client.example",)))
    second = shop.ticket_of(shop.mail("b@client.example", "two", newcomers=("c@client.example",)))
    shop.order(AddNote(first, "note"))
    shop.order(Reply(first, "answer"))

    events = shop.order(Merge(first, second))

    assert [event.event for event in events] == [
        "order.given", "participant.added", "state.changed", "ticket.merged",
    ]  # fmt: skip
    assert [row.ticket for row in shop.rows(Message)] == [second] * 4
    assert [row.origin for row in shop.rows(Message)] == [first, second, first, first]
    assert {row.ticket for row in shop.rows(MessageIdentity)} == {second}
    assert {row.ticket for row in shop.rows(Outbox)} == {second}
    assert _people(shop, second) == [
        ("a@client.example", "cc"), ("c@client.example", "cc"), ("b@client.example", "requester"),
    ]  # fmt: skip
    old, new = shop.ticket(first), shop.ticket(second)
    assert (old["status"], old["merged_into"], old["messages"]) == (Status.MERGED, second, 0)
    assert (new["status"], new["merged_into"], new["messages"]) == (Status.NEW, None, 4)


def test_a_reply_after_a_merge_goes_to_all_and_continues_both_threads(shop: Shop) -> None:
    first = shop.ticket_of(shop.mail("a@client.example", "one"))
    shop.order(Reply(first, "answer", now=True))
    second = shop.ticket_of(shop.mail("b@client.example", "two"))
    shop.order(Merge(first, second))

    shop.order(Reply(second, "for both", now=True))

    letters = [row for row in shop.rows(Outbox) if row.ticket == second][1:]
    assert [row.recipient for row in letters] == ["b@client.example", "a@client.example"]
    to_first = shop.content(letters[1].blob).decode()
    earlier = shop.rows(Outbox)[0].message_id
    assert earlier in to_first.replace("\r\n ", " ")


def test_a_chain_of_merges_ends_at_the_last_ticket(shop: Shop) -> None:
    a, b, c = (shop.ticket_of(shop.mail(f"{who}@client.example", who)) for who in "abc")
    shop.order(Merge(a, b))
    shop.order(Merge(b, c))

    assert [shop.ticket(number)["merged_into"] for number in (a, b, c)] == [c, c, None]
    assert {row.ticket for row in shop.rows(Message)} | {
        row.ticket for row in shop.rows(MessageIdentity)
    } == {c}
    assert shop.ticket(c)["messages"] == 3
    assert [address for address, _ in _people(shop, c)] == [f"{who}@client.example" for who in "abc"]


@pytest.mark.parametrize(
    "order",
    [Take(1), Assign(1, "tom"), Reply(1, "x"), AddNote(1, "x"), Resolve(1), Merge(1, 3), Merge(3, 1),
     SetFields(1, (("status", "open"),))],
)  # fmt: skip
def test_a_merged_ticket_refuses_orders_and_names_the_other(shop: Shop, order: object) -> None:
    for _ in range(3):
        shop.open()
    shop.order(Merge(1, 2))
    before = shop.counts()

    with pytest.raises(IllegalMove, match="ticket 1 was merged into 2; use that one"):
        shop.order(order, "lea")

    assert shop.counts() == before


def test_a_held_letter_follows_its_ticket(shop: Shop) -> None:
    shop.open()
    shop.open("b@client.example")
    inbox = shop.mail("x@client.example", "held", ticket=1, way="hold", author="stranger")

    shop.order(Merge(1, 2))

    assert shop.rows(Inbox, Inbox.id == inbox)[0].ticket == 2
    assert shop.ticket(2)["messages"] == 2


def test_a_merge_needs_the_right_in_both_queues(shop: Shop) -> None:
    shop.open()
    shop.open(queue="network")
    shop.grant_only("tom", "technician", "network")
    before = shop.counts()

    for command in (Merge(1, 2), Merge(2, 1)):
        with pytest.raises(NotAllowed, match="tom may not merge tickets in queue help-desk"):
            shop.order(command, "tom")

    assert shop.counts() == before


def test_a_ticket_is_not_merged_into_itself_or_nothing(shop: Shop) -> None:
    shop.open()

    with pytest.raises(Invalid, match="into itself"):
        shop.order(Merge(1, 1))
    with pytest.raises(NotFound, match="there is no ticket 9"):
        shop.order(Merge(1, 9))


def test_spam_is_not_merged(shop: Shop) -> None:
    shop.open()
    shop.open()
    shop.order(SetFields(1, (("status", "spam"),)))

    with pytest.raises(IllegalMove, match="is spam and cannot become merged"):
        shop.order(Merge(1, 2))

    with shop.desk.reading():
        assert Ticket.select().where(Ticket.merged_into.is_null(False)).count() == 0
