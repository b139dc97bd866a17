"""The emergency reader: header fields and the first readable text, linear, with no MIME parsing at all.

For mails that are beyond the limits, or that killed a reader. The raw mail is attached, so nothing is lost.
On failure: never raises.
"""

from __future__ import annotations

import hashlib
import re

from desk.letter import Attachment, Letter, Span
from maild.reading.addresses import read_mailboxes, sender_of
from maild.reading.charsets import decode
from maild.reading.headers import (
    MAX_SUBJECT_CHARACTERS,
    blank_line,
    bounded_references,
    decode_header,
    first_value,
    message_ids,
    split_header,
    values_of,
)
from maild.reading.kinds import Signs, auto_submitted, kind_of
from maild.reading.traces import hops, is_marked_spam

MAX_HEADER_BYTES = 256 * 1024
MAX_FIELDS = 5000
MAX_VALUE_BYTES = 32 * 1024
MAX_TEXT_BYTES = 64 * 1024
MAX_SEARCHED_BYTES = 1024 * 1024

_TEXT_PART = re.compile(rb"(?i)\ncontent-type:[ \t]{0,8}text/plain")
_BOUNDARY = re.compile(rb"\r?\n--[^\r\n]{1,200}")
_LINE_ENDS = re.compile(r"\r\n?")


def read_degraded(raw: bytes, *, reason: str = "read by the emergency reader") -> Letter:
    """What can be said about a mail without taking it apart."""
    header = split_header(raw, limit=MAX_HEADER_BYTES, is_lenient=True)
    fields = [field._replace(value=field.value[:MAX_VALUE_BYTES]) for field in header.fields[:MAX_FIELDS]]
    subject = decode_header(first_value(fields, "subject"))
    sender, doubts = sender_of(values_of(fields, "from"), hint=None, other=[])
    text, _ = first_text(raw, _body_start(raw, header.body_start) if header.is_cut else header.body_start)
    signs = Signs(fields, "", "", sender.address if sender else "", subject.text, None, frozenset())
    return Letter(
        sha256=hashlib.sha256(raw).hexdigest(),
        size=len(raw),
        subject=subject.text.strip()[:MAX_SUBJECT_CHARACTERS],
        sender=sender,
        to=[mailbox for value in values_of(fields, "to")[:5] for mailbox in read_mailboxes(value).found],
        message_id=next(iter(message_ids(first_value(fields, "message-id"))), None),
        in_reply_to=message_ids(first_value(fields, "in-reply-to"))[:20],
        references=bounded_references(message_ids(first_value(fields, "references"))),
        text=text,
        spans=[Span("new", 0, len(text))] if text else [],
        attachments=[raw_attachment(raw)],
        kind=kind_of(signs),
        guessed=True,
        degraded=True,
        defects=[reason],
        sender_doubts=doubts,
        hops=hops(fields),
        is_marked_spam=is_marked_spam(fields),
        auto_submitted=auto_submitted(fields),
    )


def raw_attachment(raw: bytes) -> Attachment:
    """The mail itself, as it was received."""
    digest = hashlib.sha256(raw).hexdigest()
    return Attachment("message.eml", "message/rfc822", len(raw), digest, inline=False, content=raw)


def _body_start(raw: bytes, position: int) -> int:
    """Where the body begins when the header is longer than was looked at."""
    block_end, body_start = blank_line(raw, position, len(raw))
    return position if block_end == body_start else body_start


def first_text(raw: bytes, body_start: int) -> tuple[str, str]:
    """The first text/plain part if one is near, else the beginning of the body; as sent, cut.

    Returns:
        The text and the character set it was read with, which is a guess.
    """
    near = raw[max(body_start - 1, 0) : body_start + MAX_SEARCHED_BYTES]
    part = _TEXT_PART.search(near)
    block_end, start = blank_line(near, part.end(), len(near)) if part else (0, 0)
    is_part = block_end != start
    start = start if is_part else 0
    boundary = _BOUNDARY.search(near, start, start + MAX_TEXT_BYTES) if is_part else None
    end = boundary.start() if boundary else start + MAX_TEXT_BYTES
    decoded = decode(near[start:end], None)
    return _LINE_ENDS.sub("\n", decoded.text).strip(), decoded.charset
