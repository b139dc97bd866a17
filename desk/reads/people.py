"""People for lists: technicians with roles and keys, requesters with what is known about them."""

from __future__ import annotations

from typing import Any

from desk.clock import iso
from desk.store.schema import Address, Contact, RoleGrant, Technician, TechnicianKey


def technicians() -> list[dict[str, Any]]:
    """All technicians by login, those who are not active any more too. Call it inside `reading()`."""
    roles: dict[int, list[dict[str, str]]] = {}
    for grant in RoleGrant.select().order_by(RoleGrant.role, RoleGrant.queue):
        roles.setdefault(grant.technician, []).append({"role": grant.role, "queue": grant.queue})
    keys: dict[int, list[str]] = {}
    for key in TechnicianKey.select().order_by(TechnicianKey.added, TechnicianKey.fingerprint):
        keys.setdefault(key.technician, []).append(key.fingerprint)
    return [
        {
            "login": person.login,
            "name": person.name,
            "address": person.address,
            "tier": person.tier,
            "team": person.team,
            "language": person.language,
            "active": bool(person.active),
            "roles": roles.get(person.id, []),
            "keys": keys.get(person.id, []),
            "preferences": person.preferences,
        }
        for person in Technician.select().order_by(Technician.login)
    ]


def requesters() -> list[dict[str, Any]]:
    """All requesters with their addresses, in the order in which they came. Call it inside `reading()`."""
    addresses: dict[int, list[str]] = {}
    failing: set[int] = set()
    for row in Address.select().order_by(Address.address):
        addresses.setdefault(row.contact, []).append(row.address)
        if row.failing_since is not None:
            failing.add(row.contact)
    return [
        {
            "id": contact.id,
            "name": contact.name or contact.said_name,
            "addresses": addresses[contact.id],
            "language": contact.language,
            "organisation": contact.organisation,
            "vip": bool(contact.vip),
            "failing": contact.id in failing,
            "since": iso(contact.created),
        }
        for contact in Contact.select().order_by(Contact.id)
        if contact.id in addresses
    ]


def keys_of(login: str) -> list[str]:
    """The public keys of an active technician, as stored; none for anybody else. Inside `reading()`."""
    query = (
        TechnicianKey.select(TechnicianKey.public_key)
        .join(Technician, on=(Technician.id == TechnicianKey.technician))
        .where(Technician.login == login, Technician.active)
        .order_by(TechnicianKey.added, TechnicianKey.fingerprint)
    )
    return [row.public_key for row in query]
