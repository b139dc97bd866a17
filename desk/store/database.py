"""Open a store by its URL: SQLite in WAL with synchronous=FULL, or PostgreSQL by psycopg 3."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from peewee import DatabaseError, InterfaceError, OperationalError
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase, PooledSqliteDatabase

from desk.errors import DeskError, NoSpace, Unavailable

log = logging.getLogger(__name__)
Engine = Literal["sqlite", "postgresql"]
Pooled = Any  # peewee's pools, which carry no types

# FULL: a commit that was answered survives power loss; NORMAL may lose it.
_PRAGMAS = {
    "busy_timeout": 10_000,  # milliseconds; the pool keeps the argument `timeout` to itself
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "cache_size": -64 * 1024,
    "temp_store": "memory",
    "mmap_size": 256 * 1024 * 1024,
    "journal_size_limit": 64 * 1024 * 1024,
}
_POOL = {"max_connections": 64, "timeout": 10}  # seconds to wait for one of them
_CONNECT_TIMEOUT_S = 5


def engine_of(url: str) -> Engine:
    """Which engine a store URL names."""
    return "postgresql" if url.startswith("postgres") else "sqlite"


def connect(url: str, home: Path) -> Pooled:
    """A database for the URL; connections open when a thread first needs one.

    A relative `sqlite:` path counts from the home. What follows the `?` of a PostgreSQL URL goes to libpq
    (sslmode, host of a socket folder ...).
    """
    if engine_of(url) == "postgresql":
        return _postgresql(url)
    return PooledSqliteDatabase(
        str(sqlite_path(url, home)),
        pragmas=_PRAGMAS,
        lock_type="IMMEDIATE",
        check_same_thread=False,  # the pool hands a connection to one thread at a time
        **_POOL,
    )


def sqlite_path(url: str, home: Path) -> Path:
    """The database file that a `sqlite:` URL names."""
    return home / url.removeprefix("sqlite:")


def _postgresql(url: str) -> Pooled:
    parts = urlsplit(url)
    options: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port or 5432,
        "user": _decoded(parts.username),
        "password": _decoded(parts.password),
        "connect_timeout": _CONNECT_TIMEOUT_S,
    }
    options |= dict(parse_qsl(parts.query))
    return PooledPostgresqlDatabase(
        _decoded(parts.path.lstrip("/")) or None,
        prefer_psycopg3=True,
        stale_timeout=300,
        **_POOL,
        **options,
    )


def _decoded(part: str | None) -> str | None:
    return None if part is None else unquote(part)


@contextmanager
def connected(database: Pooled) -> Iterator[None]:
    """A connection of this thread for the length of the block; an open one is used again."""
    if not database.is_closed():
        yield
        return
    with translated(), database.connection_context():
        yield


# SQLITE_FULL 13; CORRUPT 11, NOTADB 26; BUSY 5, LOCKED 6
_FULL = 13
_DAMAGED = frozenset({11, 26})
_BUSY = frozenset({5, 6})
_DEADLOCKS = frozenset({"40001", "40P01"})
_NO_SPACE = "53100"


def drivers_errors(error: BaseException) -> Iterator[Any]:
    """The driver's own exceptions behind peewee's, newest first.

    More than one where cleaning up failed too: after SQLITE_FULL the engine has rolled back by itself, and
    what surfaces is "no such savepoint".
    """
    seen: BaseException | None = error
    while seen is not None:
        if hasattr(seen, "sqlstate") or hasattr(seen, "sqlite_errorcode"):
            yield seen
        seen = seen.__cause__ or seen.__context__


def is_worth_repeating(error: BaseException) -> bool:
    """Busy, serialisation failure, deadlock: the same transaction may pass at once. By code, not by text."""
    return any(
        getattr(driver, "sqlstate", None) in _DEADLOCKS or _sqlite_code(driver) in _BUSY
        for driver in drivers_errors(error)
    )


def is_lost_connection(error: BaseException) -> bool:
    """The server went away or never answered (PostgreSQL classes 08 and 57P; no code: the network)."""
    return any(
        hasattr(driver, "sqlstate") and (driver.sqlstate is None or driver.sqlstate.startswith(("08", "57P")))
        for driver in drivers_errors(error)
    )


def is_damage(error: BaseException) -> bool:
    """The file of the store is no database any more, or not a sound one."""
    return any(_sqlite_code(driver) in _DAMAGED for driver in drivers_errors(error))


def translate(error: DatabaseError | InterfaceError | MaxConnectionsExceeded) -> DeskError:
    """The desk's word for an error of the engine. Temporary: the engine may come back."""
    if is_damage(error):
        return Unavailable(
            f"the store is damaged ({error}); stop all processes, keep the file, and `desk restore` the last backup"
        )
    for driver in drivers_errors(error):
        if _sqlite_code(driver) == _FULL or getattr(driver, "sqlstate", None) == _NO_SPACE:
            return NoSpace("the store has no space left; free some on its disk, nothing was lost")
    return Unavailable(
        f"the store does not answer ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
    )


def _sqlite_code(driver: Any) -> int | None:
    code = getattr(driver, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


@contextmanager
def translated() -> Iterator[None]:
    """Turn the engine's own failures into ours; errors of our making (integrity, syntax) pass through."""
    try:
        yield
    except (OperationalError, InterfaceError, MaxConnectionsExceeded) as error:
        raise translate(error) from error
    except DatabaseError as error:
        if not is_damage(error):
            raise
        raise translate(error) from error
