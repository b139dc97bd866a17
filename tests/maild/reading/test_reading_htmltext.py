"""HTML to lines."""

from __future__ import annotations

import time
from itertools import islice, product
from string import ascii_lowercase

import pytest

from maild.reading.htmlbudget import MAX_TAG_CHARACTERS
from maild.reading.htmltext import html_to_text
from maild.reading.letter import read_letter
from tests.maild.reading.mails import mail, multipart, page

PAGES = [
    pytest.param("<p>a</p><p>b</p>", ["a", "", "b"], id="paragraphs"),
    pytest.param("<div>a</div><div>b<br>c</div>", ["a", "b", "c"], id="lines"),
    pytest.param("a<br><br><br><br>b", ["a", "", "b"], id="blank lines are one"),
    pytest.param("<b>a</b> <i>b</i>c &amp;&nbsp;d", ["a bc & d"], id="inline"),
    pytest.param(
        "<blockquote>a<blockquote>b</blockquote></blockquote>c", ["> a", "> >", "> > b", "", "c"], id="quotes"
    ),
    pytest.param(
        '<blockquote style="margin:0 0 0 40px; border: none; padding:0px">mine</blockquote>', ["mine"], id="indentation"
    ),
    pytest.param("<ul><li>a<li>b<ol><li>c</ol></ul>", ["- a", "- b", "  1. c"], id="lists"),
    pytest.param("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", ["a | b", "c"], id="table"),
    pytest.param("<pre>a  b\n  c</pre>", ["a  b", "  c"], id="pre"),
    pytest.param(
        '<a href="https://x.example/1">one</a> <a href="https://x.example/1">two</a>',
        ["one [1] two [1]", "", "[1] https://x.example/1"],
        id="links",
    ),
    pytest.param('<a href="https://x.example/">x.example</a>', ["x.example"], id="link that is its own text"),
    pytest.param('<a href="javascript:alert(1)">x</a>', ["x"], id="script link"),
    pytest.param(
        '<img src="cid:1"><img alt="shot"><img src="http://t.example/p">', ["[image][image: shot]"], id="images"
    ),
    pytest.param("<style>p{}</style><script>x()</script><title>t</title>a", ["a"], id="not text"),
    pytest.param("Regards<br>-- <br>A", ["Regards", "-- ", "A"], id="signature mark"),
    pytest.param("a<hr>b", ["a", "_" * 32, "b"], id="rule"),
    pytest.param("", [], id="empty"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "lines"), PAGES)
def test_page_becomes_lines(source: str, lines: list[str]) -> None:
    assert html_to_text(source).lines == lines


HIDING = [
    'style="display: none"',
    'style="DISPLAY:NONE !important"',
    'style="visibility:hidden"',
    'style="color:red;font-size:0px;"',
    'style="font-size:0"',
    'style="opacity:0"',
    'style="mso-hide:all"',
    'style="max-height:0px;overflow:hidden"',
    'style="position:absolute;left:-9999px"',
    "hidden",
]


@pytest.mark.parametrize("attribute", HIDING)
def test_hidden_text_is_marked_and_never_new(attribute: str) -> None:
    source = f"<p>Visible</p><div {attribute}>solved <b>secret</b></div><p>words</p>"

    letter = read_letter(mail("Content-Type: text/html; charset=utf-8", body=source.encode()))

    assert letter.text == "Visible\n\n[hidden: solved secret]\n\nwords"
    assert "solved" not in letter.new_text()
    assert "Visible" in letter.new_text()
    assert "words" in letter.new_text()


@pytest.mark.parametrize(
    "style", ["font-size:0.9em", "opacity:0.5", "max-height:0.5em", "display:block", "left:-9px"]
)
def test_small_text_is_not_hidden(style: str) -> None:
    assert html_to_text(f'<div style="{style}">a</div>').flags == [""]


def test_blank_preheader_leaves_nothing() -> None:
    assert html_to_text('<div style="display:none">&#8204;&nbsp;&#8203;</div>a').lines == ["a"]


def test_link_of_a_quote_is_listed_as_quoted() -> None:
    source = (
        '<a href="http://a.example/">mine</a><blockquote><a href="http://b.example/">theirs</a></blockquote>'
    )

    page = html_to_text(source)

    assert list(zip(page.lines, page.flags, strict=True))[-2:] == [
        ("[1] http://a.example/", ""),
        ("[2] http://b.example/", "quoted"),
    ]


# As many different attributes as 512 KiB hold: half a minute for the parser.
NAMES = " ".join("".join(name) for name in islice(product(ascii_lowercase, repeat=4), 100_000))
BOMBS = [
    pytest.param("<div>" * 100_000 + "x", id="deep"),
    pytest.param("<div>" * 9_000 + "x", id="just not too deep"),
    pytest.param("<" * 200_000, id="less-than signs"),
    pytest.param("<a x" * 50_000, id="open tags"),
    pytest.param("&amp;" * 200_000, id="entities"),
    pytest.param("<!--" * 50_000, id="comments"),
    pytest.param("<script>" * 30_000, id="scripts"),
    pytest.param("<ul><li>" * 4_000, id="lists"),
    pytest.param("<table><tr><td>" * 3_000, id="tables"),
    pytest.param("<blockquote>x" * 5_000, id="quotes"),
    pytest.param("<div style='display:none'>" * 5_000 + "x", id="hidden"),
    pytest.param("word " * 1_000_000, id="big"),
    pytest.param("<svg>" * 9_000 + "</x>" * 100_000, id="closing tags"),
    pytest.param("<style></style>" * 130_000, id="styles"),
    pytest.param("<STYLE></Style><script>" * 80_000, id="styles and a script"),
    pytest.param(f"<p {NAMES}>x", id="attributes"),
    pytest.param("<!-- <a x=\" --><p y='\">' " + NAMES + ">x", id="attributes after a false quote"),
    pytest.param("<p " + NAMES.replace(" ", "='>' ") + ">x", id="attributes with bracketed values"),
    pytest.param("\"'" * 250_000, id="quotation marks"),
    pytest.param("<a" + "=b" * 250_000, id="equals signs"),
    pytest.param(f'<p =" {NAMES}>x', id="attributes after a name with an equals sign"),
    pytest.param(f'<p=" {NAMES}>x', id="attributes after a tag with an equals sign"),
    pytest.param(f'<p a="x"=" {NAMES}>x', id="attributes after a value with an equals sign"),
    pytest.param(f'<p a= =" {NAMES}>x', id="attributes after two equals signs"),
    pytest.param(f'<p a=b=" {NAMES}>x', id="attributes after an unquoted value"),
    pytest.param(f'<p a=b/c=" {NAMES}>x', id="attributes after an unquoted path"),
    pytest.param("<a href='" + "x" * 400_000 + "'>y</a>", id="long attribute"),
]


@pytest.mark.parametrize("source", BOMBS)
def test_bomb_takes_no_quadratic_time(source: str) -> None:
    started = time.process_time()

    page = html_to_text(source)

    assert time.process_time() - started < 10  # quadratic work would take minutes
    assert len(page.lines) == len(page.flags)


def test_charset_of_the_page_counts_when_the_part_names_none() -> None:
    source = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=big5"></head>許功蓋'

    letter = read_letter(mail("Content-Type: text/html", body=source.encode("big5")))

    assert (letter.text, letter.charset, letter.guessed) == ("許功蓋", "cp950", False)


def test_too_complex_page_is_stripped_and_says_so() -> None:
    source = "<style>p{}</style>" + "<p>word &amp; " * 11_000

    letter = read_letter(mail("Content-Type: text/html", body=source.encode()))

    assert letter.text.startswith("[HTML too complex]\nword &\nword &\n")
    assert letter.defects == ["HTML too complex"]


def test_words_around_scripts_and_styles_of_a_stripped_page_are_kept() -> None:
    source = (
        "İ<STYLE>p{}</script></STYLE>one<script>x('<style>')</script>two</style><script>y" + "<p>" * 10_001
    )

    assert html_to_text(source).lines == ["[HTML too complex]", "İ", "one", "two"]


def test_image_written_out_in_an_attribute_is_no_reason_to_strip() -> None:
    source = f"<p>one<img alt='shot' src=\"data:image/png;base64,{'A' * 300_000}\"> two"

    page = html_to_text(source)

    assert (page.lines, page.is_stripped) == (["one[image: shot] two"], False)


def test_tag_is_long_by_what_stands_outside_its_quoted_values() -> None:
    room = MAX_TAG_CHARACTERS - len("<p ")

    longest, longer = (html_to_text(f"<p {'a' * length}>x" + " " * 10) for length in (room, room + 1))

    assert [longest.is_stripped, longer.is_stripped] == [False, True]


def test_pages_of_one_mail_share_the_budget() -> None:
    words = page("<div>" * 6_000 + "words")

    letter = read_letter(multipart("mixed", words, words, page("<p>last</p>")))

    assert letter.text == "words\n\n[HTML too complex]\nwords\n\nlast"
    assert letter.defects == ["HTML too complex"]


MANY_PAGES = [
    pytest.param("<p " + NAMES[:29_999] + ">x", 100, id="attributes"),
    pytest.param("<div>" * 900, 1_900, id="depth"),
    pytest.param("<svg>" * 900 + "</x>" * 900, 1_000, id="closing tags"),
    pytest.param("&x" * 200_000, 50, id="entities"),
    pytest.param("\"'" * 200_000 + "<p " + NAMES[:29_999], 50, id="quotation marks"),
]


@pytest.mark.parametrize(("source", "number"), MANY_PAGES)
def test_many_pages_take_no_longer_than_one(source: str, number: int) -> None:
    raw = multipart("mixed", *[page(source)] * number)
    started = time.process_time()

    letter = read_letter(raw)

    assert time.process_time() - started < 4  # without a common budget more than 5
    assert letter.defects[0] == "HTML too complex"
