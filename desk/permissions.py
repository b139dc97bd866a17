"""Who may do what: roles are sets of grants, not an order. Deny by default; one function asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from desk.errors import Invalid

Action = Literal[
    "read",
    "open",
    "reply",
    "note",
    "take",
    "assign",
    "set",
    "resolve",
    "reopen",
    "merge",
    "undo",
    "approve-held",
    "take-mail",
    "people",
    "rules",
    "history",
    "export",
    "store",
]

# What messages of refusal say behind "may not".
PHRASES: dict[Action, str] = {
    "read": "read tickets",
    "open": "open tickets",
    "reply": "answer requesters",
    "note": "write notes",
    "take": "take tickets",
    "assign": "assign tickets",
    "set": "change tickets",
    "resolve": "resolve tickets",
    "reopen": "reopen tickets",
    "merge": "merge tickets",
    "undo": "take orders back",
    "approve-held": "decide about held mail",
    "take-mail": "take mail in",
    "people": "manage people",
    "rules": "change rules",
    "history": "check the history",
    "export": "export",
    "store": "change the store",
}

_WORK: frozenset[Action] = frozenset(
    {"read", "open", "reply", "note", "take", "set", "resolve", "reopen", "merge", "undo"}
)


class Role(StrEnum):
    """What a person may be at the desk; several at once, each in all queues or in one."""

    TECHNICIAN = "technician"
    LEAD = "lead"
    ADMIN = "admin"
    OBSERVER = "observer"
    AUDITOR = "auditor"
    REQUESTER = "requester"


GRANTS: dict[Role, frozenset[Action]] = {
    Role.TECHNICIAN: _WORK,
    Role.LEAD: _WORK | {"assign", "approve-held"},
    Role.ADMIN: frozenset(
        {"read", "approve-held", "take-mail", "people", "rules", "history", "export", "store"}
    ),
    Role.OBSERVER: frozenset({"read"}),
    Role.AUDITOR: frozenset({"read", "history", "export"}),
    Role.REQUESTER: frozenset(),  # requesters write mail; what a mail may do is a matter of trust
}

# Actions that belong to no ticket: a grant in one queue does not reach them.
_EVERYWHERE: frozenset[Action] = frozenset({"take-mail", "people", "rules", "history", "export", "store"})


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, in one queue or (queue "") in all."""

    role: Role
    queue: str = ""


def may(grants: Iterable[Grant], action: Action, queue: str | None) -> bool:
    """Whether somebody with these grants may do this to a thing of this queue (None: to no ticket)."""
    for grant in grants:
        if action not in GRANTS[grant.role]:
            continue
        if grant.queue == "" or (queue == grant.queue and action not in _EVERYWHERE):
            return True
    return False


def roles_with(action: Action) -> list[str]:
    """The roles that hold an action, for messages of refusal."""
    return [role.value for role, actions in GRANTS.items() if action in actions]


def refusal(who: str, action: Action, queue: str | None = None) -> str:
    """The line of a refusal: who may not do what, and which roles may."""
    where = f" in queue {queue}" if queue else ""
    return f"{who} may not {PHRASES[action]}{where}; that needs the role {' or '.join(roles_with(action))}"


def role_named(text: str) -> Role:
    """A role by its name; supervisor is the word of some for lead.

    Raises:
        Invalid: no such role.
    """
    folded = {"supervisor": "lead"}.get(text.strip().lower(), text.strip().lower())
    if folded in {r.value for r in Role if r is not Role.REQUESTER}:
        return Role(folded)
    names = ", ".join(r.value for r in Role if r is not Role.REQUESTER)
    raise Invalid(f"role {text!r} does not exist; it is one of {names}")
