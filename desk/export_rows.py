"""Write what travels beside exported events: rows as JSON lines, and the bytes of files and letters by sha256.

The same store gives the same bytes: rows stand in the order of their keys, byte by byte on both engines.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from peewee import TextField

from desk import blobs
from desk.errors import NotFound, Unavailable
from desk.rowlines import FILES, SECRET, Rows, encoder
from desk.store.database import translated
from desk.store.writer import Store

_PAGE = 500
_BYTES = "SELECT sha256 FROM attachment WHERE sha256 <> '' UNION SELECT blob FROM outbox WHERE blob <> '' ORDER BY 1"


@dataclass(frozen=True, slots=True)
class Beside:
    """What was written. `missing` are files and letters whose bytes the store does not hold (any more)."""

    rows: int
    files: int
    missing: int


@contextmanager
def snapshot(store: Store) -> Iterator[None]:
    """Read the store as it is now until the block ends, whatever others write meanwhile."""
    # SQLite's pool would begin with the writers' lock
    option = (
        {"isolation_level": "REPEATABLE READ"} if store.engine == "postgresql" else {"lock_type": "DEFERRED"}
    )
    with translated(), store.reading(), store.database.atomic(**option):
        yield


def write_beside(store: Store, folder: Path) -> Beside:
    """Write all files of `FILES` and the bytes that they name. Call it inside `snapshot`.

    Raises:
        OSError: a file cannot be written.
    """
    rows = files = missing = 0
    for file, tables in FILES.items():
        with _replacing(folder / file, mode=0o600 if file in SECRET else 0o666) as out:
            for table in tables:
                to_line = encoder(file, table)
                for row in _stream(store, _all_rows(store, table)):
                    out.write(to_line(row))
                    rows += 1
    for (sha256,) in _stream(store, _BYTES):
        found = write_bytes(folder / sha256, sha256)
        files, missing = files + found, missing + (not found)
    return Beside(rows, files, missing)


def write_bytes(path: Path, sha256: str) -> bool:
    """Write the bytes of that sha256; False when the store does not hold them."""
    try:
        content = blobs.content(sha256)
    except NotFound:
        return False
    path.write_bytes(content)
    return True


def _all_rows(store: Store, rows: Rows) -> str:
    fields = rows.table._meta.columns
    # the order of a server's locale is not that of bytes
    by_bytes = ' COLLATE "C"' if store.engine == "postgresql" else ""
    keys = (f'"{key}"{by_bytes if isinstance(fields[key], TextField) else ""}' for key in rows.keys)
    columns = ", ".join(f'"{name}"' for name in rows.columns)
    return f"SELECT {columns} FROM {rows.name} ORDER BY {', '.join(keys)}"


def _stream(store: Store, sql: str) -> Iterator[tuple[Any, ...]]:
    """All rows of a query, a page at a time in memory."""
    database = store.database
    if store.engine == "postgresql":
        database.execute_sql(f"DECLARE travelling NO SCROLL CURSOR FOR {sql}")
        while page := database.execute_sql(f"FETCH {_PAGE} FROM travelling").fetchall():
            yield from page
        database.execute_sql("CLOSE travelling")
        return
    cursor = database.execute_sql(sql)
    try:
        yield from cursor
    except sqlite3.DatabaseError as error:  # while it is read peewee does not translate
        raise Unavailable(f"the store cannot be read ({error})") from error


@contextmanager
def _replacing(path: Path, *, mode: int) -> Iterator[BinaryIO]:
    """A file that appears whole when all of it is written; nobody else reads a secret one in between."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        yield file
    unfinished.replace(path)
