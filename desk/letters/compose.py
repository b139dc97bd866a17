"""A draft to the bytes of a letter, complete and final: the same draft gives the same bytes.

The bytes go into the outbox inside the transaction that causes the letter, so a resend is the same mail.
MIME is written by hand: every letter out has one of two shapes, and an acknowledgement is composed for
every mail in (the standard library takes several times as long).
Trust: the draft's own text is ours; subject, names, quote and attachments may be a stranger's.
Standards: RFC 5322, RFC 2045-2047, RFC 2231, RFC 3676 (format=flowed), RFC 3834 section 5 (Auto-Submitted).
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from desk.errors import Invalid
from desk.letter import Mailbox
from desk.letters import quotes
from desk.letters.flowed import flow
from desk.letters.headers import id_field, is_message_id, mailbox_field, references, text_field
from desk.letters.markdown import legible, to_html, to_plain
from desk.letters.parts import Enclosure, enclosed_part, joined, text_part
from desk.letters.quotes import Quoted

_FLOWED = "plain; charset=utf-8; format=flowed"
_HTML = "html; charset=utf-8"
_AUTOMATIC = "Auto-Submitted: auto-replied\r\nX-Auto-Response-Suppress: All\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """All that makes a letter.

    Attributes:
        to: the one recipient; `cc` names the others, who get letters of their own.
        reply_to: the recipient's own token address; None leaves the field out.
        message_id: with angle brackets; also the seed of the boundaries.
        references: oldest first, as known; cut to the first and the newest that 2 KiB hold.
        date: aware; written in its own zone.
        text: what is new, as Markdown.
        signature: plain text; None for no signature.
        quote: the last public message of that audience.
        language: en, zh-Hant or zh-Hans.
        automatic: nobody typed it; then no honest machine answers it.
        loop_mark: how we know our own letters when they come back (field X-Desk-Loop).
    """

    sender: Mailbox
    to: Mailbox
    subject: str
    message_id: str
    date: datetime
    text: str
    language: str
    loop_mark: str
    cc: tuple[Mailbox, ...] = ()
    reply_to: Mailbox | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    signature: str | None = None
    quote: Quoted | None = None
    automatic: bool = False
    attachments: tuple[Enclosure, ...] = ()


def compose(draft: Draft) -> bytes:
    """The letter as it goes over the wire: CRLF line ends, 7bit, no line over 998 octets.

    Raises:
        Invalid: an address that a mail cannot carry, or a malformed message_id.
    """
    if not is_message_id(draft.message_id):
        raise Invalid(f"{draft.message_id[:80]!r} is no message id; write it as <left@right>")
    texts = [text_part(_FLOWED, _plain(draft)), text_part(_HTML, _page(draft))]
    body = joined("alternative", texts, draft.message_id)
    if draft.attachments:
        enclosed = [enclosed_part(Enclosure(*attachment)) for attachment in draft.attachments]
        body = joined("mixed", [body, *enclosed], draft.message_id)
    return _head(draft).encode("ascii") + body


def _head(draft: Draft) -> str:
    fields = [
        mailbox_field("From", [draft.sender]),
        mailbox_field("To", [draft.to]),
        mailbox_field("Cc", draft.cc) if draft.cc else "",
        mailbox_field("Reply-To", [draft.reply_to]) if draft.reply_to else "",
        text_field("Subject", draft.subject),
        f"Date: {format_datetime(draft.date)}\r\n",
        id_field("Message-ID", [draft.message_id]),
        id_field("In-Reply-To", [draft.in_reply_to]) if draft.in_reply_to else "",
        id_field("References", references(draft.references, draft.in_reply_to)),
        _AUTOMATIC if draft.automatic else "",
        text_field("X-Desk-Loop", draft.loop_mark),
        "MIME-Version: 1.0\r\n",
    ]
    return "".join(fields)


def _plain(draft: Draft) -> str:
    blocks = [to_plain(draft.text)]
    if draft.signature:
        blocks.append(f"-- \n{_signature(draft.signature)}")
    if draft.quote:
        blocks.append(quotes.as_plain(draft.quote, draft.language))
    return flow("\n\n".join(blocks))


def _page(draft: Draft) -> str:
    blocks = [to_html(draft.text)]
    if draft.signature:
        blocks.append(f"<p>-- <br>\n{_lines(_signature(draft.signature))}</p>\n")
    if draft.quote:
        blocks.append(quotes.as_html(draft.quote, draft.language))
    return (
        f'<!DOCTYPE html>\n<html lang="{html.escape(draft.language)}">\n<head><meta charset="utf-8"></head>\n'
        f"<body>\n{''.join(blocks)}</body>\n</html>\n"
    )


def _signature(text: str) -> str:
    return legible(text).strip("\n")


def _lines(text: str) -> str:
    return html.escape(text).replace("\n", "<br>\n")
