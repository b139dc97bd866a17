"""Letters to send: written with the change that caused them, claimed by deliverers, never lost.

A letter may be sent twice (the smarthost took it and the answer was lost), but always as the same bytes
with the same Message-ID. One that was marked sent or failed is never sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from desk import blobs, clock
from desk.actors import SYSTEM
from desk.events import LetterDeferred, LetterFailed, LetterSent
from desk.history import record
from desk.states import OutboxState
from desk.store.writer import Store, Transaction

LEASE = timedelta(minutes=15)
_CLAIM = (
    "UPDATE outbox SET state = 1, lease = ?, holder = ?, tries = tries + 1 WHERE id IN ("
    " SELECT id FROM outbox WHERE state = 0 AND run_at <= ? ORDER BY run_at, id LIMIT ? {lock})"
    " RETURNING id, ticket, kind, message_id, recipient, blob, created, tries"
)
_STILL_MINE = "state = 1 AND tries = ?"  # every claim counts the tries up
_NOT_SETTLED = "state IN (0, 1) AND tries >= ?"
_INSERT = (
    "INSERT INTO outbox (ticket, message, kind, message_id, recipient, contact, to_new, blob,"
    " state, created, run_at, tries, lease, holder, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, 0, 0, '', '')"
)


@dataclass(frozen=True, slots=True)
class Sending:
    """A letter claimed by a deliverer."""

    id: int
    ticket: int | None
    kind: str
    message_id: str
    recipient: str
    blob: str
    created_us: int
    tries: int

    def __str__(self) -> str:
        return f"letter={self.id} ticket={self.ticket} to={self.recipient}"


def enqueue(
    tx: Transaction,
    raw: bytes,
    *,
    ticket: int | None,
    message: int | None,
    kind: str,
    message_id: str,
    recipient: str,
    contact: int | None = None,
    to_new: bool = False,
    hold: timedelta = timedelta(0),
) -> int:
    """Write a letter out; its id. It may leave after `hold`."""
    packed = blobs.pack(raw)
    blobs.store(tx, packed)
    run_at = tx.now_us + hold // timedelta(microseconds=1)
    return tx.insert(
        _INSERT,
        ticket,
        message,
        kind,
        message_id,
        recipient,
        contact,
        to_new,
        packed.sha256,
        tx.now_us,
        run_at,
    )


def claim(store: Store, holder: str, limit: int) -> list[Sending]:
    """Take letters that are due; letters of deliverers that died come back when their lease ends."""
    lock = "FOR UPDATE SKIP LOCKED" if store.engine == "postgresql" else ""

    def write(tx: Transaction) -> list[Sending]:
        tx.run("UPDATE outbox SET state = 0, holder = '' WHERE state = 1 AND lease < ?", tx.now_us)
        until = tx.now_us + LEASE // timedelta(microseconds=1)
        rows = tx.rows(_CLAIM.format(lock=lock), until, holder, tx.now_us, limit)
        return sorted((Sending(*row) for row in rows), key=lambda sending: sending.id)

    if not _any_due(store):
        return []
    return store.write_tx(write)


def _any_due(store: Store) -> bool:
    """Ask by a read first: an idle desk must not write."""
    now = clock.now_us()
    with store.reading():
        for condition in (f"state = 0 AND run_at <= {now}", f"state = 1 AND lease < {now}"):
            if store.database.execute_sql(f"SELECT 1 FROM outbox WHERE {condition} LIMIT 1").fetchone():
                return True
    return False


def release_claims(store: Store, holder: str) -> int:
    """Give back at once what a former process of this holder was sending; the number of letters."""
    return store.write_tx(
        lambda tx: tx.run("UPDATE outbox SET state = 0, holder = '' WHERE state = 1 AND holder = ?", holder)
    )


def mark_sent(tx: Transaction, sending: Sending, *, code: int | None, answer: str) -> None:
    """The next hop has it. Also when the lease had ended: what was sent must not be sent again."""
    if not _settle(tx, sending, OutboxState.SENT, code, answer, condition=_NOT_SETTLED):
        return
    record(
        tx,
        LetterSent(letter=sending.id, code=code, text=answer, attempt=sending.tries),
        by=SYSTEM,
        ticket=sending.ticket,
    )


def mark_failed(tx: Transaction, sending: Sending, *, code: int | None, answer: str) -> None:
    """It will not be sent: refused for good, or tried for too long. Shown on the ticket.

    Nothing, when the lease had ended and the letter was given to another deliverer.
    """
    if not _settle(tx, sending, OutboxState.FAILED, code, answer, condition=_STILL_MINE):
        return
    record(
        tx,
        LetterFailed(letter=sending.id, code=code, text=answer, attempt=sending.tries),
        by=SYSTEM,
        ticket=sending.ticket,
    )


def defer(tx: Transaction, sending: Sending, *, after: timedelta, code: int | None, answer: str) -> None:
    """Try again after this time. The first deferral of a letter stands in the history, not each one.

    Nothing, when the lease had ended and the letter was given to another deliverer.
    """
    run_at = tx.now_us + after // timedelta(microseconds=1)
    deferred = tx.run(
        f"UPDATE outbox SET state = 0, run_at = ?, holder = '', code = ?, answer = ? WHERE id = ? AND {_STILL_MINE}",
        run_at,
        code,
        answer[:1000],
        sending.id,
        sending.tries,
    )
    if deferred and sending.tries == 1:
        record(
            tx,
            LetterDeferred(letter=sending.id, code=code, text=answer, attempt=1),
            by=SYSTEM,
            ticket=sending.ticket,
        )


def withdraw(tx: Transaction, message: int) -> int:
    """Keep back the letters of a message that still wait; the number kept back."""
    return tx.run(
        "UPDATE outbox SET state = ?, done = ? WHERE message = ? AND state = 0",
        int(OutboxState.WITHDRAWN),
        tx.now_us,
        message,
    )


def _settle(
    tx: Transaction, sending: Sending, state: OutboxState, code: int | None, answer: str, *, condition: str
) -> bool:
    """Whether the letter was still to be settled."""
    changed = tx.run(
        f"UPDATE outbox SET state = ?, code = ?, answer = ?, done = ?, holder = '' WHERE id = ? AND {condition}",
        int(state),
        code,
        answer[:1000],
        tx.now_us,
        sending.id,
        sending.tries,
    )
    return changed > 0
