"""The round of a mail with the store on PostgreSQL, in short."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from tests.real.servers.desk_home import Home, to_smarthost
from tests.real.servers.desk_process import DeskProcess
from tests.real.servers.postfix import Postfix
from tests.real.site import Site, answer_to, mail, reply_to, text_of


def test_round_of_a_mail_with_the_store_on_postgresql(
    postfix: Postfix,
    postgresql_url: str,
    new_home: Callable[..., Home],
    run_desk: Callable[..., DeskProcess],
) -> None:
    home = new_home(postgresql_url, smarthost=to_smarthost(postfix.port))
    site = Site(home, run_desk(home.path), postfix)
    postfix.route("example.org", site.desk.smtp[1])

    site.write(mail())
    acknowledgement = site.arrived(1)[0]
    home.run("ticket", "reply", "1", "--as", "t1", "--text", "Still?", "--now")
    reply: EmailMessage = site.arrived(2)[1]
    site.write(answer_to(reply, "No.\n", subject="Other"), to=reply_to(reply))
    messages: list[dict[str, Any]] = site.wait_for_messages(1, 4)
    ended = site.desk.stop()

    assert "thank you for writing" in text_of(acknowledgement)
    assert [m["text"].strip() for m in messages if m["direction"] == "in"] == ["It is on fire.", "No."]
    assert [letter["state"] for letter in home.json("mail", "outbox", "--state", "sent")] == ["sent"] * 2
    assert home.run("mail", "raw", messages[0]["sha256"]).startswith(b"Received: ")
    assert (home.run("audit", "verify") != b"", ended) == (True, 0)
