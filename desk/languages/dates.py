"""Instants as people read them, in their zone and language."""

from __future__ import annotations

from datetime import datetime, tzinfo

from babel.dates import format_datetime

_CHINESE = "y年M月d日 EEEE HH:mm"
_PATTERNS = {  # locale and pattern (Unicode TR 35)
    "en": ("en", "EEEE, d MMMM y, HH:mm"),
    "zh-Hant": ("zh_Hant", _CHINESE),
    "zh-Hans": ("zh_Hans", _CHINESE),
}


def when(instant: datetime, zone: tzinfo, language: str) -> str:
    """Weekday, date and minute, such as `Monday, 9 November 2026, 09:30`.

    Args:
        instant: aware.
        language: one of ours; any other is written in English.
    """
    locale, pattern = _PATTERNS.get(language, _PATTERNS["en"])
    return format_datetime(instant, pattern, tzinfo=zone, locale=locale)
