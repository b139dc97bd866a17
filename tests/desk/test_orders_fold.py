"""Whatever is ordered, in whatever sequence: the events tell the same as the rows."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from orders_parts import Shop

from desk.commands import (
    AddNote,
    Assign,
    Merge,
    RejectHeld,
    ReleaseHeld,
    Reopen,
    Reply,
    Resolve,
    SetFields,
    Take,
    Undo,
)
from desk.errors import DeskError
from desk.eventlines import Entry, values
from desk.fold import Fold, fold, undone
from desk.store.schema import Inbox, Message, Participant, TicketTag

# Each makes an order for the ticket n; m is another one.
FIELDS = [
    ("status", "open"), ("status", "waiting"), ("status", "vendor"), ("status", "closed"),
    ("priority", "high"), ("priority", "low"), ("impact", "1"), ("impact", "3"), ("urgency", "2"), ("urgency", "4"),
    ("kind", "request"), ("category", "network.vpn"), ("queue", "network"), ("tier", "2"), ("language", "zh-Hant"),
    ("tag", "a"), ("tag", "a,b,-c"), ("tag", "-a"),
]  # fmt: skip
ORDERS: list[Any] = [
    lambda n, m: Take(n),
    lambda n, m: Assign(n, "tom"),
    lambda n, m: Assign(n, None),
    lambda n, m: AddNote(n, "note"),
    lambda n, m: Reply(n, "text"),
    lambda n, m: Reply(n, "text", wait=True, now=True),
    lambda n, m: Reply(n, "text", resolve=True),
    lambda n, m: Resolve(n),
    lambda n, m: Reopen(n),
    lambda n, m: Merge(n, m),
    lambda n, m: Undo(n),
    lambda n, m: Undo(n),
    *[lambda n, m, pair=pair: SetFields(n, (pair,)) for pair in FIELDS],
]
STEPS = st.lists(
    st.tuples(st.integers(-2, len(ORDERS) - 1), st.integers(0, 2), st.integers(0, 2), st.sampled_from(["tess", "lea"])),
    min_size=5,
    max_size=25,
)  # fmt: skip


def _folded(shop: Shop) -> Fold:
    with shop.desk.reading():
        rows = shop.desk.store.database.execute_sql(
            "SELECT e.id, e.at, e.ticket, e.actor_kind, e.who, e.rule, e.message, e.event, e.data, t.text"
            " FROM event e LEFT JOIN event_text t ON t.event = e.id ORDER BY e.id"
        ).fetchall()
    entries = [
        (number, Entry(seq=None, at_us=at, ticket=ticket, actor_kind=kind, who=who, rule=rule, message=message,
                       event=event, lasting=values(data), erasable=values(text or "{}")))
        for number, at, ticket, kind, who, rule, message, event, data, text in rows
    ]  # fmt: skip
    return fold(entries, undone(entries))


def _as_told(state: Any) -> dict[str, Any]:
    return {
        "number": state.number, "subject": state.subject, "status": int(state.status), "priority": state.priority,
        "impact": state.impact, "urgency": state.urgency, "tier": state.tier, "kind": state.kind,
        "category": state.category, "queue": state.queue, "owner": state.owner, "language": state.language,
        "channel": state.channel, "resolved": state.resolved_us, "merged_into": state.merged_into,
        "messages": state.messages, "reopens": state.reopens, "arrived": state.arrived_us,
        "requester_address": state.requester, "tags": sorted(state.tags),
        "participants": sorted((address, role) for address, role, _ in state.participants),
    }  # fmt: skip


def _as_kept(shop: Shop, number: int) -> dict[str, Any]:
    row = shop.ticket(number)
    people = shop.rows(Participant, Participant.ticket == number)
    kept = {
        "tags": [tag.tag for tag in shop.rows(TicketTag, TicketTag.ticket == number)],
        "participants": sorted((person.address, person.role) for person in people),
    }
    left_out = {"version", "updated", "created", "due", "team", "requester", "collecting"}
    return {name: value for name, value in row.items() if name not in left_out} | kept


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_events_tell_what_the_rows_hold(shop: Shop, steps: list[tuple[int, int, int, str]]) -> None:
    numbers = [
        shop.open("a@client.example", category="hardware", priority="low"),
        shop.open("b@client.example", take=True),
        shop.ticket_of(shop.mail("a@client.example", "x", newcomers=("c@client.example",))),
    ]

    for which, one, other, who in steps:
        try:
            _step(shop, which, numbers[one], numbers[other], who)
        except DeskError:  # refused orders leave no trace, which is what is asked here too
            continue

    told = _folded(shop)
    assert [_as_told(told.tickets[n]) for n in numbers] == [_as_kept(shop, n) for n in numbers]
    lying = {
        row.id: row.ticket for row in shop.rows(Message, Message.ticket.in_(numbers), Message.state == 0)
    }
    assert {number: told.messages[number].ticket for number in lying} == lying


def test_the_events_of_held_mail_tell_when_its_ticket_was_changed(shop: Shop) -> None:
    number = shop.ticket_of(shop.mail("a@client.example", "x"))
    shop.mail("b@other.example", "let in", ticket=number, way="hold")
    shop.order(ReleaseHeld(shop.rows(Inbox)[-1].id), "lea")
    shop.mail("c@other.example", "put away", ticket=number, way="hold")
    shop.order(RejectHeld(shop.rows(Inbox)[-1].id), "lea")
    shop.mail("d@other.example", "waits", ticket=number, way="hold")

    told = _folded(shop).tickets[number]

    kept = shop.ticket(number)
    assert (_as_told(told), told.created_us) == (_as_kept(shop, number), kept["created"])
    assert told.updated_us == kept["updated"]


def _step(shop: Shop, which: int, number: int, other: int, who: str) -> None:
    if which == -2:
        shop.send_all()
    elif which == -1:
        if shop.ticket(number)["merged_into"] is None:
            shop.mail("a@client.example", "more", ticket=number)
    else:
        shop.order(ORDERS[which](number, other), who)
