"""One pool of readers for all tests of the way of a mail, and desks copied from one home."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from post import Post, make_home

from maild.reading.reader import ReaderPool


@pytest.fixture(scope="session")
def readers() -> Iterator[ReaderPool]:
    """Starting reader processes costs a second."""
    with ReaderPool(2) as pool:
        yield pool


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home to copy."""
    return make_home(tmp_path_factory.mktemp("template") / "home")


@pytest.fixture
def post(template: Path, tmp_path: Path, readers: ReaderPool) -> Iterator[Post]:
    """A fresh desk."""
    with closing(Post(template, tmp_path / "home", readers)) as post:
        yield post


@pytest.fixture(scope="module")
def shared_post(
    template: Path, tmp_path_factory: pytest.TempPathFactory, readers: ReaderPool
) -> Iterator[Post]:
    """One desk for the many cases of a module, which use people and tickets of their own."""
    with closing(Post(template, tmp_path_factory.mktemp("shared") / "home", readers)) as post:
        post.limit(acks_to_new_addresses=0)
        yield post
