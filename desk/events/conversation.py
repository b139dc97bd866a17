"""Events: what was said in a ticket."""

from __future__ import annotations

from typing import ClassVar

from desk.events.shape import Happening


class MessageIn(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "message.in"
    personal: ClassVar[tuple[str, ...]] = (
        "from_",
        "new_text",
        "message_id",
    )
    message: int
    sha256: str | None
    message_id: str | None
    from_: str
    auto: bool
    kind: str
    trust: int | None
    author: str
    gratitude: bool
    audience: str
    new_text: str


class MessageOut(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "message.out"
    personal: ClassVar[tuple[str, ...]] = ("to",)
    message: int
    letter: int | None
    to: str
    public: bool
    author: str
    kind: str
    audience: str


class MessageHeld(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "message.held"
    personal: ClassVar[tuple[str, ...]] = ("reason",)
    message: int | None
    reason: str


class MessageReleased(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "message.released"
    personal: ClassVar[tuple[str, ...]] = ("reason",)
    message: int | None
    reason: str | None = None


class MessageRejected(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "message.rejected"
    personal: ClassVar[tuple[str, ...]] = ("reason",)
    message: int | None
    reason: str | None = None


class MessageMoved(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "message.moved"
    message: int
    from_: int
    to: int


class NoteAdded(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "note.added"
    message: int
    author: str
