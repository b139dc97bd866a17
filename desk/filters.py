"""The filter language: what a technician types behind `/`, read into a small tree.

    vpn "exact words" -printer status:open,new pri:<=2 age:>2d #123 (queue:network or tag:vpn)

Nothing is ignored: what is not understood is refused with its column. Quotes around words are ours; *, NEAR,
OR and other signs of search engines are plain text. desk/reads/matching.py makes a condition of the tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput

from desk import words
from desk.filterfields import FIELDS, FilterError, Test, Value, field_named

__all__ = ["All", "Choice", "Field", "Filter", "FilterError", "Not", "Numbered", "Term", "Word", "parse"]

MAX_LENGTH = 1_000  # characters of a filter
MAX_TERMS = 50
MAX_NESTING = 20
MAX_DIGITS = 18  # of a ticket number


@dataclass(frozen=True, slots=True)
class Word:
    """Words to search for, one right after the other. `is_typed`: the last one may go on."""

    text: str
    is_typed: bool = False


@dataclass(frozen=True, slots=True)
class Numbered:
    """The ticket with this number."""

    number: int


@dataclass(frozen=True, slots=True)
class Field:
    """What a field must be; `name` is a key of FIELDS."""

    name: str
    test: Test
    column: int


@dataclass(frozen=True, slots=True)
class Not:
    term: Term


@dataclass(frozen=True, slots=True)
class All:
    """Every term must hold. `depth` is how deep groups nest in it."""

    terms: tuple[Term, ...]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the terms must hold."""

    terms: tuple[Term, ...]
    depth: int = 1


Term = Word | Numbered | Field | Not | All | Choice


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was understood; every term must hold."""

    text: str
    terms: tuple[Term, ...] = ()

    def names_status(self) -> bool:
        """Whether the filter asks for some status; to shut one out is not to ask for all others."""
        return any(isinstance(term, Field) and term.name == "status" for term in _wanted(self.terms))


def parse(text: str) -> Filter:
    """Read a filter; an empty one lets all tickets through.

    Raises:
        FilterError: something is not understood, not possible yet, or too much; it knows the column.
    """
    line = "".join(character if character.isprintable() else " " for character in text)
    try:
        return Filter(line, _terms(line))
    except FilterError as error:
        error.text = line[:MAX_LENGTH]
        raise


def _terms(line: str) -> tuple[Term, ...]:
    if len(line) > MAX_LENGTH:
        raise FilterError(MAX_LENGTH + 1, f"the filter is longer than {MAX_LENGTH} characters; write less")
    try:
        terms: Any = _parser().parse(line)  # the transformer has made terms of the tree
    except UnexpectedInput as error:
        raise _refusal(error, line) from error
    if _size(All(terms)) > MAX_TERMS:
        raise FilterError(1, f"the filter has more than {MAX_TERMS} terms; write fewer")
    return tuple(terms)


@cache
def _parser() -> Lark:
    grammar = (resources.files("desk") / "filters.lark").read_text("utf-8")
    return Lark(grammar, parser="lalr", transformer=_Reader())


def _refusal(error: UnexpectedInput, line: str) -> FilterError:
    """What the grammar refuses, in words that people can use."""
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return FilterError(len(line) + 1, _unfinished(line))
    start = int(error.pos_in_stream or 0)
    rest = line[start:]
    if rest.startswith('"'):
        what = "the quote is not closed; end it with another one"
    elif rest.startswith(")"):
        what = "there is no group to close, or nothing in it; groups are written (a or b)"
    elif rest.split(maxsplit=1)[0] == "or":
        what = "a choice needs parentheses; write (a or b)"
    else:
        what = f'"{rest[:30]}" is not understood here'
    return FilterError(start + 1, what)


def _unfinished(line: str) -> str:
    if line.rstrip().endswith((":", "：", ",")):
        return "the field has no value; write it right after the colon"
    if line.split()[-1] in ("and", "or"):
        return f'after "{line.split()[-1]}" something is missing'
    return "a group is not closed; end it with )"


def _size(term: Term) -> int:
    """How many words and fields; groups nest up to MAX_NESTING."""
    match term:
        case All(terms) | Choice(terms):
            return sum(map(_size, terms))
        case Not(inner):
            return _size(inner)
    return 1


def _wanted(terms: tuple[Term, ...]) -> Iterator[Term]:
    """All terms that are not negated."""
    for term in terms:
        if isinstance(term, All | Choice):
            yield from _wanted(term.terms)
        elif not isinstance(term, Not):
            yield term


def _depth(term: Term) -> int:
    inner = term.term if isinstance(term, Not) else term
    return inner.depth if isinstance(inner, All | Choice) else 0


@v_args(inline=True)
class _Reader(Transformer[Token, Any]):
    """Makes terms while the parser reads; nothing here recurses."""

    def start(self, terms: tuple[Term, ...] = ()) -> tuple[Term, ...]:
        return terms

    def terms(self, *terms: Term) -> tuple[Term, ...]:
        return terms

    def negated(self, _sign: Token, term: Term) -> Term:
        return Not(Word(term.text) if isinstance(term, Word) else term)

    def exact(self, token: Token) -> Term:
        return _word(token, token[1:-1])

    def word(self, token: Token) -> Term:
        return _word(token, str(token))

    def typed(self, token: Token) -> Term:
        return Word(_word(token, str(token)).text, is_typed=True)

    def numbered(self, token: Token) -> Term:
        if len(token) > MAX_DIGITS + 1:
            raise FilterError(_column(token), f"a ticket number has up to {MAX_DIGITS} digits")
        return Numbered(int(token[1:]))

    def value(self, token: Token) -> Token:
        return token

    def field(self, token: Token, *values: Token) -> Term:
        column = _column(token)
        name = field_named(token[:-1], column)
        _check_touching((token, *values))
        read = [_value(value) for value in values if value.type != "COMMA"]
        return Field(name, FIELDS[name](name, read), column)

    def group(self, *alternatives: tuple[Term, ...]) -> Term:
        rows = [All(terms) if len(terms) > 1 else terms[0] for terms in alternatives]
        depth = 1 + max(_depth(term) for terms in alternatives for term in terms)
        if len(rows) > 1:
            return Choice(tuple(rows), depth)
        return All(alternatives[0], depth)

    def grouped(self, token: Token, group: All | Choice) -> Term:
        if group.depth > MAX_NESTING:
            raise FilterError(_column(token), f"groups nest deeper than {MAX_NESTING}; write it flatter")
        return group


def _word(token: Token, text: str) -> Word:
    if text in ("and", "or") and token.type != "QUOTED":
        raise FilterError(_column(token), f'before "{text}" something is missing; a word goes in quotes')
    if not words.query(text):
        raise FilterError(_column(token), f'there is no word in "{text[:30]}" to search for')
    return Word(text)


def _value(token: Token) -> Value:
    if token.type != "QUOTED":
        return Value(str(token), _column(token))
    if not token[1:-1].strip():
        raise FilterError(_column(token), "the value is empty")
    return Value(token[1:-1], _column(token) + 1, is_quoted=True)


def _check_touching(tokens: tuple[Token, ...]) -> None:
    for one, other in pairwise(tokens):
        if one.end_pos != other.start_pos:
            raise FilterError(_column(other), "write field, colon and values without blanks between")


def _column(token: Token) -> int:
    return int(token.start_pos or 0) + 1
