"""`desk backup` and `desk restore`: the whole desk in one file, and back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from desk.cli.asking import as_option
from desk.cli.command import Command
from desk.cli.output import print_json
from desk.cli.session import Session, pass_session
from desk.safetext import safe_line

if TYPE_CHECKING:
    from desk.store.backup import Saved

file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command(cls=Command)
@file_argument
@as_option
@pass_session
def backup(session: Session, file: Path, as_login: str | None) -> None:
    """Save the store and the home's files into FILE, beside a running desk too.

    The copy is checked after it was written. A name that ends in .zst is compressed.
    """
    from desk.store.backup import backup as save  # slow import

    session.authorise(as_login, "store")
    desk = session.open()
    desk.seal()
    with ExitStack() as stack:
        saved = save(desk.store, desk.home, file.absolute(), progress=_pages(stack))
    _told(session, saved, f"{saved.file}: {saved.events} events, {saved.files} files, {saved.size} bytes")


def _pages(stack: ExitStack) -> Callable[[int, int], None] | None:
    """A progress bar on stderr if that is a terminal."""
    if not sys.stderr.isatty():
        return None
    bar: Any = stack.enter_context(click.progressbar(length=1, label="copying", file=sys.stderr))

    def show(done: int, total: int) -> None:
        bar.length = total
        bar.update(done - bar.pos)

    return show


@click.command(cls=Command)
@file_argument
@pass_session
def restore(session: Session, file: Path) -> None:
    """Put a backup into the home, which must be empty; name a new folder by --home.

    All of it is verified first.
    """
    from desk.store.backup import restore as bring_back  # slow import

    saved = bring_back(file.absolute(), session.home)
    line = f"{session.home}: {saved.events} events, {saved.files} files; `desk doctor` checks the rest"
    _told(session, saved, line)


def _told(session: Session, saved: Saved, line: str) -> None:
    if session.is_json:
        print_json(
            {
                "file": str(saved.file),
                "size": saved.size,
                "files": saved.files,
                "events": saved.events,
                "head": {"seq": saved.head.seq, "hash": saved.head.hash},
            }
        )
    else:
        click.echo(safe_line(line))
