"""`desk ssh-keys`: what sshd asks for, the keys of one technician as authorized_keys lines."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from desk.cli.command import Command
from desk.cli.output import print_json
from desk.cli.session import Session, pass_session


@click.command("ssh-keys", cls=Command)
@click.argument("login", metavar="LOGIN_OR_UNIX_USER")
@pass_session
def ssh_keys(session: Session, login: str) -> None:
    """Print authorized_keys lines of a technician, for sshd's AuthorizedKeysCommand.

    Each key may open the console as its technician and nothing else.
    For somebody unknown nothing is printed, and that is no error: sshd asks for every login.
    """
    from desk.reads.people import keys_of  # slow import
    from desk.sshkeys import authorized_line

    command = [program(), "--home", str(session.home), "console"]
    with session.open().reading():
        lines = [authorized_line(line, login, command) for line in keys_of(login)]
    if session.is_json:
        print_json(lines)
        return
    for line in lines:
        click.echo(line)


def program() -> str:
    """The path of the desk program as sshd and systemd need it: absolute, not through the PATH."""
    beside = Path(sys.executable).with_name("desk")
    called = Path(sys.argv[0])
    return str(called.resolve() if called.name == "desk" and called.exists() else beside)
