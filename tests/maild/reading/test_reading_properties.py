"""What holds for any bytes and any text."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from desk.letter import Letter
from maild.reading.htmltext import html_to_text
from maild.reading.letter import read_degraded, read_letter
from maild.reading.quoting import spans_of

PIECES = st.sampled_from(
    """From:_|To:_|Subject:_|Content-Type:_|multipart/mixed; boundary=b|text/html; charset=|\r\n|\n|\r\n\r\n|--b|--b--
    |=?utf-8?b?|?=|<a@example.org>|(|)|"|<|>|@|,|; filename*0*=|''|Content-Transfer-Encoding: base64|message/rfc822
    |gb2312|打|\0|é""".replace("\n    ", "")
    .replace("_", " ")
    .split("|")
).map(lambda piece: piece.encode("gbk", "replace"))
MAILS = st.lists(st.one_of(PIECES, st.binary(max_size=12)), max_size=40).map(b"".join)
LINES = st.sampled_from(
    """> q|-- |On 1.1.2026, A wrote:|From: a|Sent: b|To: c|Subject: d||words|-----Original Message-----|写道：
    |---------- Forwarded message ---------|Sent from my iPhone|This e-mail is confidential, delete it""".replace(
        "\n    ", ""
    ).split("|")
)


def assert_sound(letter: Letter) -> None:
    assert "".join(letter.text[span.start : span.end] for span in letter.spans) == letter.text
    letter.text.encode("utf-8")
    letter.subject.encode("utf-8")
    assert "\0" not in letter.text
    assert all(attachment.name for attachment in letter.attachments)


@settings(max_examples=150, deadline=None)
@given(MAILS)
def test_any_bytes_are_read(raw: bytes) -> None:
    assert_sound(read_letter(raw))
    assert_sound(read_degraded(raw))


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.lists(LINES).map("\n".join)), st.booleans())
def test_spans_joined_are_the_text(text: str, is_forward: bool) -> None:
    spans = spans_of(text, is_forward=is_forward)

    assert "".join(text[span.start : span.end] for span in spans) == text
    assert all(first.role != second.role for first, second in pairwise(spans))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="<>/=\"' abdivpretlhqu&;!-\n", max_size=200))
def test_any_markup_gives_a_flag_a_line(source: str) -> None:
    page = html_to_text(source)

    assert len(page.lines) == len(page.flags)
    assert not any("\n" in line for line in page.lines)
