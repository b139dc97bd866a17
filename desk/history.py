"""Write the history: one row per event, the texts of people beside it under a salted hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

import msgspec

from desk.actors import Actor
from desk.events import Happening
from desk.store.writer import Transaction

_INSERT = (
    "INSERT INTO event (at, ticket, actor_kind, who, rule, message, cause, event, data, text_hash)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_TEXT = "INSERT INTO event_text (event, salt, text) VALUES (?, ?, ?)"
PERSONAL_ACTORS = frozenset({"requester", "vendor"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the history."""

    id: int
    at_us: int
    ticket: int | None
    actor: Actor
    happening: Happening
    message: int | None = None
    cause: int | None = None

    @property
    def event(self) -> str:
        return self.happening.event


def record(
    tx: Transaction,
    happening: Happening,
    *,
    by: Actor,
    ticket: int | None = None,
    message: int | None = None,
    rule: str | None = None,
    cause: int | None = None,
    at_us: int | None = None,
) -> Recorded:
    """Append one event. `cause` is the id of the order.given event that asked for it."""
    lasting, erasable = happening.split()
    who = by.who
    if by.kind in PERSONAL_ACTORS:
        erasable["who"], who = by.who, ""
    at = tx.now_us if at_us is None else at_us
    text = msgspec.json.encode(erasable).decode() if erasable else None
    salt, text_hash = salted(text)
    event_id = tx.insert(
        _INSERT,
        at,
        ticket,
        by.kind,
        who,
        rule,
        message,
        cause,
        happening.event,
        msgspec.json.encode(lasting).decode(),
        text_hash,
    )
    if text is not None:
        tx.run(_INSERT_TEXT, event_id, salt, text)
    return Recorded(event_id, at, ticket, by, happening, message, cause)


def hash_of_text(salt: str, text: str) -> str:
    """What stands in the chain for the erasable text: a guess at the text cannot be checked without the salt."""
    return hashlib.sha256((salt + text).encode()).hexdigest()


def salted(text: str | None) -> tuple[str, str | None]:
    """A new salt for the erasable text of an event, and what stands for both in the chain."""
    if text is None:
        return "", None
    salt = secrets.token_hex(16)
    return salt, hash_of_text(salt, text)
