"""Mails made to hurt: each is read in less than a second, none is lost, none raises."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from desk.letter import Letter
from maild.reading.letter import read_degraded, read_letter
from tests.maild.reading.mails import mail, multipart, page, plain


def nested(depth: int) -> bytes:
    opening = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(depth)
    )
    return b"From: a@example.org\r\n" + opening + b"Content-Type: text/plain\r\n\r\ndeep words\r\n"


def nested_mails(depth: int) -> bytes:
    return b"From: a@example.org\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"deep"


ATTACHMENT = b"Content-Type: application/x\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\nx"

MAILS = [
    pytest.param(nested(50), id="nested within the limit"),
    pytest.param(nested(5_000), id="nested"),
    pytest.param(nested_mails(20_000), id="nested mails"),
    pytest.param(multipart("mixed", *[plain("x")] * 20_000), id="parts"),
    pytest.param(multipart("mixed", *[ATTACHMENT] * 1_500), id="attachments"),
    pytest.param(mail("Content-Type: multipart/mixed; boundary=b", body=b"--\n" * 400_000), id="dashes"),
    pytest.param(
        mail("Content-Type: multipart/mixed; boundary=b", body=b"--b\r\n" * 100_000), id="boundaries"
    ),
    pytest.param(mail(*["X: v"] * 100_000), id="header fields"),
    pytest.param(mail("X: " + "v" * 1_048_576), id="one field"),
    pytest.param(mail("X: a\r\n" + " b\r\n" * 100_000), id="folds"),
    pytest.param(mail("N" * 1_048_576 + ": v"), id="field name"),
    pytest.param(mail("To: " + "a@example.org, " * 15_000), id="addresses"),
    pytest.param(mail("To: " + '"' * 200_000), id="quotes"),
    pytest.param(mail("To: " + "(" * 200_000), id="comments"),
    pytest.param(mail("To: " + "<" * 200_000), id="brackets"),
    pytest.param(mail("To: " + "a." * 100_000 + "@x"), id="dots"),
    pytest.param(mail("To: " + "@" * 200_000), id="at signs"),
    pytest.param(mail("To: " + "g:;" * 60_000), id="groups"),
    pytest.param(mail("To: " + "\\" * 200_000), id="backslashes"),
    pytest.param(mail(sender=b"=?utf-8?q?a?=" * 15_000), id="encoded words in From"),
    pytest.param(mail("Subject: " + "=?utf-8?q?a?= " * 15_000), id="encoded words"),
    pytest.param(mail("Subject: " + "=?" * 100_000), id="unfinished words"),
    pytest.param(mail("References: " + "<a@b> " * 40_000), id="references"),
    pytest.param(mail("References: " + "<" * 200_000), id="unclosed references"),
    pytest.param(mail("Date: " + "(" * 200_000), id="date"),
    pytest.param(mail("Received: " + "from a " * 30_000), id="received"),
    pytest.param(mail("Content-Type: text/plain" + "; a=b" * 40_000), id="parameters"),
    pytest.param(mail("Content-Type: text/plain; charset=" + "x" * 200_000), id="charset name"),
    pytest.param(mail("Content-Type: text/plain; charset=idna", body=b"xn--" + b"a" * 400_000), id="idna"),
    pytest.param(mail("Content-Type: text/plain; charset=punycode", body=b"a" * 400_000), id="punycode"),
    pytest.param(mail("Content-Type: text/plain; charset=zip", body=b"x" * 100_000), id="zip"),
    pytest.param(mail("Content-Transfer-Encoding: base64", body=b"=A" * 300_000), id="base64 garbage"),
    pytest.param(mail("Content-Transfer-Encoding: base64", body=b"A=== " * 200_000), id="base64 padding"),
    pytest.param(mail("Content-Transfer-Encoding: quoted-printable", body=b"=" * 1_000_000), id="qp garbage"),
    pytest.param(
        mail("Content-Transfer-Encoding: x-uue", body=b"begin 1 x\n" + b"\xff\n" * 200_000), id="uu garbage"
    ),
    pytest.param(multipart("alternative", page("<div>" * 50_000)), id="html"),
    pytest.param(mail(body=random.Random(1).randbytes(300_000)), id="noise as text"),
    pytest.param(random.Random(2).randbytes(300_000), id="noise"),
    pytest.param(b"\0" * 300_000, id="nul"),
    pytest.param(b"\n" * 300_000, id="newlines"),
    pytest.param(b"\r" * 300_000, id="carriage returns"),
    pytest.param(b":" * 300_000, id="colons"),
]


@pytest.mark.parametrize("raw", MAILS)
@pytest.mark.parametrize("read", [read_letter, read_degraded])
def test_hostile_mail_is_read_in_linear_time(read: Callable[[bytes], Letter], raw: bytes) -> None:
    started = time.process_time()

    letter = read(raw)

    assert time.process_time() - started < 10  # quadratic work would take minutes
    assert "".join(letter.text[span.start : span.end] for span in letter.spans) == letter.text
    assert letter.size == len(raw)
    assert not (set("\0\ud800") & set(letter.text + letter.subject))


def test_deepest_parts_stay_in_the_raw_mail_and_the_first_text_is_shown() -> None:
    raw = nested(100)

    letter = read_letter(raw)

    assert letter.text == "deep words"
    assert "too deeply nested" in letter.defects
    assert [(a.name, a.content) for a in letter.attachments] == [("message.eml", raw)]


def test_parts_beyond_the_limit_stay_in_the_raw_mail() -> None:
    raw = multipart("mixed", *[plain("x")] * 3_000)

    letter = read_letter(raw)

    assert letter.defects == ["too many parts"]
    assert [(a.name, a.content) for a in letter.attachments] == [("message.eml", raw)]


def test_attachments_beyond_the_limit_stay_in_the_raw_mail() -> None:
    raw = multipart("mixed", *[ATTACHMENT] * 300)

    letter = read_letter(raw)

    assert (len(letter.attachments), letter.defects) == (201, ["too many attachments"])
    assert (letter.attachments[-1].name, letter.attachments[-1].content) == ("message.eml", raw)


def test_nested_mails_stay_closed() -> None:
    raw = multipart("mixed", plain("outer"), b"Content-Type: message/rfc822\r\n\r\n" + nested_mails(50))

    letter = read_letter(raw)

    assert letter.text == "outer"
    assert [a.content for a in letter.attachments] == [nested_mails(50)]


@pytest.mark.parametrize(
    "field",
    [
        "Content-Type: message/partial; id=x; number=1; total=2",
        "Content-Type: message/external-body; access-type=local-file; name=/etc/passwd",
    ],
)
def test_partial_and_external_bodies_stay_closed(field: str) -> None:
    letter = read_letter(mail(field, body=b"data"))

    assert (letter.text, [a.content for a in letter.attachments]) == ("", [b"data"])
