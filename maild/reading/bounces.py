"""Delivery reports: who was not reached, why, and which letter of ours it was.

Only about half of real bounces carry RFC 3464 fields; for the rest the fields of mail servers and the
text are looked through, line by line. The original Message-ID comes from the returned part, else from the text.
Trust: anybody can write a bounce; what it says only counts for a letter that we know.
Standards: RFC 3464 (report), RFC 3463 (status), RFC 3462 (returned part).
On failure: fields that cannot be read are left out; never raises.
"""

from __future__ import annotations

import re

from desk.letter import Bounce, BouncedRecipient
from maild.reading.addresses import read_mailboxes
from maild.reading.headers import Field, first_value, message_ids, plain, split_header

MAX_BLOCKS = 1000
MAX_RECIPIENTS = 200
MAX_TEXT_LINES = 400
MAX_RETURNED_BYTES = 64 * 1024

_BLANK_LINES = re.compile(rb"(?:\r?\n){2,}")
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_REPLY_CODE = re.compile(r"(?:^|[\s;(:])([45]\d\d)(?=[\s:;-])")
_ADDRESS_LINE = re.compile(
    r"\s{0,20}(?:<([^<>@\s]{1,128}@[^<>@\s]{1,253})>|([^<>@\s:,;()]{1,128}@[^<>@\s:,;()]{1,253}))\s?[:,]?(?:\s|$)"
)
_TEXT_MESSAGE_ID = re.compile(r"(?i)message-id:\s{0,8}(<[^<>\s]{1,996}>)")
_RETURNED_BELOW = re.compile(
    r"(?i)[- >*]{0,20}(?:below this line is a copy|this is a copy of the message|original message|the header)"
)


def bounce_of(
    fields: list[Field], *, status_parts: list[bytes], returned_parts: list[bytes], text: str
) -> Bounce:
    """What a delivery report says.

    Args:
        status_parts: the bytes of its message/delivery-status parts.
        returned_parts: of the returned mail or its header.
        text: the readable text, searched when the parts say nothing.
    """
    recipients = [recipient for part in status_parts for recipient in _from_status(part)]
    if not recipients:
        recipients = _from_fields(fields) or _from_text(text)
    return Bounce(recipients[:MAX_RECIPIENTS], _original_id(fields, returned_parts, text))


def _from_status(part: bytes) -> list[BouncedRecipient]:
    found = []
    for block in _BLANK_LINES.split(part.strip(), MAX_BLOCKS)[:MAX_BLOCKS]:
        recipient = _recipient(split_header(block).fields)
        if recipient is not None:
            found.append(recipient)
    return found


def _recipient(fields: list[Field]) -> BouncedRecipient | None:
    """One per-recipient group (RFC 3464 section 2.3); None for the per-message group."""
    named = first_value(fields, "final-recipient") or first_value(fields, "original-recipient")
    address = _address(named.partition(b";")[2] or named)
    if address is None:
        return None
    action = plain(first_value(fields, "action")).partition("(")[0].strip().lower()[:20]
    status = _STATUS.search(plain(first_value(fields, "status"))[:200])
    diagnostic = plain(first_value(fields, "diagnostic-code"))[:1000]
    return _bounced(address, action or "failed", status[1] if status else None, diagnostic)


def _bounced(address: str, action: str, status: str | None, diagnostic: str) -> BouncedRecipient:
    """A recipient; the diagnostic is believed where the status is missing or says nothing (5.0.0 stays)."""
    if status is None and (match := _STATUS.search(diagnostic)):
        status = match[1]
    code = _REPLY_CODE.search(diagnostic)
    is_permanent = status.startswith("5.") if status else bool(code and code[1].startswith("5"))
    return BouncedRecipient(address, action, status, action == "failed" and is_permanent)


def _from_fields(fields: list[Field]) -> list[BouncedRecipient]:
    """Exim's X-Failed-Recipients: it gives up only on permanent failures."""
    value = first_value(fields, "x-failed-recipients")
    return [
        BouncedRecipient(mailbox.address, "failed", None, True) for mailbox in read_mailboxes(value).found
    ]


def _from_text(text: str) -> list[BouncedRecipient]:
    """Addresses that stand at the beginning of a line, with a code in that line or the five after it."""
    lines = [line[:500] for line in text.split("\n", MAX_TEXT_LINES)[:MAX_TEXT_LINES]]
    found: dict[str, BouncedRecipient] = {}
    for number, line in enumerate(lines):
        if _RETURNED_BELOW.match(line):
            break
        match = _ADDRESS_LINE.match(line)
        if not match:
            continue
        address = _address((match[1] or match[2]).encode("utf-8"))
        reason = " ".join(lines[number : number + 6])
        if address and (_STATUS.search(reason) or _REPLY_CODE.search(reason)):
            found.setdefault(address, _bounced(address, "failed", None, reason))
    return list(found.values())


def _address(value: bytes) -> str | None:
    found = read_mailboxes(value.strip()[:1000]).found
    return found[0].address if found else None


def _original_id(fields: list[Field], returned_parts: list[bytes], text: str) -> str | None:
    for part in returned_parts:
        header = split_header(part.lstrip(b"\r\n"), limit=MAX_RETURNED_BYTES)
        if ids := message_ids(first_value(header.fields, "message-id")):
            return ids[0]
    if match := _TEXT_MESSAGE_ID.search(text):
        return match[1]
    for key in ("in-reply-to", "references"):
        if ids := message_ids(first_value(fields, key)[:32_768]):
            return ids[-1]
    return None
