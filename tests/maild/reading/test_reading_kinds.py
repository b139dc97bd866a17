"""Person, machine, list, ourselves."""

from __future__ import annotations

import pytest

from maild.reading.letter import read_letter
from tests.maild.reading.mails import mail, multipart, plain

KINDS = [
    pytest.param([], "human", id="nothing special"),
    pytest.param(["Auto-Submitted: no"], "human", id="auto-submitted no"),
    pytest.param(["Subject: Automatic reply: does not work"], "human", id="words alone prove nothing"),
    pytest.param(["X-Desk-Loop: 1", "Auto-Submitted: auto-replied"], "own", id="our mark"),
    pytest.param(["Auto-Submitted: auto-replied (vacation)"], "auto-reply", id="RFC 3834"),
    pytest.param(["Auto-Submitted: auto-replied; owner-email=x"], "auto-reply", id="RFC 3834 with parameter"),
    pytest.param(["X-Autoreply: yes"], "auto-reply", id="X-Autoreply"),
    pytest.param(["X-Autorespond: x"], "auto-reply", id="X-Autorespond"),
    pytest.param(["Precedence: auto_reply"], "auto-reply", id="precedence"),
    pytest.param(["Return-Path: <>"], "auto-reply", id="null sender"),
    pytest.param(
        ["Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All", "Subject: Automatic reply: x"],
        "auto-reply",
        id="Exchange out of office",
    ),
    pytest.param(
        ["Subject: 自動回覆: x", "X-Auto-Response-Suppress: All"], "auto-reply", id="Exchange in Chinese"
    ),
    pytest.param(["List-Id: <l.example.org>"], "list", id="list"),
    pytest.param(["List-Unsubscribe: <mailto:x@example.org>"], "list", id="newsletter"),
    pytest.param(["Precedence: bulk"], "list", id="bulk"),
    pytest.param(["List-Id: <l>", "Auto-Submitted: auto-generated"], "list", id="notice by list"),
    pytest.param(["Auto-Submitted: auto-generated"], "monitor", id="auto-generated"),
    pytest.param(["From: nagios@example.org"], "monitor", id="Nagios"),
    pytest.param(["From: Zabbix <zabbix-prod@example.org>"], "monitor", id="Zabbix"),
    pytest.param(["X-Cron-Env: <SHELL=/bin/sh>"], "monitor", id="cron"),
    pytest.param(["X-Auto-Response-Suppress: All"], "monitor", id="asks for no automatic answer"),
    pytest.param(["From: monica@example.org"], "human", id="name that begins like a monitor"),
]


@pytest.mark.parametrize(("fields", "kind"), KINDS)
def test_kind_is_told_by_the_fields(fields: list[str], kind: str) -> None:
    assert read_letter(mail(*fields)).kind == kind


def test_auto_submitted_is_kept_as_a_keyword() -> None:
    assert read_letter(mail("Auto-Submitted: Auto-Generated (cron)")).auto_submitted == "auto-generated"


@pytest.mark.parametrize(
    ("report_type", "part"),
    [
        ("feedback-report", "message/feedback-report"),
        ("disposition-notification", "message/disposition-notification"),
    ],
)
def test_feedback_and_receipts_are_reports(report_type: str, part: str) -> None:
    raw = multipart(
        f"report; report-type={report_type}",
        plain(),
        f"Content-Type: {part}\r\n\r\nFeedback-Type: abuse".encode(),
    )

    letter = read_letter(raw)

    assert (letter.kind, letter.bounce) == ("report", None)
