"""What tells whether a desk is well: what waits for how long, what came last, whether the store is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from desk.clock import iso
from desk.states import InboxState, OutboxState
from desk.store.schema import Event, Inbox, Lease, Outbox
from desk.store.writer import Store

_NEWEST_LOOKED_AT = 10_000
INTAKE_LEASE = "intake:"  # and the name of the door: the lease that its daemon renews while it listens
INTAKE_LEASE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait, and since when the oldest does (microseconds)."""

    count: int
    since_us: int | None


def mail_waiting() -> Waiting:
    """Mail that was taken and is not understood yet. Call it inside `reading()`."""
    return _waiting(Inbox, Inbox.at, int(InboxState.WAITING))


def letters_waiting() -> Waiting:
    """Letters out that have not left. Call it inside `reading()`."""
    return _waiting(Outbox, Outbox.created, int(OutboxState.WAITING))


def letters_to_new_addresses(since_us: int) -> int:
    """Letters written since to addresses never seen before. Call it inside `reading()`."""
    return int(Outbox.select().where(Outbox.to_new, Outbox.created > since_us).count())


def _waiting(table: Any, column: Any, state: int) -> Waiting:
    rows = table.select(column).where(table.state == state)
    oldest = rows.order_by(column).first()
    return Waiting(rows.count(), None if oldest is None else getattr(oldest, column.name))


def arrivals() -> list[dict[str, Any]]:
    """Per door the instant of its newest mail, among the newest ten thousand. Inside `reading()`."""
    newest: dict[str, int] = {}
    rows: Any = Inbox.select(Inbox.door, Inbox.at).order_by(Inbox.id.desc()).limit(_NEWEST_LOOKED_AT)
    for door, at in rows.tuples():
        newest.setdefault(door, at)
    return [{"intake": door, "newest": iso(at)} for door, at in sorted(newest.items())]


def intakes(listening: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each door that is configured (name -> where it listens) or brought mail; inside `reading()`.

    `newest` is the instant of its newest mail, `heartbeat` when the daemon last said that it listens.
    """
    newest = {one["intake"]: one["newest"] for one in arrivals()}
    rows: Any = Lease.select(Lease.name, Lease.until).where(Lease.name.startswith(INTAKE_LEASE))
    beats = {name.removeprefix(INTAKE_LEASE): iso(until - INTAKE_LEASE_US) for name, until in rows.tuples()}
    return [
        {
            "intake": door,
            "listen": listening.get(door),
            "newest": newest.get(door),
            "heartbeat": beats.get(door) if door in listening else None,
        }
        for door in sorted({*newest, *listening})
    ]


def newest_event_us() -> int:
    """The instant of the newest event; 0 before the first. Call it inside `reading()`."""
    newest = Event.select(Event.at).order_by(Event.id.desc()).first()
    return 0 if newest is None else int(newest.at)


def faults_of_store(store: Store) -> list[str]:
    """What the engine itself finds wrong with its file; nothing for PostgreSQL, which checks its pages."""
    if store.engine != "sqlite":
        return []
    with store.reading():
        rows = store.database.execute_sql("PRAGMA quick_check(5)").fetchall()
    return [str(row[0]) for row in rows if row[0] != "ok"]


def newest_mail_id() -> int:
    """The id of the newest mail of the spool, 0 before the first. Call it inside `reading()`."""
    newest = Inbox.select(Inbox.id).order_by(Inbox.id.desc()).first()
    return 0 if newest is None else int(newest.id)


def mails_after(inbox: int) -> list[tuple[int, str, InboxState]]:
    """Mails taken since: id, sha256 and what became of them. Call it inside `reading()`."""
    rows: Any = Inbox.select(Inbox.id, Inbox.sha256, Inbox.state).where(Inbox.id > inbox).order_by(Inbox.id)
    return [(number, sha256, InboxState(state)) for number, sha256, state in rows.tuples()]


def letter_state(letter: int) -> tuple[OutboxState, str]:
    """How far a letter out has come, and what the smarthost said. Call it inside `reading()`."""
    row = Outbox.get_by_id(letter)
    return OutboxState(row.state), row.answer
