"""`desk mail inspect`: how we read mails, as JSON lines. Pure: no home is touched."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desk.cli.command import Command
from desk.cli.output import Progress, note, print_json_line, progress
from desk.safetext import safe_text

if TYPE_CHECKING:
    from desk.letter import Letter
    from maild.cli.mailfiles import MailFile
    from maild.reading.reader import ReaderPool

WORKERS = 2
_AHEAD = 4  # mails that wait in memory while one is printed


@click.command(cls=Command)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def inspect(files: tuple[str, ...]) -> None:
    """Show how these mails are read, one line of JSON for each; no home is needed.

    A file may be an mbox; - is one mail on stdin.

    A mail that only the emergency reader can read is marked as degraded.
    """
    from desk.letter import inspect_view  # slow import
    from maild.reading.reader import ReaderPool

    workers = min(WORKERS, len(files))
    with ReaderPool(workers) as readers, progress("reading", len(files)) as bar:
        mails = _Mails(files, bar)
        for name, letter in _read_all(readers, mails, workers):
            print_json_line(inspect_view(letter, file=name))
    if not mails.is_whole:
        click.get_current_context().exit(1)


class _Mails:
    """The mails of all files, the same bytes as `desk mail take` takes; a file that is not there is told."""

    def __init__(self, files: tuple[str, ...], bar: Progress) -> None:
        self._files, self._bar, self.is_whole = files, bar, True

    def __iter__(self) -> Iterator[MailFile]:
        from desk.errors import DeskError

        for file in self._files:
            try:
                yield from _mails_of(file)
            except DeskError as error:
                self._tell(str(error))
            except OSError as error:
                self._tell(f"{file}: {error.strerror}")
            self._bar.update(1)

    def _tell(self, text: str) -> None:
        note(text)
        self.is_whole = False


def _mails_of(file: str) -> Iterator[MailFile]:
    from maild.cli.mailfiles import from_pipe, mails_in, place_of

    if file == "-":
        yield from_pipe(sys.stdin.buffer)
    else:
        yield from mails_in(place_of(Path(file)))


def _read_all(readers: ReaderPool, mails: Iterable[MailFile], workers: int) -> Iterator[tuple[str, Letter]]:
    """The letters in the order of the mails."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: list[tuple[str, Future[Letter]]] = []
        for mail in mails:
            waiting.append((mail.path, pool.submit(_read, readers, mail.content)))
            if len(waiting) >= workers + _AHEAD:
                name, future = waiting.pop(0)
                yield name, future.result()
        for name, future in waiting:
            yield name, future.result()


def _read(readers: ReaderPool, content: bytes) -> Letter:
    from desk.errors import Unreadable
    from desk.letter import Letter

    try:
        return readers.read(content)
    except Unreadable as error:
        return Letter(
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            degraded=True,
            defects=[safe_text(str(error))],
        )
