"""What the desk holds about one requester, written out for him: his data, his conversation, his mails.

Only what is public between him and the desk: notes and what others wrote in confidence stay here.
Standards: RFC 4155 with the quoting of mboxrd, so that every mail can be taken out as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from desk import blobs, clock
from desk.clock import iso
from desk.errors import NotFound
from desk.people import known_person
from desk.states import Direction, MessageState, OutboxState
from desk.store.schema import Address, Message, Outbox, Ticket

_FROM = re.compile(rb"^(>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written; `mails` counts those of both directions."""

    tickets: int
    messages: int
    mails: int


def write_out(address: str, folder: Path) -> Written:
    """Write person.json, messages.jsonl and mails.mbox into a new folder. Call it inside `reading()`.

    Raises:
        NotFound: the desk has never seen the address. OSError: the folder is there, or cannot be written.
    """
    _, contact = known_person(address)
    tickets = [row.number for row in Ticket.select(Ticket.number).where(Ticket.requester == contact.id)]
    person = {
        "name": contact.name or contact.said_name,
        "addresses": [row.address for row in Address.select().where(Address.contact == contact.id)],
        "language": contact.language,
        "organisation": contact.organisation,
        "since": iso(contact.created),
        "tickets": tickets,
    }
    folder.mkdir(mode=0o700, parents=True)
    (folder / "person.json").write_bytes(msgspec.json.format(msgspec.json.encode(person), indent=2) + b"\n")
    messages = list(_messages(contact.id, tickets))
    with (folder / "messages.jsonl").open("wb") as out:
        out.writelines(msgspec.json.encode(message) + b"\n" for message in messages)
    mails = 0
    with (folder / "mails.mbox").open("wb") as out:
        for at_us, sha256 in sorted(_mails(contact.id)):
            if raw := _content(sha256):
                out.write(_as_mbox(raw, at_us))
                mails += 1
    return Written(len(tickets), len(messages), mails)


def _messages(contact: int, tickets: list[int]) -> Iterator[dict[str, Any]]:
    theirs = (Message.contact == contact) | Message.ticket.in_(tickets)
    public = (Message.audience == "public") & (Message.state == int(MessageState.STANDS))
    for row in Message.select().where(theirs, public).order_by(Message.id):
        yield {
            "ticket": row.ticket,
            "direction": Direction(row.direction).word,
            "at": iso(row.at),
            "from": row.author_name if row.direction == Direction.OUT else row.author,
            "subject": row.subject,
            "text": row.text,
        }


def _mails(contact: int) -> Iterator[tuple[int, str]]:
    came: Any = Message.select(Message.at, Message.blob).where(
        Message.contact == contact, Message.blob.is_null(False), Message.audience == "public"
    )
    yield from came.tuples()
    left: Any = Outbox.select(Outbox.created, Outbox.blob).where(
        Outbox.contact == contact, Outbox.state == int(OutboxState.SENT)
    )
    yield from left.tuples()


def _content(sha256: str) -> bytes:
    try:
        return blobs.content(sha256)
    except NotFound:  # erased
        return b""


def _as_mbox(raw: bytes, at_us: int) -> bytes:
    line = f"From MAILER-DAEMON {clock.from_us(at_us):%a %b %d %H:%M:%S %Y}\n".encode()
    end = b"\n" if raw.endswith(b"\n") else b"\n\n"
    return line + _FROM.sub(rb">\1", raw) + end
