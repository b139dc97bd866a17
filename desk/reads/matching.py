"""A filter as a condition on tickets."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from itertools import chain
from typing import Any

from peewee import SQL, NodeList, Value, fn

from desk import clock
from desk.filterfields import Compared, Elapsed, FilterError, Is, OneOfNumbers, OneOfTexts, Test
from desk.filters import All, Choice, Field, Filter, Not, Numbered, Term, Word, parse
from desk.reads.search import Condition, holding, sought
from desk.states import LIVE, InboxState, MessageState, Status
from desk.store.schema import Address, Attachment, Inbox, Message, Ticket, TicketTag
from desk.store.schema.tickets import LIVE_SQL, NO_DUE
from desk.words import Phrase

ASIDE = (int(Status.MERGED), int(Status.SPAM))
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_COLUMNS: dict[str, Any] = {
    "status": Ticket.status,
    "pri": Ticket.priority,
    "tier": Ticket.tier,
    "queue": Ticket.queue,
    "category": Ticket.category,
    "kind": Ticket.kind,
    "age": Ticket.created,
    "idle": Ticket.updated,
}


def matching(text: str, *, me: str | None) -> Condition:
    """The condition of a filter as a list shows it: without merged tickets and spam, unless it names a status.

    Call it inside `store.reading()`. `me` is the login that `owner:me` means.

    Raises:
        FilterError: the filter is not understood.
    """
    found = parse(text)
    try:
        return condition(found, me=me, now_us=clock.now_us())
    except FilterError as error:
        error.text = found.text
        raise


def condition(found: Filter, *, me: str | None, now_us: int) -> Condition:
    """As `matching`, for a filter that was read already and an instant in microseconds."""
    build = _Builder(me, now_us)
    parts = [build.term(term) for term in found.terms]
    if not found.names_status():
        parts.append(Ticket.status.not_in(ASIDE))
    if any(_is_live_only(term) for term in found.terms):
        parts.append(SQL(LIVE_SQL))  # opens the small indexes over live tickets
    return _joined(operator.and_, parts)


def _is_live_only(term: Term) -> bool:
    return (
        isinstance(term, Field)
        and term.name == "status"
        and isinstance(term.test, OneOfNumbers)
        and LIVE.issuperset(term.test.numbers)
    )


def _joined(how: Callable[[Any, Any], Any], parts: list[Condition]) -> Condition:
    return reduce(how, parts) if parts else SQL("1 = 1")


class _Builder:
    """What the conditions of one filter are made with."""

    def __init__(self, me: str | None, now_us: int) -> None:
        self._me, self._now_us = me, now_us

    def term(self, term: Term) -> Condition:
        """The condition of a term; groups nest up to the bound of the parser."""
        match term:
            case Word(text, is_typed):
                return holding(sought(text, is_typed=is_typed))
            case Numbered(number):
                return Ticket.number == number
            case Field(name, test, column):
                return self._field(name, test, column)
            case Not(inner):
                return ~NodeList((SQL("("), self.term(inner), SQL(")")))
            case All(terms):
                return _joined(operator.and_, [self.term(one) for one in terms])
            case Choice(terms) if all(isinstance(one, Word) for one in terms):
                return holding(_any_of(terms))  # one search in place of several
            case Choice(terms):
                return _joined(operator.or_, [self.term(one) for one in terms])

    def _field(self, name: str, test: Test, column: int) -> Condition:
        match test:
            case OneOfNumbers(numbers):
                return _COLUMNS[name].in_([int(number) for number in numbers])
            case Compared(comparison, number):
                return _COMPARISONS[comparison](_COLUMNS[name], int(number))
            case Elapsed(comparison, span_us) if name == "due":
                return (Ticket.due < NO_DUE) & _COMPARISONS[comparison](Ticket.due, self._now_us + span_us)
            case Elapsed(comparison, span_us):  # older means an earlier instant
                return _COMPARISONS[_TURNED[comparison]](_COLUMNS[name], self._now_us - span_us)
            case OneOfTexts(patterns):
                return _joined(operator.or_, [self._text(name, one, column) for one in patterns])
            case Is(marks):
                return _joined(operator.or_, [_MARKS[mark]() for mark in marks])

    def _text(self, name: str, pattern: str, column: int) -> Condition:
        if name == "owner":
            return self._owner(pattern, column)
        if name == "tag":
            return Ticket.number.in_(TicketTag.select(TicketTag.ticket).where(_like(TicketTag.tag, pattern)))
        if name == "from":
            return Ticket.requester.in_(
                Address.select(Address.contact).where(_like(Address.address, pattern))
            )
        return _like(_COLUMNS[name], pattern)

    def _owner(self, login: str, column: int) -> Condition:
        if login == "none":
            return Ticket.owner.is_null()
        if login != "me":
            return ~Ticket.owner.is_null() & _like(Ticket.owner, login)
        if self._me is None:
            raise FilterError(column, "owner:me needs somebody to be; say who with --as LOGIN")
        return ~Ticket.owner.is_null() & (Ticket.owner == self._me)


def _any_of(terms: tuple[Term, ...]) -> tuple[Phrase, ...]:
    found = [sought(one.text, is_typed=one.is_typed) for one in terms if isinstance(one, Word)]
    return tuple(dict.fromkeys(chain.from_iterable(found)))


def _like(column: Any, pattern: str) -> Condition:
    """Equal to a text, or like a pattern with `*` in it, where case does not matter."""
    if "*" not in pattern:
        return column == pattern
    escaped = "".join("!" + c if c in "!%_" else "%" if c == "*" else c for c in pattern.lower())
    return NodeList((fn.LOWER(column), SQL("LIKE"), Value(escaped), SQL("ESCAPE '!'")))


def _held() -> Condition:
    # The inbox has an index over the few letters that were set aside; its WHERE is repeated to open it.
    aside = Inbox.select(Inbox.message).where(
        SQL("state IN (2, 3, 4)"), Inbox.state == int(InboxState.HELD), Inbox.message.is_null(False)
    )
    held = Message.select(Message.ticket).where(
        Message.id.in_(aside), Message.state == int(MessageState.HELD), Message.ticket.is_null(False)
    )
    return Ticket.number.in_(held)


def _with_attachment() -> Condition:
    inner = (
        Message.select(SQL("1"))
        .join(Attachment, on=(Attachment.message == Message.id))
        .where(Message.ticket == Ticket.number)
    )
    return fn.EXISTS(inner)


_MARKS: dict[str, Callable[[], Condition]] = {"held": _held, "attachment": _with_attachment}
