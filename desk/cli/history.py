"""`desk audit`, `desk export` and `desk import`: the history, verified, written out and read in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from desk.cli.asking import as_option
from desk.cli.command import Group
from desk.cli.output import note, print_json
from desk.cli.session import Session, pass_session

if TYPE_CHECKING:
    from desk.sealing import Verdict

mail_option = click.option(
    "--with-mail",
    "mail",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="A folder for all that travels beside the events: mails, texts, files, letters, people, keys.",
)


@click.group(cls=Group)
def audit() -> None:
    """The sealed history."""


@audit.command()
@as_option
@pass_session
def verify(session: Session, as_login: str | None) -> None:
    """Recompute the chain of the history and name its first broken link.

    What is not sealed yet is sealed first, unless another process is doing that.
    """
    from desk import sealing  # slow import

    session.authorise(as_login, "history")
    desk = session.open()
    desk.seal()
    found = sealing.verify(desk.store)
    if session.is_json:
        print_json(
            {
                "ok": found.is_whole,
                "broken": found.broken,
                "reason": found.reason,
                "checked": found.checked,
                "erased": found.erased,
                "unexplained": (
                    {"count": found.unexplained.count, "first": found.unexplained.first}
                    if found.unexplained
                    else None
                ),
                "unsealed": found.unsealed,
                "head": {"seq": found.head.seq, "hash": found.head.hash},
            }
        )
    else:
        _tell_verdict(found)
    if not found.is_whole:
        click.get_current_context().exit(1)


def _tell_verdict(found: Verdict) -> None:
    if found.broken is not None:
        click.echo(f"broken at seq {found.broken}: {found.reason}; what comes before it holds")
    else:
        erased = f", the texts of {found.erased} erased" if found.erased else ""
        click.echo(f"whole: {found.checked} events{erased}, {found.unsealed} not sealed yet")
        click.echo(f"head: {found.head.seq} {found.head.hash}")
    if found.unexplained is not None:
        click.echo(
            f"texts removed: {found.unexplained.count} events from seq {found.unexplained.first} on"
            " have lost their texts although nobody was erased since"
        )


@click.group(cls=Group)
def export() -> None:
    """Write out what the desk knows."""


@export.command("events")
@mail_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to; else stdout.",
)
@as_option
@pass_session
def export_(session: Session, mail: Path | None, output: Path | None, as_login: str | None) -> None:
    """Write the history as JSON lines, oldest first.

    Events alone rebuild tickets, clocks and figures.
    With --with-mail a whole desk can be rebuilt, as of one instant: the folder then holds raw mails as
    SHA256.eml, files and letters out as SHA256, and rows as JSON lines in people, tickets, messages,
    attachments, letters, identities and keyring.jsonl.

    keyring.jsonl is a secret, readable by its owner only: whoever has it can make reply addresses of this desk.
    It is needed for answers to old letters to find their tickets.
    Mail that is held, parked or not yet read stays in this home, and so do its settings, rules and templates.
    """
    from desk.export import export_events  # slow import

    session.authorise(as_login, "export")
    desk = session.open()
    with _writing(output) as out, _counter("events") as progress:
        written = export_events(desk.store, out, mail=mail, progress=progress)
    _told_missing(written.missing)
    if output is not None:
        beside = (
            f", {written.mails} mails, {written.files} files and {written.rows} rows to {mail}"
            if mail
            else ""
        )
        note(f"{written.events} events written to {output}{beside}")


@contextmanager
def _writing(output: Path | None) -> Iterator[BinaryIO]:
    """Stdout, or a file that appears whole when all of it is written."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = output.with_name(f"{output.name}.part")
    with unfinished.open("wb") as file:
        yield file
    unfinished.replace(output)


@contextmanager
def _counter(what: str) -> Iterator[Callable[[int], None]]:
    """Counts on one line of stderr when that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    yield lambda count: click.echo(f"\r{count} {what}", err=True, nl=False)
    click.echo("\r\x1b[K", err=True, nl=False)


def _told_missing(missing: int) -> None:
    if missing:
        note(f"the bytes of {missing} mails, files or letters are not there (erased or never exported)")


@click.group("import", cls=Group)
def import_() -> None:
    """Fill an empty home."""


@import_.command("events")
@click.argument("file", type=click.File("rb"), metavar="FILE|-")
@mail_option
@as_option
@pass_session
def import_events(session: Session, file: BinaryIO, mail: Path | None, as_login: str | None) -> None:
    """Rebuild tickets, clocks and figures from an export, in a new home (`desk init`) where nothing runs yet.

    With --with-mail texts, people, letters and reply addresses come back too, from the folder that the export
    wrote; nothing is changed unless all of it is sound.
    Letters that still waited are sent once `desk up` runs here: stop the old desk before you export.
    """
    from desk.import_events import import_events as fill  # slow import
    from desk.search_index import index_waiting

    session.authorise(as_login, "store")
    desk = session.open()
    with _counter("lines") as progress:
        done = fill(desk.store, file, mail=mail, progress=progress)
    while index_waiting(desk.store):
        pass
    _told_missing(done.missing)
    counts = {name: getattr(done, name) for name in ("events", "tickets", "messages", "mails", "files")}
    if session.is_json:
        print_json(counts)
    else:
        click.echo(", ".join(f"{count} {name}" for name, count in counts.items()))
