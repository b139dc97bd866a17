"""Mail taken in and not yet understood. What `accept` returned for is durable.

Writes: blob, inbox. Trust: none; not a byte is interpreted here.
On failure: raises, and the door tells the sender to keep the mail (451, 452).
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from desk import blobs, clock
from desk.letter import Envelope
from desk.states import InboxState
from desk.store.writer import Store, Transaction

LEASE = timedelta(minutes=3)
LARGE = 256 * 1024  # bytes; such a mail is packed by the caller, for it would hold up other commits
_INSERT = (
    "INSERT INTO inbox (sha256, size, door, door_key, envelope, at, state, run_at, tries, lease, holder, reason)"
    " VALUES (?, ?, ?, ?, ?, ?, 0, ?, 0, 0, '', '') ON CONFLICT (door, door_key) WHERE door_key IS NOT NULL"
    " DO NOTHING"
)
_CLAIM = (
    "UPDATE inbox SET run_at = ?, holder = ?, tries = tries + 1 WHERE id IN ("
    " SELECT id FROM inbox WHERE state = 0 AND run_at <= ? ORDER BY run_at, id LIMIT ? {lock})"
    " RETURNING id, sha256, envelope, at, tries"
)


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail of the spool, claimed by a worker."""

    id: int
    sha256: str
    envelope: Envelope
    arrived_us: int
    tries: int

    def __str__(self) -> str:
        return f"{self.id} sha256={self.sha256[:16]}"


def accept(store: Store, raw: bytes, envelope: Envelope) -> Future[str]:
    """Put a mail into the spool; the future gives its sha256 once it is durable.

    Idempotent for doors with keys (IMAP uids); other doors may store the same bytes twice, and the second
    time merges when the mail is filed.
    """
    ready = blobs.pack(raw) if len(raw) > LARGE else None

    def write(tx: Transaction) -> str:
        packed = ready or blobs.pack(raw)  # small mails are packed beside the door, not in its loop
        blobs.store(tx, packed)
        tx.run(
            _INSERT,
            packed.sha256,
            packed.size,
            envelope.door,
            envelope.key or None,
            msgspec.json.encode(envelope).decode(),
            tx.now_us,
            tx.now_us,
        )
        return packed.sha256

    return store.submit(write)


def claim(store: Store, holder: str, limit: int) -> list[Taken]:
    """Take mails that are due, oldest first. A claim that is not settled comes back when its lease ends."""
    lock = "FOR UPDATE SKIP LOCKED" if store.engine == "postgresql" else ""

    def write(tx: Transaction) -> list[Taken]:
        until = tx.now_us + LEASE // timedelta(microseconds=1)
        rows = tx.rows(_CLAIM.format(lock=lock), until, holder, tx.now_us, limit)
        return sorted(map(_taken, rows), key=lambda taken: taken.id)

    if not _any_due(store):
        return []
    return store.write_tx(write)


def _any_due(store: Store) -> bool:
    """Ask by a read first: an idle desk must not write."""
    with store.reading():
        cursor = store.database.execute_sql(
            f"SELECT 1 FROM inbox WHERE state = 0 AND run_at <= {clock.now_us()} LIMIT 1"
        )
        return cursor.fetchone() is not None


def _taken(row: tuple[int, str, str, int, int]) -> Taken:
    inbox, sha256, envelope, at, tries = row
    return Taken(inbox, sha256, msgspec.json.decode(envelope, type=Envelope), at, tries)


def settle(
    tx: Transaction,
    inbox: int,
    state: InboxState,
    *,
    reason: str = "",
    ticket: int | None = None,
    message: int | None = None,
) -> None:
    """Say what became of a mail; in the same transaction as what was made of it."""
    tx.run(
        "UPDATE inbox SET state = ?, reason = ?, ticket = ?, message = ?, holder = '' WHERE id = ?",
        int(state),
        reason,
        ticket,
        message,
        inbox,
    )


def give_back(store: Store, inbox: int, after: timedelta, reason: str) -> None:
    """Let the mail be claimed again after this time."""

    def write(tx: Transaction) -> None:
        run_at = tx.now_us + after // timedelta(microseconds=1)
        tx.run(
            "UPDATE inbox SET run_at = ?, reason = ?, holder = '' WHERE id = ? AND state = 0",
            run_at,
            reason,
            inbox,
        )

    store.write_tx(write)


def release_claims(store: Store, holder: str) -> int:
    """Give back at once what a former process of this holder had claimed; the number of mails."""
    return store.write_tx(
        lambda tx: tx.run(
            "UPDATE inbox SET run_at = ?, holder = '' WHERE state = 0 AND holder = ?", tx.now_us, holder
        )
    )


def outcomes(store: Store, inboxes: list[int]) -> Iterator[tuple[int, InboxState, int | None, str]]:
    """What became of these mails so far: (inbox, state, ticket, reason)."""
    with store.reading():
        for start in range(0, len(inboxes), 500):
            ids = ",".join(str(int(i)) for i in inboxes[start : start + 500])
            cursor = store.database.execute_sql(
                f"SELECT id, state, ticket, reason FROM inbox WHERE id IN ({ids})"
            )
            for inbox, state, ticket, reason in cursor.fetchall():
                yield inbox, InboxState(state), ticket, reason
