"""Fixtures for all tests, and which tests run when nobody says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real.servers.postgresql import PostgreSQL, running_postgresql


def pytest_configure(config: pytest.Config) -> None:
    """Leave out real and slow tests when neither `-m` nor a path was given."""
    if not config.option.markexpr and config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        config.option.markexpr = "not real and not slow"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A throw-away cluster for the whole run (one per worker under xdist). Do not stop this one."""
    with running_postgresql() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    url = postgresql.fresh_database()
    yield url
    postgresql.drop_database(url)
