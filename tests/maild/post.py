"""A desk with its whole way of a mail, for tests: mails go in at the spool, what came of them is read out."""

from __future__ import annotations

import email
import email.policy
import shutil
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
from mails import Mail

from desk import blobs, snapshots, spool
from desk.actors import Actor, Door
from desk.commands import AddTechnician
from desk.history import Recorded
from desk.letter import Envelope
from desk.newhome import write_home
from desk.service import Desk, Order, open_desk
from desk.states import InboxState, MessageState
from desk.store.schema import Event, Inbox, Link, Message, Outbox, Participant, Ticket
from desk.work import run_until_idle
from maild import home as homes
from maild.reading.reader import ReaderPool
from maild.receive import PACE, Receiver

_WORDS = {InboxState.HELD: "held", InboxState.DROPPED: "dropped", InboxState.PARKED: "parked"}


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of one mail. The fields of the message are None when it has none of its own."""

    inbox: int
    outcome: str
    reason: str
    ticket: int | None
    message: int | None = None
    audience: str | None = None
    trust: int | None = None
    author: str | None = None
    kind: str | None = None
    evidence: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter out, decoded."""

    id: int
    ticket: int
    kind: str
    recipient: str
    message_id: str
    raw: bytes
    envelope_sender: str

    @property
    def mail(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def text(self) -> str:
        """The plain text as its reader sees it."""
        part = self.mail.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    @property
    def everything(self) -> str:
        """All that a recipient can read: header fields and both bodies, decoded."""
        mail = self.mail
        fields = [f"{name}: {value}" for name, value in mail.items()]
        bodies = [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
        return "\n".join([*fields, *bodies])

    @property
    def reply_to(self) -> str:
        """The address that an answer goes to."""
        return str(self.mail["Reply-To"].addresses[0].addr_spec)

    def addresses(self, field: str) -> list[str]:
        mail = self.mail
        return [box.addr_spec for box in mail[field].addresses] if field in mail else []


def make_home(path: Path, **values: str) -> Path:
    """A home whose desk has the technicians t1 and t2 and a lead."""
    given = {"domain": "desk.example", "address": "support@desk.example", "timezone": "Asia/Taipei"}
    write_home(path, **(given | values))
    desk = open_desk(path)
    for login in ("t1", "t2"):
        add = AddTechnician(login, f"{login}@staff.example", ("technician", "lead"), name=login.upper())
        desk.do(Order(add, Actor("system", "root"), Door.CLI))
    homes.refresh(desk)
    desk.close()
    return path


class Post:
    """One desk. Close it."""

    def __init__(self, template: Path, path: Path, readers: ReaderPool) -> None:
        shutil.copytree(template, path)
        self.desk: Desk = open_desk(path)
        with self.desk.reading():
            kept = snapshots.current()
        assert kept is not None
        self.desk.postroom.use(kept[1])
        self.receiver = Receiver(self.desk, readers, holder="test")

    def close(self) -> None:
        self.desk.close()

    def refresh(self) -> None:
        """Take changed files of the home."""
        assert homes.refresh(self.desk) == []

    def limit(self, **limits: int) -> None:
        """Set [limits] of desk.toml."""
        settings = self.desk.settings
        changed = msgspec.structs.replace(settings.limits, **limits)
        self.desk.use(msgspec.structs.replace(settings, limits=changed))

    def accept(self, mail: Mail) -> str:
        """Only into the spool; the sha256."""
        envelope = Envelope(
            door=mail.door,
            sender=mail.sender,
            recipients=mail.recipients,
            peer="192.0.2.1" if mail.door == "smtp" else "",
            is_trusted=mail.door != "smtp",
        )
        return spool.accept(self.desk.store, mail.raw, envelope).result()

    def take(self, mail: Mail) -> Filed:
        """A mail all the way."""
        self.accept(mail)
        return self.work()[-1]

    def work(self) -> list[Filed]:
        """Do what the spool holds; what became of its mails, in the order of their coming."""
        with self.desk.reading():
            waiting = [row.id for row in Inbox.select().where(Inbox.state == 0).order_by(Inbox.id)]
        run_until_idle(self.receiver, PACE)
        return [self.filed(inbox) for inbox in waiting]

    def filed(self, inbox: int) -> Filed:
        """What became of a mail of the spool."""
        with self.desk.reading():
            row = Inbox.get_by_id(inbox)
            message = Message.get_or_none(Message.inbox == inbox)
            state = InboxState(row.state)
            if message is None:
                return Filed(inbox, _WORDS.get(state, state.word), row.reason, row.ticket, row.message)
            first = (
                Message.select()
                .where(Message.ticket == row.ticket, Message.direction == 0)
                .order_by(Message.id)
            )
            is_first = row.ticket is not None and first.get().id == message.id
            return Filed(
                inbox,
                _WORDS.get(state, "new" if is_first else "joined"),
                row.reason,
                row.ticket,
                message.id,
                message.audience,
                message.trust,
                message.author_kind,
                message.kind,
                tuple(message.evidence),
                tuple(message.marks),
            )

    def order(self, command: Any, by: str = "t1") -> list[Recorded]:
        """An order of a technician."""
        return self.desk.do(Order(command, Actor("technician", by), Door.CLI))

    def letters(self, ticket: int | None = None) -> list[Sent]:
        """Letters out, oldest first."""
        with self.desk.reading():
            rows = Outbox.select().order_by(Outbox.id)
            rows = rows if ticket is None else rows.where(Outbox.ticket == ticket)
            return [self._sent(row) for row in rows]

    def letter_to(self, address: str) -> Sent:
        """The newest letter to an address."""
        with self.desk.reading():
            newest = Outbox.select().where(Outbox.recipient == address).order_by(Outbox.id.desc()).limit(1)
            return self._sent(newest.get())

    def _sent(self, row: Any) -> Sent:
        raw = blobs.content(row.blob)
        token = self.desk.postroom.letter_token(self.desk.postroom.known_keys(), row.id, row.ticket)
        sender = f"support+{token}@{self.desk.settings.desk.domain}"
        return Sent(row.id, row.ticket, row.kind, row.recipient, row.message_id, raw, sender)

    def ticket(self, number: int) -> dict[str, Any]:
        with self.desk.reading():
            found: Any = Ticket.select().where(Ticket.number == number).dicts().get()
            return dict(found)

    def tickets(self) -> list[int]:
        with self.desk.reading():
            return [row.number for row in Ticket.select().order_by(Ticket.number)]

    def links(self, number: int) -> list[tuple[int, str]]:
        """What a ticket is linked to: (ticket, relation)."""
        with self.desk.reading():
            return [(row.target, row.relation) for row in Link.select().where(Link.source == number)]

    def participants(self, number: int) -> list[tuple[str, str]]:
        """(address, role), by address."""
        with self.desk.reading():
            rows = Participant.select().where(Participant.ticket == number).order_by(Participant.address)
            return [(row.address, row.role) for row in rows]

    def events(self, ticket: int | None) -> list[str]:
        """Names of what happened to a ticket (None: to no ticket), oldest first."""
        with self.desk.reading():
            rows = Event.select().where(Event.ticket == ticket if ticket else Event.ticket.is_null())
            return [row.event for row in rows.order_by(Event.id)]

    def message_state(self, message: int) -> MessageState:
        with self.desk.reading():
            return MessageState(Message.get_by_id(message).state)
