"""What mail-parser says about a mail: dates, addresses, file names, defects.

It is given a compat32 skeleton of our own tree, not the mail: the fields that it is good at, character sets
widened, every leaf empty and numbered by its Content-ID. So it never decodes content, never re-serialises,
and its known faults (a nested multipart cut short, repeated fields, message/rfc822 leaking into the text)
cannot be reached.
Trust: the sender chooses all values; they are capped before.
On failure: falls back to the fields alone, then to an empty view; `has_failed` is set.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import Message
from typing import NamedTuple

from mailparser.core import MailParser

from maild.reading.charsets import decode, first_choice
from maild.reading.guard import MAX_STRUCTURED_BYTES
from maild.reading.headers import Field
from maild.reading.structure import Part

MAX_FIELD_BYTES = 8 * 1024

# It logs header values; nothing of a mail belongs into our log.
logging.getLogger("mailparser").setLevel(logging.CRITICAL + 1)

_ADDRESS_FIELDS = ("from", "to", "cc", "reply-to")
_FIRST_OF = frozenset((*_ADDRESS_FIELDS, "date", "received"))
_PART_FIELDS = frozenset(("content-type", "content-disposition"))
_WORD_LABEL = re.compile(r"=\?([^?*\s]{1,64})(?=[?*])")
_PARAMETER_LABEL = re.compile(r"\*=\s*\"?([A-Za-z0-9_.:-]{1,64})(?=')")
_UNSAFE_INDEX = re.compile(r"\*\d{3}")
_FAULTS = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class View(NamedTuple):
    """The library's opinion; names by number of the part, addresses by field, as it wrote them."""

    date: datetime | None
    addresses: dict[str, list[tuple[str, str]]]
    names: dict[int, str]
    defects: list[str]
    has_failed: bool = False


EMPTY = View(None, {}, {}, [], has_failed=True)


def view_of(fields: list[Field], leaves: list[Part]) -> View:
    """What mail-parser reads from a header and its leaves (numbered by position)."""
    for parts in (leaves, []):
        message = _skeleton(fields, parts)
        try:
            return _view(MailParser(message), has_failed=parts is not leaves)
        except _FAULTS:
            continue
    return EMPTY


def _view(parser: MailParser, *, has_failed: bool) -> View:
    names = {}
    for attachment in parser.attachments:
        number = attachment["content-id"].removeprefix("leaf-")
        if number.isdigit() and attachment["filename"] != attachment["content-id"]:
            names[int(number)] = attachment["filename"]
    date = parser.date.astimezone(UTC) if parser.date else None
    addresses = {field: getattr(parser, field.replace("-", "_") + "_") for field in _ADDRESS_FIELDS}
    return View(date, addresses, names, list(dict.fromkeys(_defects(parser))), has_failed)


def _defects(parser: MailParser) -> Iterable[str]:
    for kind in (parser.address_header_defects, parser.date_header_defects, parser.received_header_defects):
        for defect in kind[:20]:
            yield f"{defect['header']}: {defect['reason'].replace('-', ' ')}"


def _skeleton(fields: list[Field], leaves: list[Part]) -> Message:
    message = Message()
    seen = set()
    for field in fields:
        if field.key in _FIRST_OF and field.key not in seen and len(field.value) <= MAX_FIELD_BYTES:
            seen.add(field.key)
            message[field.name] = _safe_text(field.value)
    if leaves:
        message["Content-Type"] = "multipart/mixed"
        message.set_payload([_leaf(part, number) for number, part in enumerate(leaves)])
    else:
        message.set_payload("")
    return message


def _leaf(part: Part, number: int) -> Message:
    leaf = Message()
    for field in part.fields:
        if field.key in _PART_FIELDS and field.key not in leaf and len(field.value) <= MAX_STRUCTURED_BYTES:
            text = _safe_text(field.value)
            if not _UNSAFE_INDEX.search(text):
                leaf[field.name] = text
    if not part.type.startswith("text/") and part.type != leaf.get_content_type():
        del leaf["Content-Type"]
    if not _has_name(leaf):
        del leaf["Content-Disposition"]  # it would invent a random name
    leaf["Content-ID"] = f"leaf-{number}"
    leaf.set_payload("")
    return leaf


def _has_name(leaf: Message) -> bool:
    """Whether the library can read a name; hostile parameters are taken off, so that they spoil no other part."""
    try:
        return bool(leaf.get_filename())
    except _FAULTS:
        del leaf["Content-Type"]
        return False


def _safe_text(value: bytes) -> str:
    """A field as text; 8-bit bytes decoded, labels widened, refused labels made harmless."""
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError:
        try:
            text = value.decode("utf-8")
        except UnicodeDecodeError:
            text = decode(value, None).text
    if "=?" in text:
        text = _WORD_LABEL.sub(lambda match: "=?" + _widened(match[1]), text)
    if "'" in text:
        text = _PARAMETER_LABEL.sub(lambda match: match[0][: -len(match[1])] + _widened(match[1]), text)
    return text


def _widened(label: str) -> str:
    return first_choice(label) or "x-unknown"
