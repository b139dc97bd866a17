"""`desk ticket`: the orders of technicians, each the same command class as in the console."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from desk.cli.asking import as_option, carry_out, needed_text, pairs, text_option
from desk.cli.command import Group
from desk.cli.output import note, print_json
from desk.cli.session import Session, pass_session
from desk.cli.ticket_views import attachment, list_, show
from desk.safetext import safe_line
from desk.work import attempt

if TYPE_CHECKING:
    from desk.history import Recorded

number_argument = click.argument("number", type=int, metavar="N")


@click.group(cls=Group)
def ticket() -> None:
    """List, read and work tickets."""


ticket.add_command(list_)
ticket.add_command(show)


def give(session: Session, as_login: str | None, *commands: Any) -> list[Recorded]:
    """Give a technician's orders, and bring what he wrote into the search index."""
    events = carry_out(session, session.technician(as_login), *commands)
    _index(session)
    return events


def _index(session: Session) -> None:
    """The order is carried out already: a fault here is none of its own, and the daemon indexes too."""
    from desk.search_index import index_waiting  # slow import

    store = session.open().store
    error = attempt(lambda: index_waiting(store)).error
    if error is not None:
        note(f"the text is stored but not searchable yet ({error})")


def told(session: Session, events: list[Recorded], line: str, **more: object) -> None:
    """Say what happened to a ticket: a line, or JSON with its number and the names of the events."""
    number = next(event.ticket for event in events if event.ticket is not None)
    if session.is_json:
        print_json({"ticket": number, "events": [event.event for event in events], **more})
    else:
        click.echo(safe_line(f"ticket {number}: {line}"))


@ticket.command()
@click.option("--requester", "--from", "requester", required=True, metavar="ADDRESS", help="For whom.")
@click.option("--subject", required=True, help="What it is about.")
@text_option
@click.option("--name", default="", help="The requester's name.")
@click.option(
    "--channel", type=click.Choice(["phone", "walkin", "cli"]), default="cli", help="How it came in."
)
@click.option("--kind", default="incident", help="incident, request, question, problem, change or task.")
@click.option("--queue", help="Its queue; else the desk's first one.")
@click.option("--category", default="", help="A key of categories.toml.")
@click.option("--priority", help="1 critical to 5 planned, number or name.")
@click.option("--language", help="en, zh-Hant or zh-Hans; else that of the requester or the text.")
@click.option("--take", is_flag=True, help="Become its owner at once.")
@click.option("--no-copy", is_flag=True, help="Do not mail the number to the requester.")
@as_option
@pass_session
def new(session: Session, /, as_login: str | None, text: str | None, no_copy: bool, **fields: Any) -> None:
    """Open a ticket for somebody on the phone or at the door."""
    from desk.commands import OpenTicket

    fields["requester_name"] = fields.pop("name")
    command = OpenTicket(text=needed_text(text), send_copy=not no_copy, **fields)
    events = give(session, as_login, command)
    told(session, events, f"opened for {command.requester}")


@ticket.command()
@number_argument
@text_option
@click.option(
    "--attach",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file to send along. Repeatable.",
)
@click.option("--resolve", is_flag=True, help="Say too that it is solved.")
@click.option("--wait", is_flag=True, help="Wait for the requester's answer.")
@click.option("--now", is_flag=True, help="Send at once; it cannot be taken back then.")
@as_option
@pass_session
def reply(
    session: Session,
    number: int,
    text: str | None,
    files: tuple[Path, ...],
    resolve: bool,
    wait: bool,
    now: bool,
    as_login: str | None,
) -> None:
    """Answer the requester and the other public participants."""
    if resolve and wait:
        raise click.UsageError("--resolve and --wait exclude each other.")
    _reply(session, number, text, files, as_login, resolve=resolve, wait=wait, now=now)


def _reply(
    session: Session,
    number: int,
    text: str | None,
    files: tuple[Path, ...],
    as_login: str | None,
    **how: bool,
) -> None:
    from desk.commands import Reply
    from desk.handlers.replies import file_named  # slow import

    attached = tuple(file_named(path.name, path.read_bytes()) for path in files)
    events = give(session, as_login, Reply(number, needed_text(text), files=attached, **how))
    out = [event.happening for event in events if event.event == "message.out"]
    to = [getattr(happening, "to", "") for happening in out]
    message = getattr(out[0], "message", None)
    me = f" --as {as_login}" if as_login else ""
    way = "" if how.get("now") else f"; `desk ticket undo {number}{me}` takes it back until it leaves"
    solved = " and resolved" if how.get("resolve") else ""
    told(session, events, f"answered to {', '.join(to)}{solved}{way}", message=message, to=to)


@ticket.command("note")
@number_argument
@text_option
@as_option
@pass_session
def note_(session: Session, number: int, text: str | None, as_login: str | None) -> None:
    """Add a note that only technicians see."""
    from desk.commands import AddNote

    told(session, give(session, as_login, AddNote(number, needed_text(text))), "noted")


@ticket.command()
@number_argument
@as_option
@pass_session
def take(session: Session, number: int, as_login: str | None) -> None:
    """Become the owner."""
    from desk.commands import Take

    told(session, give(session, as_login, Take(number)), "is yours")


@ticket.command()
@number_argument
@click.argument("owner", metavar="LOGIN|none")
@as_option
@pass_session
def assign(session: Session, number: int, owner: str, as_login: str | None) -> None:
    """Give the ticket to a technician, or to nobody."""
    from desk.commands import Assign

    to = None if owner == "none" else owner
    told(session, give(session, as_login, Assign(number, to)), f"belongs to {to or 'nobody'}")


@ticket.command("set")
@number_argument
@click.argument("fields", nargs=-1, required=True, metavar="FIELD=VALUE...")
@as_option
@pass_session
def set_(session: Session, number: int, fields: tuple[str, ...], as_login: str | None) -> None:
    """Change fields: status, priority, impact, urgency, kind, category, queue, tier, language, tag.

    All are changed or none. `tag=+vpn,-new` adds one tag and removes another.
    """
    from desk.commands import SetFields

    events = give(session, as_login, SetFields(number, pairs(fields)))
    changed = [event.event for event in events if event.event != "order.given"]
    told(session, events, ", ".join(changed) or "has these values already")


@ticket.command()
@number_argument
@text_option
@click.option("--reason", help="Why, for the history.")
@as_option
@pass_session
def resolve(
    session: Session, number: int, text: str | None, reason: str | None, as_login: str | None
) -> None:
    """Say that it is solved; with --text after an answer that says how."""
    from desk.commands import Resolve

    if text is not None:
        _reply(session, number, text, (), as_login, resolve=True)
    else:
        told(session, give(session, as_login, Resolve(number, reason)), "resolved")


@ticket.command()
@number_argument
@click.option("--reason", help="Why, for the history.")
@as_option
@pass_session
def reopen(session: Session, number: int, reason: str | None, as_login: str | None) -> None:
    """Take a resolved, closed or spam ticket up again."""
    from desk.commands import Reopen

    told(session, give(session, as_login, Reopen(number, reason)), "open again")


@ticket.command()
@number_argument
@click.argument("into", type=int)
@as_option
@pass_session
def merge(session: Session, number: int, into: int, as_login: str | None) -> None:
    """Put the conversation of N into another ticket; later mail for it goes there."""
    from desk.commands import Merge

    told(session, give(session, as_login, Merge(number, into)), f"merged into {into}", into=into)


@ticket.command()
@click.argument("number", type=int, metavar="[N]", required=False)
@as_option
@pass_session
def undo(session: Session, number: int | None, as_login: str | None) -> None:
    """Take back your last order, on one ticket or anywhere; again, and the one before goes too."""
    from desk.commands import Undo
    from desk.events import UndoDone
    from desk.reads.events import order_given  # slow import

    events = give(session, as_login, Undo(number))
    done = next(event.happening for event in events if isinstance(event.happening, UndoDone))
    with session.open().reading():
        order = order_given(done.of[0])  # the ids are sorted, and what an order caused comes after it
    told(session, events, f"your `{order.verb}` is taken back", undone={"id": order.id, "verb": order.verb})


ticket.add_command(attachment)
