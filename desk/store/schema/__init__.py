"""The tables of the desk, one module per subject. `TABLES` is all of them in order of creation."""

from __future__ import annotations

from desk.store.schema.history import Event, EventText, Seal
from desk.store.schema.letters import Attachment, Blob, Inbox, MessageIdentity, Outbox, SearchWaiting
from desk.store.schema.machinery import Counter, Keyring, Lease, Snapshot
from desk.store.schema.people import Address, Contact, RoleGrant, Technician, TechnicianKey
from desk.store.schema.tickets import Link, Message, Participant, Ticket, TicketTag

TABLES = (
    Counter,
    Keyring,
    Lease,
    Snapshot,
    Contact,
    Address,
    Technician,
    TechnicianKey,
    RoleGrant,
    Ticket,
    TicketTag,
    Link,
    Participant,
    Message,
    MessageIdentity,
    Blob,
    Attachment,
    Inbox,
    Outbox,
    SearchWaiting,
    Event,
    EventText,
    Seal,
)

__all__ = [
    "TABLES",
    "Address",
    "Attachment",
    "Blob",
    "Contact",
    "Counter",
    "Event",
    "EventText",
    "Inbox",
    "Keyring",
    "Lease",
    "Link",
    "Message",
    "MessageIdentity",
    "Outbox",
    "Participant",
    "RoleGrant",
    "Seal",
    "SearchWaiting",
    "Snapshot",
    "Technician",
    "TechnicianKey",
    "Ticket",
    "TicketTag",
]
