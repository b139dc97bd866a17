"""A desk with letters to send, and what became of them. The server they go to is a real one, the sink."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from desk import clock, outbox
from desk.newhome import write_home
from desk.service import Desk, open_desk
from desk.settings import Smarthost
from desk.states import OutboxState
from desk.store.schema import Event, EventText, Outbox
from desk.work import run_until_idle
from maild.deliver.deliverer import PACE, Deliverer
from maild.deliver.smarthost import Patience

HOST = "127.0.0.1"
START = datetime(2026, 11, 6, 9, 0, tzinfo=UTC)
# Idle connections are kept for good, everything else is over soon: a test that hangs should not.
QUICK = Patience(connect_s=5.0, answer_s=5.0, letter_s=5.0, idle_s=60.0)


@dataclass(frozen=True)
class State:
    """How one letter fares."""

    state: OutboxState
    code: int | None
    answer: str
    tries: int
    due: datetime


class Office:
    """A desk and a deliverer that is run by hand."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.deliverer = Deliverer(desk, holder="test", patience=QUICK)

    def sends_to(self, patience: Patience = QUICK, **smarthost: Any) -> None:
        """Set [smarthost] and begin with a new deliverer."""
        self.deliverer.close()
        self.set_smarthost(**smarthost)
        self.deliverer = Deliverer(self.desk, holder="test", patience=patience)

    def set_smarthost(self, **smarthost: Any) -> None:
        """Set [smarthost] as a reload does."""
        self.desk.use(msgspec.structs.replace(self.desk.settings, smarthost=Smarthost(**smarthost)))

    def write(self, number: int = 1, *, recipient: str = "a@example.net") -> int:
        """A letter in the outbox; its id."""
        raw = letter_bytes(number)
        return self.desk.store.write_tx(
            lambda tx: outbox.enqueue(
                tx,
                raw,
                ticket=number,
                message=number,
                kind="reply",
                message_id=f"<{number}@example.org>",
                recipient=recipient,
            )
        )

    def run(self) -> int:
        """Send what is due; the number of letters that were tried."""
        return run_until_idle(self.deliverer, PACE)

    def state(self, letter: int) -> State:
        """How a letter fares."""
        with self.desk.reading():
            row = Outbox.get_by_id(letter)
        return State(OutboxState(row.state), row.code, row.answer, row.tries, clock.from_us(row.run_at))

    def events(self, ticket: int) -> list[tuple[str, dict[str, Any]]]:
        """The history of a ticket: names and data, texts included."""
        with self.desk.reading():
            rows = list(Event.select().where(Event.ticket == ticket).order_by(Event.id))
            texts = {row.event: msgspec.json.decode(row.text) for row in EventText.select()}
        return [(row.event, row.data | texts.get(row.id, {})) for row in rows]

    def event_names(self, ticket: int) -> list[str]:
        """The history of a ticket without its data."""
        return [name for name, _ in self.events(ticket)]

    def change_store(self, statement: str) -> None:
        """Carry out a statement beside all rules."""
        self.desk.store.write_tx(lambda tx: tx.run(statement))

    def close(self) -> None:
        self.deliverer.close()
        self.desk.close()


def letter_bytes(number: int) -> bytes:
    """A letter with everything that transport may damage: dots, long lines, trailing blanks."""
    head = f"From: support@example.org\r\nMessage-ID: <{number}@example.org>\r\nSubject: {number}\r\n\r\n"
    return head.encode() + b".\r\n..two\r\n" + b"x" * 990 + b"\r\nblank \r\n\r\nend\r\n"


@contextmanager
def opened_office(home: Path) -> Iterator[Office]:
    """A new desk for example.org."""
    write_home(home, domain="example.org")
    office = Office(open_desk(home))
    try:
        yield office
    finally:
        office.close()
