"""Events: who worked with whom, and how long."""

from __future__ import annotations

from typing import ClassVar

from desk.events.shape import Happening


class SwarmOpened(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "swarm.opened"
    type: str
    technician: str


class SwarmJoined(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "swarm.joined"
    type: str
    technician: str


class SwarmLeft(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "swarm.left"
    type: str
    technician: str
    minutes: int


class SwarmClosed(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "swarm.closed"
    type: str
    technician: str
    minutes: int
    captured: str | None = None


class HelpAsked(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "help.asked"
    skill: str
    technician: str


class HelpOffered(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "help.offered"
    skill: str
    technician: str


class WorklogAdded(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "worklog.added"
    minutes: int
    technician: str
    activity: str
