"""What the documents say holds: generated pages are equal, commands parse, links lead somewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest

from desk.cli.commandspage import page
from desk.cli.main import desk
from desk.cli.session import Session
from desk.filters import parse
from desk.permissions import Action, Grant, Role, may
from desk.settings import Limits, Smtp

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(desk [^`]+)`")
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#]*)(#[^)]*)?\)")
_END = re.compile(r"\s(?:[<>|;]|&&|#).*")
# What stands for an argument in running text; a number is asked for where there is an N or ID.
_PLACEHOLDERS = {"N": "1", "ID": "1"}


def shown() -> list[tuple[str, bool]]:
    """Every `desk ...` line of the pages, and whether it stands in running text; generated pages left out."""
    found = []
    for path in PAGES:
        if path.name not in ("commands.md", "settings.md", "CHANGELOG.md"):
            text = path.read_text(encoding="utf-8")
            lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
            found += [(line, False) for line in lines if line.startswith("desk ")]
            found += [(line, True) for line in _INLINE.findall(text)]
    return list(dict.fromkeys(found))


def test_commands_page_is_made_from_the_help() -> None:
    assert (ROOT / "docs/commands.md").read_text(encoding="utf-8") == page()


def test_many_commands_are_shown() -> None:
    assert len(shown()) > 60


@pytest.mark.parametrize(("line", "is_mentioned"), shown(), ids=str)
def test_shown_command_is_understood(line: str, is_mentioned: bool) -> None:
    words = [_PLACEHOLDERS.get(word, word) for word in shlex.split(_END.sub("", line))]

    command, rest = _resolved(words[1:])

    if rest or not is_mentioned:  # a command that is only mentioned needs no arguments
        _parse(command, rest)


def _resolved(words: list[str]) -> tuple[click.Context, list[str]]:
    """The innermost command that the words name, and what is left for it."""
    context = click.Context(desk, info_name="desk", obj=Session())
    rest = words
    while True:
        while rest and rest[0] == "--home":
            rest = rest[2:]
        group = context.command
        if not isinstance(group, click.Group) or not rest:
            return context, rest
        below = group.get_command(context, rest[0])
        assert below is not None, f"there is no command {rest[0]!r} in {context.command_path}"
        context, rest = click.Context(below, info_name=rest[0], parent=context), rest[1:]


def _parse(context: click.Context, words: list[str]) -> None:
    """Let click read the arguments; a file that is not there is no fault of the page."""
    try:
        context.command.make_context(context.info_name, list(words), parent=context.parent)
    except click.exceptions.NoArgsIsHelpError:
        return
    except click.BadParameter as error:
        if "No such file" not in str(error) and "does not exist" not in str(error):
            raise


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_relative_links_lead_somewhere(path: Path) -> None:
    links = [link for link, _ in _LINK.findall(path.read_text(encoding="utf-8")) if link]

    missing = [link for link in links if not (path.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_one_sentence_a_line(path: Path) -> None:
    """Diffs of prose are read by lines. Tables, lists and code have sentences of their own."""
    if path.name in ("commands.md", "settings.md"):
        return
    prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)

    long = [
        line
        for line in prose.splitlines()
        if re.match(r"[A-Z`]", line) and re.search(r"[a-z)]\. [A-Z]", line)
    ]

    assert long == []


def test_permission_table_of_admins_is_that_of_the_code() -> None:
    text = (ROOT / "docs/admins.md").read_text(encoding="utf-8")
    head, rows = _table(text, "| action |")

    told = {
        (row[0], role): cell == "yes" for row in rows for role, cell in zip(head[1:], row[1:], strict=True)
    }

    people = [role for role in Role if role is not Role.REQUESTER]
    assert told == {
        (action, role.value): may([Grant(role)], action, None)
        for action in get_args(Action)
        for role in people
    }


def test_every_term_of_the_filter_table_is_understood() -> None:
    _, rows = _table((ROOT / "docs/technicians.md").read_text(encoding="utf-8"), "| write |")

    terms = [term for row in rows for term in re.findall(r"`([^`]+)`", row[0])]

    assert len(terms) > 20
    for term in terms:
        assert parse(term).terms


def test_limits_of_admins_are_the_defaults() -> None:
    _, rows = _table((ROOT / "docs/admins.md").read_text(encoding="utf-8"), "| what | how much |")
    told = dict(re.findall(r"`(\w+)`, (\d+)", " ".join(row[1] for row in rows)))
    defaults = Limits()

    assert told == {
        "max_message": str(Smtp().max_message // 1_000_000),
        "new_tickets_per_sender": str(defaults.new_tickets_per_sender),
        "acks_per_address": str(defaults.acks_per_address),
        "acks_to_new_addresses": str(defaults.acks_to_new_addresses),
    }


def test_fault_points_of_the_diagram_are_those_of_the_code() -> None:
    diagram = (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
    told = set(re.findall(r"⚡ ([a-z]+\.[a-z0-9_]+)", diagram))

    code = "".join(
        file.read_text(encoding="utf-8") for room in ("desk", "maild") for file in (ROOT / room).rglob("*.py")
    )
    known = set(re.findall(r'fault_point\("([^"]+)"\)', code))

    assert told <= known
    assert {
        name for name in known if name.startswith(("ingest.", "worker.", "out.", "store."))
    } <= told | _BESIDE


_BESIDE: set[str] = set()  # points that are not on the way of a mail


def _table(text: str, beginning: str) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the Markdown table whose first line begins so."""
    lines = iter(text[text.index(beginning) :].splitlines())
    head = _cells(next(lines))
    next(lines)
    return head, list(_rows(lines))


def _rows(lines: Iterator[str]) -> Iterator[list[str]]:
    for line in lines:
        if not line.startswith("|"):
            return
        yield _cells(line)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
