"""Rows for tests of reads, with everything that a test does not care about filled in."""

from __future__ import annotations

from typing import Any

from desk.search_index import index_waiting
from desk.states import Direction
from desk.store.schema import Address, Message, SearchWaiting, Ticket
from desk.store.writer import Store

NOON = 1_790_000_000_000_000  # an instant in microseconds
HOUR = 3_600_000_000


def add_ticket(store: Store, number: int, **fields: Any) -> int:
    """A ticket that was changed `number` seconds after noon."""
    at = NOON + number * 1_000_000
    values: dict[str, Any] = {
        "subject": f"subject {number}",
        "status": 1,
        "queue": "help-desk",
        "requester": 1,
        "requester_address": "a@example.org",
        "language": "en",
        "channel": "email",
        "arrived": at,
        "created": at,
        "updated": at,
    }
    store.write_tx(lambda tx: Ticket.insert(number=number, **(values | fields)).execute())
    return number


def add_message(store: Store, ticket: int, text: str = "", **fields: Any) -> int:
    """A message that waits to be indexed; a mail in unless said otherwise. Its id."""
    values: dict[str, Any] = {
        "direction": int(Direction.IN),
        "kind": "human",
        "audience": "public",
        "author_kind": "requester",
        "author": "a@example.org",
        "at": NOON,
        "text": text,
    }

    def write(_tx: object) -> int:
        message: int = Message.insert(ticket=ticket, origin=ticket, **(values | fields)).execute()
        SearchWaiting.insert(message=message).execute()
        return message

    return store.write_tx(write)


def add_address(store: Store, address: str, contact: int) -> None:
    store.write_tx(lambda tx: Address.insert(address=address, contact=contact).execute())


def index_all(store: Store) -> None:
    while index_waiting(store):
        pass


def tickets_with(store: Store, *texts: str) -> list[int]:
    """One ticket for each text, numbered from 1, indexed."""
    for number, text in enumerate(texts, 1):
        add_ticket(store, number)
        add_message(store, number, text)
    index_all(store)
    return list(range(1, len(texts) + 1))
