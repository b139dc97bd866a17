"""Instants: exact to the microsecond, in one form, and settable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from desk import clock

NOON = datetime(2026, 11, 6, 12, 0, 0, 123456, tzinfo=UTC)
NOON_US = 1_793_966_400_123_456


def test_an_instant_survives_both_ways() -> None:
    assert (clock.to_us(NOON), clock.from_us(NOON_US)) == (NOON_US, NOON)


@pytest.mark.parametrize("instant_us", [0, -1, 1, 253_402_300_799_999_999, 1_793_966_400_999_999])
def test_no_microsecond_is_lost(instant_us: int) -> None:
    assert clock.to_us(clock.from_us(instant_us)) == instant_us
    assert clock.parse_iso(clock.iso(instant_us)) == instant_us


def test_instants_leave_in_one_form() -> None:
    assert clock.iso(NOON_US) == "2026-11-06T12:00:00.123456Z"
    assert clock.iso(0) == "1970-01-01T00:00:00.000000Z"


def test_another_zone_is_the_same_instant() -> None:
    taipei = NOON.astimezone(timezone(timedelta(hours=8)))

    assert clock.to_us(taipei) == NOON_US
    assert clock.parse_iso("2026-11-06T20:00:00.123456+08:00") == NOON_US


@pytest.mark.parametrize("text", ["2026-11-06T12:00:00", "2026-11-06", "noon", ""])
def test_an_instant_without_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        clock.parse_iso(text)


def test_a_frozen_clock_stands_still_until_it_is_moved() -> None:
    with clock.frozen(NOON):
        first = clock.now()
        clock.advance(timedelta(minutes=5))
        second = clock.now_us()

    assert (first, second - NOON_US) == (NOON, 300_000_000)


def test_frozen_clocks_nest_and_end() -> None:
    with clock.frozen(NOON):
        with clock.frozen(NOON + timedelta(days=1)):
            inner = clock.now()
        outer = clock.now()

    assert (inner - outer, outer) == (timedelta(days=1), NOON)
    assert clock.now() != NOON


def test_a_running_clock_can_be_set_ahead() -> None:
    before = clock.now()

    clock.advance(timedelta(hours=2))
    ahead = clock.now()
    clock.advance(timedelta(hours=-2))

    assert timedelta(hours=2) <= ahead - before < timedelta(hours=2, minutes=1)
