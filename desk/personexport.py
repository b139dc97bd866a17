"""What the desk holds of a requester, for that person to take away: mails as mbox, tickets and events as JSON lines.

Privacy: only what was meant for the person. On own tickets that is everything public; on tickets of others,
what the person wrote and was written. No notes, no held or taken-back messages, no names of technicians beyond
those that stand in the letters. What is not named in the tables here is left out.
Standards: mboxrd (RFC 4155 with `>From ` quoting that can be undone); the lines of mails keep their CRLF.
On failure: files that are already there are not touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from desk import blobs, clock
from desk.errors import Invalid, Unavailable
from desk.people import known_person
from desk.states import Direction, MessageState, OutboxState, Status
from desk.store.schema import Contact, Event, EventText, Message, Outbox, Participant, Ticket
from desk.store.writer import Store

_FROM_LINE = re.compile(rb"^(>*From )", re.MULTILINE)
_STANDS = (Message.audience == "public") & (Message.state == int(MessageState.STANDS))
# Events that tell a person about own tickets, and which of their data; messages are checked besides.
_EVENTS = {
    "ticket.created": ("number", "subject", "channel", "kind", "requester", "arrived", "language"),
    "state.changed": ("from", "to"),
    "language.changed": ("from", "to"),
    "message.in": ("message", "message_id", "from", "sha256"),
    "message.out": ("message", "letter", "to", "kind"),
    "csat.sent": ("letter",),
    "csat.received": ("score", "text"),
}


@dataclass(frozen=True, slots=True)
class _Person:
    """`own` are the tickets that the person asked for, `others` those on which the person takes part."""

    contacts: list[int]
    addresses: set[str]
    own: list[int]
    others: dict[int, str]


def export_person(store: Store, address: str, folder: Path) -> list[Path]:
    """Write mails.mbox, tickets.jsonl and events.jsonl of the person with this address; the paths.

    Raises:
        NotFound: the desk does not know the address. Invalid: one of the files is there already.
        Unavailable: the folder cannot be written.
    """
    with store.reading():
        person = _find(address)
        spoken = {row.id: row for row in _spoken(person).order_by(Message.id)}
        parts: dict[str, Callable[[], Iterable[bytes]]] = {
            "mails.mbox": lambda: _mails(person),
            "tickets.jsonl": lambda: _lines(_tickets(person, spoken)),
            "events.jsonl": lambda: _lines(_events(person, spoken)),
        }
        return _written(folder, parts)


def _written(folder: Path, parts: dict[str, Callable[[], Iterable[bytes]]]) -> list[Path]:
    paths = [folder / name for name in parts]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in paths:
            if path.exists():
                raise Invalid(f"{path} is there already; give an empty folder")
        for path, make in zip(paths, parts.values(), strict=True):
            with path.open("xb") as file:
                path.chmod(0o600)
                file.writelines(make())
    except OSError as error:
        raise Unavailable(f"the export cannot be written: {error}") from error
    return paths


def _find(address: str) -> _Person:
    _, contact = known_person(address)
    contacts = [contact.id, *_values(Contact.select(Contact.id).where(Contact.merged_into == contact.id))]
    own = _values(Ticket.select(Ticket.number).where(Ticket.requester.in_(contacts)))
    rows: Any = Participant.select().where(Participant.contact.in_(contacts), Participant.role != "vendor")
    others = {row.ticket: row.role for row in rows if row.ticket not in own}
    addresses = _values(Message.select(Message.author).where(Message.contact.in_(contacts)).distinct())
    return _Person(contacts, {row.address for row in rows} | set(addresses), own, others)


def _values(rows: Any) -> list[Any]:
    return sorted(row[0] for row in rows.tuples())


def _own_tickets(person: _Person) -> Any:
    return Ticket.select(Ticket.number).where(Ticket.requester.in_(person.contacts))


def _spoken(person: _Person) -> Any:
    """Public messages of own tickets; of others those that the person wrote or was sent."""
    sent = Outbox.select(Outbox.message).where(
        Outbox.contact.in_(person.contacts), Outbox.state == int(OutboxState.SENT)
    )
    mine = (
        Message.ticket.in_(_own_tickets(person)) | Message.contact.in_(person.contacts) | Message.id.in_(sent)
    )
    return Message.select().where(_STANDS, mine, Message.ticket.is_null(False))


def _mails(person: _Person) -> Iterator[bytes]:
    """Mails from the person that count, and letters that have left for the person; oldest first."""
    came: Any = Message.select(Message.at, Message.author, Message.blob).where(
        _STANDS,
        Message.contact.in_(person.contacts),
        Message.direction == int(Direction.IN),
        Message.blob.is_null(False),
    )
    went: Any = Outbox.select(Outbox.done, Outbox.created, Outbox.blob).where(
        Outbox.contact.in_(person.contacts), Outbox.state == int(OutboxState.SENT), Outbox.blob != ""
    )
    mails = [(at, author, sha256) for at, author, sha256 in came.tuples()]
    mails += [(done or created, "MAILER-DAEMON", sha256) for done, created, sha256 in went.tuples()]
    for at, sender, sha256 in sorted(mails):
        yield mboxrd(blobs.content(sha256), sender, at)


def mboxrd(raw: bytes, sender: str, at_us: int) -> bytes:
    """One mail as an entry of an mbox. `sender` and the instant (UTC) stand in the separator."""
    sender = sender if sender.isascii() and sender.isprintable() and " " not in sender else "MAILER-DAEMON"
    moment = clock.from_us(at_us).strftime("%a %b %d %H:%M:%S %Y")
    ending = b"\n" if raw.endswith(b"\n") else b"\n\n"
    return f"From {sender} {moment}\n".encode() + _FROM_LINE.sub(rb">\1", raw) + ending


def _tickets(person: _Person, spoken: dict[int, Message]) -> Iterator[dict[str, Any]]:
    by_ticket: dict[int, list[Message]] = {}
    for message in spoken.values():
        by_ticket.setdefault(int(message.ticket or 0), []).append(message)
    for number in sorted({*person.own, *person.others, *by_ticket}):
        ticket: Any = Ticket.get_or_none(Ticket.number == number)
        if ticket is None:
            continue
        said = [_message(message, person) for message in by_ticket.get(number, [])]
        role = "requester" if number in person.own else person.others.get(number, "cc")
        yield {**_ticket(ticket), "role": role, "messages": said}


def _ticket(ticket: Ticket) -> dict[str, Any]:
    return {
        "number": ticket.number,
        "subject": ticket.subject,
        "status": Status(ticket.status).word,
        "kind": ticket.kind,
        "language": ticket.language,
        "channel": ticket.channel,
        "arrived": clock.iso(ticket.arrived),
        "resolved": clock.iso(ticket.resolved) if ticket.resolved is not None else None,
        "merged_into": ticket.merged_into,
    }


def _message(message: Message, person: _Person) -> dict[str, Any]:
    is_by_person = message.contact in person.contacts or message.author in person.addresses
    return {
        "id": message.id,
        "direction": Direction(message.direction).word,
        "by": "you" if is_by_person else message.author_kind,
        "name": message.author_name,
        "at": clock.iso(message.at),
        "subject": message.subject,
        "text": message.text,
        "message_id": message.message_id,
        "sha256": message.blob,
    }


def _events(person: _Person, spoken: dict[int, Message]) -> Iterator[dict[str, Any]]:
    about = Event.ticket.in_(_own_tickets(person)) | Event.message.in_(_spoken(person).select(Message.id))
    rows: Any = (
        Event.select(Event, EventText.text)
        .left_outer_join(EventText, on=(EventText.event == Event.id))
        .where(about, Event.event.in_(list(_EVENTS)))
        .order_by(Event.id)
        .dicts()
    )
    for row in rows:
        line = _event(row, person, spoken)
        if line is not None:
            yield line


def _event(row: dict[str, Any], person: _Person, spoken: dict[int, Message]) -> dict[str, Any] | None:
    if row["message"] is not None and row["message"] not in spoken:  # held, taken back, or a note
        return None
    personal = msgspec.json.decode(row["text"]) if row["text"] else {}
    data = {**row["data"], **personal}
    if row["event"] == "message.out" and data.get("to") not in person.addresses:
        return None
    who = personal.get("who") or ""
    return {
        "at": clock.iso(row["at"]),
        "ticket": row["ticket"],
        "actor": {"kind": row["actor_kind"], "who": who if who in person.addresses else ""},
        "event": row["event"],
        "data": {name: data[name] for name in _EVENTS[row["event"]] if name in data},
    }


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield msgspec.json.encode(row) + b"\n"
