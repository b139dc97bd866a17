"""The parts of a letter out: texts and attachments as MIME entities, boundaries that repeat.

Texts are 7bit when they are ASCII in short lines, else quoted-printable or base64, whichever is shorter;
so a letter out is always 7bit and no server on its way needs 8BITMIME.
A mail attached as message/rfc822 may only be 7bit, 8bit or binary (RFC 2046 section 5.2.1): one that is
7bit with CRLF is put in as it is; any other goes as application/octet-stream in base64, named .eml, because
every other way would change its bytes, and with them its signatures.
Standards: RFC 2045 sections 2.7, 6.7, 6.8; RFC 2046 sections 5.1, 5.2.1; RFC 3676 section 4.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from typing import NamedTuple

from desk.letters.headers import file_name, file_name_parameter

LONGEST_LINE = 998
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
_OCTETS = "application/octet-stream"
_LONG_LINE = re.compile(rb"[^\r\n]{%d}" % (LONGEST_LINE + 1))
_BARE = re.compile(rb"\x00|(?<!\r)\n|\r(?!\n)")
_LINE_OF_BASE64 = 57


class Enclosure(NamedTuple):
    """A file to attach; name and type may be a stranger's and are cleaned here."""

    name: str
    type: str
    content: bytes


def text_part(kind: str, text: str) -> bytes:
    """A text entity: `kind` is what follows `text/`, with its parameters; `\\n` ends lines."""
    data = text.replace("\n", "\r\n").encode("utf-8", "replace")
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    encoding, body = _transferred(data)
    head = f"Content-Type: text/{kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode("ascii") + body


def enclosed_part(enclosure: Enclosure) -> bytes:
    """An attachment; its decoded bytes are the content, exactly."""
    name, kind, content = file_name(enclosure.name), enclosure.type.strip().lower(), enclosure.content
    if kind == "message/rfc822" and _is_plain_mail(content):
        return _enclosed_head(name, kind, "7bit") + content
    if kind.startswith("message/"):
        name = name if name.lower().endswith(".eml") else f"{name}.eml"
    if kind.startswith(("message/", "multipart/")) or not _TYPE.fullmatch(kind):
        kind = _OCTETS
    return _enclosed_head(name, kind, "base64") + _base64_lines(content)


def joined(subtype: str, parts: list[bytes], seed: str) -> bytes:
    """A multipart entity; the same parts and seed give the same boundary, and no part holds it."""
    boundary = _boundary(parts, f"{subtype} {seed}")
    delimiter = b"--" + boundary
    body = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts)
    head = b'Content-Type: multipart/%s;\r\n boundary="%s"\r\n\r\n' % (subtype.encode("ascii"), boundary)
    return head + body + delimiter + b"--\r\n"


def _boundary(parts: list[bytes], seed: str) -> bytes:
    digest = hashlib.sha256(seed.encode("utf-8"))
    while True:
        boundary = b"=_" + digest.hexdigest()[:32].encode("ascii")
        if not any(boundary in part for part in parts):
            return boundary
        digest.update(b"again")


def _transferred(data: bytes) -> tuple[str, bytes]:
    if data.isascii() and not _LONG_LINE.search(data):
        return "7bit", data
    quoted, lines = binascii.b2a_qp(data), _base64_lines(data)
    return ("quoted-printable", quoted) if len(quoted) <= len(lines) else ("base64", lines)


def _base64_lines(content: bytes) -> bytes:
    steps = range(0, len(content), _LINE_OF_BASE64)
    return b"".join(
        binascii.b2a_base64(content[n : n + _LINE_OF_BASE64], newline=False) + b"\r\n" for n in steps
    )


def _is_plain_mail(content: bytes) -> bool:
    return content.isascii() and not _BARE.search(content) and not _LONG_LINE.search(content)


def _enclosed_head(name: str, kind: str, encoding: str) -> bytes:
    return (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n"
        f"Content-Disposition: attachment{file_name_parameter(name)}\r\n\r\n"
    ).encode("ascii")
