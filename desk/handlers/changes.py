"""What handlers of tickets share: load under the lock, change with the version, keep the counts right."""

from __future__ import annotations

from typing import Any

from desk.commands import SPECS
from desk.errors import Conflict, IllegalMove, NotFound
from desk.events import OwnerChanged, StateChanged
from desk.permissions import Action
from desk.service import Run
from desk.states import Status, check_move
from desk.store.schema import Participant, Ticket

_WHO = {"requester": "requester", "technician": "technician", "rule": "rule"}


def ticket_for(run: Run, number: int, *, version: int | None = None, action: Action | None = None) -> Ticket:
    """The ticket of an order, after asking whether the actor may do this to it.

    Raises:
        NotFound, NotAllowed; Conflict when it is not at `version` any more; IllegalMove when it was merged.
    """
    ticket = Ticket.get_or_none(Ticket.number == number)
    if ticket is None:
        raise NotFound(f"there is no ticket {number}")
    run.authorise(action or SPECS[type(run.order.command)].action, ticket.queue)
    if version is not None and ticket.version != version:
        raise Conflict(f"ticket {number} was changed by somebody else meanwhile; look again")
    if ticket.status == Status.MERGED:
        raise IllegalMove(f"ticket {number} was merged into {ticket.merged_into}; use that one")
    return ticket


def change(run: Run, ticket: Ticket, **fields: Any) -> None:
    """Write fields of a ticket; its version and time of change move on.

    Raises:
        Conflict: somebody else changed it since it was loaded.
    """
    changed = (
        Ticket.update(version=Ticket.version + 1, updated=run.tx.now_us, **fields)
        .where(Ticket.number == ticket.number, Ticket.version == ticket.version)
        .execute()
    )
    if not changed:
        raise Conflict(f"ticket {ticket.number} was changed by somebody else meanwhile; look again")
    ticket.version += 1
    for name, value in fields.items():
        setattr(ticket, name, value)


def move(run: Run, ticket: Ticket, to: Status, *, reason: str | None = None) -> None:
    """Change the state by the table of lawful moves.

    Raises:
        IllegalMove: there is no such move.
    """
    now = Status(ticket.status)
    check_move(ticket.number, now, to)
    fields: dict[str, Any] = {"status": int(to)}
    if to is Status.RESOLVED:
        fields["resolved"] = run.tx.now_us
    if to is Status.OPEN:
        fields["resolved"] = None  # also for what became spam after it was solved
        fields["reopens"] = ticket.reopens + (now in (Status.RESOLVED, Status.CLOSED))
    change(run, ticket, **fields)
    by = _WHO.get(run.by.kind, "system")
    run.record(StateChanged(from_=now.word, to=to.word, reason=reason, by=by), ticket=ticket.number)


def give_to(run: Run, ticket: Ticket, owner: str | None) -> None:
    """Change the owner."""
    before = ticket.owner
    change(run, ticket, owner=owner)
    run.record(OwnerChanged(from_=before, to=owner), ticket=ticket.number)


def public_participants(number: int) -> list[Participant]:
    """Those who are written to: the requester first, then the others in the order in which they came."""
    rows = (
        Participant.select()
        .where(Participant.ticket == number, Participant.role != "vendor")
        .order_by(Participant.since, Participant.contact)
    )
    return sorted(rows, key=lambda row: row.role != "requester")
