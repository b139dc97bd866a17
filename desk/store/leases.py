"""Leases: who does a job that only one node may do, with an epoch that fences out the one before.

Whoever writes under a lease asks `holds` in the same transaction: a node that slept longer than its lease
finds another epoch there and must write nothing. The row stays locked until that transaction ends.
"""

from __future__ import annotations

from desk.store.writer import Transaction

_TAKE = (
    "INSERT INTO lease (name, owner, until, epoch) VALUES (?, ?, ?, 1) ON CONFLICT (name) DO UPDATE SET"
    " epoch = lease.epoch + CASE WHEN lease.owner = excluded.owner AND lease.until > ? THEN 0 ELSE 1 END,"
    " owner = excluded.owner, until = excluded.until"
    " WHERE lease.owner = excluded.owner OR lease.until <= ? RETURNING epoch"
)
_HOLDS = "SELECT epoch FROM lease WHERE name = ? AND owner = ? AND epoch = ?"
_GIVE_BACK = "UPDATE lease SET until = 0 WHERE name = ? AND owner = ? AND epoch = ?"


def take(tx: Transaction, name: str, owner: str, for_us: int) -> int | None:
    """Take or renew the lease for so many microseconds: its epoch, or None while somebody else has it.

    The epoch stays the same when a running lease is renewed, and grows with every change of hands.
    """
    rows = tx.rows(_TAKE, name, owner, tx.now_us + for_us, tx.now_us, tx.now_us)
    return rows[0][0] if rows else None


def holds(tx: Transaction, name: str, owner: str, epoch: int) -> bool:
    """Whether nobody has taken the lease since; nobody can until this transaction ends.

    A lease that has run out but was taken by nobody still holds.
    """
    lock = " FOR UPDATE" if tx.engine == "postgresql" else ""  # SQLite has one writer at a time
    return bool(tx.rows(_HOLDS + lock, name, owner, epoch))


def give_back(tx: Transaction, name: str, owner: str, epoch: int) -> None:
    """Let the next one take it at once; no effect when it was lost already."""
    tx.run(_GIVE_BACK, name, owner, epoch)
