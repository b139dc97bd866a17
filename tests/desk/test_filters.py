"""The filter language: what is understood, and where it is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.errors import Invalid
from desk.filterfields import Compared, Elapsed, Is, OneOfNumbers, OneOfTexts
from desk.filters import All, Choice, Field, FilterError, Not, Numbered, Term, Word, parse

HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("  ", ()),
        ("vpn ", (Word("vpn"),)),
        ("vpn", (Word("vpn", is_typed=True),)),
        ("vpn 密碼", (Word("vpn"), Word("密碼", is_typed=True))),
        ('"exact words"', (Word("exact words"),)),
        ("-vpn", (Not(Word("vpn")),)),
        ('-"a b"', (Not(Word("a b")),)),
        ("--force", (Word("--force", is_typed=True),)),
        ("#123", (Numbered(123),)),
        ("-#123", (Not(Numbered(123)),)),
        ("#12a", (Word("#12a", is_typed=True),)),
        ("a and b ", (Word("a"), Word("b"))),
        ("(a or b)", (Choice((Word("a"), Word("b"))),)),
        ("(a b or c)", (Choice((All((Word("a"), Word("b"))), Word("c"))),)),
        ("-(a b)", (Not(All((Word("a"), Word("b")), depth=1)),)),
        ("http://x.example ", (Word("http://x.example"),)),
        ("a OR b ", (Word("a"), Word("OR"), Word("b"))),
        ("x* ^y ", (Word("x*"), Word("^y"))),
        ('5"x ', (Word('5"x'),)),
        ("NEAR(a b)", (Word("NEAR"), All((Word("a"), Word("b")), depth=1))),
        ("order android ", (Word("order"), Word("android"))),
    ],
)
def test_words(text: str, terms: tuple[Term, ...]) -> None:
    assert parse(text).terms == terms


@pytest.mark.parametrize(
    ("text", "name", "test"),
    [
        ("status:open,new", "status", OneOfNumbers((1, 0))),
        ("status:Resolved", "status", OneOfNumbers((5,))),
        ("status：open", "status", OneOfNumbers((1,))),
        ("pri:<=2", "pri", Compared("<=", 2)),
        ("pri:>high", "pri", Compared(">", 2)),
        ("pri:1,low", "pri", OneOfNumbers((1, 4))),
        ("priority:=3", "pri", OneOfNumbers((3,))),
        ("tier:2", "tier", OneOfNumbers((2,))),
        ("tier:>=1", "tier", Compared(">=", 1)),
        ("queue:network", "queue", OneOfTexts(("network",))),
        ('queue:"help desk",x', "queue", OneOfTexts(("help desk", "x"))),
        ("category:access.*", "category", OneOfTexts(("access.*",))),
        ("owner:me,none", "owner", OneOfTexts(("me", "none"))),
        ("from:*@Corp.example", "from", OneOfTexts(("*@corp.example",))),
        ("tag:VPN", "tag", OneOfTexts(("vpn",))),
        ("kind:incident", "kind", OneOfTexts(("incident",))),
        ("age:>2d", "age", Elapsed(">", 48 * HOUR)),
        ("idle:>=3h", "idle", Elapsed(">=", 3 * HOUR)),
        ("due:<1h30m", "due", Elapsed("<", HOUR * 3 // 2)),
        ("has:attachment", "has", Is(("attachment",))),
        ("is:held", "is", Is(("held",))),
    ],
)
def test_fields(text: str, name: str, test: object) -> None:
    assert parse(text).terms == (Field(name, test, 1),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "column", "what"),
    [
        ("vpn foo:bar", 5, 'unknown field "foo"'),
        ("prio:1", 1, "did you mean pri?"),
        ("status:foo", 8, "'foo' does not exist"),
        ("status:open,foo", 13, "'foo' does not exist"),
        ("pri:9", 5, "'9' does not exist"),
        ("pri:<=9", 5, "'9' does not exist"),
        ("pri:>2,3", 8, "a list or one bound"),
        ("tier:7", 6, "from 0 to 4"),
        ("tier:²", 6, "from 0 to 4"),
        ("kind:bug", 6, "'bug' does not exist"),
        ("queue:<x", 7, "cannot compare"),
        ("queue:****", 7, "up to 3 stars"),
        ("age:2d", 5, "needs < or >"),
        ("age:>2x", 6, "no span of time"),
        ("age:>1d,>2d", 9, "no list"),
        ("has:pictures", 5, '"pictures" is not one of attachment'),
        ("is:unread", 4, "is:unread is not available yet"),
        ("is:breached", 4, "is:breached is not available yet"),
        ("x is:held,major", 11, "is:major is not available yet"),
        ("status: open", 9, "without blanks"),
        ("status:open, new", 14, "without blanks"),
        ("status:", 8, "no value"),
        ('queue:""', 7, "empty"),
        ("queue:a,", 9, "no value"),
        ("queue:,", 7, "not understood"),
        ("a or b", 3, "needs parentheses"),
        ("(or b)", 2, 'before "or"'),
        ("and b", 1, 'before "and"'),
        ("a and", 6, 'after "and"'),
        ("(a", 3, "not closed"),
        ("a)", 2, "no group"),
        ("()", 2, "nothing in it"),
        ('a "b', 3, "quote is not closed"),
        ('"."', 1, "no word"),
        ("a ***", 3, "no word"),
        ("#1234567890123456789", 1, "18 digits"),
        ("密碼 foo:x", 4, 'unknown field "foo"'),
        ("(" * 21 + "a" + ")" * 21, 1, "nest deeper than 20"),
        ("x1 " * 51, 1, "more than 50 terms"),
        ("x" * 1001, 1001, "longer than 1000"),
        ("(" * 1000, 1001, "not closed"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_column(text: str, column: int, what: str) -> None:
    with pytest.raises(FilterError) as refused:
        parse(text)

    assert (refused.value.column, what in str(refused.value)) == (column, True)
    assert isinstance(refused.value, Invalid)
    assert not refused.value.temporary


def test_the_caret_stands_below_the_fault_also_behind_wide_characters() -> None:
    with pytest.raises(FilterError) as refused:
        parse("密碼\tfoo:x")

    assert refused.value.caret == "密碼 foo:x\n     ^"


def test_twenty_groups_nest() -> None:
    found = parse("(" * 20 + "a" + ")" * 20)

    assert found.terms[0].depth == 20  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("status:spam", True),
        ("(vpn or status:merged)", True),
        ("-status:open", False),
        ("vpn -(status:open x)", False),
        ("", False),
    ],
)
def test_which_filters_name_a_status(text: str, names: bool) -> None:
    assert parse(text).names_status() == names


@given(st.text(alphabet="ab1 \"#()-:,<>=*.密：\\'\t\ud800orandstatuspri", max_size=60))
def test_any_text_is_understood_or_refused_within_its_columns(text: str) -> None:
    error = _refusal(text)

    assert error is None or 1 <= error.column <= len(text) + 1
    assert error is None or error.caret.endswith("^")


def _refusal(text: str) -> FilterError | None:
    try:
        parse(text)
    except FilterError as error:
        return error
    return None
