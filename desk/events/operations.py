"""Events: outages, changes, assets, costs, vendors and alerts."""

from __future__ import annotations

from typing import ClassVar

from desk.events.shape import Happening


class OutageOpened(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "outage.opened"
    outage: int
    service: str
    from_: str
    to: str | None
    impairment: float
    sites: list[str]
    users: int | None


class OutageChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "outage.changed"
    outage: int
    service: str
    from_: str
    to: str | None
    impairment: float
    sites: list[str]
    users: int | None


class OutageClosed(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "outage.closed"
    outage: int
    service: str
    from_: str
    to: str | None
    impairment: float
    sites: list[str]
    users: int | None


class MaintenancePlanned(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "maintenance.planned"
    service: str
    from_: str
    to: str


class ChangeSubmitted(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "change.submitted"
    personal: ClassVar[tuple[str, ...]] = ("approver",)
    change: int
    kind: str
    plan_sha256: str | None = None
    approver: str | None = None
    outcome: str | None = None


class ChangeApproved(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "change.approved"
    personal: ClassVar[tuple[str, ...]] = ("approver",)
    change: int
    kind: str
    plan_sha256: str | None = None
    approver: str | None = None
    outcome: str | None = None


class ChangeRejected(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "change.rejected"
    personal: ClassVar[tuple[str, ...]] = ("approver",)
    change: int
    kind: str
    plan_sha256: str | None = None
    approver: str | None = None
    outcome: str | None = None


class ChangeStarted(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "change.started"
    personal: ClassVar[tuple[str, ...]] = ("approver",)
    change: int
    kind: str
    plan_sha256: str | None = None
    approver: str | None = None
    outcome: str | None = None


class ChangeImplemented(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "change.implemented"
    personal: ClassVar[tuple[str, ...]] = ("approver",)
    change: int
    kind: str
    plan_sha256: str | None = None
    approver: str | None = None
    outcome: str | None = None


class ChangeBackedOut(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "change.backed-out"
    personal: ClassVar[tuple[str, ...]] = ("approver",)
    change: int
    kind: str
    plan_sha256: str | None = None
    approver: str | None = None
    outcome: str | None = None


class ChangeClosed(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "change.closed"
    personal: ClassVar[tuple[str, ...]] = ("approver",)
    change: int
    kind: str
    plan_sha256: str | None = None
    approver: str | None = None
    outcome: str | None = None


class ChangeVoided(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "change.voided"
    personal: ClassVar[tuple[str, ...]] = ("approver",)
    change: int
    kind: str
    plan_sha256: str | None = None
    approver: str | None = None
    outcome: str | None = None


class AssetChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "asset.changed"
    asset: str


class LicenceImported(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "licence.imported"
    personal: ClassVar[tuple[str, ...]] = ("subject",)
    sku: str
    seats: int
    subject: str | None = None
    at: str | None = None
    class_: str | None = None


class UsageSeen(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "usage.seen"
    personal: ClassVar[tuple[str, ...]] = ("subject",)
    sku: str
    seats: int | None = None
    subject: str | None = None
    at: str | None = None
    class_: str | None = None


class CostImported(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "cost.imported"
    month: str
    category: str
    amount: str
    currency: str
    row: str


class VendorOpened(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "vendor.opened"
    vendor: str
    their_number: str | None = None


class VendorReplied(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "vendor.replied"
    vendor: str
    their_number: str | None = None


class VendorClosed(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "vendor.closed"
    vendor: str
    their_number: str | None = None


class AlertRaised(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "alert.raised"
    key: str
    host: str
    service: str
    severity: str


class AlertCleared(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "alert.cleared"
    key: str
    host: str
    service: str
    severity: str
