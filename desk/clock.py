"""The only reader of time, so that tests and rehearsals can set it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_offset_us = 0
_frozen_us: int | None = None


def now_us() -> int:
    """The present instant in microseconds since 1970 UTC, as the store keeps it."""
    if _frozen_us is not None:
        return _frozen_us
    return time.time_ns() // 1000 + _offset_us


def now() -> datetime:
    """The present instant as an aware UTC datetime."""
    return from_us(now_us())


def from_us(instant_us: int) -> datetime:
    """Microseconds since 1970 UTC as an aware datetime."""
    return _EPOCH + timedelta(microseconds=instant_us)


def to_us(instant: datetime) -> int:
    """An aware datetime as microseconds since 1970 UTC, exact (no float in between)."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def iso(instant_us: int) -> str:
    """`2026-11-06T21:00:00.000000Z`: the one form in which instants leave the desk."""
    return from_us(instant_us).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_iso(text: str) -> int:
    """Microseconds of an ISO 8601 instant with a zone.

    Raises:
        ValueError: the text is no instant, or has no zone.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it with Z or +08:00")
    return to_us(instant)


@contextmanager
def frozen(instant: datetime) -> Iterator[None]:
    """Let time stand still at `instant` (tests and rehearsals only; one at a time a process)."""
    global _frozen_us
    before, _frozen_us = _frozen_us, to_us(instant)
    try:
        yield
    finally:
        _frozen_us = before


def advance(by: timedelta) -> None:
    """Move a frozen clock on, or a running one ahead (tests and rehearsals only)."""
    global _frozen_us, _offset_us
    step = by // timedelta(microseconds=1)
    if _frozen_us is not None:
        _frozen_us += step
    else:
        _offset_us += step
