"""The home's files as the store holds them: one checked snapshot, read by desk and console alike."""

from __future__ import annotations

import logging

import msgspec

from desk.hometypes import HomeFiles
from desk.store.schema import Snapshot
from desk.store.writer import Transaction

log = logging.getLogger(__name__)
NAME = "home"


def current() -> tuple[str, HomeFiles] | None:
    """Digest and content of the snapshot; None before the first, and for one that another version wrote.

    Call it inside `store.reading()`.
    """
    row = Snapshot.get_or_none(Snapshot.name == NAME)
    if row is None:
        return None
    try:
        return row.digest, msgspec.json.decode(row.data, type=HomeFiles)
    except msgspec.DecodeError as error:
        log.warning("snapshot of the home files is unreadable, they are read anew reason=%s", error)
        return None


def replace(tx: Transaction, files: HomeFiles, digest: str) -> None:
    """Put a newer snapshot in place of the one there is."""
    tx.run(
        "INSERT INTO snapshot (name, digest, data, at) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
        " SET digest = excluded.digest, data = excluded.data, at = excluded.at",
        NAME,
        digest,
        msgspec.json.encode(files).decode(),
        tx.now_us,
    )
