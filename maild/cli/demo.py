"""`desk demo`: a throw-away desk that real mail comes in to, with the list of its tickets at the end."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from click.core import ParameterSource

from desk.cli.command import Command
from desk.cli.output import note, progress
from desk.cli.session import Session, pass_session
from desk.cli.sshkeys import program
from desk.cli.ticket_views import list_
from desk.errors import Unavailable
from desk.safetext import safe_line, safe_text

SHOWN = 20
_STOP_S = 15.0
_SETTINGS = (  # what a demonstration sets differently: a port that is free, many mails in a minute
    ('listen = "127.0.0.1:2525"', 'listen = "127.0.0.1:0"'),
    ("new_tickets_per_sender = 100", "new_tickets_per_sender = 0"),
    ("acks_per_address = 4", "acks_per_address = 0"),
    ("acks_to_new_addresses = 100", "acks_to_new_addresses = 0"),
)
_WAY_OUT = '\n# The letters of the demonstration end here.\n[smarthost]\nmaildir = "outgoing"\n'


@click.command(cls=Command)
@click.option(
    "--tickets", type=click.IntRange(12, 5000), default=200, show_default=True, metavar="N", help="How many."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another number tells other stories.")
@click.option("--keep", is_flag=True, help="Keep the folder; one named by --home is always kept.")
@pass_session
def demo(session: Session, tickets: int, seed: int, keep: bool) -> None:
    """Run a desk with tickets that came in as real mail, to try everything on.

    Made-up people write over SMTP to a desk in a temporary folder, two technicians (t1 and lead) answer some of
    them, and the letters go into the Maildir outgoing/ of the folder. On a terminal the desk runs on until you
    press Enter; then the folder is removed, unless it is kept.
    """
    is_given = _is_home_given()
    home = session.home if is_given else Path(tempfile.mkdtemp(prefix="desk-demo-"))
    session.set("home", home)
    is_kept, stays = is_given or keep, sys.stdin.isatty() and sys.stdout.isatty()
    try:
        _make_home(home)
        with _running(home) as door:
            answered = _play(session, home, door, tickets=tickets, seed=seed)
            if is_kept or stays:
                click.echo(_next_steps(home, answered, door))
            click.get_current_context().invoke(list_, limit=SHOWN)
            if stays:
                click.prompt("\nPress Enter to stop the desk", default="", show_default=False)
    finally:
        session.close()
        if not is_kept:
            shutil.rmtree(home, ignore_errors=True)
    if is_kept:
        note(f"kept {home}; start the desk again by: desk --home {shlex.quote(str(home))} up")


def _is_home_given() -> bool:
    """Only a home of the command line counts: $DESK_HOME is where the real desk lies."""
    context: click.Context | None = click.get_current_context()
    while context is not None:
        if context.get_parameter_source("home") is ParameterSource.COMMANDLINE:
            return True
        context = context.parent
    return False


def _make_home(home: Path) -> None:
    from desk.newhome import write_home  # slow import

    write_home(home, domain="demo.example", name="Demo desk", timezone="UTC")
    path = home / "desk.toml"
    text = path.read_text(encoding="utf-8")
    for shipped, ours in _SETTINGS:
        text = text.replace(shipped, ours)
    path.write_text(text + _WAY_OUT, encoding="utf-8")


@contextmanager
def _running(home: Path) -> Iterator[tuple[str, int]]:
    """`desk up` in a process of its own for the length of the block; the address of its SMTP door."""
    (home / "log").mkdir(mode=0o700, exist_ok=True)
    log = home / "log" / "desk.log"
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [program(), "--home", str(home), "up"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    try:
        yield _door(process, log)
    finally:
        _stop(process)


def _door(process: subprocess.Popen[bytes], log: Path) -> tuple[str, int]:
    assert process.stdout is not None
    words = process.stdout.readline().decode("utf-8", "replace").split()
    doors = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    if "smtp" not in doors:
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise Unavailable(f"the desk did not start: {said[-1] if said else 'it said nothing'}")
    host, _, port = doors["smtp"].rpartition(":")
    return host, int(port)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _play(session: Session, home: Path, door: tuple[str, int], *, tickets: int, seed: int) -> int:
    """The number of a ticket that is worth a look."""
    from maild.demo.play import Stage, play, steps  # slow import

    stage = Stage(session.open(), door, home / "outgoing")
    with progress("writing mails", steps(tickets)) as bar:
        played = play(stage, tickets=tickets, seed=seed, sent=bar.update)
    click.echo(f"{played.mails} mails came in over SMTP, {played.letters} letters went out.")
    return played.answered


def _next_steps(home: Path, number: int, door: tuple[str, int]) -> str:
    desk = f"desk --home {shlex.quote(str(home))}"
    return safe_text(
        f"""
Try:
  {desk} ticket list --filter 'vpn status:new,open'
  {desk} ticket show {number}
  {desk} ticket reply {number} --as t1 --text 'Is it better now?'
  {desk} ticket undo {number} --as t1
  {desk} mail held
  swaks --server {safe_line(door[0])}:{door[1]} --from you@example.org --to support@demo.example
  ls {shlex.quote(str(home / "outgoing" / "new"))}
"""
    )
