"""`desk mail`: mail that came in another way, mail that was set aside, letters out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from desk.cli.asking import as_option, carry_out
from desk.cli.command import Command, Group
from desk.cli.output import print_json, print_table
from desk.cli.session import Session, pass_session
from desk.safetext import safe_line
from maild.cli.inspecting import inspect
from maild.cli.take import take

if TYPE_CHECKING:
    from desk.history import Recorded
    from desk.reads.mail import Aside

id_argument = click.argument("number", type=int, metavar="ID")
_STATES = ["waiting", "sending", "sent", "failed", "withdrawn"]


@click.group(cls=Group)
def mail() -> None:
    """Read mails, take them in, and decide about those that were set aside."""


mail.add_command(inspect)
mail.add_command(take)


def _print_aside(session: Session, kind: Aside) -> None:
    from desk.reads.mail import set_aside  # slow import

    with session.open().reading():
        rows = set_aside(kind)
    if session.is_json:
        print_json(rows)
    else:
        names = ("id", "at", "ticket", "reason", "sha256")
        print_table(
            ("ID", "AT", "TICKET", "REASON", "SHA256"), [[row[name] for name in names] for row in rows]
        )


def _aside_command(kind: Aside, text: str) -> click.Command:
    @mail.command(kind, cls=Command, help=text)
    @pass_session
    def command(session: Session) -> None:
        _print_aside(session, kind)

    return command


held = _aside_command("held", "List letters beside their tickets, for a technician to decide about.")
parked = _aside_command("parked", "List mails that could not be read or filed, with the reason.")
dropped = _aside_command("dropped", "List mails that were put away: by a rule, as a loop, as a duplicate.")


@mail.command()
@id_argument
@as_option
@pass_session
def release(session: Session, number: int, as_login: str | None) -> None:
    """Let a held letter into its ticket, or open a ticket with it."""
    from desk.commands import ReleaseHeld

    events = carry_out(session, session.keeper(as_login), ReleaseHeld(number))
    _told(session, events, f"mail {number} is in ticket {_ticket_of(events)}", number)


@mail.command()
@id_argument
@click.option("--reason", help="Why, for the history.")
@as_option
@pass_session
def reject(session: Session, number: int, reason: str | None, as_login: str | None) -> None:
    """Put a held, parked or dropped mail away for good; its bytes stay."""
    from desk.commands import RejectHeld

    events = carry_out(session, session.keeper(as_login), RejectHeld(number, reason))
    _told(session, events, f"mail {number} is put away", number)


@mail.command()
@id_argument
@as_option
@pass_session
def retry(session: Session, number: int, as_login: str | None) -> None:
    """Read a parked mail again, and wait until it is through."""
    from desk.commands import RetryParked
    from maild.cli.taking import Taker  # slow import

    events = carry_out(session, session.keeper(as_login), RetryParked(number))
    with Taker(session.open()) as taker:
        fate = taker.wait({number})[number]
    ticket = "" if fate.ticket is None else f" ticket {fate.ticket}"
    line = f"mail {number}: {fate.outcome}{ticket}" + (f" ({fate.reason})" if fate.reason else "")
    _told(session, events, line, number, ticket=fate.ticket, outcome=fate.outcome)


def _ticket_of(events: list[Recorded]) -> int | None:
    return next((event.ticket for event in reversed(events) if event.ticket is not None), None)


def _told(session: Session, events: list[Recorded], line: str, number: int, **more: Any) -> None:
    if session.is_json:
        names = [event.event for event in events]
        print_json({"id": number, "ticket": _ticket_of(events), "events": names, **more})
    else:
        click.echo(safe_line(line))


@mail.command()
@click.argument("sha256")
@pass_session
def raw(session: Session, sha256: str) -> None:
    """Write the exact bytes of a mail to stdout, as they were received or are sent."""
    from desk import blobs  # slow import

    with session.open().reading():
        content = blobs.content(sha256)
    click.echo(content, nl=False)


@mail.command()
@click.option("--state", type=click.Choice(_STATES), help="Only those.")
@pass_session
def outbox(session: Session, state: str | None) -> None:
    """List letters out, oldest first."""
    from desk.reads.mail import outbox as letters  # slow import
    from desk.states import OutboxState

    with session.open().reading():
        rows = letters(OutboxState[state.upper()] if state else None)
    if session.is_json:
        print_json(rows)
    else:
        names = ("id", "ticket", "kind", "to", "state", "tries", "created", "answer")
        print_table(
            ("ID", "TICKET", "KIND", "TO", "STATE", "TRIES", "CREATED", "ANSWER"),
            [[row[name] for name in names] for row in rows],
            flexible=("ANSWER",),
        )
