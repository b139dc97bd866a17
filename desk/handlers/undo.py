"""Take back an order: the history itself is the journal, for every event knows the order that caused it.

An undone order leaves its events in the history; `undo.done` names them, and every fold leaves them out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from peewee import SQL

from desk import outbox
from desk.commands import SPECS, Undo
from desk.errors import Conflict, IllegalMove, NotFound
from desk.events import UndoDone
from desk.handlers.changes import change, ticket_for
from desk.service import About, Run, finds, handles
from desk.states import MessageState, Status, by_word
from desk.store.schema import Event, Message, Outbox, Ticket, TicketTag

_UNDOABLE = frozenset(spec.verb for spec in SPECS.values() if spec.undoable)
_FINAL = frozenset({"merge"})
_LOOK_BACK = 200


@finds(Undo)
def order_to_undo(command: Undo, run: Run) -> About:
    """The actor's newest order that still stands, on one ticket or anywhere.

    Raises:
        NotFound: there is nothing to take back. IllegalMove: it is of a kind that cannot be taken back.
    """
    order = _last_order(run, command.ticket)
    return About(ticket=order.ticket, undo_of=order.id)


@handles(Undo)
def undo(command: Undo, run: Run) -> None:
    """Take back the order that was found.

    Raises:
        Conflict: somebody changed the same thing since.
        IllegalMove: it has left the house already, or is of a kind that cannot be taken back.
    """
    order: Any = Event.get_by_id(run.about.undo_of)
    caused = list(_caused_by(order).order_by(Event.id.desc()))
    ticket = ticket_for(run, order.ticket)
    for event in caused:
        reverse = REVERSALS.get(event.event)
        if reverse is None:
            raise IllegalMove(f"{event.event} on ticket {ticket.number} cannot be taken back")
        reverse(run, ticket, event)
    run.record(UndoDone(of=sorted([order.id, *(event.id for event in caused)])), ticket=ticket.number)


def _last_order(run: Run, number: int | None) -> Any:
    """The newest order (an Event on a ticket) that still stands and changed something."""
    mine = (Event.actor_kind == run.by.kind) & (Event.who == run.by.who)
    recent = Event.select().where(mine, SQL("event IN ('order.given', 'undo.done')"))
    if number is not None:
        recent = recent.where(Event.ticket == number)
    undone: set[int] = set()
    for event in recent.order_by(Event.id.desc()).limit(_LOOK_BACK):
        if event.event == "undo.done":
            undone.update(event.data["of"])
        elif event.data["verb"] in _FINAL:
            raise IllegalMove(f"ticket {event.ticket} was merged; a merge cannot be taken back yet")
        elif event.id not in undone and event.data["verb"] in _UNDOABLE and _caused_by(event).exists():
            return event
    where = f" on ticket {number}" if number is not None else ""
    raise NotFound(f"{run.by.who} has given no order{where} that can be taken back")


def _caused_by(order: Event) -> Any:
    return Event.select().where(Event.ticket == order.ticket, Event.id > order.id, Event.cause == order.id)


def _still_counting(event: Event, *names: str) -> Any:
    """The events of these names on the ticket of `event` that no undo has named."""
    undos = Event.select(Event.data).where(Event.ticket == event.ticket, Event.event == "undo.done")
    undone = {named for row in undos for named in row.data["of"]}
    rows = Event.select().where(Event.ticket == event.ticket, Event.event.in_(names))
    return rows.where(Event.id.not_in(undone)) if undone else rows


def _before(event: Event, *names: str) -> Iterator[Event]:
    return iter(_still_counting(event, *names).where(Event.id < event.id).order_by(Event.id.desc()))


def _put_back(run: Run, ticket: Ticket, event: Event, now: dict[str, Any], before: dict[str, Any]) -> None:
    """Write `before`, if the ticket is still as the event left it and nobody has been at it in between."""
    by_others = Event.cause.is_null() | (Event.cause != event.cause)
    later = _still_counting(event, event.event).where(Event.id > event.id, by_others)
    if any(getattr(ticket, name) != value for name, value in now.items()) or later.exists():
        what = event.event.partition(".")[0]
        raise Conflict(f"ticket {ticket.number}: {what} was changed since; it cannot be taken back any more")
    change(run, ticket, **before)


def _status(run: Run, ticket: Ticket, event: Event) -> None:
    before, now = by_word(Status, event.data["from"]), by_word(Status, event.data["to"])
    fields: dict[str, Any] = {"status": int(before), "resolved": _resolved_before(event)}
    if now is Status.OPEN and before in (Status.RESOLVED, Status.CLOSED):
        fields["reopens"] = max(0, ticket.reopens - 1)
    _put_back(run, ticket, event, {"status": int(now)}, fields)


def _resolved_before(event: Event) -> int | None:
    """When the ticket had been resolved as it was before the event; None if it was not then."""
    for row in _before(event, "state.changed"):
        if row.data["to"] == Status.RESOLVED.word:
            return int(row.at)
        if row.data["to"] == Status.OPEN.word:
            return None
    return None


def _priority(run: Run, ticket: Ticket, event: Event) -> None:
    """Impact and urgency of before stand in an earlier event, if they were ever known."""
    known = next(_before(event, "priority.changed", "ticket.created"), None)
    data = known.data if known else {}
    now = {"priority": event.data["to"], "impact": event.data["impact"], "urgency": event.data["urgency"]}
    before = {"priority": event.data["from"], "impact": data.get("impact"), "urgency": data.get("urgency")}
    _put_back(run, ticket, event, now, before)


def _field(name: str) -> Callable[[Run, Ticket, Event], None]:
    def reverse(run: Run, ticket: Ticket, event: Event) -> None:
        _put_back(run, ticket, event, {name: event.data["to"]}, {name: event.data["from"]})

    return reverse


def _tag_added(run: Run, ticket: Ticket, event: Event) -> None:
    tag = event.data["tag"]
    if not TicketTag.delete().where(TicketTag.ticket == ticket.number, TicketTag.tag == tag).execute():
        raise Conflict(f"ticket {ticket.number}: the tag {tag} was removed since")
    change(run, ticket)


def _tag_removed(run: Run, ticket: Ticket, event: Event) -> None:
    tag = event.data["tag"]
    if TicketTag.get_or_none(TicketTag.ticket == ticket.number, TicketTag.tag == tag) is not None:
        raise Conflict(f"ticket {ticket.number}: the tag {tag} was added again since")
    TicketTag.insert(ticket=ticket.number, tag=tag).execute()
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
    "priority.changed": _priority,
    "tier.changed": _field("tier"),
    "tag.added": _tag_added,
    "tag.removed": _tag_removed,
    "message.out": _message_out,
    "note.added": _note_added,
}
