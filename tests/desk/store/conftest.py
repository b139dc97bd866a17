"""One store per engine, for suites that every engine must pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from store_parts import opened

from desk import faults as fault_points
from desk.store.database import connect, engine_of
from desk.store.writer import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, once for each engine."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'desk.db'}"
    found: str = request.getfixturevalue("postgresql_url")
    return found


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store with the newest schema."""
    with closing(opened(url, tmp_path)) as store:
        yield store


@pytest.fixture
def second(url: str, tmp_path: Path) -> Iterator[Callable[..., list[Any]]]:
    """Reads by SQL over a connection of its own, which sees only what was committed."""
    database = connect(url, tmp_path)

    def read(sql: str, *parameters: object) -> list[Any]:
        text = sql.replace("?", "%s") if engine_of(url) == "postgresql" else sql
        with database.connection_context():
            return list(database.execute_sql(text, parameters).fetchall())

    yield read
    database.close_all()


@pytest.fixture
def faults() -> Iterator[Callable[[str], None]]:
    """Arms fault points of this process; disarmed afterwards."""
    yield fault_points.arm
    fault_points.arm("")
