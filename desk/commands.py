"""What may be asked of the desk. Every change is one of these, whichever door it comes through.

A command is plain data. `SPECS` says for each its verb, its help, the permission it needs, whether it can be
undone and through which doors it may come; command line, console and documentation are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from desk.actors import Door
from desk.permissions import Action


@dataclass(frozen=True, slots=True)
class File:
    """A file to send along. `type` is a media type."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A ticket that a technician opens (phone, walk-in, command line). A copy goes to the requester."""

    requester: str
    subject: str
    text: str
    requester_name: str = ""
    channel: Literal["phone", "walkin", "cli"] = "phone"
    kind: str = "incident"
    queue: str | None = None
    category: str = ""
    priority: str | None = None
    language: str | None = None
    take: bool = False
    send_copy: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """A public answer. It leaves after the technician's undo window, or at once with `now`."""

    ticket: int
    text: str
    files: tuple[File, ...] = ()
    resolve: bool = False
    wait: bool = False
    now: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True)
class AddNote:
    """A note for technicians only."""

    ticket: int
    text: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Take:
    """Become the owner; a new ticket becomes open."""

    ticket: int
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Assign:
    """Give the ticket to a technician, or to nobody (None)."""

    ticket: int
    owner: str | None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class SetFields:
    """Change fields by name: status, priority, impact, urgency, kind, category, queue, tier, language, tag."""

    ticket: int
    fields: tuple[tuple[str, str], ...]
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Resolve:
    """Say that the ticket is solved."""

    ticket: int
    reason: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Reopen:
    """Take a resolved, closed or spam ticket up again."""

    ticket: int
    reason: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """Put the conversation of `ticket` into another one; later mail for it goes there."""

    ticket: int
    into: int
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back the actor's last order that can be taken back, on one ticket or (None) anywhere."""

    ticket: int | None = None


@dataclass(frozen=True, slots=True)
class ReleaseHeld:
    """Let a held letter into its ticket, or open a ticket with it."""

    inbox: int


@dataclass(frozen=True, slots=True)
class RejectHeld:
    """Put a held letter away for good; its bytes stay."""

    inbox: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RetryParked:
    """Send a parked mail through the reader again."""

    inbox: int


@dataclass(frozen=True, slots=True)
class AddTechnician:
    """Somebody new at the desk, with roles in all queues."""

    login: str
    address: str
    roles: tuple[str, ...]
    name: str = ""
    tier: int = 1
    team: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeRole:
    """Grant or revoke a role, in one queue or (queue "") in all."""

    login: str
    role: str
    queue: str = ""
    revoke: bool = False


@dataclass(frozen=True, slots=True)
class ChangePreference:
    """A personal setting: undo_seconds (0 to 60), signature, language, name."""

    login: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class AddKey:
    """Let an SSH public key open the console for a technician."""

    login: str
    public_key: str


@dataclass(frozen=True, slots=True)
class RemoveKey:
    """Refuse a key from now on."""

    login: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ChangeContact:
    """What technicians know about a requester: name, language, organisation, vip."""

    address: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MergeContacts:
    """Two addresses are one person; the first keeps everything."""

    keep: str
    other: str


@dataclass(frozen=True, slots=True)
class ErasePerson:
    """Erase a requester: texts, raw mail, files, search entries, letters. The history keeps its hashes."""

    address: str


@dataclass(frozen=True, slots=True)
class Spec:
    """What is true of all orders of one command."""

    verb: str
    help: str
    action: Action
    undoable: bool
    doors: frozenset[Door] = field(default_factory=frozenset)


_PEOPLE = frozenset({Door.CONSOLE, Door.CLI})
_WORK = frozenset({Door.CONSOLE, Door.CLI, Door.MAIL, Door.RULE, Door.TIMER})

SPECS: dict[type, Spec] = {
    OpenTicket: Spec("new", "open a ticket for somebody on the phone or at the door", "open", False, _PEOPLE),
    Reply: Spec("reply", "answer the requester", "reply", True, _WORK),
    AddNote: Spec("note", "add a note that only technicians see", "note", True, _WORK),
    Take: Spec("take", "become the owner", "take", True, _PEOPLE),
    Assign: Spec("assign", "give the ticket to a technician", "assign", True, _WORK),
    SetFields: Spec("set", "change fields of the ticket", "set", True, _WORK),
    Resolve: Spec("resolve", "say that it is solved", "resolve", True, _WORK),
    Reopen: Spec("reopen", "take a solved ticket up again", "reopen", True, _WORK),
    Merge: Spec("merge", "put one ticket into another", "merge", False, _PEOPLE),
    Undo: Spec("undo", "take back the last order", "undo", False, _PEOPLE),
    ReleaseHeld: Spec("release", "let a held letter in", "approve-held", False, _PEOPLE),
    RejectHeld: Spec("reject", "put a held letter away", "approve-held", False, _PEOPLE),
    RetryParked: Spec("retry", "read a parked mail again", "approve-held", False, _PEOPLE),
    AddTechnician: Spec("people add", "add a technician", "people", False, _PEOPLE),
    ChangeRole: Spec("people role", "grant or revoke a role", "people", False, _PEOPLE),
    ChangePreference: Spec("people set", "change a setting of a technician", "people", False, _PEOPLE),
    AddKey: Spec("people key add", "let an SSH key in", "people", False, _PEOPLE),
    RemoveKey: Spec("people key remove", "refuse an SSH key", "people", False, _PEOPLE),
    ChangeContact: Spec("people contact", "say what is known about a requester", "set", False, _PEOPLE),
    MergeContacts: Spec("people merge", "say that two addresses are one person", "people", False, _PEOPLE),
    ErasePerson: Spec("people erase", "erase a requester", "people", False, _PEOPLE),
}
