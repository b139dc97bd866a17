"""The throw-away servers do what the tests built on them rely on."""

from __future__ import annotations

import signal
import smtplib
import sys
from collections.abc import Callable
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import psycopg
import pytest

from tests.real.servers.desk_process import DeskProcess
from tests.real.servers.loopback import accepts, wait_until
from tests.real.servers.postfix import Postfix
from tests.real.servers.postgresql import PostgreSQL
from tests.real.servers.programs import require_program
from tests.real.servers.sink import Sink

RunDesk = Callable[..., DeskProcess]
READY_DESK = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("ready smtp=127.0.0.1:2525 lmtp=unix:run/lmtp.sock", flush=True)
signal.pause()
"""


def mail(*, subject: str = "Printer", to: str = "support@example.org") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.net", to, subject
    message.set_content("It is on fire.\n")
    return message


def hand_over(message: EmailMessage, port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.send_message(message)


def test_mail_through_postfix_arrives_at_the_routed_server(postfix: Postfix, sink: Sink) -> None:
    postfix.route("example.org", sink.port)

    hand_over(mail(), postfix.port)

    (taken,) = sink.wait_for(1)
    assert (taken.sender, taken.recipients) == ("a@example.net", ("support@example.org",))
    assert BytesParser().parsebytes(taken.content)["Subject"] == "Printer"


def test_mail_through_postfix_arrives_in_the_maildir(postfix: Postfix) -> None:
    hand_over(mail(to="b@example.net"), postfix.port)

    (arrived,) = postfix.wait_for_mails(1)
    assert postfix.mails("b@example.net") == [arrived]
    assert postfix.mails("other@example.net") == []
    assert arrived.endswith(b"\n\nIt is on fire.\n")


def test_postfix_bounces_what_has_no_route(postfix: Postfix) -> None:
    hand_over(mail(to="nobody@nowhere.example.test"), postfix.port)

    (report,) = postfix.wait_for_mails(1, recipient="a@example.net")
    assert BytesParser().parsebytes(report).get_content_type() == "multipart/report"


def test_postfix_keeps_mail_until_the_next_server_is_back(postfix: Postfix, sink: Sink) -> None:
    sink.stop()
    postfix.route("example.org", sink.port)
    hand_over(mail(), postfix.port)
    wait_until(lambda: "status=deferred" in postfix.log(), "the first try to fail")

    sink.start()

    assert len(sink.wait_for(1)) == 1
    wait_until(lambda: postfix.queued() == 0, "an empty queue")


def test_postfix_is_gone_after_stop_and_takes_mail_after_start(postfix: Postfix) -> None:
    postfix.stop()
    was_gone = not accepts(postfix.port)

    postfix.start()

    hand_over(mail(to="b@example.net"), postfix.port)
    assert (was_gone, len(postfix.wait_for_mails(1))) == (True, 1)


def test_sink_answers_as_it_was_told_and_then_takes_the_mail(sink: Sink) -> None:
    sink.answer("451 4.3.0 later", times=2)

    replies = []
    for _ in range(2):
        with pytest.raises(smtplib.SMTPDataError) as refused:
            hand_over(mail(), sink.port)
        replies.append(refused.value.smtp_code)
    hand_over(mail(), sink.port)

    assert replies == [451, 451]
    assert [taken.is_confirmed for taken in sink.taken] == [True]


def test_sink_refuses_a_recipient_when_told(sink: Sink) -> None:
    sink.answer("550 5.1.1 no such user", at="RCPT")

    with pytest.raises(smtplib.SMTPRecipientsRefused):
        hand_over(mail(), sink.port)

    assert sink.taken == []


def test_sink_cuts_the_line_after_it_took_the_mail(sink: Sink) -> None:
    sink.cut()

    with pytest.raises(smtplib.SMTPServerDisconnected):
        hand_over(mail(), sink.port)
    hand_over(mail(), sink.port)

    assert [taken.is_confirmed for taken in sink.wait_for(2)] == [False, True]


def test_postgresql_makes_databases_that_do_not_see_each_other(postgresql: PostgreSQL) -> None:
    first, second = postgresql.fresh_database(), postgresql.fresh_database()

    with psycopg.connect(first) as one, psycopg.connect(second) as two:
        one.execute("CREATE TABLE ticket (number int)")
        one.commit()
        answer = one.execute("SELECT 1").fetchone()
        tables = two.execute("SELECT count(*) FROM pg_tables WHERE tablename = 'ticket'").fetchone()

    assert (answer, tables) == ((1,), (0,))


def test_durable_postgresql_keeps_what_was_committed_before_a_crash(own_postgresql: PostgreSQL) -> None:
    url = own_postgresql.fresh_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE ticket AS SELECT 7 AS number")

    own_postgresql.restart(signal.SIGQUIT)

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT number FROM ticket").fetchall() == [(7,)]


def test_desk_process_reports_its_doors_and_ends_by_signal(run_desk: RunDesk, tmp_path: Path) -> None:
    command = (sys.executable, "-c", READY_DESK)

    gentle, killed = run_desk(tmp_path, command=command), run_desk(tmp_path, command=command)

    assert gentle.smtp == ("127.0.0.1", 2525)
    assert gentle.doors["lmtp"] == "unix:run/lmtp.sock"
    assert (gentle.stop(), killed.kill()) == (0, -9)


def test_desk_process_that_ends_early_is_reported_with_its_error(run_desk: RunDesk, tmp_path: Path) -> None:
    command = (sys.executable, "-c", "raise SystemExit('no such home')")

    with pytest.raises(RuntimeError, match="ended with 1:\nno such home"):
        run_desk(tmp_path, command=command)


@pytest.mark.parametrize(
    ("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)], ids=["laptop", "ci"]
)
def test_missing_server_skips_on_a_laptop_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)

    with pytest.raises(outcome, match="no-such-server is not installed"):
        require_program("no-such-server")
