"""What became of mails, by the sha256 of their bytes: for `desk mail take`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from peewee import fn

from desk.states import InboxState
from desk.store.schema import Blob, Inbox, Message

Outcome = Literal["new", "joined", "held", "parked", "dropped", "known", "waiting"]
DUPLICATE = "duplicate"
_ASIDE: dict[InboxState, Outcome] = {
    InboxState.WAITING: "waiting",
    InboxState.HELD: "held",
    InboxState.PARKED: "parked",
    InboxState.DROPPED: "dropped",
    InboxState.REJECTED: "dropped",
}


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one mail so far."""

    outcome: Outcome
    ticket: int | None
    reason: str


def newest_of(shas: Iterable[str]) -> dict[str, int]:
    """The newest spool id of each of these mails that the store still holds. Call it inside `reading()`."""
    query: Any = (
        Inbox.select(Inbox.sha256, fn.MAX(Inbox.id))
        .join(Blob, on=(Blob.sha256 == Inbox.sha256))
        .where(Inbox.sha256.in_(list(shas)))
        .group_by(Inbox.sha256)
    )
    return dict(query.tuples())


def fates(inboxes: Iterable[int]) -> dict[int, Fate]:
    """What became of these mails of the spool, by their ids there. Call it inside `reading()`."""
    rows: list[Any] = list(Inbox.select().where(Inbox.id.in_(list(inboxes))))
    firsts = _first_messages({row.ticket for row in rows if row.state == InboxState.DONE})
    return {row.id: _fate(row, firsts) for row in rows}


def _first_messages(tickets: set[int]) -> set[int]:
    """The messages with which these tickets began; a merge moves messages, their origin stays."""
    query: Any = (
        Message.select(fn.MIN(Message.id))
        .where(Message.ticket.in_(tickets), Message.origin == Message.ticket)
        .group_by(Message.ticket)
    )
    return {row[0] for row in query.tuples()}


def _fate(row: Any, firsts: set[int]) -> Fate:
    state = InboxState(row.state)
    if state is InboxState.DONE:
        return Fate("new" if row.message in firsts else "joined", row.ticket, "")
    if state is InboxState.DROPPED and row.reason == DUPLICATE:
        return Fate("known", row.ticket, row.reason)
    return Fate(_ASIDE[state], row.ticket, row.reason)
