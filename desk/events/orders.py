"""Events: what was ordered, by people, rules and runbooks."""

from __future__ import annotations

from typing import ClassVar

from desk.events.shape import Happening


class RunbookStarted(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "runbook.started"
    runbook: str
    args: dict[str, str]


class RunbookFinished(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "runbook.finished"
    runbook: str
    args: dict[str, str]
    outcome: str
    code: int | None
    ms: int


class RuleFired(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "rule.fired"
    rule: str
    file: str
    line: int
    writes: list[dict[str, object]]


class RuleWould(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "rule.would"
    rule: str
    file: str
    line: int
    writes: list[dict[str, object]]


class RuleLoop(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "rule.loop"
    rule: str
    file: str
    line: int
    writes: list[dict[str, object]]


class OrderGiven(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "order.given"
    personal: ClassVar[tuple[str, ...]] = ("args",)
    door: str
    verb: str
    args: dict[str, object]
    undo_of: int | None = None


class UndoDone(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "undo.done"
    of: list[int]
