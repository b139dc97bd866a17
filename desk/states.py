"""The closed sets of the desk and the table of lawful moves between states."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TypeVar

from desk.errors import IllegalMove, Invalid


class Status(IntEnum):
    """Where a ticket stands. Below 5 it is live; the numbers stand in the store and in its indexes."""

    NEW = 0
    OPEN = 1
    WAITING = 2
    VENDOR = 3
    RESOLVED = 5
    CLOSED = 6
    MERGED = 7
    SPAM = 8

    @property
    def word(self) -> str:
        """The name in JSON, filters and rules."""
        return self.name.lower()


LIVE = frozenset({Status.NEW, Status.OPEN, Status.WAITING, Status.VENDOR})

_FROM_LIVE = frozenset(
    {Status.OPEN, Status.WAITING, Status.VENDOR, Status.RESOLVED, Status.CLOSED, Status.MERGED, Status.SPAM}
)
MOVES: dict[Status, frozenset[Status]] = {
    Status.NEW: _FROM_LIVE,
    Status.OPEN: _FROM_LIVE - {Status.OPEN},
    Status.WAITING: _FROM_LIVE - {Status.WAITING},
    Status.VENDOR: _FROM_LIVE - {Status.VENDOR},
    Status.RESOLVED: frozenset({Status.OPEN, Status.CLOSED, Status.MERGED, Status.SPAM}),
    Status.CLOSED: frozenset({Status.OPEN, Status.MERGED}),
    Status.MERGED: frozenset(),
    Status.SPAM: frozenset({Status.OPEN}),
}


def check_move(number: int, now: Status, to: Status) -> None:
    """Refuse what the table does not allow.

    Raises:
        IllegalMove: the ticket is there already, or there is no way from here to there.
    """
    if now == to:
        raise IllegalMove(f"ticket {number} is already {to.word}")
    if to not in MOVES[now]:
        ways = ", ".join(s.word for s in sorted(MOVES[now])) or "nowhere"
        raise IllegalMove(
            f"ticket {number} is {now.word} and cannot become {to.word}; from here it goes to {ways}"
        )


class Priority(IntEnum):
    """1 is the most urgent."""

    CRITICAL = 1
    HIGH = 2
    NORMAL = 3
    LOW = 4
    PLANNED = 5


class TicketKind(StrEnum):
    """What sort of work a ticket is."""

    INCIDENT = "incident"
    REQUEST = "request"
    QUESTION = "question"
    PROBLEM = "problem"
    CHANGE = "change"
    TASK = "task"


class Direction(IntEnum):
    """Which way a message went; a note goes nowhere."""

    IN = 0
    OUT = 1
    NOTE = 2

    @property
    def word(self) -> str:
        return self.name.lower()


class MessageState(IntEnum):
    """Whether a message counts: held ones wait for a technician, rejected and withdrawn ones do not count."""

    STANDS = 0
    HELD = 1
    REJECTED = 2
    WITHDRAWN = 3


class InboxState(IntEnum):
    """What became of a mail that was taken in."""

    WAITING = 0
    DONE = 1
    HELD = 2
    PARKED = 3
    DROPPED = 4
    REJECTED = 5

    @property
    def word(self) -> str:
        return self.name.lower()


class OutboxState(IntEnum):
    """How far a letter out has come."""

    WAITING = 0
    SENDING = 1
    SENT = 2
    FAILED = 3
    WITHDRAWN = 4

    @property
    def word(self) -> str:
        return self.name.lower()


_Number = TypeVar("_Number", Status, Priority)


def by_word(kind: type[_Number], text: str) -> _Number:
    """A status or priority by its name or number, as people write it.

    Raises:
        Invalid: no such one; the text names those that there are.
    """
    folded = text.strip().lower()
    for member in kind:
        if folded in (member.name.lower(), str(int(member))):
            return member
    names = ", ".join(member.name.lower() for member in kind)
    raise Invalid(f"{kind.__name__.lower()} {text!r} does not exist; it is one of {names}")


def ticket_kind(text: str) -> TicketKind:
    """A ticket kind by its name.

    Raises:
        Invalid: no such kind.
    """
    folded = text.strip().lower()
    if folded in {k.value for k in TicketKind}:
        return TicketKind(folded)
    raise Invalid(f"kind {text!r} does not exist; it is one of {', '.join(TicketKind)}")
