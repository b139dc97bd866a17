"""`desk up`: everything in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import sys

import click

from desk.cli.command import Command
from desk.cli.output import note
from desk.cli.session import ROOMS, SafeFormatter, Session, pass_session
from desk.errors import Unavailable

_FORM = "%(asctime)s %(levelname)s %(name)s %(message)s"


@click.command(cls=Command)
@pass_session
def up(session: Session) -> None:
    """Run the desk: take mail, read it, sort it, send letters.

    Prints one line, `ready smtp=HOST:PORT`, once every door listens. SIGTERM ends what is under way within
    ten seconds and stops; SIGHUP reads the home's files again.
    """
    _log_everything(is_debug=session.is_debug)
    from desk.homemodes import refusals  # slow import
    from desk.notyet import unread_settings
    from maild.main import run  # slow import

    for reason in refusals(session.home):
        raise Unavailable(reason)
    for unread in unread_settings(session.home):
        if unread.stops:
            raise unread.fault
        note(str(unread.fault))
    desk = session.open()
    run(desk, _say)


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()


def _log_everything(*, is_debug: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(SafeFormatter(_FORM))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    if is_debug:
        for room in ROOMS:  # the steps of libraries show what people wrote
            logging.getLogger(room).setLevel(logging.DEBUG)
