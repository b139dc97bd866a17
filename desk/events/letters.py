"""Events: how letters out fared, and the ways in."""

from __future__ import annotations

from typing import ClassVar

from desk.events.shape import Happening


class LetterSent(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "letter.sent"
    personal: ClassVar[tuple[str, ...]] = ("text",)
    letter: int
    code: int | None
    text: str
    attempt: int


class LetterDeferred(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "letter.deferred"
    personal: ClassVar[tuple[str, ...]] = ("text",)
    letter: int
    code: int | None
    text: str
    attempt: int


class LetterFailed(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "letter.failed"
    personal: ClassVar[tuple[str, ...]] = ("text",)
    letter: int
    code: int | None
    text: str
    attempt: int


class LetterBounced(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "letter.bounced"
    personal: ClassVar[tuple[str, ...]] = ("text",)
    letter: int
    code: str | None
    text: str
    attempt: int


class IntakeAlarmed(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "intake.alarmed"
    intake: str
    since: str


class IntakeRecovered(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "intake.recovered"
    intake: str
    since: str
