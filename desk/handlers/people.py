"""Orders about people: technicians, roles, keys, and what is known about requesters."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection

from desk import erasure
from desk.commands import (
    AddKey,
    AddTechnician,
    ChangeContact,
    ChangePreference,
    ChangeRole,
    ErasePerson,
    MergeContacts,
    RemoveKey,
)
from desk.errors import Conflict, IllegalMove, Invalid, NotFound
from desk.events import (
    KeyAdded,
    KeyRemoved,
    PersonAdded,
    PersonChanged,
    PersonErased,
    PersonMerged,
    RoleGranted,
    RoleRevoked,
)
from desk.languages.choose import LANGUAGES
from desk.people import clean_name, known_person, mailable_address, technician
from desk.permissions import Role, role_named
from desk.service import Run, handles
from desk.sshkeys import parse_public_key
from desk.store.schema import Address, Contact, Participant, RoleGrant, Technician, TechnicianKey, Ticket

_LOGIN = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")


@handles(AddTechnician)
def add_technician(command: AddTechnician, run: Run) -> None:
    """Add somebody to the desk."""
    run.authorise("people", None)
    if not _LOGIN.fullmatch(command.login):
        raise Invalid(
            f"login {command.login!r} is not accepted; lower-case letters, digits, . _ - and up to 32 characters"
        )
    if not command.roles:
        raise Invalid("a technician needs a role; give one by --role")
    roles = [role_named(role) for role in command.roles]
    address = mailable_address(command.address)
    _check_free(run, command.login, address)
    if not 0 <= command.tier <= 4:
        raise Invalid(f"tier {command.tier} is not one of 0 to 4")
    person = Technician.create(
        login=command.login,
        name=clean_name(command.name),
        address=address,
        tier=command.tier,
        team=command.team,
        language=_language(command.language),
        created=run.tx.now_us,
    )
    run.record(PersonAdded(person=person.id, by=run.by.who))
    for role in dict.fromkeys(roles):
        RoleGrant.insert(technician=person.id, role=role.value, queue="").execute()
        run.record(RoleGranted(login=command.login, role=role.value))


def _check_free(run: Run, login: str, address: str) -> None:
    if Technician.get_or_none(Technician.login == login):
        raise Conflict(f"there is a technician {login!r} already; `desk people role` changes roles")
    if other := Technician.get_or_none(Technician.address == address):
        raise Conflict(f"the address {address} belongs to the technician {other.login!r}")
    if address in {own.lower() for own in run.desk.settings.desk.addresses}:
        raise Invalid(f"{address} is an address of the desk itself; a technician needs one of his own")


@handles(ChangeRole)
def change_role(command: ChangeRole, run: Run) -> None:
    """Grant or revoke a role. The last admin keeps his."""
    run.authorise("people", None)
    person, role = technician(command.login), role_named(command.role)
    if command.queue:
        run.desk.postroom.check_queue(command.queue)
    grant = (
        (RoleGrant.technician == person.id)
        & (RoleGrant.role == role.value)
        & (RoleGrant.queue == command.queue)
    )
    exists = RoleGrant.get_or_none(grant) is not None
    if command.revoke:
        if not exists:
            raise NotFound(f"{command.login} does not have the role {role.value}{_where(command.queue)}")
        if role is Role.ADMIN and not command.queue:
            _keep_an_admin(run, person)
        RoleGrant.delete().where(grant).execute()
        run.record(RoleRevoked(login=command.login, role=role.value))
        return
    if exists:
        raise IllegalMove(f"{command.login} already has the role {role.value}{_where(command.queue)}")
    RoleGrant.insert(technician=person.id, role=role.value, queue=command.queue).execute()
    run.record(RoleGranted(login=command.login, role=role.value))


def _keep_an_admin(run: Run, person: Technician) -> None:
    """Refuse what would leave nobody who can give roles.

    Raises:
        IllegalMove: nobody else who is active is admin of the whole desk.
    """
    admins = "FROM role_grant WHERE role = 'admin' AND queue = ''"
    # two admins who revoke each other at the same moment: on PostgreSQL the second one waits here
    run.tx.run("UPDATE role_grant SET queue = queue WHERE role = 'admin' AND queue = ''")
    rows = run.tx.rows(f"SELECT id FROM technician WHERE active AND id IN (SELECT technician {admins})")
    if {row[0] for row in rows} == {person.id}:
        raise IllegalMove(f"{person.login} is the last admin; make somebody else admin first")


def _where(queue: str) -> str:
    return f" in queue {queue}" if queue else ""


@handles(ChangePreference)
def change_preference(command: ChangePreference, run: Run) -> None:
    """A personal setting. Everybody may change his own, but `active` takes the right to manage people."""
    is_own = run.by.kind == "technician" and run.by.who == command.login
    if not is_own or command.name == "active":
        run.authorise("people", None)
    person = technician(command.login, even_inactive=command.name == "active")
    setter = PREFERENCES.get(command.name)
    if setter is None:
        raise Invalid(f"setting {command.name!r} does not exist; {_hint(command.name, PREFERENCES)}")
    was_active = person.active
    setter(person, command.value)
    if was_active and not person.active:
        _keep_an_admin(run, person)
    person.save()
    run.record(PersonChanged(person=person.id, by=run.by.who))


def _hint(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"


def _set_undo(person: Technician, value: str) -> None:
    if not value.isdecimal() or int(value) > 60:
        raise Invalid(f"undo_seconds {value!r} is not a whole number from 0 to 60")
    person.preferences = {**person.preferences, "undo_seconds": int(value)}


def _set_signature(person: Technician, value: str) -> None:
    kept = "".join(c for c in value.replace("\r\n", "\n") if c in "\n\t" or c.isprintable())
    person.preferences = {**person.preferences, "signature": kept[:2000]}


def _set_language(person: Technician, value: str) -> None:
    person.language = _language(value)


def _set_name(person: Technician, value: str) -> None:
    person.name = clean_name(value)


def _set_active(person: Technician, value: str) -> None:
    if value not in ("yes", "no"):
        raise Invalid(f"active {value!r} is neither yes nor no")
    person.active = value == "yes"


PREFERENCES: dict[str, Callable[[Technician, str], None]] = {
    "undo_seconds": _set_undo,
    "signature": _set_signature,
    "language": _set_language,
    "name": _set_name,
    "active": _set_active,
}


@handles(AddKey)
def add_key(command: AddKey, run: Run) -> None:
    """Let a key in. A key belongs to one technician."""
    run.authorise("people", None)
    person = technician(command.login)
    key = parse_public_key(command.public_key)
    if other := TechnicianKey.get_or_none(TechnicianKey.fingerprint == key.fingerprint):
        owner = Technician.get_by_id(other.technician)
        raise Conflict(f"the key {key.fingerprint} belongs to {owner.login} already")
    TechnicianKey.insert(
        fingerprint=key.fingerprint, technician=person.id, public_key=key.line, added=run.tx.now_us
    ).execute()
    run.record(KeyAdded(login=command.login, fingerprint=key.fingerprint))


@handles(RemoveKey)
def remove_key(command: RemoveKey, run: Run) -> None:
    """Refuse a key from now on."""
    run.authorise("people", None)
    person = technician(command.login)
    removed = (
        TechnicianKey.delete()
        .where(TechnicianKey.technician == person.id, TechnicianKey.fingerprint == command.fingerprint)
        .execute()
    )
    if not removed:
        raise NotFound(f"{command.login} has no key {command.fingerprint}; `desk people list` shows them")
    run.record(KeyRemoved(login=command.login, fingerprint=command.fingerprint))


@handles(ChangeContact)
def change_contact(command: ChangeContact, run: Run) -> None:
    """What technicians know about a requester."""
    run.authorise("set", run.desk.settings.desk.queue)
    _, contact = known_person(command.address)
    if not command.fields:
        raise Invalid("no field was named; write for instance vip=yes")
    for name, value in command.fields:
        setter = CONTACT_FIELDS.get(name)
        if setter is None:
            raise Invalid(f"field {name!r} does not exist; {_hint(name, CONTACT_FIELDS)}")
        setter(contact, value)
    contact.save()
    run.record(PersonChanged(person=contact.id, by=run.by.who))


def _contact_name(contact: Contact, value: str) -> None:
    contact.name = clean_name(value)


def _contact_language(contact: Contact, value: str) -> None:
    contact.language = _language(value or None)


def _contact_organisation(contact: Contact, value: str) -> None:
    contact.organisation = clean_name(value)


def _contact_vip(contact: Contact, value: str) -> None:
    if value not in ("yes", "no"):
        raise Invalid(f"vip {value!r} is neither yes nor no")
    contact.vip = value == "yes"


CONTACT_FIELDS: dict[str, Callable[[Contact, str], None]] = {
    "name": _contact_name,
    "language": _contact_language,
    "organisation": _contact_organisation,
    "vip": _contact_vip,
}


@handles(MergeContacts)
def merge_contacts(command: MergeContacts, run: Run) -> None:
    """Two addresses are one person: tickets and tokens of both lead to the one that is kept.

    What is known of the other person fills only what is not known of the one that is kept.
    """
    run.authorise("people", None)
    _, keep = known_person(command.keep)
    _, other = known_person(command.other)
    if keep.id == other.id:
        raise IllegalMove(f"{command.keep} and {command.other} are one person already")
    Address.update(contact=keep.id).where(Address.contact == other.id).execute()
    Ticket.update(requester=keep.id, version=Ticket.version + 1).where(Ticket.requester == other.id).execute()
    _merge_participants(keep.id, other.id)
    Contact.update(
        name=keep.name or other.name,
        said_name=keep.said_name or other.said_name,
        organisation=keep.organisation or other.organisation,
        language=keep.language or other.language,
        vip=keep.vip or other.vip,
    ).where(Contact.id == keep.id).execute()
    Contact.update(merged_into=keep.id).where(
        (Contact.id == other.id) | (Contact.merged_into == other.id)
    ).execute()
    run.record(PersonMerged(person=other.id, by=run.by.who))


def _merge_participants(keep: int, other: int) -> None:
    """One row a ticket: where both take part, the requester's row stays, else that of the one kept."""
    asked = Participant.select(Participant.ticket).where(
        Participant.contact == other, Participant.role == "requester"
    )
    Participant.delete().where(Participant.contact == keep, Participant.ticket.in_(asked)).execute()
    both = Participant.select(Participant.ticket).where(Participant.contact == keep)
    Participant.delete().where(Participant.contact == other, Participant.ticket.in_(both)).execute()
    Participant.update(contact=keep).where(Participant.contact == other).execute()


@handles(ErasePerson)
def erase_person(command: ErasePerson, run: Run) -> None:
    """Erase a requester; the history keeps its hashes."""
    run.authorise("people", None)
    _, contact = known_person(command.address)
    erasure.erase(run.tx, contact.id)
    run.record(PersonErased(person=contact.id, by=run.by.who))


def _language(value: str | None) -> str | None:
    if value is not None and value not in LANGUAGES:
        raise Invalid(f"language {value!r} is not one of {', '.join(LANGUAGES)}")
    return value
