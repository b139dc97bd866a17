"""The value forms of time in the home's files: durations, zones, hours, weekdays and days.

Each reader takes what stands in the file and raises ValueError with the remedy, or without a text
when the form's own remedy says enough.
"""

from __future__ import annotations

import difflib
import re
from datetime import date, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from desk.tomlfile import Form

_DURATION = re.compile(r"(?:[0-9]{1,6}[wdhms])+")
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
_LONGEST = timedelta(days=3650)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_DATES = re.compile(r"[0-9]{4}-[0-9][0-9]-[0-9][0-9](?:\.\.[0-9]{4}-[0-9][0-9]-[0-9][0-9])?")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Opening(msgspec.Struct, frozen=True):
    """Open hours `[start, end)` in minutes after the day's midnight; an end past 1440 is on the next day."""

    start: int
    end: int


class DateRange(msgspec.Struct, frozen=True):
    """Days from `first` to `last`, both included."""

    first: date
    last: date


def read_duration(value: object) -> timedelta:
    """`90s`, `10m`, `1h30m`, `3d` or `2w`; a day is 24 hours."""
    text = _text(value).strip()
    if not _DURATION.fullmatch(text):
        raise ValueError
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"([0-9]+)([wdhms])", text))
    if not timedelta(0) < timedelta(seconds=seconds) <= _LONGEST:
        raise ValueError("write a duration above 0 and up to 3650d")
    return timedelta(seconds=seconds)


def show_duration(duration: timedelta) -> str:
    """A duration in the largest unit that divides it."""
    seconds = int(duration.total_seconds())
    unit = next(u for u in "dhms" if seconds % _SECONDS[u] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def read_working_time(value: object) -> timedelta:
    """Time by a calendar: minutes and hours; days would leave open how many hours they have."""
    text = _text(value).strip()
    if re.search(r"[0-9][dw]", text):
        raise ValueError('write working time in hours or minutes, like "24h"')
    return read_duration(text)


def read_budget(value: object) -> timedelta | None:
    """`off`, or the time that something may take."""
    return None if value == "off" else read_duration(value)


def show_budget(budget: timedelta | None) -> str:
    """The reverse of read_budget."""
    return "off" if budget is None else show_duration(budget)


def read_zone(value: object) -> str:
    """The name of a time zone that this machine knows."""
    text = _text(value).strip()
    try:
        ZoneInfo(text)
    except (ValueError, KeyError, OSError):
        raise ValueError(_zone_remedy(text)) from None
    return text


def read_opening(value: object) -> Opening:
    """`09:00-18:00`; with an end before the start, like 22:00-06:00, the end is on the next day."""
    first, dash, last = _text(value).partition("-")
    start, end = read_clock(first.strip()), read_clock(last.strip())
    if not dash or start == end or start == 1440:
        raise ValueError
    return Opening(start, end if end > start else end + 1440)


def read_clock(value: object) -> int:
    """`00:00` to `24:00` as minutes after midnight."""
    text = _text(value)
    if not _CLOCK.fullmatch(text):
        raise ValueError
    return int(text[:2]) * 60 + int(text[3:])


def show_clock(minutes: int) -> str:
    """The reverse of read_clock."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def read_days(value: object) -> tuple[int, ...]:
    """`mon-fri,sun` as weekdays, Monday is 0; a span may go over the week's end, like fri-mon."""
    days: set[int] = set()
    for span in _text(value).replace(" ", "").lower().split(","):
        first, dash, last = span.partition("-")
        if first not in _WEEKDAYS or (dash and last not in _WEEKDAYS):
            raise ValueError
        start = _WEEKDAYS.index(first)
        length = (_WEEKDAYS.index(last) - start) % 7 if dash else 0
        days.update((start + step) % 7 for step in range(length + 1))
    return tuple(sorted(days))


def read_date_range(value: object) -> DateRange:
    """`2026-12-25`, with or without quotes, or `2027-02-06..2027-02-12`."""
    if type(value) is date:
        return DateRange(value, value)
    text = _text(value).replace(" ", "")
    if not _DATES.fullmatch(text):
        raise ValueError
    try:
        days = DateRange(date.fromisoformat(text[:10]), date.fromisoformat(text[-10:]))
    except ValueError:
        raise ValueError("there is no such day; correct it") from None
    if days.last < days.first:
        raise ValueError("write the earlier day first")
    return days


def _zone_remedy(text: str) -> str:
    known = available_timezones()
    if not known:
        return "this machine has no time zone data; install the package tzdata"
    by_lower = {zone.lower(): zone for zone in known}
    near = difflib.get_close_matches(text.lower(), list(by_lower), n=1, cutoff=0.6)
    return f'did you mean "{by_lower[near[0]]}"?' if near else ""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


DURATION = Form(
    "duration", 'write a duration with its unit, like "2s", "10m" or "3d"', read_duration, show_duration
)
WORKING_TIME = Form(
    "working time", 'write working time in hours or minutes, like "4h"', read_working_time, show_duration
)
BUDGET = Form("`off` or duration", 'write "off", or a duration like "2s"', read_budget, show_budget)
ZONE = Form("time zone", 'write a zone by its name, like "Asia/Taipei"', read_zone)
OPENING = Form("hours", 'write hours like "09:00-18:00"', read_opening)
CLOCK = Form("time of day", 'write a time of day from "00:00" to "24:00"', read_clock, show_clock)
DAYS = Form("weekdays", 'write weekdays like "mon-fri" or "sat,sun"', read_days)
DATE_RANGE = Form(
    "date or dates", 'write a day like "2026-12-25", or days like "2027-02-06..2027-02-12"', read_date_range
)

Duration = Annotated[timedelta, DURATION]
WorkingTime = Annotated[timedelta, WORKING_TIME]
Zone = Annotated[str, ZONE]
Hours = Annotated[Opening, OPENING]
ClockTime = Annotated[int, CLOCK]
Weekdays = Annotated[tuple[int, ...], DAYS]
Days = Annotated[DateRange, DATE_RANGE]
