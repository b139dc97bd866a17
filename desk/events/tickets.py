"""Events: what happened to a ticket as a whole."""

from __future__ import annotations

from typing import ClassVar

from desk.events.shape import Happening


class TicketCreated(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "ticket.created"
    personal: ClassVar[tuple[str, ...]] = (
        "subject",
        "requester",
    )
    number: int
    subject: str
    channel: str
    kind: str
    queue: str
    requester: str
    arrived: str
    language: str
    priority: int = 3
    impact: int | None = None
    urgency: int | None = None
    tier: int = 1
    split_from: int | None = None


class StateChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "state.changed"
    personal: ClassVar[tuple[str, ...]] = ("reason",)
    from_: str
    to: str
    reason: str | None = None
    by: str = "system"


class OwnerChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "owner.changed"
    from_: str | None
    to: str | None


class QueueChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "queue.changed"
    from_: str
    to: str


class CategoryChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "category.changed"
    from_: str
    to: str


class KindChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "kind.changed"
    from_: str
    to: str


class LanguageChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "language.changed"
    from_: str
    to: str


class PriorityChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "priority.changed"
    from_: int
    to: int
    impact: int | None = None
    urgency: int | None = None


class TierChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "tier.changed"
    from_: int
    to: int
    type: str = "functional"
    reason: str | None = None


class TagAdded(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "tag.added"
    tag: str


class TagRemoved(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "tag.removed"
    tag: str


class ParticipantAdded(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "participant.added"
    personal: ClassVar[tuple[str, ...]] = ("address",)
    address: str
    role: str


class ParticipantRemoved(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "participant.removed"
    personal: ClassVar[tuple[str, ...]] = ("address",)
    address: str
    role: str


class TicketMerged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "ticket.merged"
    into: int


class TicketUnmerged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "ticket.unmerged"
    from_: int


class TicketSplit(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "ticket.split"
    ticket: int
    rel: str


class TicketLinked(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "ticket.linked"
    ticket: int
    rel: str


class TicketUnlinked(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "ticket.unlinked"
    ticket: int
    rel: str
