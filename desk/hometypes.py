"""What the home's files say, as frozen data that can be stored and read back as JSON.

Working time is measured by a queue's calendar. The sentence beside each key is also its entry in
docs/settings.md.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, Literal

import msgspec

from desk.forms import COUNTRY, SHARE, Address, DeskAddress, Domain, Language, LanguageCode, Line, Name, whole
from desk.timeforms import ClockTime, Days, Hours, Weekdays, WorkingTime, Zone
from desk.tomlfile import Misfit, about

TierName = Literal["0", "1", "2", "3", "vendor"]
Titles = dict[LanguageCode, str]
_PRIORITIES = 5


class Swarm(msgspec.Struct, frozen=True, kw_only=True):
    """A way to gather technicians of several tiers on one ticket."""

    when: Annotated[
        Line | None,
        about("The condition that opens it, in the words of the rules.", '"priority == 1"'),
    ] = None
    takes: Annotated[
        Line | None, about("The condition of the tickets that it picks.", '"age < 60m and not owned"')
    ] = None
    rota: Annotated[
        Name | None, about("The rota whose people on call are gathered.", '"security-oncall"')
    ] = None
    members: Annotated[Line | None, about("Who is gathered besides.", '"skill:network"')] = None
    size: Annotated[int | None, whole(1, 100), about("How many people are gathered.", "3")] = None
    update: Annotated[
        WorkingTime | None, about("How often the requester is told how it stands.", '"15m"')
    ] = None
    every: Annotated[WorkingTime | None, about("How often it meets.", '"30m"')] = None
    solve_within: Annotated[WorkingTime | None, about("The time for one ticket of a meeting.", '"5m"')] = None


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A named list of tickets that a team works; the file's name is the queue's."""

    title: Annotated[Line, about("The queue's name for people.", '"Support"')]
    type: Annotated[
        Literal["help-desk", "service-desk", "technical-support"], about("What sort of desk it is.")
    ] = "help-desk"
    model: Annotated[Literal["tiered", "swarm", "hybrid"], about("How work goes to those who can do it.")] = (
        "tiered"
    )
    tiers: Annotated[tuple[TierName, ...], about("The tiers that it has, lowest first.")] = (
        "1",
        "2",
        "3",
        "vendor",
    )
    team: Annotated[Name | None, about("The team that works it, from teams.toml.", '"service-desk"')] = None
    calendar: Annotated[Name, about("The calendar by which its clocks run, from calendars/.")] = "default"
    policy: Annotated[Name, about("Its service levels, from policies.toml.")] = "standard"
    addresses: Annotated[
        tuple[DeskAddress, ...], about("The desk's addresses that feed it.", '["support@example.org"]')
    ] = ()
    language: Annotated[
        Language | None,
        about("The language for people whose own is not known; without it the desk's.", '"en"'),
    ] = None
    sender_name: Annotated[
        Line | None,
        about("From is `Technician (sender_name)`; without it the desk's name.", '"Example IT"'),
    ] = None
    signature: Annotated[str, about("Text below each letter to a requester.")] = ""
    acknowledge: Annotated[bool, about("Whether the requester is told that a ticket was opened.")] = True
    ola: Annotated[
        dict[str, WorkingTime],
        about("Working time that a tier may take before it must hand back or escalate.", '{ 2 = "4h" }'),
    ] = msgspec.field(default_factory=dict)
    require: Annotated[
        dict[str, tuple[Line, ...]],
        about("Fields that must be set before a ticket may go up to that tier.", '{ 2 = ["category"] }'),
    ] = msgspec.field(default_factory=dict)
    swarm: dict[str, Swarm] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.tiers or len(set(self.tiers)) < len(self.tiers):
            raise Misfit('needs tiers, each once; write tiers like ["1", "2", "vendor"]', "tiers")
        for key, table in (("ola", self.ola), ("require", self.require)):
            for tier in table.keys() - set(self.tiers):
                raise Misfit(f'names tier "{tier}" in [{key}]; its tiers are {", ".join(self.tiers)}', key)


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """Technicians who share queues."""

    title: Annotated[Line, about("The team's name for people.", '"Service desk"')]
    lead: Annotated[Line | None, about("The login of its lead, who is told of escalations.", '"lead"')] = None
    rota: Annotated[Name | None, about("Who of it is on call, from rota/.", '"security-oncall"')] = None


class Vendor(msgspec.Struct, frozen=True, kw_only=True):
    """An outside party with ticket numbers of its own."""

    title: Annotated[Line, about("The vendor's name for people.", '"PrintCo"')]
    address: Annotated[Address, about("Where hand-overs are sent.", '"support@vendor.example"')]
    domains: Annotated[tuple[Domain, ...], about("The domains it writes from.", '["vendor.example"]')] = ()
    calendar: Annotated[Name, about("The calendar by which it works, from calendars/.")] = "default"
    answer_within: Annotated[
        WorkingTime | None, about("Working time in which it has promised to answer.", '"8h"')
    ] = None


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Service levels. The five times are for the priorities 1 to 5."""

    first_response: Annotated[
        tuple[WorkingTime, ...],
        about("Working time to the first answer, per priority 1 to 5.", '["15m", "1h", "4h", "8h", "8h"]'),
    ]
    resolution: Annotated[
        tuple[WorkingTime, ...],
        about("Working time to the solution, per priority 1 to 5.", '["4h", "8h", "24h", "40h", "80h"]'),
    ]
    warn: Annotated[float, SHARE, about("The share of the time after which the owner is warned.")] = 0.75

    def __post_init__(self) -> None:
        for key, times in (("first_response", self.first_response), ("resolution", self.resolution)):
            if len(times) != _PRIORITIES:
                raise Misfit(f"has {len(times)} times in {key}; write five, for the priorities 1 to 5", key)


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """Open hours per weekday; a day without any is closed."""

    mon: Annotated[tuple[Hours, ...], about("Open hours on Mondays.", '["09:00-18:00"]')] = ()
    tue: Annotated[tuple[Hours, ...], about("Open hours on Tuesdays.", '["09:00-18:00"]')] = ()
    wed: Annotated[tuple[Hours, ...], about("Open hours on Wednesdays.", '["09:00-18:00"]')] = ()
    thu: Annotated[tuple[Hours, ...], about("Open hours on Thursdays.", '["09:00-18:00"]')] = ()
    fri: Annotated[tuple[Hours, ...], about("Open hours on Fridays.", '["09:00-18:00"]')] = ()
    sat: Annotated[tuple[Hours, ...], about("Open hours on Saturdays.", '["10:00-12:00"]')] = ()
    sun: Annotated[tuple[Hours, ...], about("Open hours on Sundays.", '["22:00-06:00"]')] = ()

    def __post_init__(self) -> None:
        for day, hours in zip(self.__struct_fields__, self.by_day, strict=True):
            if any(later.start < earlier.end for earlier, later in pairwise(hours)):
                raise Misfit(f"has hours on {day} that overlap or are not in order; write them in order", day)

    @property
    def by_day(self) -> tuple[tuple[Hours, ...], ...]:
        """The seven days' hours, Monday first."""
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)


class Holidays(msgspec.Struct, frozen=True, kw_only=True):
    """Days on which a calendar is closed; all three kinds add up."""

    dates: Annotated[
        tuple[Days, ...], about("Days, or first and last day.", '["2026-12-25", "2027-02-06..2027-02-12"]')
    ] = ()
    country: Annotated[
        str | None, COUNTRY, about("Public holidays of a country, by its two-letter code.", '"CN"')
    ] = None
    ics: Annotated[
        Line | None, about("An iCalendar file of holidays beside the calendar.", '"holidays.ics"')
    ] = None


class Calendar(msgspec.Struct, frozen=True, kw_only=True):
    """Working time; `default` must exist."""

    zone: Annotated[Zone, about("The time zone of the hours.", '"Asia/Taipei"')]
    always: Annotated[bool, about("Open day and night; then there is no week.")] = False
    week: Week = Week()
    holidays: Holidays = Holidays()

    def __post_init__(self) -> None:
        open_hours = any(self.week.by_day)
        if self.always and open_hours:
            raise Misfit("is always open and has a week; keep one of them", "week")
        if not self.always and not open_hours:
            raise Misfit("is never open; add hours to [week], or always = true")


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a rota. A `to` before `from` is on the next day."""

    days: Annotated[Weekdays, about("The days on which it begins.", '"mon-sun"')]
    # Both are minutes after midnight.
    start_minute: Annotated[ClockTime, about("When it begins.", '"00:00"')] = msgspec.field(name="from")
    end_minute: Annotated[ClockTime, about("When it ends.", '"24:00"')] = msgspec.field(name="to")
    people: Annotated[
        tuple[Line, ...], about("Logins that take turns week by week, in this order.", '["a", "b"]')
    ]
    start: Annotated[date, about("A day of the week in which the first of them is on call.", "2026-11-02")]

    def __post_init__(self) -> None:
        if not self.people:
            raise Misfit("has no people; add at least one login", "people")
        if self.start_minute == self.end_minute:
            raise Misfit('begins when it ends; for a whole day write from = "00:00" and to = "24:00"', "to")


class Rota(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on call."""

    title: Annotated[Line, about("The rota's name for people.", '"On call"')]
    zone: Annotated[Zone, about("The time zone of the shifts.", '"Asia/Taipei"')]
    shift: tuple[Shift, ...]


class HomeFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The home's files in one piece, fit to be kept in the store as a snapshot.

    Attributes:
        categories: titles per language by the key's whole path, `hardware.printer`.
        matrix: priority 1 to 5, by impact (row) and urgency (column), both 1 to 4; empty without
            policies.toml.
        templates: texts per language by the template's name.
        holiday_files: the texts of the iCalendar files that calendars name.
    """

    queues: dict[str, Queue]
    categories: dict[str, Titles]
    teams: dict[str, Team]
    vendors: dict[str, Vendor]
    matrix: tuple[tuple[int, ...], ...]
    policies: dict[str, Policy]
    calendars: dict[str, Calendar]
    rotas: dict[str, Rota]
    templates: dict[str, dict[LanguageCode, str]]
    holiday_files: dict[str, str]
