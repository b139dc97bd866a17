"""File modes of the home: what stops the daemon, and what is only named."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.homemodes import refusals, warnings

LEAST = '[desk]\ndomain = "example.org"\naddresses = ["support@example.org"]\n'
SECRET = LEAST + '[store]\nurl = "postgresql://desk:hunter2@db/desk"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    tmp_path.chmod(0o750)
    write(tmp_path, LEAST, 0o644)
    return tmp_path


def write(home: Path, text: str, mode: int) -> None:
    (home / "desk.toml").write_text(text)
    (home / "desk.toml").chmod(mode)


def test_usual_modes_are_fine(home: Path) -> None:
    assert warnings(home) == []


@pytest.mark.parametrize("mode", [0o757, 0o1777])
def test_home_that_everybody_can_write_is_refused(home: Path, mode: int) -> None:
    home.chmod(mode)

    assert refusals(home) == [f"{home} can be written by everybody; run: chmod o-w {home}"]


def test_rules_that_everybody_can_write_are_refused(home: Path) -> None:
    rules = home / "rules"
    rules.mkdir()
    rules.chmod(0o777)
    rule = rules / "main.rules"
    rule.touch()
    rule.chmod(0o666)

    assert refusals(home) == [
        f"{place} can be written by everybody; run: chmod o-w {place}" for place in (rules, rule)
    ]


def test_password_that_everybody_can_read_is_refused(home: Path) -> None:
    write(home, SECRET, 0o604)
    path = home / "desk.toml"

    assert refusals(home) == [f"{path} holds a password and can be read by everybody; run: chmod o-r {path}"]


def test_password_that_the_group_can_read_is_a_warning(home: Path) -> None:
    write(home, SECRET, 0o640)
    path = home / "desk.toml"

    assert refusals(home) == []
    assert warnings(home) == [f"{path} holds a password and can be read by its group; run: chmod g-r {path}"]


def test_password_of_the_owner_alone_is_fine(home: Path) -> None:
    write(home, SECRET, 0o600)

    assert warnings(home) == []
