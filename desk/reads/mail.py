"""Mail that is not in a conversation: what was set aside, what waits to go out, and how much there is."""

from __future__ import annotations

from typing import Any, Literal

from peewee import SQL, fn

from desk.clock import iso
from desk.states import InboxState, OutboxState
from desk.store.schema import Inbox, Outbox

Row = dict[str, Any]
Aside = Literal["held", "parked", "dropped"]
_ASIDE: dict[Aside, InboxState] = {
    "held": InboxState.HELD,
    "parked": InboxState.PARKED,
    "dropped": InboxState.DROPPED,
}
# What the indexes over the few unsettled mails are made with; literal, so that they are used.
_SET_ASIDE = SQL("state IN (2, 3, 4)")


def set_aside(kind: Aside) -> list[Row]:
    """The mails that are held, parked or dropped, oldest first: `desk mail held` and the like. The id is the
    spool's. Call it inside `store.reading()`."""
    query: Any = (
        Inbox.select(Inbox.id, Inbox.sha256, Inbox.reason, Inbox.at, Inbox.ticket)
        .where(_SET_ASIDE, Inbox.state == int(_ASIDE[kind]))
        .order_by(Inbox.state, Inbox.id)
    )
    return [
        {"id": id_, "sha256": sha256, "reason": reason, "at": iso(at), "ticket": ticket}
        for id_, sha256, reason, at, ticket in query.tuples()
    ]


def outbox(state: OutboxState | None = None) -> list[Row]:
    """Letters out in one state or in all, in the order they were written: `desk mail outbox`.

    `next` is when a waiting letter is tried (again), null for all others. Call it inside `store.reading()`.
    """
    query: Any = Outbox.select().order_by(Outbox.id)
    if state is not None:
        query = query.where(Outbox.state == int(state))
        if state is OutboxState.WAITING:
            query = query.where(SQL("state = 0"))  # opens the index over waiting letters
    return [_letter(letter) for letter in query.namedtuples()]


def _letter(letter: Any) -> Row:
    return {
        "id": letter.id,
        "ticket": letter.ticket,
        "message": letter.message,
        "to": letter.recipient,
        "kind": letter.kind,
        "state": OutboxState(letter.state).word,
        "tries": letter.tries,
        "message_id": letter.message_id,
        "sha256": letter.blob,
        "code": letter.code,
        "answer": letter.answer,
        "created": iso(letter.created),
        "next": iso(letter.run_at) if letter.state == OutboxState.WAITING else None,
    }


def counts() -> Row:
    """Depths of the queues as `desk status` gives them. Call it inside `store.reading()`."""
    aside = _by_state(Inbox, _SET_ASIDE)
    waiting = _by_state(Inbox, SQL("state = 0"))
    letters = _by_state(Outbox)
    return {
        "inbox": waiting.get(InboxState.WAITING, 0),
        "held": aside.get(InboxState.HELD, 0),
        "parked": aside.get(InboxState.PARKED, 0),
        "outbox": {
            "waiting": letters.get(OutboxState.WAITING, 0) + letters.get(OutboxState.SENDING, 0),
            "failed": letters.get(OutboxState.FAILED, 0),
        },
    }


def _by_state(table: Any, *where: Any) -> dict[int, int]:
    query: Any = table.select(table.state, fn.COUNT(table.id)).group_by(table.state)
    return dict((query.where(*where) if where else query).tuples())
