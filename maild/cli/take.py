"""`desk mail take`: mails from files, Maildirs, mboxes or stdin through the normal intake.

Standards: sysexits.h (75: the MTA shall try again later).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from desk.cli.command import Command, told
from desk.cli.output import Progress, note, print_json_line, progress
from desk.cli.session import Session, pass_session
from desk.errors import DeskError
from desk.safetext import safe_line
from desk.work import attempt

if TYPE_CHECKING:
    from maild.cli.mailfiles import MailFile, Place
    from maild.cli.taking import Taken

TEMPORARY_FAILURE = 75
_GROUP = 100  # mails that are stored together
_GROUP_BYTES = 64_000_000


@click.command(cls=Command)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--no-wait", is_flag=True, help="Store the mails and leave the rest to the running desk.")
@click.option("--import", "is_import", is_flag=True, help="Old mail: nothing is sent, no clock starts.")
@pass_session
def take(session: Session, paths: tuple[str, ...], no_wait: bool, is_import: bool) -> None:
    """Take mails: files, folders of .eml, Maildirs, mboxes, or - for one mail on stdin.

    Prints for each its SHA256, what became of it (new, joined, held, parked, dropped, known), its ticket and
    its path. For - the exit status is 75 when it could not be stored, so that an MTA keeps it.
    """
    if "-" in paths:
        if len(paths) > 1:
            raise click.UsageError("- stands alone: it is one mail on stdin.")
        _take_stdin(session, waits=not no_wait, is_import=is_import)
    elif not _take_files(session, paths, waits=not no_wait, is_import=is_import):
        click.get_current_context().exit(1)


def _take_stdin(session: Session, *, waits: bool, is_import: bool) -> None:
    outcome = attempt(lambda: _stored_from_stdin(session, waits=waits, is_import=is_import))
    if outcome.error is not None:
        click.echo(told(outcome.error)[0], err=True)
        click.get_current_context().exit(TEMPORARY_FAILURE)


def _stored_from_stdin(session: Session, *, waits: bool, is_import: bool) -> None:
    from maild.cli.mailfiles import from_pipe
    from maild.cli.taking import Taker  # slow import

    mail = from_pipe(sys.stdin.buffer)
    with Taker(session.open(), is_import=is_import, waits=waits) as taker:
        stored = taker.store([mail])
        # it is safe now: whatever comes after must not make the MTA send it again
        error = attempt(lambda: _print_all(session, taker.finish(stored))).error
        if error is not None:
            note(f"the mail is stored and waits ({told(error)[0]})")


def _take_files(session: Session, paths: tuple[str, ...], *, waits: bool, is_import: bool) -> bool:
    """False when a file could not be read."""
    from maild.cli.taking import Taker  # slow import

    found, is_whole = _places(paths)
    with (
        Taker(session.open(), is_import=is_import, waits=waits) as taker,
        progress("taking", sum(place.size for place in found)) as bar,
    ):
        mails = _Mails(found, bar)
        for group in _groups(mails):
            _print_all(session, taker.finish(taker.store(group)))
    return is_whole and mails.is_whole


def _places(paths: tuple[str, ...]) -> tuple[list[Place], bool]:
    from maild.cli.mailfiles import places

    found: list[Place] = []
    is_whole = True
    for path in paths:
        try:
            found += places(Path(path))
        except (DeskError, OSError) as error:
            click.echo(told(error)[0], err=True)
            is_whole = False
    return found, is_whole


class _Mails:
    """The mails of all places; one that cannot be read is told, and the others go on."""

    def __init__(self, places: list[Place], bar: Progress) -> None:
        self._places, self._bar, self.is_whole = places, bar, True

    def __iter__(self) -> Iterator[MailFile]:
        from maild.cli.mailfiles import mails_in

        for place in self._places:
            try:
                yield from mails_in(place)
            except (DeskError, OSError) as error:
                click.echo(told(error)[0], err=True)
                self.is_whole = False
            self._bar.update(place.size)


def _groups(mails: _Mails) -> Iterator[list[MailFile]]:
    group: list[MailFile] = []
    size = 0
    for mail in mails:
        group.append(mail)
        size += len(mail.content)
        if len(group) >= _GROUP or size > _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _print_all(session: Session, taken: Iterator[Taken]) -> None:
    for one in taken:
        fate = one.fate
        if session.is_json:
            print_json_line(
                {"path": one.path, "sha256": one.sha256, "outcome": fate.outcome, "ticket": fate.ticket}
            )
        else:
            ticket = "-" if fate.ticket is None else fate.ticket
            click.echo(f"{one.sha256} {fate.outcome} {ticket} {safe_line(one.path)}")
