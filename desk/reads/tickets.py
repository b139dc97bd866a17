"""One ticket with all that belongs to it, as `desk ticket show` gives it.

A fixed number of queries, however long the conversation is.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from peewee import JOIN, Case

from desk.clock import iso
from desk.errors import NotFound
from desk.reads.events import event_rows
from desk.reads.queues import as_row
from desk.states import Direction, MessageState, OutboxState
from desk.store.schema import Attachment, Contact, Link, Message, Outbox, Participant, Ticket, TicketTag

Row = dict[str, Any]

# A message out is one letter a recipient: what needs attention first speaks for all.
_SPEAKS_FIRST = (
    OutboxState.FAILED,
    OutboxState.SENDING,
    OutboxState.WAITING,
    OutboxState.SENT,
    OutboxState.WITHDRAWN,
)
_WITHOUT_LETTER = {Direction.IN: "received", Direction.OUT: "sent", Direction.NOTE: "noted"}
_ROLES = ("requester", "cc", "vendor", "follower")


def ticket_show(number: int) -> Row:
    """A ticket as `desk ticket show --json` gives it. Call it inside `store.reading()`.

    Raises:
        NotFound: there is no ticket with this number.
    """
    ticket = Ticket.get_or_none(Ticket.number == number)
    if ticket is None:
        raise NotFound(f"there is no ticket {number}; `desk ticket list` shows those that there are")
    return as_row(ticket) | {
        "impact": ticket.impact,
        "urgency": ticket.urgency,
        "language": ticket.language,
        "channel": ticket.channel,
        "merged_into": ticket.merged_into,
        "version": ticket.version,
        "messages": _messages(number),
        "events": event_rows(number),
        "tags": _tags(number),
        "participants": _participants(number),
        "links": _links(number),
        "clocks": [],
    }


def _messages(number: int) -> list[Row]:
    attachments, letters = _attachments(number), _letters(number)
    found: Any = Message.select().where(Message.ticket == number).order_by(Message.id)
    return [_message(message, attachments[message.id], letters[message.id]) for message in found]


def _message(message: Any, attachments: list[Row], letters: list[Any]) -> Row:
    return {
        "id": message.id,
        "direction": Direction(message.direction).word,
        "kind": message.kind,
        "audience": message.audience.partition(":")[0],
        "from": message.author,
        "from_name": message.author_name,
        "sha256": message.blob or next((letter.blob for letter in letters), None),
        "message_id": message.message_id or next((letter.message_id for letter in letters), None),
        "at": iso(message.at),
        "subject": message.subject,
        "text": message.text,
        "spans": [{"role": role, "start": start, "end": end} for role, start, end in message.spans],
        "trust": message.trust,
        "evidence": message.evidence,
        "state": _state(message, letters),
        "attachments": attachments,
    }


def _state(message: Any, letters: list[Any]) -> str:
    """How a message stands: what a technician decided, else how its letters fared."""
    if message.state != MessageState.STANDS:
        return MessageState(message.state).name.lower()
    states = {OutboxState(letter.state) for letter in letters}
    return next(
        (state.word for state in _SPEAKS_FIRST if state in states),
        _WITHOUT_LETTER[Direction(message.direction)],
    )


def _attachments(number: int) -> defaultdict[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    query: Any = (
        Attachment.select(
            Attachment.message, Attachment.id, Attachment.name, Attachment.type, Attachment.size
        )
        .join(Message, on=(Message.id == Attachment.message))
        .where(Message.ticket == number)
        .order_by(Attachment.id)
    )
    for message, id_, name, type_, size in query.tuples():
        found[message].append({"id": id_, "name": name, "type": type_, "size": size})
    return found


def _letters(number: int) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    query: Any = (
        Outbox.select(Outbox.message, Outbox.state, Outbox.blob, Outbox.message_id)
        .join(Message, on=(Message.id == Outbox.message))
        .where(Message.ticket == number)
        .order_by(Outbox.id)
    )
    for letter in query.namedtuples():
        found[letter.message].append(letter)
    return found


def _tags(number: int) -> list[str]:
    query: Any = TicketTag.select(TicketTag.tag).where(TicketTag.ticket == number).order_by(TicketTag.tag)
    return [tag for (tag,) in query.tuples()]


def _participants(number: int) -> list[Row]:
    order = Case(Participant.role, [(role, place) for place, role in enumerate(_ROLES)], len(_ROLES))
    query: Any = (
        Participant.select(Participant.address, Participant.role, Contact.name, Contact.said_name)
        .join(Contact, JOIN.LEFT_OUTER, on=(Contact.id == Participant.contact))
        .where(Participant.ticket == number)
        .order_by(order, Participant.address)
    )
    return [
        {"address": address, "name": name or said_name or "", "role": role}
        for address, role, name, said_name in query.tuples()
    ]


def _links(number: int) -> list[Row]:
    query: Any = (
        Link.select(Link.source, Link.relation, Link.target)
        .where((Link.source == number) | (Link.target == number))
        .order_by(Link.source, Link.target, Link.relation)
    )
    return [
        {"source": source, "relation": relation, "target": target}
        for source, relation, target in query.tuples()
    ]
