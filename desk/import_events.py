"""Fill an empty store from exported events: the history as it was, and the tickets that it tells of.

All or nothing: the lines are checked and folded first, then written in one transaction with the rows that
travelled beside them. Raw mails and other bytes are stored before it; without the events they do no harm.
Trust: the admin's own files; nothing in them is executed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import msgspec

from desk import blobs, import_rows, rowlines, sealing
from desk.errors import Invalid
from desk.eventlines import REFERENCES, Entry, Values, from_line
from desk.export import checked_sha256, renumbered
from desk.fold import Fold, fold, undone
from desk.rebuild import write_events, write_state
from desk.store.writer import Store, Transaction

_BLOBS_AT_ONCE = 20
_NONE = (0, 0)


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written. `missing` are mails, letters and files that are named and the folder does not hold."""

    events: int
    tickets: int
    messages: int
    mails: int
    missing: int
    files: int = 0


def import_events(
    store: Store,
    lines: Iterable[bytes],
    *,
    mail: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Imported:
    """Write the events of an export into an empty store, and rebuild tickets and messages from them.

    Args:
        lines: JSON lines, oldest first; empty ones are skipped.
        mail: a folder as `export_events` writes it. With raw mails only, the rest comes from the events.
        progress: called with the number of lines read so far, now and then.

    Raises:
        Invalid: the store is not empty, a line is no event or no row, or bytes are not what their name says.
    """
    store.write_tx(_check_empty)
    beside = mail if mail is not None and rowlines.check_complete(mail) else None
    with tempfile.TemporaryFile() as kept:
        count = _keep(lines, kept, progress)
        events = _Events(kept)
        state = fold(events.placed(), undone(events.placed()))
        mails = _store_bytes(store, _mails(events), mail, ".eml") if mail is not None else _NONE
        files = _store_bytes(store, import_rows.bytes_beside(beside), beside, "") if beside else _NONE
        messages = store.write_tx(lambda tx: _write(tx, events, state, beside))
    sealing.seal(store, whole=True)
    return Imported(count, len(state.tickets), messages, mails[0], mails[1] + files[1], files[0])


def _check_empty(tx: Transaction) -> None:
    for table in ("event", "ticket", "message"):
        if tx.rows(f"SELECT 1 FROM {table} LIMIT 1"):
            raise Invalid("the store is not empty; events are imported into a new home (`desk init`)")


def _keep(lines: Iterable[bytes], kept: BinaryIO, progress: Callable[[int], None] | None) -> int:
    """Check every line and put it aside: they are read more than once. The number of events."""
    count = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        from_line(line, number)
        kept.write(line.rstrip(b"\r\n") + b"\n")
        count += 1
        if progress is not None and count % 1000 == 0:
            progress(count)
    return count


class _Events:
    """The events of the file. Their ids in the new store are 1, 2, 3 ...; their places were given before."""

    def __init__(self, kept: BinaryIO) -> None:
        self._kept = kept
        # usually every event stands at its own number, and nothing needs to be renamed
        is_moved = any(entry.seq not in (None, number) for number, entry in self._read())
        places = ((entry.seq, number) for number, entry in self._read() if is_moved)
        self._ids = {place: number for place, number in places if place is not None}

    def _read(self) -> Iterator[tuple[int, Entry]]:
        self._kept.seek(0)
        for number, line in enumerate(self._kept, 1):
            yield number, from_line(line, number)

    def placed(self) -> Iterator[tuple[int, Entry]]:
        """The events with the ids that they get; what names other events names them by those."""
        for number, entry in self._read():
            field = REFERENCES.get(entry.event)
            if field is None or not self._ids:
                yield number, entry
            else:
                yield number, _with_lasting(entry, renumbered(entry.lasting, field, self._id_of))

    def _id_of(self, place: int) -> int:
        return self._ids.get(place, 0)


def _with_lasting(entry: Entry, lasting: Values) -> Entry:
    return msgspec.structs.replace(entry, lasting=lasting)


def _write(tx: Transaction, events: _Events, state: Fold, beside: Path | None) -> int:
    """Write all there is; the number of messages."""
    _check_empty(tx)
    write_events(tx, events.placed())
    if beside is not None:
        return import_rows.write_beside(tx, beside, state)
    write_state(tx, state, events.placed())
    return len(state.messages)


def _mails(events: _Events) -> Iterator[str]:
    """The sha256 of the raw mails, as the events name them."""
    for _, entry in events.placed():
        sha256 = checked_sha256(entry.data().get("sha256")) if entry.event == "message.in" else None
        if sha256 is not None:
            yield sha256


def _store_bytes(store: Store, named: Iterable[str], folder: Path, ending: str) -> tuple[int, int]:
    """Store what is named by sha256 from the folder; how many there were, and how many the folder lacks."""
    known: set[str] = set()
    waiting: list[blobs.Packed] = []
    missing = 0
    for sha256 in named:
        if sha256 in known:
            continue
        known.add(sha256)
        packed = _packed(folder / f"{sha256}{ending}", sha256)
        if packed is None:
            missing += 1
            continue
        waiting.append(packed)
        if len(waiting) == _BLOBS_AT_ONCE:
            store.write_tx(partial(_store_all, tuple(waiting)))
            waiting.clear()
    store.write_tx(partial(_store_all, tuple(waiting)))
    return len(known) - missing, missing


def _packed(file: Path, sha256: str) -> blobs.Packed | None:
    try:
        packed = blobs.pack(file.read_bytes())
    except FileNotFoundError:
        return None
    if packed.sha256 != sha256:
        raise Invalid(f"{file} is not what it is named for; its sha256 is {packed.sha256}")
    return packed


def _store_all(waiting: tuple[blobs.Packed, ...], tx: Transaction) -> None:
    for packed in waiting:
        blobs.store(tx, packed)
