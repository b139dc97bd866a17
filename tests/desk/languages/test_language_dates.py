"""Instants in zone and language."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from desk.languages.dates import when

INSTANT = datetime(2026, 11, 9, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "language", "text"),
    [
        ("Asia/Taipei", "zh-Hant", "2026年11月9日 星期一 09:30"),
        ("Asia/Shanghai", "zh-Hans", "2026年11月9日 星期一 09:30"),
        ("Europe/London", "en", "Monday, 9 November 2026, 01:30"),
        ("America/New_York", "en", "Sunday, 8 November 2026, 20:30"),
        ("Europe/London", "fr", "Monday, 9 November 2026, 01:30"),
    ],
)
def test_an_instant_reads_in_its_zone_and_language(zone, language, text):
    assert when(INSTANT, ZoneInfo(zone), language) == text
