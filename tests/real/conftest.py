"""Fixtures that start real servers for one test, and mark every test of this folder as real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.real.servers.desk_home import Home, make_home
from tests.real.servers.desk_process import DeskProcess, start_desk
from tests.real.servers.postfix import Postfix, running_postfix
from tests.real.servers.postgresql import PostgreSQL, running_postgresql
from tests.real.servers.sink import Sink

_HERE = Path(__file__).parent
pytest.register_assert_rewrite(
    "tests.real.oracle", "tests.real.trouble"
)  # so that a broken promise says which mail


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folder is the mark: no test file has to repeat it."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.real)


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An SMTP server that records what it takes."""
    server = Sink()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def postfix() -> Iterator[Postfix]:
    """A Postfix with a Maildir for example.net and example.com; `route` names the server of other domains."""
    with running_postfix() as server:
        yield server


@pytest.fixture
def own_postgresql() -> Iterator[PostgreSQL]:
    """A durable cluster of this test's own, which it may stop and crash."""
    with running_postgresql(is_durable=True) as server:
        yield server


@pytest.fixture
def run_desk(tmp_path: Path) -> Iterator[Callable[..., DeskProcess]]:
    """`run_desk(home)` starts `desk up` and waits until it is ready; what still runs is killed afterwards."""
    with ExitStack() as running:

        def run(home: Path, **options: Any) -> DeskProcess:
            desk = start_desk(home, tmp_path, **options)
            running.callback(desk.kill)
            return desk

        yield run


@pytest.fixture
def new_home(tmp_path: Path) -> Callable[..., Home]:
    """`new_home(store_url, smarthost={...})` makes a home with these sections in its desk.toml."""

    def make(store_url: str | None = None, **sections: Any) -> Home:
        return make_home(tmp_path / "home", store_url, **sections)

    return make
