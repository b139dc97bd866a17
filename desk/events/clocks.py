"""Events: promises running, and what requesters thought."""

from __future__ import annotations

from typing import ClassVar

from desk.events.shape import Happening


class ClockStarted(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "clock.started"
    clock: str
    policy: str
    version: str
    due: str | None
    used_ms: int


class ClockPaused(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "clock.paused"
    clock: str
    policy: str
    version: str
    due: str | None
    used_ms: int


class ClockResumed(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "clock.resumed"
    clock: str
    policy: str
    version: str
    due: str | None
    used_ms: int


class ClockMet(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "clock.met"
    clock: str
    policy: str
    version: str
    due: str | None
    used_ms: int


class ClockBreached(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "clock.breached"
    clock: str
    policy: str
    version: str
    due: str | None
    used_ms: int


class ClockCancelled(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "clock.cancelled"
    clock: str
    policy: str
    version: str
    due: str | None
    used_ms: int


class CsatSent(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "csat.sent"
    letter: int


class CsatReceived(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "csat.received"
    personal: ClassVar[tuple[str, ...]] = ("text",)
    score: int
    text: str
    counted: bool
    why: str | None = None
