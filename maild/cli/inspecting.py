"""`desk mail inspect`: how we read mails, as JSON lines. Pure: no home is touched."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desk.cli.command import Command
from desk.cli.output import note, print_json_line, progress
from desk.safetext import safe_text

if TYPE_CHECKING:
    from desk.letter import Letter
    from maild.reading.reader import ReaderPool

WORKERS = 2
_AHEAD = 4  # mails that wait in memory while one is printed


@click.command(cls=Command)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def inspect(files: tuple[str, ...]) -> None:
    """Show how these mails are read, one line of JSON for each; no home is needed.

    A mail that only the emergency reader can read is marked as degraded.
    """
    from desk.letter import inspect_view  # slow import
    from maild.reading.reader import ReaderPool

    is_whole = True
    workers = min(WORKERS, len(files))
    with ReaderPool(workers) as readers, progress("reading", len(files)) as bar:
        for file, letter in _read_all(readers, files, workers):
            bar.update(1)
            if letter is None:
                is_whole = False
            else:
                print_json_line(inspect_view(letter, file=file))
    if not is_whole:
        click.get_current_context().exit(1)


def _read_all(
    readers: ReaderPool, files: tuple[str, ...], workers: int
) -> Iterator[tuple[str, Letter | None]]:
    """The letters in the order of the files; None for a file that is not there."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: list[tuple[str, Future[Letter | None]]] = []
        for file in files:
            waiting.append((file, pool.submit(_read, readers, file)))
            if len(waiting) >= workers + _AHEAD:
                name, future = waiting.pop(0)
                yield name, future.result()
        for name, future in waiting:
            yield name, future.result()


def _read(readers: ReaderPool, file: str) -> Letter | None:
    from desk.errors import Unreadable
    from desk.letter import Letter

    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        note(f"{file}: {error.strerror}")
        return None
    try:
        return readers.read(content)
    except Unreadable as error:
        return Letter(
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            degraded=True,
            defects=[safe_text(str(error))],
        )
