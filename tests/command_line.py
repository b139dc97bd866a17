"""The `desk` command in this process, on real homes: fixtures for the tests of its commands."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from desk.cli.main import desk

Run = Callable[..., Result]


def invoke(*arguments: object, stdin: bytes | str | None = None) -> Result:
    """Run `desk` with these arguments; stdout and stderr apart."""
    return CliRunner().invoke(desk, [str(one) for one in arguments], input=stdin)


def loaded(result: Result) -> Any:
    """The JSON document on stdout of a command that must have succeeded."""
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout_bytes)


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home by `desk init` with the technicians alice (lead) and bob. Not to be changed: copy it."""
    home = tmp_path_factory.mktemp("made") / "home"
    for arguments in (
        ("init", "--domain", "example.org", "--timezone", "UTC"),
        ("people", "add", "alice", "--email", "alice@example.net", "--role", "lead", "--role", "admin"),
        ("people", "add", "bob", "--address", "bob@example.net", "--role", "technician", "--name", "Bob"),
    ):
        result = invoke("--home", home, *arguments)
        assert result.exit_code == 0, result.output
    return home


@pytest.fixture
def home(made_home: Path, tmp_path: Path) -> Path:
    """A home of the test's own."""
    return Path(shutil.copytree(made_home, tmp_path / "home"))


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("ticket", "list")` on the test's home."""
    monkeypatch.setenv("DESK_HOME", str(home))
    return invoke


def open_ticket(run: Run, *, subject: str = "Printer on fire", **options: str) -> int:
    """A ticket of a@example.com, opened by bob; its number."""
    more = [word for name, value in options.items() for word in (f"--{name}", value)]
    result = run(
        "ticket", "new", "--from", "a@example.com", "--subject", subject, "--text", "Help.", "--as", "bob",
        "--json", *more,
    )  # fmt: skip
    return int(loaded(result)["ticket"])
