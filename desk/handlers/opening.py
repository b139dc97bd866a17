"""A ticket begins, or is woken: by mail, by a release, by a technician. On the hot path; its SQL is prepared text."""

from __future__ import annotations

from dataclasses import dataclass

from desk.actors import Actor
from desk.clock import iso
from desk.events import StateChanged, TicketCreated
from desk.service import Run
from desk.states import Priority, Status, TicketKind
from desk.store.schema.tickets import NO_DUE

_TICKET = (
    "INSERT INTO ticket (number, subject, status, priority, tier, kind, category, queue, requester,"
    " requester_address, language, channel, arrived, created, updated, due, messages, reopens, collecting,"
    f" version) VALUES (?, ?, 0, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {NO_DUE}, ?, 0, ?, 1)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a new ticket is opened with. `messages` are those that its opener adds without counting them."""

    subject: str
    queue: str
    contact: int
    address: str
    language: str
    channel: str
    arrived_us: int
    priority: Priority = Priority.NORMAL
    kind: TicketKind = TicketKind.INCIDENT
    category: str = ""
    messages: int = 1
    is_collecting: bool = False


def opened(run: Run, opening: Opening, *, by: Actor | None = None) -> int:
    """Write a new ticket with its requester and record it; its number."""
    number = next_number(run)
    now = run.tx.now_us
    run.tx.run(
        _TICKET,
        number,
        opening.subject,
        int(opening.priority),
        opening.kind.value,
        opening.category,
        opening.queue,
        opening.contact,
        opening.address,
        opening.language,
        opening.channel,
        opening.arrived_us,
        now,
        now,
        opening.messages,
        opening.is_collecting,
    )
    run.tx.run(
        "INSERT INTO participant (ticket, contact, address, role, since) VALUES (?, ?, ?, 'requester', ?)",
        number,
        opening.contact,
        opening.address,
        now,
    )
    run.record(_created(number, opening), ticket=number, by=by)
    return number


def next_number(run: Run) -> int:
    """The next ticket number; given back when the transaction rolls back, so there are no gaps."""
    rows = run.tx.rows(
        "INSERT INTO counter (name, value) VALUES ('ticket', 1)"
        " ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value"
    )
    return int(rows[0][0])


def _created(number: int, opening: Opening) -> TicketCreated:
    return TicketCreated(
        number=number,
        subject=opening.subject,
        channel=opening.channel,
        kind=opening.kind.value,
        queue=opening.queue,
        requester=opening.address,
        arrived=iso(opening.arrived_us),
        language=opening.language,
        priority=int(opening.priority),
    )


def wake(run: Run, number: int, *, reason: str, by: Actor) -> None:
    """A requester's word reopens a resolved ticket and ends the wait for him.

    The version of the ticket has moved on already, with the message that wakes it.
    """
    now = Status(run.tx.rows("SELECT status FROM ticket WHERE number = ?", number)[0][0])
    if now not in (Status.WAITING, Status.RESOLVED):
        return
    run.tx.run(
        "UPDATE ticket SET status = ?, resolved = NULL, reopens = reopens + ? WHERE number = ?",
        int(Status.OPEN),
        1 if now is Status.RESOLVED else 0,
        number,
    )
    run.record(
        StateChanged(from_=now.word, to=Status.OPEN.word, reason=reason, by=by.kind), ticket=number, by=by
    )
