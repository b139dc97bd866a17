"""The home's files come into the store whole and checked, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from desk import regionalwords, snapshots
from desk.newhome import write_home
from desk.service import Desk, open_desk
from maild import home


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    write_home(tmp_path / "home", domain="desk.example", address="support@desk.example")
    with closing(open_desk(tmp_path / "home")) as desk:
        yield desk


def kept(desk: Desk) -> str | None:
    with desk.reading():
        found = snapshots.current()
    return found[0] if found else None


def test_a_checked_home_becomes_the_snapshot(desk: Desk) -> None:
    faults = home.refresh(desk)

    assert faults == []
    assert kept(desk) is not None
    assert desk.postroom.queue("help-desk") is not None


def test_a_broken_file_keeps_the_old_snapshot_and_is_named(desk: Desk) -> None:
    home.refresh(desk)
    before = kept(desk)
    queue = desk.home / "queues" / "help-desk.toml"
    queue.write_text(queue.read_text().replace("title", "titel", 1))

    faults = home.refresh(desk)

    assert [Path(fault.path).name for fault in faults] == ["help-desk.toml"]
    assert 'did you mean "title"?' in str(faults[0])
    assert kept(desk) == before


def test_a_changed_file_is_taken(desk: Desk) -> None:
    home.refresh(desk)
    before = kept(desk)
    stamp = home.stamp(desk.home)
    queue = desk.home / "queues" / "help-desk.toml"
    queue.write_text(queue.read_text().replace('title = "', 'title = "New ', 1))

    home.refresh(desk)

    assert home.stamp(desk.home) != stamp
    assert kept(desk) != before


def test_the_home_adds_words_of_its_own_to_the_search(desk: Desk) -> None:
    (desk.home / "words.txt").write_text("小白 = 打印机\n", encoding="utf-8")

    faults = home.refresh(desk)

    with desk.reading():
        assert faults == []
        assert regionalwords.are_kept([("小白", "打印机")])
