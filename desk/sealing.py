"""Seal the history: every committed event gets its place in a chain of hashes, and the chain can be verified.

Sealing follows after commit, by one holder of a lease, because a chain computed inside the writing
transaction would make every writer wait for the one before.
Trust: a changed, removed or inserted event breaks the chain. Cut off the end, together with the counter of
the seals, and only a head that was kept elsewhere shows it: log the heads off this machine.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import msgspec

from desk.history import hash_of_text
from desk.store import leases
from desk.store.database import translated
from desk.store.writer import Store, Transaction

log = logging.getLogger(__name__)
LEASE = "sealer"
COUNTER = "sealed"
_LEASE_US = 10_000_000
_PAGE = 2000
# On PostgreSQL ids become visible out of order: a transaction may commit below ids that are sealed already.
# Those this far behind are found every time; `whole` finds all.
_LOOK_BACK = {"sqlite": 0, "postgresql": 5_000}
_COLUMNS = (
    "e.id, e.at, e.ticket, e.actor_kind, e.who, e.rule, e.message, e.cause, e.event, e.data, e.text_hash"
)
_UNSEALED = (
    f"SELECT {_COLUMNS} FROM event e LEFT JOIN seal s ON s.event = e.id"
    " WHERE e.id > ? AND s.event IS NULL ORDER BY e.id LIMIT ?"
)
_LAST_SEALED = "SELECT seq, hash, (SELECT max(event) FROM seal) FROM seal ORDER BY seq DESC LIMIT 1"
_COUNT_UNSEALED = "SELECT count(*) FROM event e LEFT JOIN seal s ON s.event = e.id WHERE s.event IS NULL"
_LAST_ERASURE = "SELECT max(id) FROM event WHERE event = 'person.erased'"
_COUNT_SEALS = (
    "INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)
_CHAIN = (
    f"SELECT s.seq, s.event, s.hash, t.salt, t.text, {_COLUMNS} FROM seal s"
    " LEFT JOIN event e ON e.id = s.event LEFT JOIN event_text t ON t.event = s.event"
    " WHERE s.seq > ? ORDER BY s.seq LIMIT ?"
)
_Broken = tuple[int, str]  # seq and reason
_Bare = tuple[int, int]  # seq and id of an event whose text is gone


@dataclass(frozen=True, slots=True)
class Head:
    """A place in the chain; `seq` 0 and an empty hash before the first event."""

    seq: int
    hash: str


START = Head(0, "")


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Events whose texts are gone although no person was erased after them: how many, and the first seq."""

    count: int
    first: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found.

    Attributes:
        broken: the first seq that does not hold, or None; `reason` says why, in words.
        checked: events whose seal was recomputed and held.
        erased: how many of them have had their texts erased, which is lawful after the erasure of a person.
        unexplained: those without their texts although nobody was erased since.
        unsealed: committed events that have no seal yet.
        head: the last place that held.
    """

    broken: int | None
    reason: str
    checked: int
    erased: int
    unsealed: int
    head: Head
    unexplained: Unexplained | None = None

    @property
    def is_whole(self) -> bool:
        """Nothing was changed, and no text removed that should be there."""
        return self.broken is None and self.unexplained is None


def seal(store: Store, *, owner: str | None = None, batch: int = 1000, whole: bool = False) -> int:
    """Seal what has been committed since; the number of events sealed. A read only, when there is nothing.

    Seals nothing while another node holds the lease. `whole` looks for unsealed events in all of the history.
    """
    owner = owner or _this_process()
    if not _anything_unsealed(store, whole):
        return 0
    sealed, place = 0, _Place(low=0 if whole else None)
    while True:
        done = store.write_tx(partial(_seal_batch, owner=owner, place=place, batch=batch))
        if done is None:
            return sealed
        sealed += done.count
        if done.count < batch:
            return sealed
        place = done


@dataclass(frozen=True, slots=True)
class _Place:
    """How far this run has come: sealed up to event `low`, under the lease of this epoch."""

    low: int | None
    epoch: int | None = None
    count: int = 0


def _seal_batch(tx: Transaction, *, owner: str, place: _Place, batch: int) -> _Place | None:
    """Seal one batch under the lease, fenced by its epoch; None when somebody else has it."""
    epoch = _enter(tx, owner, place.epoch)
    if epoch is None:
        return None
    last = tx.rows(_LAST_SEALED)
    head, newest = (Head(last[0][0], last[0][1]), last[0][2]) if last else (START, 0)
    low = newest - _LOOK_BACK[tx.engine] if place.low is None else place.low
    rows = tx.rows(_UNSEALED, low, batch)
    if rows:
        head = _append(tx, head, rows)
        tx.run(_COUNT_SEALS, COUNTER, head.seq)
        low = rows[-1][0]
    if len(rows) < batch:  # done: the next process need not wait until the lease runs out
        leases.give_back(tx, LEASE, owner, epoch)
    return _Place(low, epoch, len(rows))


def _enter(tx: Transaction, owner: str, epoch: int | None) -> int | None:
    if epoch is None:
        return leases.take(tx, LEASE, owner, _LEASE_US)
    return epoch if leases.holds(tx, LEASE, owner, epoch) else None


def _append(tx: Transaction, head: Head, rows: list[tuple[Any, ...]]) -> Head:
    seals: list[Any] = []
    for row in rows:
        head = _next(head, row)
        seals += (head.seq, row[0], head.hash)
    tx.run("INSERT INTO seal (seq, event, hash) VALUES " + ", ".join(["(?, ?, ?)"] * len(rows)), *seals)
    return head


def _anything_unsealed(store: Store, whole: bool) -> bool:
    with translated(), store.reading():
        last = _rows(store, _LAST_SEALED)
        low = 0 if whole or not last else last[0][2] - _LOOK_BACK[store.engine]
        return bool(_rows(store, _UNSEALED, low, 1))


def _next(head: Head, row: tuple[Any, ...]) -> Head:
    """The place of an event (the columns of `_COLUMNS`) behind this one."""
    seq = head.seq + 1
    content = msgspec.json.encode([seq, *row])
    return Head(seq, hashlib.sha256(head.hash.encode() + content).hexdigest())


@cache
def _this_process() -> str:
    return f"{platform.node()}:{os.getpid()}"


def heads(store: Store, limit: int = 1) -> list[Head]:
    """The newest places of the chain, newest first: what a log on another machine should keep."""
    with translated(), store.reading():
        rows = _rows(store, "SELECT seq, hash FROM seal ORDER BY seq DESC LIMIT ?", limit)
    return [Head(seq, hash_) for seq, hash_ in rows]


def verify(store: Store, *, last: int | None = None, known: Head | None = None) -> Verdict:
    """Recompute the chain from its first event, or only its `last` places; stops at the first that is broken.

    `known` is a head that was kept elsewhere: the chain must still contain it.
    """
    with translated(), store.reading():
        counted = max(
            _counted(store), known.seq if known else 0
        )  # before the chain, which may grow meanwhile
        checked, bare, head, broken = _follow(store, _start(store, last), known)
        if broken is None and counted > head.seq:
            missing = f"the last {counted - head.seq} events were removed: {counted} were sealed"
            broken = (head.seq + 1, missing)
        unsealed = _rows(store, _COUNT_UNSEALED)[0][0]
        unexplained = _unexplained(store, bare)  # after the chain: somebody may be erased meanwhile
    seq, reason = broken or (None, "")
    erased = len(bare) - (unexplained.count if unexplained else 0)
    return Verdict(seq, reason, checked, erased, unsealed, head, unexplained)


def _unexplained(store: Store, bare: list[_Bare]) -> Unexplained | None:
    """An erasure deletes texts first and is recorded then, in one transaction: its event comes after theirs."""
    if not bare:
        return None
    last_erasure = _rows(store, _LAST_ERASURE)[0][0] or 0
    found = [seq for seq, event in bare if event > last_erasure]
    return Unexplained(len(found), found[0]) if found else None


def _counted(store: Store) -> int:
    rows = _rows(store, "SELECT value FROM counter WHERE name = ?", COUNTER)
    return rows[0][0] if rows else 0


def _start(store: Store, last: int | None) -> Head:
    if last is None:
        return START
    rows = _rows(store, "SELECT seq, hash FROM seal ORDER BY seq DESC LIMIT 1 OFFSET ?", last)
    return Head(*rows[0]) if rows else START


def _follow(store: Store, head: Head, known: Head | None) -> tuple[int, list[_Bare], Head, _Broken | None]:
    checked = 0
    bare: list[_Bare] = []
    for row in _chain(store, head.seq):
        seq, event, hash_, _salt, text = row[:5]
        reason = _fault_of(head, row, known)
        if reason is not None:
            return checked, bare, head, (min(seq, head.seq + 1), reason)
        head = Head(seq, hash_)
        checked += 1
        if row[-1] is not None and text is None:
            bare.append((seq, event))
    return checked, bare, head, None


def _fault_of(head: Head, row: tuple[Any, ...], known: Head | None) -> str | None:
    seq, event, hash_, salt, text = row[:5]
    columns = row[5:]
    if seq != head.seq + 1:
        return f"seal {head.seq + 1} is missing"
    if columns[0] is None:
        return f"event {event} was removed"
    if _next(head, columns).hash != hash_:
        return f"event {event} was changed, or its seal"
    text_hash = columns[-1]
    if text_hash is None and text is not None:
        return f"event {event} was given a text"
    if text_hash is not None and text is not None and hash_of_text(salt, text) != text_hash:
        return f"the text of event {event} was changed"
    if known is not None and known.seq == seq and known.hash != hash_:
        return f"the known head of seq {seq} is another one: the history was rewritten"
    return None


def _chain(store: Store, seq: int) -> Iterator[tuple[Any, ...]]:
    while rows := _rows(store, _CHAIN, seq, _PAGE):
        yield from rows
        seq = rows[-1][0]


def _rows(store: Store, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    text = sql.replace("?", "%s") if store.engine == "postgresql" else sql
    rows: list[tuple[Any, ...]] = store.database.execute_sql(text, parameters).fetchall()
    return rows
