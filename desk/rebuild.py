"""Write a history and the state that was folded from it into an empty store. Used by imports only.

Ids are those of the events: event ids are given by their order, message ids as the events name them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from desk.eventlines import Entry
from desk.fold import Fold, Said, TicketState
from desk.history import salted
from desk.states import Direction
from desk.store.writer import Transaction

_ROWS = 400  # a statement; SQLite takes 32766 parameters
_EVENT = ("id", "at", "ticket", "actor_kind", "who", "rule", "message", "event", "data", "text_hash")
_TEXT = ("event", "salt", "text")
_TICKET = (
    *("number", "subject", "status", "priority", "impact", "urgency", "tier", "kind", "category", "queue"),
    *("owner", "requester", "requester_address", "language", "channel", "arrived", "created", "updated"),
    *("resolved", "due", "merged_into", "messages", "reopens", "collecting", "version"),
)
_MESSAGE = (
    *("id", "ticket", "origin", "direction", "kind", "audience", "state", "author_kind", "author"),
    *("author_name", "contact", "at", "subject", "text", "spans", "marks", "message_id", "blob"),
    *("trust", "evidence"),
)
_COUNT_TICKETS = (
    "INSERT INTO counter (name, value) VALUES ('ticket', ?)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_DIRECTIONS = {"message.in": Direction.IN, "message.out": Direction.OUT, "note.added": Direction.NOTE}


def write_events(tx: Transaction, events: Iterable[tuple[int, Entry]]) -> None:
    """Write the history; every event comes with its id."""
    for page in _pages(events):
        texts: list[tuple[Any, ...]] = []
        rows: list[tuple[Any, ...]] = []
        for number, entry in page:
            text = _json(entry.erasable) if entry.erasable else None
            salt, text_hash = salted(text)
            if text is not None:
                texts.append((number, salt, text))
            rows.append(
                (
                    *(number, entry.at_us, entry.ticket, entry.actor_kind, entry.who, entry.rule),
                    *(entry.message, entry.event, _json(entry.lasting), text_hash),
                )
            )
        _insert(tx, "event", _EVENT, rows)
        _insert(tx, "event_text", _TEXT, texts)
    continue_ids(tx, "event")


def write_state(tx: Transaction, state: Fold, events: Iterable[tuple[int, Entry]]) -> None:
    """Write tickets, people and messages; the texts of the messages are those that the events still hold."""
    people = _People(tx)
    write_tickets(tx, state, people.contact)
    for page in _pages(state.tickets.values()):
        _insert(
            tx,
            "participant",
            ("ticket", "contact", "address", "role", "since"),
            [
                (t.number, people.contact(address, since), _plain(address), role, since)
                for t in page
                for address, role, since in t.participants
            ],
        )
    for rows in _pages(_message_rows(state, events, people)):
        _insert(tx, "message", _MESSAGE, rows)
        _insert(tx, "search_waiting", ("message",), [(row[0],) for row in rows])
        _insert(
            tx,
            "message_identity",
            ("message_id", "ticket", "message"),
            [(row[16], row[1], row[0]) for row in rows if row[16] is not None],
        )
    people.write()
    for table in ("message", "contact"):
        continue_ids(tx, table)


def write_tickets(tx: Transaction, state: Fold, contact: Callable[[str, int], int]) -> None:
    """Write tickets with tags and links. `contact` gives the person of an address, known since an instant."""
    for page in _pages(state.tickets.values()):
        _insert(tx, "ticket", _TICKET, [_ticket_row(ticket, contact) for ticket in page])
        _insert(tx, "ticket_tag", ("ticket", "tag"), [(t.number, tag) for t in page for tag in t.tags])
        _insert(
            tx,
            "link",
            ("source", "target", "relation"),
            [(t.number, other, relation) for t in page for other, relation in t.links],
        )
    tx.run(_COUNT_TICKETS, max(state.tickets, default=0))


def _ticket_row(ticket: TicketState, contact: Callable[[str, int], int]) -> tuple[Any, ...]:
    return (
        *(ticket.number, _plain(ticket.subject), int(ticket.status), ticket.priority, ticket.impact),
        *(ticket.urgency, ticket.tier, _plain(ticket.kind), _plain(ticket.category), _plain(ticket.queue)),
        *(_maybe_plain(ticket.owner), contact(ticket.requester, ticket.created_us)),
        *(_plain(ticket.requester), _plain(ticket.language), _plain(ticket.channel), ticket.arrived_us),
        *(ticket.created_us, ticket.updated_us, ticket.resolved_us, ticket.due_us, ticket.merged_into),
        *(ticket.messages, ticket.reopens, False, 1),
    )


def _message_rows(
    state: Fold, events: Iterable[tuple[int, Entry]], people: _People
) -> Iterator[tuple[Any, ...]]:
    """A row for every message that counts as said; several events may speak of the same one."""
    written: set[int] = set()
    blobs: set[str] = set()
    for _, entry in events:
        direction = _DIRECTIONS.get(entry.event)
        if direction is None:
            continue
        data = entry.data()
        number = data.get("message")
        if not isinstance(number, int) or number in written:
            continue
        said = state.messages.get(number)
        if said is None:
            continue
        written.add(number)
        yield _message_row(number, said, direction, data, entry, people, blobs)


def _message_row(
    number: int,
    said: Said,
    direction: Direction,
    data: dict[str, Any],
    entry: Entry,
    people: _People,
    blobs: set[str],
) -> tuple[Any, ...]:
    is_in = direction is Direction.IN
    text = _plain(_text(data, "new_text"))
    kind = _text(data, "kind", "human" if is_in else "note")
    author_kind, author = _author(direction, data, entry)
    blob = _text(data, "sha256") or None
    if blob in blobs:  # the store keeps every mail once
        blob = None
    elif blob is not None:
        blobs.add(blob)
    return (
        *(number, said.ticket, said.origin, int(direction), _plain(kind)),
        *(_plain(_text(data, "audience", "internal")), int(said.state), author_kind, author, ""),
        *(people.contact(author, entry.at_us) if is_in else None, entry.at_us, "", text),
        *(
            _json([["new", 0, len(text)]] if text else []),
            _json(["gratitude"] if data.get("gratitude") else []),
        ),
        *(_maybe_plain(_text(data, "message_id") or None), _maybe_plain(blob)),
        *(data.get("trust") if isinstance(data.get("trust"), int) else None, "[]"),
    )


def _author(direction: Direction, data: dict[str, Any], entry: Entry) -> tuple[str, str]:
    """Kind and name of a message's author; what the desk wrote itself has no name."""
    if direction is Direction.IN:
        return _plain(_text(data, "author", "requester")), _plain(_text(data, "from"))
    if direction is Direction.OUT and _text(data, "author") == "system":
        return "system", ""
    return "technician", _plain(entry.sayer())


class _People:
    """Contacts by address; an address that was erased is a person of its own each time."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._known: dict[str, int] = dict(tx.rows("SELECT address, contact FROM address"))
        self._last = int(tx.rows("SELECT coalesce(max(id), 0) FROM contact")[0][0])
        self._contacts: list[tuple[int, int]] = []
        self._addresses: list[tuple[str, int]] = []

    def contact(self, address: str, since_us: int) -> int:
        """The contact of an address, new if it is not known."""
        folded = _plain(address).strip().lower()
        found = self._known.get(folded)
        if found is not None:
            return found
        self._last += 1
        self._contacts.append((self._last, since_us))
        if folded:
            self._known[folded] = self._last
            self._addresses.append((folded, self._last))
        return self._last

    def write(self) -> None:
        """Write those that were not there before."""
        for page in _pages(self._contacts):
            rows = [(number, "", "", "", False, since) for number, since in page]
            _insert(self._tx, "contact", ("id", "name", "said_name", "organisation", "vip", "created"), rows)
        for addresses in _pages(self._addresses):
            _insert(self._tx, "address", ("address", "contact"), addresses)


def _pages(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while page := list(islice(rest, _ROWS)):
        yield page


def _insert(tx: Transaction, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    marks = "(" + ", ".join("?" * len(columns)) + ")"
    tx.run(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([marks] * len(rows))}"
        " ON CONFLICT DO NOTHING",
        *(value for row in rows for value in row),
    )


def continue_ids(tx: Transaction, table: str) -> None:
    """Let new rows follow those whose ids were given. On PostgreSQL the sequence does not see ids that were given."""
    if tx.engine == "postgresql":
        tx.rows(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce(max(id), 1), max(id) IS NOT NULL)"
            f" FROM {table}"
        )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _text(data: dict[str, Any], key: str, default: str = "") -> str:
    value = data.get(key)
    return value if isinstance(value, str) else default


def _plain(text: str) -> str:
    """PostgreSQL keeps no zero bytes."""
    return text.replace("\0", "")


def _maybe_plain(text: str | None) -> str | None:
    return None if text is None else _plain(text)
