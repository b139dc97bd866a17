"""Splitting and decoding of header fields."""

from __future__ import annotations

import pytest

from maild.reading.headers import bounded_references, decode_header, message_ids, split_header

DECODED = [
    pytest.param(b"plain", "plain", id="plain"),
    pytest.param(
        b"=?utf-8?B?5oiR55qE5Y0=?= =?utf-8?B?sOihqOapnw==?=",
        "我的印表機",
        id="character split over two words",
    ),
    pytest.param(b"Re: =?gb2312?B?tPLTobv6?= x", "Re: 打印机 x", id="word among plain text"),
    pytest.param(b"=?big5?B?+dg=?=", "裏", id="superset of the label"),
    pytest.param(b"=?utf-8*zh?Q?=E6=89=93?=", "打", id="language after the charset"),
    pytest.param(b"=?iso-8859-1?Q?a_b?= =?utf-8?Q?c?=", "a bc", id="two charsets"),
    pytest.param(b"=?idna?Q?xn--a?=", "xn--a", id="refused charset"),
    pytest.param("打印机坏了".encode("gbk"), "打印机坏了", id="raw GBK"),
    pytest.param("Größe".encode(), "Größe", id="raw UTF-8"),
    pytest.param("プリンタ".encode("iso2022_jp"), "プリンタ", id="raw ISO-2022-JP"),
    pytest.param(b"=?utf-8?Q?a=0D=0ABcc:_x?=", "a Bcc: x", id="line break inside a word"),
    pytest.param(b"=?utf-8?B?broken", "=?utf-8?B?broken", id="unfinished word"),
    pytest.param(b"=?utf-8?Q?a=00b?=", "a\ufffdb", id="NUL"),
]


@pytest.mark.parametrize(("value", "text"), DECODED)
def test_header_text_is_decoded(value: bytes, text: str) -> None:
    assert decode_header(value).text == text


def test_folded_field_is_unfolded() -> None:
    header = split_header(b"Subject: a\r\n b\r\nTo: x\r\n\r\nbody")

    assert [(field.key, field.value) for field in header.fields] == [("subject", b"a b"), ("to", b"x")]
    assert header.body_start == 25


def test_bare_carriage_return_starts_no_field() -> None:
    header = split_header(b"Subject: hi\rBcc: v@example.net\r\n\r\n")

    assert [(field.key, field.value) for field in header.fields] == [("subject", b"hi Bcc: v@example.net")]


def test_junk_line_ends_a_header_unless_core_fields_follow() -> None:
    raw = b"Subject: a\njunk\nFrom: b\n\nbody"

    strict, lenient = split_header(raw), split_header(raw, is_lenient=True)

    assert [field.key for field in strict.fields] == ["subject"]
    assert raw[strict.body_start :] == b"junk\nFrom: b\n\nbody"
    assert [field.key for field in lenient.fields] == ["subject", "from"]
    assert raw[lenient.body_start :] == b"body"


def test_header_beyond_the_limit_is_cut() -> None:
    header = split_header(b"A: b\n" * 100 + b"\nbody", limit=50)

    assert (len(header.fields), header.is_cut) == (10, True)


def test_message_ids_are_tokens_without_blanks() -> None:
    assert message_ids(b"<a@b> junk <c d@e> <f@g> <a@b> <\x01@h> <unclosed") == ["<a@b>", "<f@g>"]


def test_message_id_above_the_limit_is_no_id() -> None:
    assert message_ids(b"<" + b"a" * 997 + b">") == []
    assert message_ids(b"<" + b"a" * 996 + b">") == ["<" + "a" * 996 + ">"]


def test_references_keep_the_first_and_the_newest() -> None:
    ids = [f"<{number}@x>" for number in range(500)]

    kept = bounded_references(ids)

    assert kept == ["<0@x>", *(f"<{number}@x>" for number in range(301, 500))]
