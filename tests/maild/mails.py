"""Mails for tests: their bytes with the envelope that a door would give them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

DESK = "support@desk.example"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail on its way in. `sender` None: the door has no envelope."""

    raw: bytes
    message_id: str
    sender: str | None
    recipients: tuple[str, ...]
    door: str = "smtp"


def new_id(domain: str = "client.example") -> str:
    """A Message-ID that no other mail has."""
    return f"<m{next(_numbers)}@{domain}>"


def mail(
    sender: str = "a@client.example",
    *,
    to: str = DESK,
    subject: str = "Printer",
    text: str = "It does not print any more.",
    message_id: str | None = None,
    replies_to: str | None = None,
    references: Sequence[str] = (),
    cc: str = "",
    fields: Sequence[str] = (),
    author: str | None = None,
    mail_from: str | None = "",
    recipients: Sequence[str] | None = None,
    door: str = "smtp",
) -> Mail:
    """A plain mail.

    Args:
        author: the whole value of From when it is not just `sender`; "" leaves the field out.
        mail_from: MAIL FROM; "" stands for the sender, "<>" for the null sender, None for no envelope.
        fields: more header lines.
    """
    identity = new_id() if message_id is None else message_id
    head = [
        f"From: {sender if author is None else author}" if author != "" else "",
        f"To: {to}",
        f"Cc: {cc}" if cc else "",
        f"Subject: {subject}",
        f"Message-ID: {identity}" if identity else "",
        f"In-Reply-To: {replies_to}" if replies_to else "",
        f"References: {' '.join(references)}" if references else "",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        *fields,
    ]
    raw = "\r\n".join([*filter(None, head), "", text, ""]).encode()
    return Mail(raw, identity, _mail_from(mail_from, sender), _recipients(recipients, to), door)


def bounce(
    recipient: str,
    *,
    to: str = DESK,
    returned_id: str | None = None,
    status: str = "5.1.1",
    action: str = "failed",
) -> Mail:
    """A delivery report (RFC 3464), with the header of the returned letter when its id is given."""
    identity = new_id("mx.client.example")
    returned = f"From: {DESK}\nTo: {recipient}\nSubject: Re: x\nMessage-ID: {returned_id}\n"
    text = f"""\
From: Mail Delivery System <mailer-daemon@mx.client.example>
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: {identity}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=b"

--=b
Content-Type: text/plain

I am sorry to have to inform you that your message could not be delivered.

--=b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.client.example

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}

--=b
Content-Type: text/rfc822-headers

{returned if returned_id else "Subject: Re: x"}
--=b--
"""
    return Mail(text.replace("\n", "\r\n").encode(), identity, "", (to,))


def receipt(*, to: str = DESK, original_id: str, sender: str = "a@client.example") -> Mail:
    """A read receipt (RFC 8098)."""
    identity = new_id()
    text = f"""\
From: {sender}
To: {to}
Subject: Read: x
Message-ID: {identity}
In-Reply-To: {original_id}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="=b"

--=b
Content-Type: text/plain

Your message was displayed.

--=b
Content-Type: message/disposition-notification

Final-Recipient: rfc822; {sender}
Original-Message-ID: {original_id}
Disposition: manual-action/MDN-sent-manually; displayed

--=b--
"""
    return Mail(text.replace("\n", "\r\n").encode(), identity, "", (to,))


def _mail_from(given: str | None, sender: str) -> str | None:
    if given is None:
        return None
    return {"": sender, "<>": ""}.get(given, given)


def _recipients(given: Sequence[str] | None, to: str) -> tuple[str, ...]:
    if given is not None:
        return tuple(given)
    return tuple(address.strip().lower() for address in to.split(",") if "desk.example" in address)
