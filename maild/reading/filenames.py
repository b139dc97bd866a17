"""Names of attachments, made harmless: they are shown and kept, and never lead to a path.

The name comes from mail-parser (RFC 2231, encoded words); where it saw none, or choked, from our own reading.
"""

from __future__ import annotations

import re
import unicodedata

from maild.reading.guard import MAX_PART_HEADER_BYTES
from maild.reading.headers import decode_header, first_value, split_header
from maild.reading.structure import Part, parameters, structured

MAX_NAME_CHARACTERS = 150
MAX_SUFFIX_CHARACTERS = 16

_SPACES = re.compile(r"\s")
_NAMELESS = {
    "message/rfc822": "message.eml",
    "text/rfc822-headers": "headers.txt",
    "message/delivery-status": "delivery-status.txt",
    "message/disposition-notification": "receipt.txt",
    "message/feedback-report": "feedback-report.txt",
    "text/calendar": "invite.ics",
    "text/html": "message.html",
    "text/plain": "text.txt",
    "text/x-vcard": "card.vcf",
    "text/vcard": "card.vcf",
    "application/ms-tnef": "winmail.dat",
    "application/pdf": "document.pdf",
    "application/pgp-signature": "signature.asc",
    "application/pkcs7-signature": "smime.p7s",
    "application/x-pkcs7-signature": "smime.p7s",
    "image/jpeg": "image.jpg",
}


def filename_of(
    part: Part, from_library: str | None, *, number: int, taken: set[str], content: bytes = b""
) -> str:
    """A clean name that no other attachment of the mail has.

    Args:
        number: counts attachments from 1.
        content: of a message/rfc822, which is named for its subject when it has no name.
    """
    name = clean(from_library or "") or clean(_own_reading(part)) or _invented(part, content, number)
    unique, copy = name, 1
    while unique in taken:
        copy += 1
        unique = _inserted(name, f"-{copy if copy < 10 else number}")
        if copy >= 10:
            break
    taken.add(unique)
    return unique


def _invented(part: Part, content: bytes, number: int) -> str:
    """A name for a nameless part: its subject or description, else its type."""
    usual = _NAMELESS.get(part.type) or _by_type(part.type, number)
    if part.type == "message/rfc822":
        header = split_header(content, limit=MAX_PART_HEADER_BYTES)
        said = first_value(header.fields, "subject")
    else:
        said = first_value(part.fields, "content-description")
    stem = clean(decode_header(said[:1000]).text)[: MAX_NAME_CHARACTERS - MAX_SUFFIX_CHARACTERS]
    _, dot, suffix = usual.rpartition(".")
    return f"{stem}{dot}{suffix}" if stem and dot else usual


def _by_type(part_type: str, number: int) -> str:
    kind, _, subtype = part_type.partition("/")
    return f"{kind}.{subtype}" if kind == "image" and subtype.isalnum() else f"attachment-{number}"


def own_name(part: Part) -> str:
    """Whether the sender gave the part a name at all: that name, unclean, or ""."""
    return _own_reading(part)


def clean(name: str) -> str:
    """A name without path, control, format or bidi characters and leading dots; "" when nothing is left."""
    name = name.replace("\\", "/").rpartition("/")[2]
    name = "".join(character for character in name if unicodedata.category(character) not in _UNWANTED)
    name = _SPACES.sub(" ", name).strip(" .\"'")
    if len(name) <= MAX_NAME_CHARACTERS:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > MAX_SUFFIX_CHARACTERS:
        return name[:MAX_NAME_CHARACTERS]
    return stem[: MAX_NAME_CHARACTERS - len(suffix) - 1] + dot + suffix


def _own_reading(part: Part) -> str:
    for key, parameter in (("content-disposition", "filename"), ("content-type", "name")):
        value = parameters(structured(first_value(part.fields, key))).get(parameter, "")
        if value:
            return decode_header(value.encode("utf-8", "surrogateescape")).text
    return ""


def _inserted(name: str, mark: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}{mark}{dot}{suffix}" if dot and stem else name + mark


_UNWANTED = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
