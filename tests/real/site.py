"""A desk between two sides of a real Postfix, the mails that requesters write, and what they read."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from email import message_from_bytes
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.policy import default as parsed
from email.utils import localtime, make_msgid, parseaddr
from typing import Any

from tests.real.servers.desk_home import ADDRESS, Home
from tests.real.servers.desk_process import DeskProcess
from tests.real.servers.loopback import wait_until
from tests.real.servers.postfix import Postfix

A = "a@example.net"


@dataclass
class Site:
    """A desk with a Postfix on both sides of it."""

    home: Home
    desk: DeskProcess
    postfix: Postfix

    def write(self, message: EmailMessage | bytes, *, sender: str = A, to: str = ADDRESS) -> None:
        """Hand a mail to Postfix, as a requester's client does."""
        raw = message if isinstance(message, bytes) else message.as_bytes(policy=SMTP)
        with smtplib.SMTP("127.0.0.1", self.postfix.port, timeout=10) as client:
            client.sendmail(sender, [to], raw)

    def arrived(self, number: int, recipient: str = A) -> list[EmailMessage]:
        """The letters in the requester's mailbox, once there are so many."""
        return [read(raw) for raw in self.postfix.wait_for_mails(number, recipient=recipient)]

    def wait_for_tickets(self, number: int) -> list[dict[str, Any]]:
        """All tickets, once there are so many and no mail waits."""
        wait_until(lambda: len(self.home.tickets()) >= number, f"{number} tickets")
        self.wait_until_read()
        return self.home.tickets()

    def wait_for_messages(self, ticket: int, number: int) -> list[dict[str, Any]]:
        """The conversation of a ticket, once it has so many messages."""
        wait_until(lambda: len(self.home.ticket(ticket)["messages"]) >= number, f"{number} messages")
        return list(self.home.ticket(ticket)["messages"])

    def wait_until_read(self) -> None:
        """Nothing is on its way to the desk or in its inbox."""
        wait_until(lambda: self.postfix.queued() == 0, "Postfix to hand over its queue")
        self.home.wait_until_idle()


def mail(
    subject: str = "Printer", text: str = "It is on fire.\n", *, sender: str = A, **fields: str
) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, ADDRESS, subject
    message["Message-ID"], message["Date"] = make_msgid(domain="example.net"), localtime()
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def in_charset(subject: str, text: str, charset: str, sender: str) -> bytes:
    """A mail as older clients write it: 8 bit, in the charset of the country."""
    head = f"From: {sender}\r\nTo: {ADDRESS}\r\nMessage-ID: {make_msgid(domain='example.net')}\r\n"
    encoded = Header(subject, charset).encode()
    kind = (
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit"
    )
    return f"{head}Subject: {encoded}\r\n{kind}\r\n\r\n".encode() + text.encode(charset) + b"\r\n"


def read(raw: bytes) -> EmailMessage:
    """A letter of our own; foreign mail must not be read like this."""
    return message_from_bytes(raw, policy=parsed)


def text_of(letter: EmailMessage) -> str:
    """The plain part of a letter."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def answer_to(
    letter: EmailMessage, text: str, *, subject: str | None = None, sender: str = A
) -> EmailMessage:
    """What a mail reader makes of "answer" and these words."""
    answer = mail(subject or f"Re: {letter['Subject']}", text, sender=sender)
    answer.replace_header("To", letter["Reply-To"])
    answer["In-Reply-To"] = letter["Message-ID"]
    answer["References"] = " ".join(filter(None, [letter["References"], letter["Message-ID"]]))
    return answer


def reply_to(letter: EmailMessage) -> str:
    return parseaddr(str(letter["Reply-To"]))[1]
