"""Tables of people: requesters with their addresses, technicians with their keys and roles."""

from __future__ import annotations

from peewee import BigAutoField, BigIntegerField, BooleanField, SmallIntegerField, TextField

from desk.store.current import JsonField, Table


class Contact(Table):
    """A person outside the desk. `name` was entered by a technician; `said_name` is what mails claim."""

    id = BigAutoField()
    name = TextField(default="")
    said_name = TextField(default="")
    language = TextField(null=True)
    organisation = TextField(default="")
    vip = BooleanField(default=False)
    merged_into = BigIntegerField(null=True)
    created = BigIntegerField()


class Address(Table):
    """One address of a contact; `failing_since` is set by a permanent bounce."""

    address = TextField(primary_key=True)
    contact = BigIntegerField(index=True)
    failing_since = BigIntegerField(null=True)


class Technician(Table):
    """Somebody who works at the desk."""

    id = BigAutoField()
    login = TextField(unique=True)
    name = TextField(default="")
    address = TextField(unique=True)
    tier = SmallIntegerField(default=1)
    team = TextField(null=True)
    language = TextField(null=True)
    active = BooleanField(default=True)
    preferences = JsonField(default=dict)  # undo_seconds, signature
    created = BigIntegerField()


class TechnicianKey(Table):
    """An SSH key that opens the console for one technician."""

    fingerprint = TextField(primary_key=True)
    technician = BigIntegerField(index=True)
    public_key = TextField()
    added = BigIntegerField()


class RoleGrant(Table):
    """A role of a technician, in one queue or (queue "") in all."""

    id = BigAutoField()
    technician = BigIntegerField()
    role = TextField()
    queue = TextField(default="")

    class Meta:
        indexes = ((("technician", "role", "queue"), True),)
