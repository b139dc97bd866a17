"""A store for tests of reads: SQLite by default, both engines where a test asks for `each_store`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from desk.store.database import connect, engine_of
from desk.store.migrate import migrate
from desk.store.writer import Store


def _opened(url: str, home: Path) -> Store:
    database = connect(url, home)
    migrate(database, engine_of(url), home)
    return Store(database, engine_of(url))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store on SQLite."""
    with closing(_opened("sqlite:desk.db", tmp_path)) as store:
        yield store


@pytest.fixture(params=["sqlite", "postgresql"])
def each_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store, once for each engine."""
    is_sqlite = request.param == "sqlite"
    url = "sqlite:desk.db" if is_sqlite else request.getfixturevalue("postgresql_url")
    with closing(_opened(url, tmp_path)) as store:
        yield store
