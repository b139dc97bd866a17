"""`desk init`: make a home with its files and its store, and say what comes next."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from desk.cli.command import Command
from desk.cli.output import print_json
from desk.cli.session import Session, pass_session, unix_user
from desk.cli.sshkeys import program
from desk.safetext import safe_line, safe_text

_UNIT = """\
[Unit]
Description=Service desk {home}
After=network-online.target
Wants=network-online.target

[Service]
User={user}
ExecStart={program} --home {home} up
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
TimeoutStopSec=15
UMask=0027
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target"""


@click.command(cls=Command)
@click.option("--domain", metavar="D", help="The domain of the desk, like example.org.")
@click.option("--address", metavar="A", help="Its mail address; else support@ the domain.")
@click.option("--timezone", metavar="TZ", help="The zone in which people read times; else the machine's.")
@click.option(
    "--language",
    type=click.Choice(["en", "zh-Hant", "zh-Hans"]),
    default="en",
    show_default=True,
    help="For requesters whose language is not known.",
)
@click.option("--name", default="Service desk", show_default=True, help="The name in the From of letters.")
@pass_session
def init(
    session: Session,
    domain: str | None,
    address: str | None,
    timezone: str | None,
    language: str,
    name: str,
) -> None:
    """Make a home: desk.toml with comments, the folders beside it, and the store.

    Nothing is overwritten; a folder that is a home already is refused.
    """
    from desk.newhome import write_home  # slow import

    files = write_home(
        session.home, domain=domain, address=address, timezone=timezone, language=language, name=name
    )
    desk = session.open()
    if session.is_json:
        print_json({"home": str(session.home), "files": [str(path) for path in files]})
        return
    click.echo(f"Made {safe_line(str(session.home))}:")
    for path in files:
        click.echo(f"  {safe_line(str(path.relative_to(session.home)))}")
    click.echo(f"  {safe_line(desk.settings.store.shown)}")
    click.echo(_next_steps(session.home, desk.settings.desk.addresses[0]))


def _next_steps(home: Path, address: str) -> str:
    desk = f"desk --home {shlex.quote(str(home))}"
    unit = _UNIT.format(
        home=shlex.quote(str(home)).replace("%", "%%"), user=unix_user(), program=shlex.quote(program())
    )
    return safe_text(
        f"""
Next:
  1. Edit {home / "desk.toml"}; it says what each key means.
     Without [smarthost] letters wait and are not sent.
  2. {desk} people add LOGIN --email ADDRESS --role technician --role admin
  3. {desk} doctor
  4. {desk} up
  5. Let mail for {address} come in by SMTP; docs/admins.md shows how to put Postfix in front.

To run it under systemd, write this to /etc/systemd/system/desk.service:

{unit}"""
    )
