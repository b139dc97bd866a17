"""What commands print: tables for people, JSON for programs, notes and progress on stderr."""

from __future__ import annotations

import json
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import click

from desk.safetext import safe_line

_GAP = "  "
_NARROWEST = 12
_WIDEST = 120  # of a cell that a stranger may fill
# JSON escapes C0 by itself; these would still reach the terminal, or (surrogates) could not be encoded.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def display_width(text: str) -> int:
    """Columns that a safe line takes in a terminal: two for wide characters, none for combining marks."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """A safe line in at most so many columns; what is left out is marked by an ellipsis."""
    if display_width(text) <= width:
        return text
    kept, used = [], 1
    for character in text:
        used += _columns(character)
        if used > width:
            break
        kept.append(character)
    return "".join(kept) + "…"


def pad(text: str, width: int) -> str:
    """Blanks behind the text up to so many columns."""
    return text + " " * (width - display_width(text))


def print_table(
    titles: Sequence[str], rows: Iterable[Sequence[object]], *, flexible: Sequence[str] = ()
) -> None:
    """Print rows in columns. The columns `flexible` are cut: on a terminal so that lines do not wrap.

    Cells are made safe here; None becomes a dash.
    """
    cells = [["-" if cell is None else safe_line(str(cell)) for cell in row] for row in rows]
    if not cells:
        return
    widths = [max(map(display_width, column)) for column in zip(titles, *cells, strict=True)]
    bending = [titles.index(title) for title in flexible]
    for column in bending:
        widths[column] = min(widths[column], _WIDEST)
    if flexible and sys.stdout.isatty():
        _narrow(widths, bending)
    for row in [list(titles), *cells]:
        line = _GAP.join(pad(cut(cell, width), width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def _narrow(widths: list[int], flexible: Sequence[int]) -> None:
    """Take from the widest of the flexible columns until the line fits, or none can give any more."""
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - shutil.get_terminal_size().columns
    for _ in range(over):
        widest = max(flexible, key=lambda column: widths[column])
        if widths[widest] <= _NARROWEST:
            return
        widths[widest] -= 1


def print_json(value: Any) -> None:
    """One JSON document, UTF-8 whatever the locale says."""
    click.echo(_json(value, indent=2).encode())


def print_json_line(value: Any) -> None:
    """One line of JSON lines."""
    click.echo(_json(value, indent=None).encode())


def _json(value: Any, *, indent: int | None) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def note(text: str) -> None:
    """One line on stderr, for people: a warning, or what to do next."""
    click.echo(f"desk: {safe_line(text)}", err=True)


class Progress(Protocol):
    """What long work tells how far it is."""

    def update(self, n_steps: int) -> None:
        """So many steps more are done."""


class _Silent:
    def update(self, n_steps: int) -> None:
        """Nobody watches."""


@contextmanager
def progress(label: str, length: int) -> Iterator[Progress]:
    """A progress bar on stderr when that is a terminal, and stdout is none: there lines show how far it is."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        yield _Silent()
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar
