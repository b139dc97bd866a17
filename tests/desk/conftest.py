"""A desk with people and queues, made once and copied for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from order_cases import fill
from orders_parts import Shop, copied, shop_in, write_desk


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a store; copy it, do not use it."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    write_desk(home)
    return home


@pytest.fixture
def shop(prepared_home: Path, tmp_path: Path) -> Iterator[Shop]:
    """A desk of this test's own."""
    with shop_in(copied(prepared_home, tmp_path / "home")) as shop:
        yield shop


@pytest.fixture(scope="session")
def filled_home(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with tickets and mails, as `order_cases.fill` makes them; copy it."""
    home = copied(prepared_home, tmp_path_factory.mktemp("filled") / "home")
    with shop_in(home) as shop:
        fill(shop)
    return home


@pytest.fixture
def filled(filled_home: Path, tmp_path: Path) -> Iterator[Shop]:
    """A filled desk of this test's own."""
    with shop_in(copied(filled_home, tmp_path / "home")) as shop:
        yield shop
