"""Which database the models speak to: the one of the store that this thread or task is using.

Models are declared once, stores are opened at run time, and one process may hold several (a move
from SQLite to PostgreSQL, a rehearsal, tests). So the models' database is a proxy that looks up the
current one, and nothing is module-global but the question.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import msgspec
from peewee import Database, DatabaseProxy, Model, TextField

_current: ContextVar[Database | None] = ContextVar("current_database", default=None)


class _CurrentDatabase(DatabaseProxy):
    """Forwards to the database of the running context; raises AttributeError outside of one."""

    @property
    def obj(self) -> Database | None:
        return _current.get()

    @obj.setter
    def obj(self, value: Database | None) -> None:
        """Peewee initialises a proxy once; ours has nothing to keep."""


CURRENT = _CurrentDatabase()


@contextmanager
def using(database: Database) -> Iterator[None]:
    """Let the models speak to `database` until the block ends."""
    token = _current.set(database)
    try:
        yield
    finally:
        _current.reset(token)


class JsonField(TextField):
    """A value as JSON text, the same bytes on both engines (peewee's own binds to one database)."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def python_value(self, value: str | None) -> Any:
        return None if value is None else msgspec.json.decode(value)


class Table(Model):
    """Base of all tables."""

    class Meta:
        database = CURRENT
        legacy_table_names = False
