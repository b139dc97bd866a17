"""Tickets as their events tell them: a pure fold, no store."""

from __future__ import annotations

import json
from typing import Any

import pytest

from desk.clock import parse_iso
from desk.eventlines import from_line
from desk.fold import Fold, fold, undone
from desk.states import MessageState, Status
from desk.store.schema.tickets import NO_DUE

EIGHT, NINE = "2026-11-06T08:00:00.000000Z", "2026-11-06T09:00:00.000000Z"
CREATED = {"subject": "Printer", "requester": "a@example.org", "queue": "help-desk", "arrived": EIGHT}


def after(*events: tuple[int, str, dict[str, Any]]) -> Fold:
    """The state after events (ticket, name, data), each an hour after the one before."""
    entries = []
    for place, (ticket, event, data) in enumerate(events, 1):
        line = {
            "at": f"2026-11-06T{8 + place:02}:00:00Z",
            "ticket": ticket,
            "actor": {"kind": "technician", "who": "ada"},
            "event": event,
            "data": data,
        }
        entries.append((place, from_line(json.dumps(line).encode(), place)))
    return fold(entries, undone(entries))


def ticket_after(*events: tuple[str, dict[str, Any]]) -> Any:
    """Ticket 1 after it was created and these happened to it."""
    return after((1, "ticket.created", CREATED), *((1, event, data) for event, data in events)).tickets[1]


def test_a_new_ticket_has_what_it_was_created_with_and_defaults() -> None:
    ticket = ticket_after()

    assert (ticket.subject, ticket.queue, ticket.requester) == ("Printer", "help-desk", "a@example.org")
    assert (ticket.status, ticket.priority, ticket.tier, ticket.kind) == (Status.NEW, 3, 1, "incident")
    assert (ticket.arrived_us, ticket.created_us) == (parse_iso(EIGHT), parse_iso(NINE))
    assert ticket.participants == (("a@example.org", "requester", parse_iso(NINE)),)
    assert ticket.due_us == NO_DUE


@pytest.mark.parametrize(
    ("event", "data", "field", "value"),
    [
        ("owner.changed", {"from": None, "to": "ada"}, "owner", "ada"),
        ("queue.changed", {"from": "help-desk", "to": "network"}, "queue", "network"),
        ("category.changed", {"from": "", "to": "access.vpn"}, "category", "access.vpn"),
        ("kind.changed", {"from": "incident", "to": "request"}, "kind", "request"),
        ("language.changed", {"from": "en", "to": "zh-Hant"}, "language", "zh-Hant"),
        ("priority.changed", {"from": 3, "to": 1}, "priority", 1),
        ("priority.changed", {"from": "normal", "to": "high"}, "priority", 2),
        ("priority.changed", {"from": 3, "to": 99}, "priority", 3),
        ("priority.changed", {"to": 1, "impact": 2, "urgency": 4}, "urgency", 4),
        ("tier.changed", {"from": 1, "to": 2}, "tier", 2),
        ("tier.changed", {"from": 1, "to": 10**9}, "tier", 1),
        ("state.changed", {"from": "new", "to": "vendor"}, "status", Status.VENDOR),
        ("state.changed", {"from": "new", "to": "frozen"}, "status", Status.NEW),
        ("tag.added", {"tag": "vpn"}, "tags", ("vpn",)),
        ("ticket.linked", {"ticket": 7, "rel": "caused-by"}, "links", ((7, "caused-by"),)),
        ("ticket.split", {"ticket": 8, "rel": "parent"}, "links", ((8, "parent"),)),
        ("moon.phase", {"to": "new"}, "status", Status.NEW),
        ("owner.changed", {"to": 3}, "owner", None),
    ],
)
def test_an_event_changes_its_field(event: str, data: dict[str, Any], field: str, value: object) -> None:
    assert getattr(ticket_after((event, data)), field) == value


def test_what_is_removed_is_gone() -> None:
    ticket = ticket_after(
        ("tag.added", {"tag": "vpn"}),
        ("tag.added", {"tag": "vpn"}),
        ("tag.removed", {"tag": "vpn"}),
        ("ticket.linked", {"ticket": 7, "rel": "related"}),
        ("ticket.unlinked", {"ticket": 7, "rel": "related"}),
        ("participant.added", {"address": "b@example.org", "role": "cc"}),
        ("participant.removed", {"address": "b@example.org", "role": "cc"}),
    )

    assert (ticket.tags, ticket.links, [p[0] for p in ticket.participants]) == ((), (), ["a@example.org"])


def test_resolving_and_reopening_are_counted() -> None:
    resolved = ("state.changed", {"from": "new", "to": "resolved"})
    reopened = ("state.changed", {"from": "resolved", "to": "open"})

    once = ticket_after(resolved)
    twice = ticket_after(resolved, reopened, resolved, reopened)

    assert (once.resolved_us, once.reopens) == (parse_iso("2026-11-06T10:00:00Z"), 0)
    assert (twice.resolved_us, twice.reopens, twice.status) == (None, 2, Status.OPEN)


def test_messages_are_counted_once_and_notices_not_at_all() -> None:
    ticket = ticket_after(
        ("message.in", {"message": 1, "kind": "human"}),
        ("message.out", {"message": 2, "kind": "ack"}),
        ("message.out", {"message": 3, "kind": "reply", "to": "a@example.org"}),
        ("message.out", {"message": 3, "kind": "reply", "to": "b@example.org"}),
        ("note.added", {"message": 4, "author": "ada"}),
        ("message.in", {"kind": "human"}),
    )

    assert ticket.messages == 4


def test_the_nearest_running_clock_is_when_a_ticket_is_due() -> None:
    first = {"clock": "first-response", "due": EIGHT}
    other = {"clock": "resolution", "due": NINE}

    running = ticket_after(("clock.started", first), ("clock.started", other))
    paused = ticket_after(("clock.started", first), ("clock.started", other), ("clock.paused", first))
    late = ticket_after(("clock.started", first), ("clock.breached", first))
    over = ticket_after(("clock.started", first), ("clock.met", first))

    assert (running.due_us, paused.due_us) == (parse_iso(EIGHT), parse_iso(NINE))
    assert (late.due_us, over.due_us) == (parse_iso(EIGHT), NO_DUE)


TWO = (
    (1, "ticket.created", CREATED),
    (2, "ticket.created", CREATED),
    (3, "ticket.created", CREATED),
    (1, "message.in", {"message": 1}),
    (2, "message.in", {"message": 2}),
    (3, "message.in", {"message": 3}),
)


def test_a_merge_brings_the_messages_over() -> None:
    state = after(*TWO, (1, "ticket.merged", {"into": 2}))

    assert (state.tickets[1].status, state.tickets[1].merged_into) == (Status.MERGED, 2)
    assert [state.tickets[n].messages for n in (1, 2, 3)] == [0, 2, 1]
    assert (state.messages[1].ticket, state.messages[1].origin) == (2, 1)


def test_a_merge_of_a_merge_takes_all_along() -> None:
    state = after(*TWO, (1, "ticket.merged", {"into": 2}), (2, "ticket.merged", {"into": 3}))

    assert [state.tickets[n].merged_into for n in (1, 2, 3)] == [3, 3, None]
    assert [state.tickets[n].messages for n in (1, 2, 3)] == [0, 0, 3]


def test_an_unmerge_gives_back_what_was_filed_there() -> None:
    state = after(*TWO, (1, "ticket.merged", {"into": 2}), (1, "ticket.unmerged", {"from": 2}))

    assert (state.tickets[1].merged_into, state.messages[1].ticket) == (None, 1)
    assert [state.tickets[n].messages for n in (1, 2, 3)] == [1, 1, 1]


def test_a_moved_message_is_counted_where_it_is() -> None:
    state = after(*TWO, (1, "message.moved", {"message": 1, "from": 1, "to": 3}))

    assert [state.tickets[n].messages for n in (1, 2, 3)] == [0, 1, 2]
    assert state.messages[1].ticket == 3


def test_a_rejected_message_is_marked() -> None:
    state = after(*TWO, (1, "message.rejected", {"message": 1, "reason": "spam"}))

    assert state.messages[1].state is MessageState.REJECTED


def test_judging_a_mail_does_not_change_its_ticket_and_releasing_does() -> None:
    judged = after(
        *TWO[:1],
        (1, "message.held", {"message": 7, "reason": "x"}),
        (1, "message.rejected", {"message": 7, "reason": "x"}),
    )
    released = after(*TWO[:1], (1, "message.released", {"message": 7, "reason": "x"}))

    assert judged.tickets[1].updated_us == judged.tickets[1].created_us
    assert released.tickets[1].updated_us == parse_iso("2026-11-06T10:00:00.000000Z")


def test_undone_events_do_not_count() -> None:
    state = after(
        *TWO[:1],
        (1, "owner.changed", {"to": "ada"}),
        (1, "tag.added", {"tag": "vpn"}),
        (1, "undo.done", {"of": [2, "x"]}),
    )

    assert (state.tickets[1].owner, state.tickets[1].tags) == (None, ("vpn",))


def test_events_of_a_ticket_that_was_never_created_are_ignored() -> None:
    state = after((9, "state.changed", {"to": "open"}), (9, "message.in", {"message": 1}))

    assert (state.tickets, state.messages) == ({}, {})
