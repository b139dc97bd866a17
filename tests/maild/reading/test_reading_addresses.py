"""Who wrote: one mailbox or none, and every reason to doubt."""

from __future__ import annotations

import pytest

from desk.letter import Mailbox
from maild.reading.addresses import read_mailboxes
from maild.reading.letter import read_letter
from tests.maild.reading.mails import mail

HONEST = [
    pytest.param(b"a@example.org", "", "a@example.org", id="bare"),
    pytest.param(b"A B <a@EXAMPLE.org>", "A B", "a@example.org", id="domain in lower case"),
    pytest.param(b"<A@example.org>", "", "A@example.org", id="local part as sent"),
    pytest.param(b'"B, A" <a@example.org>', "B, A", "a@example.org", id="quoted comma"),
    pytest.param(b"B, A <a@example.org>", "B, A", "a@example.org", id="comma that should be quoted"),
    pytest.param(b"a@example.org (A B)", "A B", "a@example.org", id="comment as name"),
    pytest.param(b'"A \\"x\\" B" <a@example.org>', 'A "x" B', "a@example.org", id="quoted pair"),
    pytest.param("王小明 <a@example.org>".encode(), "王小明", "a@example.org", id="raw UTF-8 name"),
    pytest.param(
        "許功蓋 <a@example.org>".encode("big5"), "許功蓋", "a@example.org", id="raw Big5 with backslashes"
    ),
    pytest.param(b"=?gb2312?B?zfXQocP3?= <a@example.org>", "王小明", "a@example.org", id="encoded name"),
    pytest.param(
        b"=?utf-8?q?a=2C_b=40c?= <a@example.org>", "a, b@c", "a@example.org", id="encoded comma and at"
    ),
    pytest.param("A <a@bücher.example>".encode(), "A", "a@xn--bcher-kva.example", id="domain beyond ASCII"),
    pytest.param("A <ä@example.org>".encode(), "A", "ä@example.org", id="local part beyond ASCII"),
    pytest.param(b"<a..b.@example.org>", "", "a..b.@example.org", id="dots as some phones have them"),
    pytest.param(b'"a b"@example.org', "", '"a b"@example.org', id="quoted local part"),
    pytest.param(
        b"a@example.org <a@example.org>", "a@example.org", "a@example.org", id="address as its own name"
    ),
    pytest.param(
        b"'a@example.org' <a@example.org>", "'a@example.org'", "a@example.org", id="address in single quotes"
    ),
]


@pytest.mark.parametrize(("value", "name", "address"), HONEST)
def test_honest_sender_is_read_without_doubt(value: bytes, name: str, address: str) -> None:
    letter = read_letter(mail(sender=value))

    assert (letter.sender, letter.sender_doubts) == (Mailbox(name, address), [])


SPOOFED = [
    pytest.param(b"a@b.example, c@d.example", None, ["several mailboxes in From"], id="two mailboxes"),
    pytest.param(
        b"boss@b.example <c@d.example>", "c@d.example", ["address readers disagree"], id="address as name"
    ),
    pytest.param(
        b"A <a@x.example> <b@y.example>",
        "a@x.example",
        ["text after the address", "address readers disagree"],
        id="two brackets",
    ),
    pytest.param(
        b"=?utf-8?q?boss=40b.example?=@x.example",
        None,
        ["encoded word inside the address", "no address in From"],
        id="encoded word in the address",
    ),
    pytest.param(
        b"=?utf-8?q?boss=40b.example=00?=@x.example",
        None,
        ["encoded word inside the address", "no address in From"],
        id="encoded NUL in the address",
    ),
    pytest.param(
        b"A\x01 <a@x.example>", "a@x.example", ["control character in an address field"], id="control"
    ),
    pytest.param(b"A <a@x.example", "a@x.example", ["unclosed bracket in an address field"], id="unclosed"),
    pytest.param(b"nobody", None, ["no address in From"], id="no address"),
    pytest.param(
        b"A a@x.example",
        "a@x.example",
        ["address not well formed", "address readers disagree"],
        id="no brackets",
    ),
    pytest.param(b"a" * 3000 + b"@x.example", None, ["From is too long"], id="endless"),
    pytest.param(
        b"(" * 1500 + b"a@x.example",
        None,
        ["unclosed bracket in an address field", "no address in From"],
        id="comments",
    ),
]


@pytest.mark.parametrize(("value", "address", "doubts"), SPOOFED)
def test_doubtful_sender_is_told(value: bytes, address: str | None, doubts: list[str]) -> None:
    letter = read_letter(mail(sender=value))

    assert (letter.sender.address if letter.sender else None) == address
    assert letter.sender_doubts == doubts


def test_two_from_fields_are_nobody() -> None:
    letter = read_letter(mail("From: a@x.example", "From: b@x.example"))

    assert letter.sender is None
    assert letter.sender_doubts == ["several From fields"]
    assert "repeated field: from" in letter.defects


def test_missing_from_is_nobody() -> None:
    letter = read_letter(mail(sender=None))

    assert (letter.sender, letter.sender_doubts) == (None, ["no From field"])


def test_homograph_is_punycode() -> None:
    letter = read_letter(mail(sender="A <admin@dеsk.example>".encode()))  # the e is Cyrillic

    assert letter.sender == Mailbox("A", "admin@xn--dsk-rdd.example")


def test_groups_and_lists_are_flattened() -> None:
    letter = read_letter(
        mail("To: team: a@x.example, B <b@x.example>;, c@x.example", "Cc: undisclosed-recipients:;")
    )

    assert [mailbox.address for mailbox in letter.to] == ["a@x.example", "b@x.example", "c@x.example"]
    assert letter.cc == []


def test_repeated_to_fields_are_joined() -> None:
    letter = read_letter(mail("To: a@x.example", "To: b@x.example"))

    assert [mailbox.address for mailbox in letter.to] == ["a@x.example", "b@x.example"]


def test_mailboxes_are_limited() -> None:
    found = read_mailboxes(b"a@x.example," * 5000)

    assert (len(found.found), found.problems) == (1000, ["too many mailboxes"])


def test_recipients_seen_come_from_delivery_fields() -> None:
    letter = read_letter(mail("Delivered-To: Support@example.com", "X-Original-To: <b@example.com>"))

    assert letter.recipients_seen == ["support@example.com", "b@example.com"]
