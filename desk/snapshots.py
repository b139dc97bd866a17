"""The home's files as the store holds them: one checked snapshot, read by desk and console alike."""

from __future__ import annotations

import msgspec

from desk.hometypes import HomeFiles
from desk.store.schema import Snapshot
from desk.store.writer import Transaction

NAME = "home"


def current() -> tuple[str, HomeFiles] | None:
    """Digest and content of the snapshot; None before the first. Call it inside `store.reading()`."""
    row = Snapshot.get_or_none(Snapshot.name == NAME)
    if row is None:
        return None
    return row.digest, msgspec.json.decode(row.data, type=HomeFiles)


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
