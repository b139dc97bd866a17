"""`desk ticket list`, `show` and `attachment`: what can be read of tickets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from desk.cli.asking import as_option
from desk.cli.command import Command
from desk.cli.conversation import local_time, print_ticket
from desk.cli.output import note, print_json, print_table
from desk.cli.session import Session, pass_session, unix_user
from desk.errors import NotAllowed

if TYPE_CHECKING:
    from desk.permissions import Grant

DEFAULT_LIMIT = 100


@click.command("list", cls=Command)
@click.option("--filter", "filter_text", default="", metavar="Q", help="The console's filter language.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=DEFAULT_LIMIT,
    show_default=True,
    metavar="N",
    help="At most so many; 0 for all.",
)
@as_option
@pass_session
def list_(session: Session, filter_text: str, limit: int, as_login: str | None) -> None:
    """List tickets, newest update first.

    Merged tickets and spam are left out unless the filter names a status.
    """
    from desk.reads.queues import ticket_list  # slow import

    desk = session.open()
    with desk.reading():
        grants = _grants(as_login)
        sees_all = _may_read(grants, None)
        rows = ticket_list(filter_text, limit=limit if sees_all else 0, me=as_login or unix_user())
        if not sees_all:
            rows = [row for row in rows if _may_read(grants, row["queue"])][: limit or None]
    if session.is_json:
        print_json(rows)
        return
    titles = ("N", "SUBJECT", "STATUS", "PRI", "TIER", "QUEUE", "OWNER", "REQUESTER", "UPDATED", "MSG")
    names = ("number", "subject", "status", "priority", "tier", "queue", "owner", "requester", "updated")
    cells = [[*(row[name] for name in names), row["messages"]] for row in rows]
    zone = ZoneInfo(desk.settings.desk.timezone)
    for cell in cells:
        cell[8] = local_time(cell[8], zone)
    print_table(titles, cells, flexible=("SUBJECT", "REQUESTER", "QUEUE"))
    if not rows:
        note("there is no such ticket" if filter_text else "there is no ticket yet")
    if limit and len(rows) == limit:
        note(f"these are the newest {limit}; --limit 0 shows all")


@click.command(cls=Command)
@click.argument("number", type=int, metavar="N")
@click.option("--full", is_flag=True, help="Show quotes, signatures and disclaimers too.")
@as_option
@pass_session
def show(session: Session, number: int, full: bool, as_login: str | None) -> None:
    """Show a ticket with its conversation and its history."""
    from desk.reads.tickets import ticket_show  # slow import

    desk = session.open()
    with desk.reading():
        found = ticket_show(number)
        _check(as_login, found)
    if session.is_json:
        print_json(found)
    else:
        print_ticket(found, timezone=desk.settings.desk.timezone, is_full=full)


@click.command(cls=Command)
@click.argument("number", type=int, metavar="N")
@click.argument("attachment_id", type=int, metavar="ID")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE|-", default="-")
@as_option
@pass_session
def attachment(session: Session, number: int, attachment_id: int, file: Path, as_login: str | None) -> None:
    """Write an attachment to a new file, or to stdout.

    Its id is in what `desk ticket show` prints. It was sent by a stranger: look at it with care.
    """
    from desk.reads.attachments import attachment_of  # slow import
    from desk.reads.tickets import ticket_show

    with session.open().reading():
        if as_login is not None:
            _check(as_login, ticket_show(number))
        name, content = attachment_of(number, attachment_id)
    if str(file) == "-":
        click.echo(content, nl=False)
        return
    with file.open("xb") as out:
        out.write(content)
    note(f"{name} written to {file}, {len(content)} bytes")


def _grants(as_login: str | None) -> list[Grant] | None:
    """What the one named by --as may; None where nobody is named: whoever can read the home may read it."""
    if as_login is None:
        return None
    from desk.actors import technician
    from desk.people import grants_of  # slow import

    return grants_of(technician(as_login))


def _may_read(grants: list[Grant] | None, queue: str | None) -> bool:
    if grants is None:
        return True
    from desk.permissions import may

    return may(grants, "read", queue)


def _check(as_login: str | None, ticket: dict[str, Any]) -> None:
    if not _may_read(_grants(as_login), ticket["queue"]):
        raise NotAllowed(
            f"{as_login} may not read tickets in queue {ticket['queue']}; that needs a role in it"
        )
