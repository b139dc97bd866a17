"""Export the history as JSON lines, oldest first, and beside it mails and rows: what a desk is rebuilt from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Raw

from desk import sealing
from desk.eventlines import REFERENCES, Entry, Values, to_line, values
from desk.export_rows import Beside, snapshot, write_beside, write_bytes
from desk.store.database import translated
from desk.store.writer import Store

_PAGE = 1000
_COLUMNS = "e.id, e.at, e.ticket, e.actor_kind, e.who, e.rule, e.message, e.event, e.data, t.text"
_SEALED = (
    f"SELECT s.seq, {_COLUMNS} FROM seal s JOIN event e ON e.id = s.event"
    " LEFT JOIN event_text t ON t.event = e.id WHERE s.seq > ? ORDER BY s.seq LIMIT ?"
)
_UNSEALED = (
    f"SELECT NULL, {_COLUMNS} FROM event e LEFT JOIN seal s ON s.event = e.id"
    " LEFT JOIN event_text t ON t.event = e.id WHERE s.event IS NULL AND e.id > ? ORDER BY e.id LIMIT ?"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `missing` are mails, letters and files whose bytes the store does not hold (any more)."""

    events: int
    mails: int
    missing: int
    rows: int = 0
    files: int = 0


def export_events(
    store: Store,
    out: BinaryIO,
    *,
    mail: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Exported:
    """Write all events, sealed first where that is possible; what is not sealed comes last, without seq.

    Args:
        mail: a folder for all that a whole rebuild needs: raw mails as SHA256.eml, rows as named in
            `desk.rowlines`, the bytes of files and letters as SHA256. Made when it is missing. Events and rows
            are then those of one instant.
        progress: called with the number of events so far, now and then.

    Raises:
        Unavailable: the store does not answer. OSError: a file cannot be written.
    """
    sealing.seal(store, whole=True)
    events = mails = missing = 0
    beside = Beside(0, 0, 0)
    if mail is not None:
        mail.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _reading(store) if mail is None else snapshot(store):
        for entry in _entries(store):
            out.write(to_line(entry))
            events += 1
            if mail is not None and (sha256 := _mail_of(entry)) is not None:
                found = write_bytes(mail / f"{sha256}.eml", sha256)
                mails, missing = mails + found, missing + (not found)
            if progress is not None and events % _PAGE == 0:
                progress(events)
        if mail is not None:
            beside = write_beside(store, mail)
    return Exported(events, mails, missing + beside.missing, beside.rows, beside.files)


@contextmanager
def _reading(store: Store) -> Iterator[None]:
    with translated(), store.reading():
        yield


def _entries(store: Store) -> Iterator[Entry]:
    places = _Places(store)
    for row in _rows(store, _SEALED, 0):
        yield _entry(row, places)
    for row in _rows(store, _UNSEALED, 1):
        yield _entry(row, places)


def _rows(store: Store, sql: str, key: int) -> Iterator[tuple[Any, ...]]:
    """All rows, a page at a time, so that no read stays open; column `key` is their order."""
    last = 0
    while page := _read(store, sql, last, _PAGE):
        yield from page
        last = page[-1][key]


def _read(store: Store, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    text = sql.replace("?", "%s") if store.engine == "postgresql" else sql
    rows: list[tuple[Any, ...]] = store.database.execute_sql(text, parameters).fetchall()
    return rows


class _Places:
    """Turns ids of events into their places in the export, which is all that a reader of it knows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sealed = _read(store, "SELECT count(*) FROM seal")[0][0]

    def place(self, event: int) -> int:
        """The seq; for an event without one, what it would be; 0 when there is no such event."""
        if rows := _read(self._store, "SELECT seq FROM seal WHERE event = ?", event):
            return int(rows[0][0])
        before = (
            "SELECT count(*), max(e.id) FROM event e LEFT JOIN seal s ON s.event = e.id"
            " WHERE s.event IS NULL AND e.id <= ?"
        )
        count, last = _read(self._store, before, event)[0]
        return self._sealed + int(count) if last == event else 0


def _entry(row: tuple[Any, ...], places: _Places) -> Entry:
    seq, _, at_us, ticket, actor_kind, who, rule, message, event, data, text = row
    lasting = values(data)
    if event in REFERENCES:
        lasting = renumbered(lasting, REFERENCES[event], places.place)
    return Entry(
        seq=seq,
        at_us=at_us,
        ticket=ticket,
        actor_kind=actor_kind,
        who=who,
        rule=rule,
        message=message,
        event=event,
        lasting=lasting,
        erasable=values(text) if text is not None else {},
    )


def renumbered(data: Values, field: str, place: Callable[[int], int]) -> Values:
    """The data with the events that `field` names (one, several or none) named otherwise."""
    named = msgspec.json.decode(data[field]) if field in data else None
    if isinstance(named, int):
        renamed: object = place(named)
    elif isinstance(named, list):
        renamed = [place(one) if isinstance(one, int) else one for one in named]
    else:
        return data
    return {**data, field: Raw(msgspec.json.encode(renamed))}


def _mail_of(entry: Entry) -> str | None:
    """The sha256 of the raw mail behind an event, if it is one."""
    if entry.event != "message.in" or "sha256" not in entry.lasting:
        return None
    return checked_sha256(msgspec.json.decode(entry.lasting["sha256"]))


def checked_sha256(value: object) -> str | None:
    """A sha256 in hex that may become a file name, or None."""
    return value if isinstance(value, str) and _SHA256.fullmatch(value) else None
