"""Take back an order: the history itself is the journal, for every event knows the order that caused it.

An undone order leaves its events in the history; `undo.done` names them, and every fold leaves them out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peewee import SQL

from desk import outbox
from desk.commands import SPECS, Undo
from desk.errors import Conflict, IllegalMove, NotFound
from desk.events import UndoDone
from desk.handlers.changes import change, ticket_for
from desk.service import Run, handles
from desk.states import MessageState, Status, by_word
from desk.store.schema import Event, Message, Outbox, Ticket, TicketTag

_UNDOABLE = frozenset(spec.verb for spec in SPECS.values() if spec.undoable)
_LOOK_BACK = 200


@handles(Undo)
def undo(command: Undo, run: Run) -> None:
    """Take back the actor's newest order that still stands, on one ticket or anywhere.

    Raises:
        NotFound: there is nothing to take back. Conflict: somebody changed the same thing since.
        IllegalMove: it has left the house already.
    """
    order = _last_order(run, command.ticket)
    caused = list(_caused_by(order).order_by(Event.id.desc()))
    if order.ticket is None:
        raise IllegalMove("the last order was on no ticket; it cannot be taken back")
    ticket = ticket_for(run, order.ticket)
    for event in caused:
        REVERSALS[event.event](run, ticket, event)
    run.record(UndoDone(of=sorted([order.id, *(event.id for event in caused)])), ticket=ticket.number)


def _last_order(run: Run, number: int | None) -> Event:
    mine = (Event.actor_kind == run.by.kind) & (Event.who == run.by.who)
    recent = Event.select().where(mine, SQL("event IN ('order.given', 'undo.done')"))
    if number is not None:
        recent = recent.where(Event.ticket == number)
    undone: set[int] = set()
    for event in recent.order_by(Event.id.desc()).limit(_LOOK_BACK):
        if event.event == "undo.done":
            undone.update(event.data["of"])
        elif event.id not in undone and event.data["verb"] in _UNDOABLE:
            return event
    where = f" on ticket {number}" if number is not None else ""
    raise NotFound(f"{run.by.who} has given no order{where} that can be taken back")


def _caused_by(order: Event) -> Any:
    return Event.select().where(Event.ticket == order.ticket, Event.id > order.id, Event.cause == order.id)


def _put_back(run: Run, ticket: Ticket, field: str, now: Any, before: Any, **more: Any) -> None:
    if getattr(ticket, field) != now:
        raise Conflict(f"ticket {ticket.number}: {field} was changed since; it cannot be taken back any more")
    change(run, ticket, **{field: before}, **more)


def _status(run: Run, ticket: Ticket, event: Event) -> None:
    before, now = by_word(Status, event.data["from"]), by_word(Status, event.data["to"])
    more: dict[str, Any] = {}
    if now is Status.RESOLVED:
        more["resolved"] = None
    if before in (Status.RESOLVED, Status.CLOSED):
        more |= {"resolved": event.at, "reopens": max(0, ticket.reopens - 1)}
    _put_back(run, ticket, "status", int(now), int(before), **more)


def _field(name: str) -> Callable[[Run, Ticket, Event], None]:
    def reverse(run: Run, ticket: Ticket, event: Event) -> None:
        _put_back(run, ticket, name, event.data["to"], event.data["from"])

    return reverse


def _tag_added(run: Run, ticket: Ticket, event: Event) -> None:
    TicketTag.delete().where(TicketTag.ticket == ticket.number, TicketTag.tag == event.data["tag"]).execute()
    change(run, ticket)


def _tag_removed(run: Run, ticket: Ticket, event: Event) -> None:
    TicketTag.insert(ticket=ticket.number, tag=event.data["tag"]).on_conflict_ignore().execute()
    change(run, ticket)


def _message_out(run: Run, ticket: Ticket, event: Event) -> None:
    """Keep the letters back. One reply has one event a recipient: the first reversal does all of it."""
    message = Message.get_by_id(event.data["message"])
    if message.state == MessageState.WITHDRAWN:
        return
    waiting = outbox.withdraw(run.tx, message.id)
    recipients = Outbox.select().where(Outbox.message == message.id).count()
    if waiting < recipients:
        raise IllegalMove(f"the reply on ticket {ticket.number} has left already; it cannot be taken back")
    _withdraw(run, ticket, message)


def _note_added(run: Run, ticket: Ticket, event: Event) -> None:
    _withdraw(run, ticket, Message.get_by_id(event.data["message"]))


def _withdraw(run: Run, ticket: Ticket, message: Message) -> None:
    Message.update(state=int(MessageState.WITHDRAWN)).where(Message.id == message.id).execute()
    change(run, ticket, messages=max(0, ticket.messages - 1))


REVERSALS: dict[str, Callable[[Run, Ticket, Event], None]] = {
    "state.changed": _status,
    "owner.changed": _field("owner"),
    "queue.changed": _field("queue"),
    "category.changed": _field("category"),
    "kind.changed": _field("kind"),
    "language.changed": _field("language"),
    "priority.changed": _field("priority"),
    "tier.changed": _field("tier"),
    "tag.added": _tag_added,
    "tag.removed": _tag_removed,
    "message.out": _message_out,
    "note.added": _note_added,
}
