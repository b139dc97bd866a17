"""The round of a mail: a client, a real Postfix, the desk, the same Postfix, the requester's mailbox, and back."""

from __future__ import annotations

import hashlib
import signal
import smtplib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from email import message_from_bytes
from email.policy import SMTP
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest

from tests.real.servers.desk_home import ADDRESS, Home, to_smarthost
from tests.real.servers.desk_process import DeskProcess
from tests.real.servers.loopback import wait_until
from tests.real.servers.postfix import Postfix
from tests.real.site import A, Site, answer_to, in_charset, mail, reply_to, text_of

RunDesk = Callable[..., DeskProcess]
# Every byte there is, and what transport likes to damage.
FILE = bytes(range(256)) * 40 + b"\r\n.\r\nFrom me\n\r" + b"\0" * 100


@pytest.fixture
def site(postfix: Postfix, new_home: Callable[..., Home], run_desk: RunDesk) -> Site:
    """A running desk that Postfix hands example.org to, and whose letters Postfix takes."""
    home = new_home(smarthost=to_smarthost(postfix.port))
    desk = run_desk(home.path)
    postfix.route("example.org", desk.smtp[1])
    return Site(home, desk, postfix)


ROUNDS: dict[str, tuple[bytes, str, str]] = {  # the mail, the subject of its ticket, words of the answer
    "en": (
        mail("Printer", "The printer on the third floor does not print any more.\n").as_bytes(policy=SMTP),
        "Printer",
        "thank you for writing",
    ),
    "zh-Hant": (
        in_charset("印表機故障", "您好，三樓的印表機無法列印，請協助處理，謝謝您的幫忙。", "big5", A),
        "印表機故障",
        "技術人員會儘快查看",
    ),
    "zh-Hans": (
        in_charset("打印机故障", "您好，三楼的打印机无法打印，请协助处理，谢谢您的帮助。", "gb18030", A),
        "打印机故障",
        "技术人员会尽快查看",
    ),
}


@pytest.mark.parametrize("language", ROUNDS)
def test_mail_becomes_a_ticket_and_is_acknowledged_in_its_language(site: Site, language: str) -> None:
    message, subject, words = ROUNDS[language]

    site.write(message)

    (acknowledgement,) = site.arrived(1)
    (ticket,) = site.wait_for_tickets(1)
    assert (ticket["number"], ticket["status"], ticket["requester"]) == (1, "new", A)
    assert ticket["subject"] == subject
    assert words in text_of(acknowledgement)
    head = {name: acknowledgement[name] for name in ("To", "Auto-Submitted", "X-Auto-Response-Suppress")}
    assert head == {"To": A, "Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"}
    assert acknowledgement["In-Reply-To"] == message_from_bytes(message)["Message-ID"].strip()
    assert parseaddr(acknowledgement["From"])[1] == ADDRESS
    assert reply_to(acknowledgement).startswith("support+")


def test_reply_arrives_in_the_thread_and_the_answer_joins_with_another_subject(site: Site) -> None:
    question = mail()
    site.write(question)
    (acknowledgement,) = site.arrived(1)

    site.home.run("ticket", "reply", "1", "--as", "t1", "--text", "Is it **still** burning?", "--now")
    reply = site.arrived(2)[1]
    site.write(answer_to(reply, "Not any more.\n", subject="Something else entirely"), to=reply_to(reply))
    messages = site.wait_for_messages(1, 4)

    assert (
        reply["In-Reply-To"] == acknowledgement["Message-ID"]
        or reply["In-Reply-To"] == question["Message-ID"]
    )
    references = reply["References"].split()
    assert references[0] == question["Message-ID"]
    assert references[-1] == reply["In-Reply-To"]
    assert "Is it *still* burning?" in text_of(reply) or "Is it **still** burning?" in text_of(reply)
    assert parseaddr(reply["From"])[0].startswith("T One (")
    assert reply["Auto-Submitted"] is None
    assert [ticket["number"] for ticket in site.home.tickets()] == [1]
    talk = [
        (m["direction"], m["audience"]) for m in messages if m["from"] != ADDRESS or m["direction"] != "out"
    ]
    assert ("in", "public") in talk
    incoming = [m["text"].strip() for m in messages if m["direction"] == "in"]
    assert incoming == ["It is on fire.", "Not any more."]


def test_attachments_come_through_byte_for_byte_both_ways(site: Site, tmp_path: Path) -> None:
    question = mail()
    question.add_attachment(FILE, maintype="application", subtype="octet-stream", filename="報告 1.bin")
    raw = question.as_bytes(policy=SMTP)
    site.write(raw)
    site.wait_for_tickets(1)
    to_send = tmp_path / "答覆.bin"
    to_send.write_bytes(FILE[::-1])

    site.home.run("ticket", "reply", "1", "--as", "t1", "--text", "See there.", "--attach", to_send, "--now")
    reply = site.arrived(2)[1]

    (message,) = [m for m in site.home.ticket(1)["messages"] if m["direction"] == "in"]
    kept = site.home.run("mail", "raw", message["sha256"])
    assert hashlib.sha256(kept).hexdigest() == message["sha256"]
    assert kept.endswith(raw)  # Postfix has put its trace fields before it, and nothing else
    (attached,) = [part for part in reply.walk() if part.get_filename()]
    assert attached.get_payload(decode=True) == FILE[::-1]
    assert attached.get_filename() == "答覆.bin"
    (stored,) = message["attachments"]
    assert site.home.run("ticket", "attachment", "1", str(stored["id"]), "-") == FILE


def test_vacation_notice_opens_no_ticket_and_is_not_answered(site: Site) -> None:
    site.write(mail())
    (acknowledgement,) = site.arrived(1)

    vacation = answer_to(acknowledgement, "I am away until Monday.\n")
    vacation["Auto-Submitted"] = "auto-replied (vacation)"
    site.write(vacation, sender="<>", to=reply_to(acknowledgement))
    wait_until(lambda: len(site.home.ticket(1)["messages"]) == 3, "the notice to be filed")
    site.wait_until_read()
    site.home.run("ticket", "reply", "1", "--as", "t1", "--text", "Done.", "--now")
    letters = site.arrived(2)

    assert len(site.home.tickets()) == 1
    assert [letter["Auto-Submitted"] for letter in letters] == ["auto-replied", None]


def test_bounce_of_a_letter_is_shown_on_its_ticket_and_opens_none(site: Site) -> None:
    site.write(mail(sender="gone@nowhere.example.test"), sender=A)

    wait_until(
        lambda: "letter.bounced" in [event["event"] for event in site.home.ticket(1)["events"]],
        "the report of Postfix to be understood",
    )

    site.wait_until_read()
    assert len(site.home.tickets()) == 1
    (bounced,) = [e for e in site.home.ticket(1)["events"] if e["event"] == "letter.bounced"]
    assert bounced["data"]["code"].startswith("5.")


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("nobody@example.org", "550 5.1.1 no such address here"),
        ("b@elsewhere.example", "550 5.7.1 we do not relay"),
    ],
    ids=["unknown", "relay"],
)
def test_recipient_that_is_not_ours_is_refused_and_bounces(site: Site, to: str, says: str) -> None:
    site.postfix.route("elsewhere.example", site.desk.smtp[1])

    site.write(mail(), to=to)

    (report,) = site.arrived(1)
    assert report.get_content_type() == "multipart/report"
    assert says in str(report).replace("\n    ", " ")
    assert (site.home.tickets(), site.home.status()["inbox"]) == ([], 0)


def test_mail_too_large_is_refused_and_bounces(
    postfix: Postfix, new_home: Callable[..., Home], run_desk: RunDesk
) -> None:
    home = new_home(
        smarthost=to_smarthost(postfix.port),
        smtp={"listen": "127.0.0.1:0", "hostname": "desk.example.org", "max_message": "1MB"},
    )
    site = Site(home, run_desk(home.path), postfix)
    postfix.route("example.org", site.desk.smtp[1])
    large = mail()
    large.add_attachment(b"x" * 1_000_000, maintype="application", subtype="octet-stream", filename="x")

    site.write(large)
    (report,) = site.arrived(1)

    assert "exceeds size limit 1000000 of server" in " ".join(str(report).split())
    with (
        smtplib.SMTP(*site.desk.smtp, timeout=10) as client,
        pytest.raises(smtplib.SMTPSenderRefused) as refused,
    ):
        client.sendmail(A, [ADDRESS], large.as_bytes())
    assert (refused.value.smtp_code, home.tickets()) == (552, [])


def test_letters_wait_while_the_smarthost_is_down_and_go_when_it_is_back(site: Site) -> None:
    site.write(mail())
    site.arrived(1)
    site.postfix.stop(signal.SIGKILL)

    site.home.run("ticket", "reply", "1", "--as", "t1", "--text", "One moment.", "--now")
    wait_until(lambda: outbox(site.home)[-1]["tries"] == 1, "the first try")
    waiting = outbox(site.home)[-1]
    site.postfix.start()
    make_due(site.home)
    letters = site.arrived(2)

    assert (waiting["state"], waiting["code"]) == ("waiting", None)
    assert text_of(letters[1]).startswith("One moment.")
    wait_until(lambda: outbox(site.home)[-1]["state"] == "sent", "the letter to be marked")


def outbox(home: Home) -> list[dict[str, Any]]:
    return list(home.json("mail", "outbox"))


def make_due(home: Home) -> None:
    """Let the waiting letters be due now instead of in a minute: the only thing here that nobody could do."""
    with closing(sqlite3.connect(home.path / "desk.db", timeout=20, isolation_level=None)) as store:
        store.execute("UPDATE outbox SET run_at = 0 WHERE state = 0")
