"""What tests of orders are made of: a desk on SQLite, people of every role, tickets, mail taken in."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desk import blobs, snapshots
from desk.actors import SYSTEM, Actor, Door
from desk.commands import AddTechnician, ChangeRole, OpenTicket
from desk.filing import FileLetter, Placement
from desk.history import Recorded
from desk.homefiles import digest, examine_home
from desk.letter import Envelope, Letter, Mailbox, Span
from desk.newhome import write_home
from desk.outbox import claim, mark_sent
from desk.service import Desk, Order, open_desk
from desk.spool import accept
from desk.store.schema import TABLES, Event, EventText, Inbox, Outbox, Ticket

ROOT = Actor("system", "root")
NETWORK = """
title = "Network"
type = "help-desk"
team = "service-desk"
calendar = "default"
policy = "standard"
addresses = ["network@desk.example"]
sender_name = "Network team"
signature = "Network team, floor 2"
"""


def write_desk(home: Path) -> None:
    """A home with the queues help-desk and network, and the people of `STAFF`."""
    write_home(
        home,
        domain="desk.example",
        address="support@desk.example",
        timezone="Asia/Taipei",
        language="en",
        name="Example IT",
    )
    (home / "queues" / "network.toml").write_text(NETWORK)
    settings = home / "desk.toml"
    text = settings.read_text()
    changed = text.replace('"support@desk.example"', '"support@desk.example", "network@desk.example"', 1)
    assert changed != text
    settings.write_text(changed)
    desk = opened(home)
    for login, roles in STAFF.items():
        desk.do(
            Order(AddTechnician(login, f"{login}@desk.example", roles, name=login.upper()), ROOT, Door.CLI)
        )
    desk.close()


STAFF: dict[str, tuple[str, ...]] = {
    "tess": ("technician",),
    "tom": ("technician",),
    "lea": ("lead",),
    "ada": ("admin",),
    "otto": ("observer",),
    "audi": ("auditor",),
}


def opened(home: Path) -> Desk:
    """The desk of a home with its files in use."""
    desk = open_desk(home)
    files, faults = examine_home(home)
    assert files is not None, faults
    assert faults == []
    desk.store.write_tx(lambda tx: snapshots.replace(tx, files, digest(files)))
    desk.postroom.use(files)
    return desk


def copied(prepared: Path, home: Path) -> Path:
    shutil.copytree(prepared, home)
    return home


@dataclass
class Shop:
    """A desk with short ways to order and to look."""

    desk: Desk
    mails: int = field(default=0)

    def order(self, command: Any, by: str | Actor = "tess", door: Door = Door.CLI) -> list[Recorded]:
        actor = by if isinstance(by, Actor) else Actor("technician", by)
        return self.desk.do(Order(command, actor, door))

    def open(self, requester: str = "a@client.example", by: str = "tess", **more: Any) -> int:
        """A ticket by phone; its number."""
        more = {"subject": "Printer", "text": "It does not print.", "send_copy": False, **more}
        events = self.order(OpenTicket(requester=requester, **more), by)
        return next(event.ticket for event in events if event.event == "ticket.created" and event.ticket)

    def grant_only(self, login: str, role: str, queue: str) -> None:
        """Let a technician have this one grant."""
        for old in STAFF[login]:
            self.order(ChangeRole(login, old, revoke=True), ROOT)
        self.order(ChangeRole(login, role, queue), ROOT)

    def ticket(self, number: int) -> dict[str, Any]:
        with self.desk.reading():
            rows: Any = Ticket.select().where(Ticket.number == number).dicts()
            return dict(rows.get())

    def plain(self, number: int) -> dict[str, Any]:
        """The ticket without what every change moves on."""
        return {k: v for k, v in self.ticket(number).items() if k not in ("version", "updated")}

    def rows(self, table: Any, *conditions: Any) -> list[Any]:
        with self.desk.reading():
            found = table.select().where(*conditions) if conditions else table.select()
            return list(found.order_by(*table._meta.get_primary_keys()))

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.desk.reading():
            return {table.__name__: table.select().count() for table in TABLES}

    def letters(self, number: int, kind: str = "reply") -> list[Any]:
        return self.rows(Outbox, Outbox.ticket == number, Outbox.kind == kind)

    def content(self, sha256: str) -> bytes:
        with self.desk.reading():
            return blobs.content(sha256)

    def events(self, number: int | None = None) -> list[Any]:
        return self.rows(Event, Event.ticket == number) if number is not None else self.rows(Event)

    def texts(self) -> dict[int, str]:
        return {row.event: row.text for row in self.rows(EventText)}

    def send_all(self) -> int:
        """Deliver what is due, as the smarthost would take it."""
        sendings = claim(self.desk.store, "test", 1000)
        for sending in sendings:
            self.desk.store.write_tx(lambda tx, s=sending: mark_sent(tx, s, code=250, answer="ok"))
        return len(sendings)

    def mail(
        self,
        sender: str,
        text: str,
        *,
        ticket: int | None = None,
        way: Any = None,
        audience: str = "public",
        author: Any = "requester",
        newcomers: tuple[str, ...] = (),
        subject: str = "Printer",
        **more: Any,
    ) -> int:
        """Take in one mail and file it as said; its inbox id."""
        self.mails += 1
        identity = f"<{self.mails}.{sender}>"
        raw = f"From: {sender}\r\nSubject: {subject}\r\nMessage-ID: {identity}\r\n\r\n{text}\r\n".encode()
        accept(self.desk.store, raw, Envelope(door="smtp", sender=sender)).result()
        inbox = self.rows(Inbox)[-1]
        letter = Letter(
            sha256=hashlib.sha256(raw).hexdigest(),
            size=len(raw),
            subject=subject,
            sender=Mailbox("", sender),
            message_id=identity,
            text=text,
            spans=[Span("new", 0, len(text))],
            **more,
        )
        placement = Placement(
            way=way or ("new" if ticket is None else "join"),
            ticket=ticket,
            audience=audience,
            author=author,
            trust=3,
            wakes=ticket is not None and way is None,
            newcomers=tuple(Mailbox("", address) for address in newcomers),
            reason="to be looked at" if way in ("hold", "drop") else "",
        )
        order = Order(FileLetter(inbox.id, inbox.at, letter, placement), SYSTEM, Door.MAIL)
        self.desk.do(order)
        return int(inbox.id)

    def put_aside(
        self, raw: bytes = b"From: x@client.example\r\n\r\nhi\r\n", sender: str = "x@client.example"
    ) -> int:
        """Take in a mail and file it not yet; its inbox id."""
        accept(self.desk.store, raw, Envelope(door="smtp", sender=sender)).result()
        return int(self.rows(Inbox)[-1].id)

    def ticket_of(self, inbox: int) -> int:
        return int(self.rows(Inbox, Inbox.id == inbox)[0].ticket)


@contextmanager
def shop_in(home: Path) -> Iterator[Shop]:
    desk = opened(home)
    try:
        yield Shop(desk)
    finally:
        desk.close()
