"""People in the store: technicians and what they may do, requesters and their addresses."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from desk.actors import Actor
from desk.errors import Invalid, NotFound
from desk.letters.headers import can_carry, clean
from desk.permissions import Grant, Role
from desk.store.schema import Address, Contact, RoleGrant, Technician
from desk.store.writer import Transaction

DEFAULT_UNDO_S = 20
_FIND = (
    "SELECT c.id, c.name, c.language, c.organisation, a.address, c.merged_into"
    " FROM address a JOIN contact c ON c.id = a.contact WHERE a.address = ?"
)


@dataclass(frozen=True, slots=True)
class Person:
    """A requester as the desk knows him. `name` was entered by a technician; "" when nobody has."""

    contact: int
    address: str
    name: str
    language: str | None
    organisation: str
    is_new: bool = False


def technician(login: str, *, even_inactive: bool = False) -> Technician:
    """The technician with this login.

    Raises:
        NotFound: nobody has it, or not any more; with the nearest login there is.
    """
    found = Technician.get_or_none(Technician.login == login)
    if found is not None and (found.active or even_inactive):
        return found
    if found is not None:
        raise NotFound(f"technician {login!r} is not active any more")
    logins = [row.login for row in Technician.select(Technician.login).where(Technician.active)]
    near = difflib.get_close_matches(login, logins, n=1)
    hint = f'did you mean "{near[0]}"?' if near else "add one by `desk people add`"
    raise NotFound(f"there is no technician {login!r}; {hint}")


def grants_of(actor: Actor) -> list[Grant]:
    """What a technician's roles are; other actors have none.

    Raises:
        NotFound: there is no such technician.
    """
    if actor.kind != "technician":
        return []
    person = technician(actor.who)
    rows = RoleGrant.select(RoleGrant.role, RoleGrant.queue).where(RoleGrant.technician == person.id)
    return [Grant(Role(row.role), row.queue) for row in rows]


def undo_seconds(person: Technician) -> int:
    """How long this technician's replies wait before they leave, 0 to 60."""
    return int(person.preferences.get("undo_seconds", DEFAULT_UNDO_S))


def requester(tx: Transaction, address: str, *, said_name: str = "") -> Person:
    """The person behind an address; a new address is a new person."""
    address = clean_address(address)
    found = tx.rows(_FIND, address)
    if found:
        contact, name, language, organisation, _, merged_into = found[0]
        return Person(merged_into or contact, address, name, language, organisation)
    # Two nodes may meet here: the address row decides, and the loser takes the winner's contact.
    contact = tx.insert(
        "INSERT INTO contact (name, said_name, organisation, vip, created) VALUES ('', ?, '', FALSE, ?)",
        said_name[:200],
        tx.now_us,
    )
    tx.run(
        "INSERT INTO address (address, contact) VALUES (?, ?) ON CONFLICT (address) DO NOTHING",
        address,
        contact,
    )
    winner = tx.rows("SELECT contact FROM address WHERE address = ?", address)[0][0]
    return Person(winner, address, "", None, "", is_new=winner == contact)


def clean_address(address: str) -> str:
    """An address as the store keeps it: lower case, without blanks around it.

    Raises:
        Invalid: it has no local part or no domain.
    """
    folded = address.strip().lower()
    local, at, domain = folded.rpartition("@")
    if not (local and at and domain) or any(c.isspace() or ord(c) < 32 for c in folded) or len(folded) > 254:
        raise Invalid(f"{address!r} is not a mail address; it should look like somebody@example.org")
    return folded


def mailable_address(address: str) -> str:
    """An address that somebody at the desk typed, as the store keeps it.

    Raises:
        Invalid: it is none, or no letter could be addressed to it.
    """
    folded = clean_address(address)
    if not can_carry(folded):
        raise Invalid(f"{address!r} is not a mail address that letters can be sent to")
    return folded


def clean_name(name: str) -> str:
    """A name as it may stand in letters and on screens: one line of at most 200 characters."""
    return clean(name)[:200]


def known_person(address: str) -> tuple[Address, Contact]:
    """An address and its contact.

    Raises:
        NotFound: the desk has never seen the address.
    """
    row = Address.get_or_none(Address.address == clean_address(address))
    if row is None:
        raise NotFound(f"nobody with the address {address} has written to this desk")
    return row, Contact.get_by_id(row.contact)
