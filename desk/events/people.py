"""Events: people, roles, keys, and versions of the home's files."""

from __future__ import annotations

from typing import ClassVar

from desk.events.shape import Happening


class PersonAdded(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "person.added"
    person: int
    by: str


class PersonMerged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "person.merged"
    person: int
    by: str


class PersonChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "person.changed"
    person: int
    by: str


class PersonErased(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "person.erased"
    person: int
    by: str


class RoleGranted(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "role.granted"
    login: str
    role: str


class RoleRevoked(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "role.revoked"
    login: str
    role: str


class KeyAdded(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "key.added"
    login: str
    fingerprint: str


class KeyRemoved(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "key.removed"
    login: str
    fingerprint: str


class CalendarVersion(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "calendar.version"
    name: str
    digest: str


class RulesVersion(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "rules.version"
    name: str
    digest: str


class PolicyVersion(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "policy.version"
    name: str
    digest: str
