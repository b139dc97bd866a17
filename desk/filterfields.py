"""What stands behind `field:` in a filter: which fields there are, and how each reads its values."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from desk.errors import Invalid
from desk.states import Priority, Status, by_word, ticket_kind
from desk.timeforms import read_duration

MAX_STARS = 3  # in one pattern: matching costs a power of them
_TIERS = range(5)
_OPERATOR = re.compile(r"(<=|>=|<|>|=)?(.*)", re.DOTALL)
_US = timedelta(microseconds=1)


class FilterError(Invalid):
    """A filter that is not understood. `column` counts characters from 1.

    Attributes:
        text: the filter on one line; "" until `parse` has set it.
    """

    def __init__(self, column: int, what: str) -> None:
        super().__init__(f"filter, column {column}: {what}")
        self.column, self.what, self.text = column, what, ""

    @property
    def caret(self) -> str:
        """The filter, and below it a caret at the column, for a terminal. The filter's own text is in it."""
        before = self.text[: self.column - 1]
        cells = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in before)
        return f"{self.text}\n{' ' * cells}^"


@dataclass(frozen=True, slots=True)
class Value:
    """One value as it is written."""

    text: str
    column: int
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class OneOfNumbers:
    """Status, priority or tier is one of these."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A number against a bound; `operator` is one of <, <=, >, >=."""

    operator: str
    number: int


@dataclass(frozen=True, slots=True)
class OneOfTexts:
    """A text is one of these; a pattern may hold `*`."""

    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Elapsed:
    """A span of time against a bound in microseconds."""

    operator: str
    span_us: int


@dataclass(frozen=True, slots=True)
class Is:
    """The ticket has these marks (any of them)."""

    marks: tuple[str, ...]


Test = OneOfNumbers | Compared | OneOfTexts | Elapsed | Is
Reader = Callable[[str, list[Value]], Test]


def field_named(name: str, column: int) -> str:
    """The key of FIELDS that people mean by `name`.

    Raises:
        FilterError: there is no such field.
    """
    folded = _ALSO.get(name.lower(), name.lower())
    if folded in FIELDS:
        return folded
    near = difflib.get_close_matches(folded, FIELDS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(FIELDS)}"
    raise FilterError(column, f'unknown field "{name}"; {hint}; what is to be searched for goes in quotes')


def _numbers(named: Callable[[str], int]) -> Reader:
    """A list of numbers or names, or one bound."""

    def read(field: str, values: list[Value]) -> Test:
        operator, text = _parted(values[0])
        if operator in ("", "="):
            first = Value(text, values[0].column)
            return OneOfNumbers(tuple(_named(named, field, value) for value in (first, *values[1:])))
        if len(values) > 1:
            raise FilterError(values[1].column, f"{field}: takes a list or one bound, not both")
        return Compared(operator, _named(named, field, Value(text, values[0].column)))

    return read


def _named(named: Callable[[str], int], field: str, value: Value) -> int:
    try:
        return named(value.text)
    except Invalid as error:
        raise FilterError(value.column, f"{field}: {error}") from error


def _status(field: str, values: list[Value]) -> Test:
    return OneOfNumbers(tuple(_named(lambda text: by_word(Status, text), field, v) for v in values))


def _tier(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:6]) not in _TIERS:
        raise Invalid(f"tier {text!r} does not exist; it is a number from {_TIERS[0]} to {_TIERS[-1]}")
    return int(text)


def _texts(field: str, values: list[Value]) -> Test:
    for value in values:
        if value.text.count("*") > MAX_STARS:
            raise FilterError(value.column, f"{field}: a pattern may hold up to {MAX_STARS} stars")
        if _parted(value)[0] and not value.is_quoted:
            raise FilterError(value.column, f"{field}: is no number; {value.text[0]} cannot compare it")
    return OneOfTexts(tuple(value.text for value in values))


def _folded_texts(field: str, values: list[Value]) -> Test:
    """Where the store keeps lower case."""
    return _texts(field, [Value(v.text.lower(), v.column, v.is_quoted) for v in values])


def _kind(field: str, values: list[Value]) -> Test:
    def known(value: Value) -> str:
        try:
            return str(ticket_kind(value.text))
        except Invalid as error:
            raise FilterError(value.column, f"{field}: {error}") from error

    return OneOfTexts(tuple(known(value) for value in values))


def _span(field: str, values: list[Value]) -> Test:
    operator, text = _parted(values[0])
    if len(values) > 1:
        raise FilterError(values[1].column, f"{field}: takes one bound, no list")
    if operator in ("", "="):
        raise FilterError(values[0].column, f"{field}: needs < or >, like {field}:>2d")
    try:
        return Elapsed(operator, read_duration(text) // _US)
    except ValueError:
        what = f"{field}: {text!r} is no span of time; write one like 30m, 3h, 2d or 1w"
        raise FilterError(values[0].column + len(operator), what) from None


def _marks(possible: dict[str, bool]) -> Reader:
    """One of some words; those that are False are known and not answered yet."""

    def read(field: str, values: list[Value]) -> Test:
        for value in values:
            if value.text not in possible:
                what = f'{field}: "{value.text}" is not one of {", ".join(possible)}'
                raise FilterError(value.column, what)
            if not possible[value.text]:
                raise FilterError(value.column, f"{field}:{value.text} is not available yet")
        return Is(tuple(value.text for value in values))

    return read


def _parted(value: Value) -> tuple[str, str]:
    match = _OPERATOR.fullmatch(value.text)
    assert match is not None  # both parts may be empty
    return match[1] or "", match[2]


FIELDS: dict[str, Reader] = {
    "status": _status,
    "pri": _numbers(lambda text: by_word(Priority, text)),
    "tier": _numbers(_tier),
    "queue": _texts,
    "category": _texts,
    "owner": _texts,
    "from": _folded_texts,
    "tag": _folded_texts,
    "kind": _kind,
    "age": _span,
    "idle": _span,
    "due": _span,
    "has": _marks({"attachment": True}),
    "is": _marks({"held": True, "unread": False, "breached": False, "major": False}),
}
_ALSO = {"priority": "pri"}
