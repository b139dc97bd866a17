"""Delivery reports of many mail servers."""

from __future__ import annotations

import pytest

from desk.letter import Bounce, BouncedRecipient
from maild.reading.letter import read_letter
from tests.maild.reading.mails import mail, multipart, plain

RETURNED = b"Content-Type: message/rfc822\r\n\r\nMessage-ID: <ours@desk>\r\nSubject: x\r\n\r\nold"
HEADERS = b"Content-Type: text/rfc822-headers\r\n\r\nSubject: x\r\nMessage-ID:\r\n <ours@desk>\r\n"


def report(status: str, returned: bytes = RETURNED) -> bytes:
    part = (
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        + status.encode()
    )
    return multipart("report; report-type=delivery-status", plain("undelivered"), part, returned)


REPORTS = [
    pytest.param(
        "Final-Recipient: rfc822; B@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n",
        BouncedRecipient("B@example.net", "failed", "5.1.1", True),
        id="permanent",
    ),
    pytest.param(
        "Final-Recipient: rfc822;<b@example.net>\r\nAction: delayed\r\nStatus: 4.4.1 (timeout)\r\n",
        BouncedRecipient("b@example.net", "delayed", "4.4.1", False),
        id="delayed",
    ),
    pytest.param(
        "Original-Recipient: rfc822;b@example.net\r\nAction: failed\r\nStatus: 4.2.2\r\n",
        BouncedRecipient("b@example.net", "failed", "4.2.2", False),
        id="given up, not permanent",
    ),
    pytest.param(
        "Final-Recipient: rfc822;b@example.net\r\nAction: failed\r\nDiagnostic-Code: smtp; 550 5.7.1 no\r\n",
        BouncedRecipient("b@example.net", "failed", "5.7.1", True),
        id="status in the diagnostic",
    ),
    pytest.param(
        "Final-Recipient: rfc822;b@example.net\r\nAction: failed\r\nDiagnostic-Code: smtp; 550 no such user\r\n",
        BouncedRecipient("b@example.net", "failed", None, True),
        id="reply code only",
    ),
]


@pytest.mark.parametrize(("status", "recipient"), REPORTS)
@pytest.mark.parametrize("returned", [RETURNED, HEADERS])
def test_report_names_recipient_and_original(
    status: str, recipient: BouncedRecipient, returned: bytes
) -> None:
    letter = read_letter(report(status, returned))

    assert letter.kind == "bounce"
    assert letter.bounce == Bounce([recipient], "<ours@desk>")


def test_success_notice_is_a_report() -> None:
    letter = read_letter(
        report("Final-Recipient: rfc822;b@example.net\r\nAction: delivered\r\nStatus: 2.0.0\r\n")
    )

    assert (letter.kind, letter.bounce) == ("report", None)


def test_every_recipient_is_named_once_a_block() -> None:
    blocks = "\r\n".join(
        f"Final-Recipient: rfc822;b{number}@example.net\r\nAction: failed\r\nStatus: 5.0.0\r\n"
        for number in range(3)
    )

    bounce = read_letter(report(blocks)).bounce

    assert bounce is not None
    assert [recipient.address for recipient in bounce.recipients] == [
        f"b{number}@example.net" for number in range(3)
    ]


def test_report_of_100_000_blocks_is_capped() -> None:
    bounce = read_letter(
        report("Final-Recipient: rfc822;b@example.net\r\nAction: failed\r\n\r\n" * 100_000)
    ).bounce

    assert bounce is not None
    assert len(bounce.recipients) == 200


TEXTS = [
    pytest.param(
        "Hi. This is the qmail-send program.\r\n\r\n<b@example.net>:\r\n192.0.2.1 does not like recipient.\r\n"
        "Remote host said: 550 5.1.1 unknown user\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n"
        "Return-Path: <x@desk>\r\nMessage-ID: <ours@desk>\r\n",
        [BouncedRecipient("b@example.net", "failed", "5.1.1", True)],
        id="qmail",
    ),
    pytest.param(
        "A message could not be delivered:\r\n\r\n  b@example.net\r\n    SMTP error: 554 mailbox gone\r\n\r\n"
        "Message-Id: <ours@desk>\r\n",
        [BouncedRecipient("b@example.net", "failed", None, True)],
        id="Exim",
    ),
    pytest.param("It failed.\r\n\r\nMessage-ID: <ours@desk>\r\n", [], id="nothing to find"),
]


@pytest.mark.parametrize(("text", "recipients"), TEXTS)
def test_report_in_words_is_searched(text: str, recipients: list[BouncedRecipient]) -> None:
    raw = mail(
        "Return-Path: <>", "Subject: failure notice", sender=b"MAILER-DAEMON@mx.example", body=text.encode()
    )

    letter = read_letter(raw)

    assert (letter.kind, letter.bounce) == ("bounce", Bounce(recipients, "<ours@desk>"))


def test_field_of_exim_names_the_recipients() -> None:
    letter = read_letter(
        mail("X-Failed-Recipients: b@example.net, c@example.net", "In-Reply-To: <ours@desk>")
    )

    assert letter.bounce == Bounce(
        [
            BouncedRecipient("b@example.net", "failed", None, True),
            BouncedRecipient("c@example.net", "failed", None, True),
        ],
        "<ours@desk>",
    )


def test_person_who_writes_about_undelivered_mail_is_a_person() -> None:
    letter = read_letter(mail("Subject: Undelivered mail", body=b"<b@example.net>:\r\n550 5.1.1 unknown"))

    assert (letter.kind, letter.bounce) == ("human", None)
