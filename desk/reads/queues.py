"""Lists of tickets: what a filter lets through, in order, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from peewee import Tuple

from desk.clock import iso
from desk.reads.matching import matching
from desk.states import Status
from desk.store.schema import Ticket
from desk.store.schema.tickets import NO_DUE

Order = Literal["updated", "due"]
Key = tuple[int, int]  # instant in microseconds, ticket number
Row = dict[str, Any]

_FIELDS = (
    Ticket.number,
    Ticket.subject,
    Ticket.status,
    Ticket.priority,
    Ticket.tier,
    Ticket.kind,
    Ticket.queue,
    Ticket.category,
    Ticket.owner,
    Ticket.requester_address,
    Ticket.due,
    Ticket.updated,
    Ticket.created,
    Ticket.messages,
)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in order; `last` is where the next page begins, None when this one was not full."""

    rows: list[Row]
    last: Key | None


def ticket_list(filter_text: str, *, limit: int, me: str | None) -> list[Row]:
    """The tickets of a filter as `desk ticket list --json` gives them, newest update first.

    Merged tickets and spam are left out unless the filter names a status. `limit` 0 means all.
    Call it inside `store.reading()`.

    Raises:
        FilterError: the filter is not understood.
    """
    query = _newest_first().where(matching(filter_text, me=me))
    return [as_row(ticket) for ticket in (query.limit(limit) if limit else query).namedtuples()]


def page(
    after: Key | None, size: int, filter_text: str, *, me: str | None = None, order: Order = "updated"
) -> Page:
    """One page of a filter's tickets: newest update first, or next due first.

    It begins behind `after`, the `last` of the page before, and is not shifted by what changes meanwhile.

    Raises:
        FilterError: the filter is not understood.
    """
    where = matching(filter_text, me=me)
    if order == "updated":
        query, key = _newest_first(), Tuple(Ticket.updated, Ticket.number)
        behind = key < after if after else None
    else:
        query, key = (
            Ticket.select(*_FIELDS).order_by(Ticket.due, Ticket.number),
            Tuple(Ticket.due, Ticket.number),
        )
        behind = key > after if after else None
    found = list(query.where(where if behind is None else where & behind).limit(size).namedtuples())
    last = (getattr(found[-1], order), found[-1].number) if len(found) == size else None
    return Page([as_row(ticket) for ticket in found], last)


def count(filter_text: str, *, me: str | None = None, up_to: int = 1001) -> int:
    """How many tickets a filter lets through, counted up to a bound so that it never takes long."""
    return int(Ticket.select(Ticket.number).where(matching(filter_text, me=me)).limit(up_to).count())


def as_row(ticket: Any) -> Row:
    """A ticket (model or row of its fields) as one element of `desk ticket list --json`."""
    return {
        "number": ticket.number,
        "subject": ticket.subject,
        "status": Status(ticket.status).word,
        "priority": ticket.priority,
        "tier": ticket.tier,
        "kind": ticket.kind,
        "queue": ticket.queue,
        "category": ticket.category,
        "owner": ticket.owner,
        "requester": ticket.requester_address,
        "due": None if ticket.due == NO_DUE else iso(ticket.due),
        "updated": iso(ticket.updated),
        "created": iso(ticket.created),
        "messages": ticket.messages,
    }


def _newest_first() -> Any:
    return Ticket.select(*_FIELDS).order_by(Ticket.updated.desc(), Ticket.number.desc())
