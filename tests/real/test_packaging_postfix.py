"""The Postfix files in packaging/ work as they stand, in front of a running desk."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from pathlib import Path

import pytest

from desk.newhome import write_home
from tests.real.servers.desk_process import DeskProcess
from tests.real.servers.loopback import wait_until
from tests.real.servers.postfix import Postfix

SNIPPETS = Path(__file__).parents[2] / "packaging/postfix"
MAIL = "From: a@example.net\r\nTo: support@example.org\r\nSubject: Printer\r\n\r\nIt is broken.\r\n"


def _configure(postfix: Postfix, port: int) -> None:
    """Put the files in as the admin would, with the folder and the port of this test."""
    postfix.stop()  # a reload would leave an old server process to the next client
    folder = postfix.folder / "etc"
    main = (SNIPPETS / "main.cf").read_text(encoding="utf-8").replace("/etc/postfix", str(folder))
    (folder / "main.cf").write_text(
        (folder / "main.cf").read_text() + "smtpd_reject_unlisted_recipient = yes\n" + main
    )
    (folder / "desk_recipients").write_text((SNIPPETS / "desk_recipients").read_text(encoding="utf-8"))
    transport = (SNIPPETS / "desk_transport").read_text(encoding="utf-8")
    (folder / "desk_transport").write_text(transport.replace(":2525", f":{port}"))
    postfix.start()


def test_mail_goes_through_postfix_to_the_desk_and_unknown_addresses_are_refused(
    postfix: Postfix, run_desk: Callable[..., DeskProcess], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    write_home(home, domain="example.org")
    settings = (home / "desk.toml").read_text(encoding="utf-8")
    (home / "desk.toml").write_text(settings.replace("127.0.0.1:2525", "127.0.0.1:0"), encoding="utf-8")
    desk = run_desk(home)
    _configure(postfix, desk.smtp[1])

    with smtplib.SMTP(postfix.host, postfix.port, timeout=15) as client:
        client.sendmail("a@example.net", ["support@example.org"], MAIL)
        client.sendmail("a@example.net", ["support+anything@example.org"], MAIL.replace("Printer", "Phone"))
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            client.sendmail("a@example.net", ["nobody@example.org"], MAIL)

    (code, _) = refused.value.recipients["nobody@example.org"]
    assert code == 550
    wait_until(lambda: desk.errors.read_text().count("way=new") == 2, "two tickets")
    wait_until(lambda: postfix.queued() == 0, "an empty queue")
