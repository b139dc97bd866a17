"""Paths and parameters of MAIL and RCPT."""

from __future__ import annotations

import pytest
from aiosmtpd.smtp import SMTP

from maild.intake.paths import MailParameters, Refusal, read_parameters, read_path


class _Parser:
    """As much of an aiosmtpd session as its parser of paths needs."""

    local_part_limit = 0


def slow(path):
    return SMTP._getaddr(_Parser(), path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<a@example.org>", ("a@example.org", "")),
        (" <a@example.org> SIZE=3", ("a@example.org", "SIZE=3")),
        ("<>", ("", "")),
        ("<Postmaster>", ("Postmaster", "")),
        ("<../../etc/x@desk>", ("../../etc/x@desk", "")),
        ("<用户@例え.example> SMTPUTF8", ("用户@例え.example", "SMTPUTF8")),
        ('<"odd name"@example.org> SIZE=3', ('"odd name"@example.org', "SIZE=3")),
        ("<@one.example,@two.example:a@example.org>", ("a@example.org", "")),
        ("<a@[192.0.2.1]>", ("a@[192.0.2.1]", "")),
        ("a@example.org SIZE=3", ("a@example.org", "SIZE=3")),
    ],
)
def test_paths_are_read(text, found):
    assert read_path(text, slow) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<",
        "<a@example.org",
        "a@example.org>",
        "<a@b@c>",
        "<a@>",
        "<@>",
        "<<a@b>>",
        "<a@b>SIZE=3",
        "<a b>c",
    ],
)
def test_what_is_no_path_is_not_read(text):
    assert read_path(text, slow) is None


@pytest.mark.parametrize(
    "text",
    ["<" + "(" * 1500 + "a@b>", '<"=?utf-8?q?a?="@b>', "<" + "a" * 320 + "@b>", '<"' + '"' * 1500 + ">"],
)
def test_paths_that_would_cost_or_decode_something_are_refused_unread(text):
    def never(path):
        raise AssertionError(path)

    assert read_path(text, never) is None


def test_parameters_are_read():
    assert read_parameters("size=12 BODY=8BITMIME smtputf8") == MailParameters(12, is_utf8=True)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("SIZE=²", "501 5.5.4 wrong parameter value"),
        ("SIZE=" + "9" * 5000, "501 5.5.4 wrong parameter value"),
        ("BODY=BINARYMIME", "501 5.5.4 wrong parameter value"),
        ("SMTPUTF8=1", "501 5.5.4 wrong parameter value"),
        ("AUTH=<>", "555 5.5.4 unknown parameter"),
    ],
)
def test_wrong_parameters_are_refused(text, reply):
    with pytest.raises(Refusal) as refused:
        read_parameters(text)

    assert refused.value.reply == reply
