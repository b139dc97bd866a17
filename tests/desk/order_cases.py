"""An order of every command with those who may give it, and the desk that they are given to."""

from __future__ import annotations

from typing import Any

from orders_parts import ROOT, Shop

from desk.actors import SYSTEM
from desk.commands import (
    AddKey,
    AddNote,
    AddTechnician,
    Assign,
    ChangeContact,
    ChangePreference,
    ChangeRole,
    ErasePerson,
    Merge,
    MergeContacts,
    OpenTicket,
    RejectHeld,
    ReleaseHeld,
    RemoveKey,
    Reopen,
    Reply,
    Resolve,
    RetryParked,
    SetFields,
    Take,
)
from desk.filing import ParkMail

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILVwFl/DvQdh5I8DC9//TpPSppuoRzb9r8fStHtHE9o0 a@example.org"
PRINT = "SHA256:ONeEX+nTXqLmR5MuKtuvTI3trlARz3sldXmRz1rgeg8"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKQcvDU5mmKY6qdYGGzXkDIxrDPJSi5JwXJqjXVsfOBX two"
BOTH = {"tess", "lea"}
# Command, who may give it. Ticket 1 is tom's and resolved, 2 is new and free, 3 is tom's and open.
ORDERS: list[tuple[Any, set[str]]] = [
    (OpenTicket("c@client.example", "Phone", "text"), BOTH),
    (Reply(2, "text"), BOTH),
    (AddNote(2, "text"), BOTH),
    (Take(2), BOTH),
    (Assign(2, "tess"), {"lea"}),
    (Assign(3, None), {"lea"}),
    (SetFields(2, (("priority", "high"),)), BOTH),
    (Resolve(2), BOTH),
    (Reopen(1), BOTH),
    (Merge(2, 3), BOTH),
    (ReleaseHeld(1), {"lea", "ada"}),
    (RejectHeld(1), {"lea", "ada"}),
    (RetryParked(2), {"lea", "ada"}),
    (AddTechnician("new", "new@desk.example", ("technician",)), {"ada"}),
    (ChangeRole("otto", "technician"), {"ada"}),
    (ChangePreference("tom", "undo_seconds", "0"), {"ada"}),
    (ChangePreference("otto", "undo_seconds", "0"), {"otto", "ada"}),
    (ChangePreference("otto", "active", "no"), {"ada"}),
    (AddKey("otto", KEY), {"ada"}),
    (RemoveKey("tom", PRINT), {"ada"}),
    (ChangeContact("a@client.example", (("vip", "yes"),)), BOTH),
    (MergeContacts("a@client.example", "b@client.example"), {"ada"}),
    (ErasePerson("a@client.example"), {"ada"}),
]


def fill(shop: Shop) -> None:
    """Two requesters with three tickets, a held mail and a parked one, and a key of tom."""
    for requester in ("a@client.example", "b@client.example", "a@client.example"):
        shop.open(requester)
    shop.order(Take(1), "tom")
    shop.order(Take(3), "tom")
    shop.order(Resolve(1), "tom")
    shop.mail("s@client.example", "held", ticket=2, way="hold", audience="internal", author="stranger")
    shop.order(ParkMail(shop.put_aside(), "unreadable"), SYSTEM)
    shop.order(AddKey("tom", KEY), ROOT)
