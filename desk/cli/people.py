"""`desk people`: technicians with their roles and keys, and what is known about requesters."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from desk.actors import Actor
from desk.cli.asking import as_option, carry_out, pairs
from desk.cli.command import Group
from desk.cli.output import note, print_json, print_table
from desk.cli.session import Session, pass_session
from desk.safetext import safe_line

if TYPE_CHECKING:
    from desk.history import Recorded

ROLES = click.Choice(["technician", "lead", "supervisor", "admin", "observer", "auditor"])
_ROLE_HELP = "technician, lead (supervisor is the same), admin, observer or auditor."


@click.group(cls=Group)
def people() -> None:
    """Technicians, roles, SSH keys; requesters."""


def told(session: Session, events: list[Recorded], line: str, **more: object) -> None:
    """Say what was done: a line, or JSON with the names of the events."""
    if session.is_json:
        print_json({**more, "events": [event.event for event in events]})
    else:
        click.echo(safe_line(line))


@people.command()
@click.argument("login")
@click.option("--email", "--address", "address", required=True, metavar="ADDRESS", help="His own address.")
@click.option("--role", "roles", multiple=True, required=True, type=ROLES, help=_ROLE_HELP + " Repeatable.")
@click.option("--name", default="", help="The name under which he writes to requesters.")
@click.option("--tier", type=click.IntRange(0, 4), default=1, show_default=True, help="His line of support.")
@click.option("--team", help="His team, as in teams.toml.")
@click.option("--language", help="en, zh-Hant or zh-Hans.")
@as_option
@pass_session
def add(
    session: Session,
    login: str,
    address: str,
    roles: tuple[str, ...],
    name: str,
    tier: int,
    team: str | None,
    language: str | None,
    as_login: str | None,
) -> None:
    """Add a technician."""
    from desk.commands import AddTechnician

    command = AddTechnician(login, address, roles, name=name, tier=tier, team=team, language=language)
    events = carry_out(session, session.keeper(as_login), command)
    told(session, events, f"{login} added; let a key in by `desk people key add {login} FILE`", login=login)


@people.command("list")
@click.option("--requesters", "is_requesters", is_flag=True, help="Those who write to the desk instead.")
@pass_session
def list_(session: Session, is_requesters: bool) -> None:
    """List technicians with roles and key fingerprints, or requesters."""
    from desk.reads import people as reads  # slow import

    with session.open().reading():
        found = reads.requesters() if is_requesters else reads.technicians()
    if session.is_json:
        print_json(found)
    elif is_requesters:
        print_table(
            ("ID", "NAME", "ADDRESSES", "ORGANISATION", "VIP"),
            [
                (
                    row["id"],
                    row["name"],
                    " ".join(row["addresses"]),
                    row["organisation"],
                    "yes" if row["vip"] else "",
                )
                for row in found
            ],
            flexible=("ADDRESSES",),
        )
    else:
        print_table(
            ("LOGIN", "NAME", "ADDRESS", "TIER", "ROLES", "KEYS"),
            [
                (
                    row["login"] + ("" if row["active"] else " (not active)"),
                    row["name"],
                    row["address"],
                    row["tier"],
                    " ".join(
                        grant["role"] + (f"@{grant['queue']}" if grant["queue"] else "")
                        for grant in row["roles"]
                    ),
                    " ".join(row["keys"]),
                )
                for row in found
            ],
        )


@people.command()
@click.argument("login")
@click.argument("role", type=ROLES)
@click.option("--queue", default="", help="Only in this queue; without it in all.")
@click.option("--revoke", is_flag=True, help="Take the role away.")
@as_option
@pass_session
def role(session: Session, login: str, role: str, queue: str, revoke: bool, as_login: str | None) -> None:
    """Grant a role, or take it away."""
    from desk.commands import ChangeRole

    events = carry_out(session, session.keeper(as_login), ChangeRole(login, role, queue=queue, revoke=revoke))
    where = f" in queue {queue}" if queue else ""
    told(
        session, events, f"{login} {'no longer has' if revoke else 'has'} the role {role}{where}", login=login
    )


@people.group()
def key() -> None:
    """SSH keys that open the console."""


@key.command("add")
@click.argument("login")
@click.argument("file", type=click.File("r", errors="replace"), metavar="KEYFILE|-")
@as_option
@pass_session
def key_add(session: Session, login: str, file: TextIO, as_login: str | None) -> None:
    """Let an SSH public key open the console for a technician."""
    from desk.commands import AddKey
    from desk.sshkeys import parse_public_key

    text = file.read(100_000)
    events = carry_out(session, session.keeper(as_login), AddKey(login, text))
    fingerprint = parse_public_key(text).fingerprint
    told(session, events, f"{login} may come in with {fingerprint}", login=login, fingerprint=fingerprint)


@key.command("remove")
@click.argument("login")
@click.argument("fingerprint")
@as_option
@pass_session
def key_remove(session: Session, login: str, fingerprint: str, as_login: str | None) -> None:
    """Refuse an SSH key from now on."""
    from desk.commands import RemoveKey

    events = carry_out(session, session.keeper(as_login), RemoveKey(login, fingerprint))
    told(
        session,
        events,
        f"{login} may not come in with {fingerprint} any more",
        login=login,
        fingerprint=fingerprint,
    )


@people.command("set")
@click.argument("login")
@click.argument("settings", nargs=-1, required=True, metavar="NAME=VALUE...")
@as_option
@pass_session
def set_(session: Session, login: str, settings: tuple[str, ...], as_login: str | None) -> None:
    """Change settings of a technician: undo_seconds, signature, language, name, active."""
    from desk.commands import ChangePreference

    commands = [ChangePreference(login, name, value) for name, value in pairs(settings)]
    events = carry_out(session, session.keeper(as_login), *commands)
    told(session, events, f"{login} changed", login=login)


@people.command()
@click.argument("address")
@click.argument("fields", nargs=-1, required=True, metavar="FIELD=VALUE...")
@as_option
@pass_session
def contact(session: Session, address: str, fields: tuple[str, ...], as_login: str | None) -> None:
    """Say what is known about a requester: name, language, organisation, vip."""
    from desk.commands import ChangeContact

    events = carry_out(session, session.keeper(as_login), ChangeContact(address, pairs(fields)))
    told(session, events, f"{address} changed", address=address)


@people.command()
@click.argument("keep")
@click.argument("other")
@as_option
@pass_session
def merge(session: Session, keep: str, other: str, as_login: str | None) -> None:
    """Say that two addresses are one person; what is known of the first holds."""
    from desk.commands import MergeContacts

    events = carry_out(session, session.keeper(as_login), MergeContacts(keep, other))
    told(session, events, f"{other} is the same person as {keep}", address=keep)


@people.command()
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask on the terminal.")
@as_option
@pass_session
def erase(session: Session, address: str, yes: bool, as_login: str | None) -> None:
    """Erase a requester: texts, raw mail, files, letters. It cannot be taken back."""
    from desk.commands import ErasePerson
    from desk.erasure import scrub  # slow import

    actor: Actor = session.keeper(as_login)
    if sys.stdin.isatty() and not yes:
        click.confirm(f"Erase all that {safe_line(address)} wrote and was written?", abort=True, err=True)
    events = carry_out(session, actor, ErasePerson(address))
    note("taking what was erased out of the file as well; this takes a while for a large store")
    scrub(session.open().store)
    told(session, events, f"{address} erased", address=address)
    note("backups that were made before still hold the texts")
    outgoing = session.open().settings.smarthost.maildir
    if outgoing is not None:
        note(f"letters that were put into {session.home / outgoing} stay there; remove them by hand")


@people.command()
@click.argument("address")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FOLDER",
    help="A new folder for the mails and the history.",
)
@as_option
@pass_session
def export(session: Session, address: str, output: Path, as_login: str | None) -> None:
    """Write out what the desk holds about a requester and may show him: his data, conversation and mails."""
    from desk.personexport import export_person  # slow import

    session.authorise(as_login, "export")
    paths = export_person(session.open().store, address, output)
    if session.is_json:
        print_json({"folder": str(output), "files": [path.name for path in paths]})
    else:
        click.echo(safe_line(f"{output}: {', '.join(path.name for path in paths)}"))
