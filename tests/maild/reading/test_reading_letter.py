"""A whole mail, read: fields, dates, limits, and the emergency reader."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec
import pytest

from desk.letter import Letter, Mailbox, Span, inspect_view
from maild.reading.letter import read_degraded, read_letter
from tests.maild.reading.mails import mail, multipart, page, plain


def test_ordinary_mail_is_read_whole() -> None:
    raw = mail(
        "Received: from mx.example.org by mail.example.com; Fri, 20 Nov 2026 10:00:01 +0000",
        "Reply-To: B <b@example.org>",
        "Cc: c@example.org",
        "Subject: =?utf-8?B?5Y2w6KGo5qmf?= broken",
        "Message-ID: <m1@example.org>",
        "In-Reply-To: <t.2@desk.example>",
        "References: <t.1@desk.example>\r\n <t.2@desk.example>",
        "Date: Fri, 20 Nov 2026 18:00:00 +0800",
        "X-Asset: PC-7",
        body=b"It is not working, please help.\r\n-- \r\nA\r\n",
    )

    letter = read_letter(raw)

    assert letter == Letter(
        sha256=hashlib.sha256(raw).hexdigest(),
        size=len(raw),
        subject="印表機 broken",
        sender=Mailbox("A", "a@example.org"),
        to=[Mailbox("", "support@example.com")],
        cc=[Mailbox("", "c@example.org")],
        reply_to=[Mailbox("B", "b@example.org")],
        message_id="<m1@example.org>",
        in_reply_to=["<t.2@desk.example>"],
        references=["<t.1@desk.example>", "<t.2@desk.example>"],
        date=datetime(2026, 11, 20, 10, 0, tzinfo=UTC),
        text="It is not working, please help.\n-- \nA",
        spans=[Span("new", 0, 32), Span("signature", 32, 37)],
        hops=1,
        language="en",
        charset="us-ascii",
        headers=[
            ("From", "A <a@example.org>"),
            ("Reply-To", "B <b@example.org>"),
            ("Cc", "c@example.org"),
            ("Subject", "印表機 broken"),
            ("Message-ID", "<m1@example.org>"),
            ("In-Reply-To", "<t.2@desk.example>"),
            ("References", "<t.1@desk.example> <t.2@desk.example>"),
            ("Date", "Fri, 20 Nov 2026 18:00:00 +0800"),
            ("X-Asset", "PC-7"),
            ("To", "support@example.com"),
        ],
    )


def test_reading_twice_gives_the_same_letter() -> None:
    raw = multipart("mixed", plain(), page("<p>x"), b"Content-Disposition: attachment\r\n\r\nx")

    assert read_letter(raw) == read_letter(raw)


def test_letter_survives_its_transport() -> None:
    letter = read_letter(mail("Date: Fri, 20 Nov 2026 18:00:00 +0800"))

    assert msgspec.msgpack.decode(msgspec.msgpack.encode(letter), type=Letter) == letter


DATES = [
    pytest.param("Fri, 20 Nov 2026 10:00:00 +0000", datetime(2026, 11, 20, 10, tzinfo=UTC), id="usual"),
    pytest.param("20 Nov 26 10:00 GMT", datetime(2026, 11, 20, 10, tzinfo=UTC), id="obsolete"),
    pytest.param(
        "Thu, 20 Nov 2026 10:00:00 +0000", datetime(2026, 11, 20, 10, tzinfo=UTC), id="wrong weekday"
    ),
    pytest.param("Fri, 20 Nov 2026 23:59:60 -0100", datetime(2026, 11, 21, 1, tzinfo=UTC), id="leap second"),
    pytest.param("yesterday", None, id="words"),
    pytest.param("Fri, 32 Nov 2026 10:00:00 +0000", None, id="no such day"),
    pytest.param("Fri, 20 Nov 2026 10:00:00 +9999", None, id="no such zone"),
    pytest.param("(" * 5000 + "Fri, 20 Nov 2026 10:00:00 +0000", None, id="comments"),
    pytest.param("", None, id="empty"),
]


@pytest.mark.parametrize(("value", "date"), DATES)
def test_date_is_read_or_left_out(value: str, date: datetime | None) -> None:
    assert read_letter(mail(f"Date: {value}")).date == date


def test_repeated_fields_count_once_and_are_named() -> None:
    letter = read_letter(
        mail(
            *("Subject: one", "Subject: two"),
            *("Message-ID: <a@x>", "Message-ID: <b@x>"),
            *("References: <c@x>", "References: <d@x>"),
        )
    )

    assert (letter.subject, letter.message_id, letter.references) == ("one", "<a@x>", ["<c@x>"])
    assert letter.defects == [
        "repeated field: subject",
        "repeated field: message-id",
        "repeated field: references",
    ]


@pytest.mark.parametrize("value", ["", "<>", "<a b@x>", "a@x", "<a@x", "<" + "a" * 2000 + "@x>"])
def test_message_id_that_is_none_is_absent(value: str) -> None:
    assert read_letter(mail(f"Message-ID: {value}")).message_id is None


def test_subject_is_cut_and_on_one_line() -> None:
    assert read_letter(mail("Subject: " + "a" * 5000)).subject == "a" * 998
    assert read_letter(mail("Subject: a\r\n b\r\n\tc")).subject == "a b\tc"


def test_text_is_cut_at_a_million() -> None:
    letter = read_letter(mail(body=b"a b\r\n" * 400_000))

    assert (len(letter.text), letter.defects) == (1_000_000, ["text cut"])
    assert letter.spans == [Span("new", 0, 1_000_000)]


def test_mail_without_header_is_text() -> None:
    letter = read_letter(b"just text\nsecond line")

    assert (letter.subject, letter.sender, letter.text) == ("", None, "just text\nsecond line")


def test_empty_mail_is_an_empty_letter() -> None:
    letter = read_letter(b"")

    assert (letter.size, letter.text, letter.spans, letter.attachments) == (0, "", [], [])


@pytest.mark.parametrize("mangle", [b"\xef\xbb\xbf%s", b"From x@y Fri Nov 20 10:00:00 2026\n%s"])
def test_what_stands_before_the_header_is_ignored(mangle: bytes) -> None:
    assert read_letter(mangle % mail()).subject == "printer"


def test_carriage_returns_alone_end_lines_too() -> None:
    letter = read_letter(mail(body=b"a\r\nb").replace(b"\r\n", b"\r"))

    assert (letter.subject, letter.text) == ("printer", "a\nb")


def test_guess_in_text_or_subject_is_marked() -> None:
    assert read_letter(mail(body="打印机坏了".encode("gbk"))).guessed is True
    assert read_letter(mail(b"Subject: " + "打印机坏了".encode("gbk"))).guessed is True
    assert (
        read_letter(mail("Content-Type: text/plain; charset=gbk", body="打印机".encode("gbk"))).guessed
        is False
    )


def test_headers_leave_out_trace_and_are_capped() -> None:
    fields = [f"X-{number}: {'v' * 5000 if number == 0 else 'v'}" for number in range(300)]

    letter = read_letter(mail("Received: x", "DKIM-Signature: x", "ARC-Seal: x", *fields))

    assert len(letter.headers) == 200
    assert letter.headers[:3] == [("From", "A <a@example.org>"), ("X-0", "v" * 2048), ("X-1", "v")]


def test_inspection_has_every_field() -> None:
    view = inspect_view(read_letter(b""), file="x.eml")

    assert (view["from"], view["message_id"], view["date"], view["bounce"], view["references"]) == (
        None,
        None,
        None,
        None,
        [],
    )


# The emergency reader


def test_emergency_reader_keeps_what_matters() -> None:
    raw = multipart(
        "alternative",
        page("<p>page"),
        plain("words of the requester"),
        fields=(
            "Subject: =?utf-8?B?5Y2w?=",
            "Message-ID: <a@x>",
            "In-Reply-To: <b@x>",
            "References: <c@x> <d@x>",
        ),
    )

    letter = read_degraded(raw)

    assert (letter.subject, letter.sender, letter.to) == (
        "印",
        Mailbox("A", "a@example.org"),
        [Mailbox("", "support@example.com")],
    )
    assert (letter.message_id, letter.in_reply_to, letter.references) == (
        "<a@x>",
        ["<b@x>"],
        ["<c@x>", "<d@x>"],
    )
    assert (letter.text, letter.spans) == ("words of the requester", [Span("new", 0, 22)])
    assert (letter.degraded, letter.guessed) == (True, True)
    assert [(a.name, a.type, a.content, a.size) for a in letter.attachments] == [
        ("message.eml", "message/rfc822", raw, len(raw))
    ]


def test_emergency_reader_cuts_the_text() -> None:
    assert len(read_degraded(mail(body=b"a" * 200_000)).text) <= 64 * 1024


LIMITS = [
    pytest.param(mail("X: " + "v" * 300_000), "header block above 256 KiB", id="header block"),
    pytest.param(mail(*["X: v"] * 1200), "more than 1000 header fields", id="header count"),
]


@pytest.mark.parametrize(("raw", "reason"), LIMITS)
def test_mail_beyond_the_limits_is_read_degraded(raw: bytes, reason: str) -> None:
    letter = read_letter(raw)

    assert (letter.degraded, letter.defects, letter.text) == (True, [reason], "hello")
    assert [(a.name, a.content) for a in letter.attachments] == [("message.eml", raw)]


def test_what_filters_and_servers_wrote_is_counted() -> None:
    raw = mail("Received: from a by b", "Received: from b by c", "X-Spam-Flag: YES", "From: a@example.org")

    letter = read_letter(raw)

    assert (letter.hops, letter.is_marked_spam) == (2, True)
