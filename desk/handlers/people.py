"""Orders about people: technicians, roles, keys, and what is known about requesters."""

from __future__ import annotations

import re
from collections.abc import Callable

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
from desk.people import clean_address, known_person, technician
from desk.permissions import role_named
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
    address = clean_address(command.address)
    _check_free(run, command.login, address)
    if not 0 <= command.tier <= 4:
        raise Invalid(f"tier {command.tier} is not one of 0 to 4")
    person = Technician.create(
        login=command.login,
        name=command.name.strip()[:200],
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
    if address in run.desk.settings.desk.addresses:
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
        RoleGrant.delete().where(grant).execute()
        run.record(RoleRevoked(login=command.login, role=role.value))
        return
    if exists:
        raise IllegalMove(f"{command.login} already has the role {role.value}{_where(command.queue)}")
    RoleGrant.insert(technician=person.id, role=role.value, queue=command.queue).execute()
    run.record(RoleGranted(login=command.login, role=role.value))


def _where(queue: str) -> str:
    return f" in queue {queue}" if queue else ""


@handles(ChangePreference)
def change_preference(command: ChangePreference, run: Run) -> None:
    """A personal setting; everybody may change his own."""
    if run.by.who != command.login or run.by.kind != "technician":
        run.authorise("people", None)
    person = technician(command.login)
    setter = PREFERENCES.get(command.name)
    if setter is None:
        raise Invalid(f"setting {command.name!r} does not exist; there are {', '.join(PREFERENCES)}")
    setter(person, command.value)
    person.save()
    run.record(PersonChanged(person=person.id, by=run.by.who))


def _set_undo(person: Technician, value: str) -> None:
    if not value.isdecimal() or int(value) > 60:
        raise Invalid(f"undo_seconds {value!r} is not a whole number from 0 to 60")
    person.preferences = {**person.preferences, "undo_seconds": int(value)}


def _set_signature(person: Technician, value: str) -> None:
    person.preferences = {**person.preferences, "signature": value[:2000]}


def _set_language(person: Technician, value: str) -> None:
    person.language = _language(value)


def _set_name(person: Technician, value: str) -> None:
    person.name = value.strip()[:200]


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
    for name, value in command.fields:
        setter = CONTACT_FIELDS.get(name)
        if setter is None:
            raise Invalid(f"field {name!r} does not exist; there are {', '.join(CONTACT_FIELDS)}")
        setter(contact, value)
    contact.save()
    run.record(PersonChanged(person=contact.id, by=run.by.who))


def _contact_name(contact: Contact, value: str) -> None:
    contact.name = value.strip()[:200]


def _contact_language(contact: Contact, value: str) -> None:
    contact.language = _language(value or None)


def _contact_organisation(contact: Contact, value: str) -> None:
    contact.organisation = value.strip()[:200]


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
    """Two addresses are one person: tickets and tokens of both lead to the one that is kept."""
    run.authorise("people", None)
    _, keep = known_person(command.keep)
    _, other = known_person(command.other)
    if keep.id == other.id:
        raise IllegalMove(f"{command.keep} and {command.other} are one person already")
    Address.update(contact=keep.id).where(Address.contact == other.id).execute()
    Ticket.update(requester=keep.id).where(Ticket.requester == other.id).execute()
    both = Participant.select(Participant.ticket).where(Participant.contact == keep.id)
    Participant.delete().where(Participant.contact == other.id, Participant.ticket.in_(both)).execute()
    Participant.update(contact=keep.id).where(Participant.contact == other.id).execute()
    Contact.update(merged_into=keep.id).where(
        (Contact.id == other.id) | (Contact.merged_into == other.id)
    ).execute()
    run.record(PersonMerged(person=other.id, by=run.by.who))


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
