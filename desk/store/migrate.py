"""Bring a store to the newest schema, under a lock, so that nodes that start together do it once."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playhouse.migrations import Runner

from desk.errors import Unavailable
from desk.store.database import Engine, Pooled, connected, translated

log = logging.getLogger(__name__)
FOLDER = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x6D61696C64  # "maild"


def migrate(database: Pooled, engine: Engine, home: Path) -> list[str]:
    """Apply what is missing, each migration in a transaction of its own; the names applied.

    Raises:
        Unavailable: the store is of a newer version than this program, or does not answer.
    """
    with translated(), connected(database):
        runner = Runner(database, str(FOLDER))
        if not _pending(runner):  # the usual start: no lock, no wait
            return []
        with _locked(database, engine, home):
            applied: list[str] = runner.up()
    for name in applied:
        log.info("schema migrated to=%s", name)
    return applied


def _pending(runner: Runner) -> bool:
    known = {m.name for m in runner.migrations()}
    applied = set(runner.applied())
    if foreign := sorted(applied - known):
        raise Unavailable(
            f"the store was made by a newer version (it knows {foreign[-1]}); upgrade this program"
        )
    return bool(known - applied)


@contextmanager
def _locked(database: Pooled, engine: Engine, home: Path) -> Iterator[None]:
    if engine == "postgresql":
        database.execute_sql("SELECT pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
        try:
            yield
        finally:
            database.execute_sql("SELECT pg_advisory_unlock(%s)", (_ADVISORY_LOCK,))
        return
    with (home / ".schema.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
