"""The bytes of the demonstration's mails, as mail programs of many kinds write them.

Written by hand, so that each mail has exactly the form that it shall show: character sets, HTML, attachments,
replies with their references, a delivery report. Standards: RFC 5322, RFC 2045 to 2047, RFC 3464, RFC 3834.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from html import escape

from maild.demo.stories import Teller

_CODECS = {"big5": "cp950", "us-ascii": "ascii"}  # what programs that say big5 really write
_BOUNDARY = "=_demo_{level}"


@dataclass(frozen=True, slots=True)
class Part:
    """A MIME part: its header fields and its body, both with CRLF."""

    fields: tuple[tuple[str, str], ...]
    body: bytes

    def content(self) -> bytes:
        head = "".join(f"{name}: {value}\r\n" for name, value in self.fields)
        return head.encode("ascii") + b"\r\n" + self.body


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail with its envelope. An empty sender is the null sender of machines."""

    sender: str
    recipient: str
    identity: str
    raw: bytes


def mail(
    teller: Teller,
    recipient: str,
    identity: str,
    subject: str,
    date: datetime,
    part: Part,
    *,
    charset: str = "utf-8",
    sender: str | None = None,
    more: Sequence[tuple[str, str]] = (),
) -> Mail:
    """Put a mail together; `sender` of the envelope is the teller's address if not given."""
    fields = (
        ("From", f"{_word(teller.name, charset)} <{teller.address}>"),
        ("To", f"<{recipient}>"),
        ("Subject", _word(subject, charset)),
        ("Date", format_datetime(date)),
        ("Message-ID", identity),
        *more,
        ("MIME-Version", "1.0"),
    )
    raw = Part((*fields, *part.fields), part.body).content()
    return Mail(teller.address if sender is None else sender, recipient, identity, raw)


def plain(text: str, charset: str = "utf-8") -> Part:
    """Plain text, base64 when it is not ASCII."""
    lines = text.replace("\n", "\r\n") + "\r\n"
    if text.isascii():
        return Part((("Content-Type", "text/plain; charset=us-ascii"),), lines.encode("ascii"))
    return _encoded(f"text/plain; charset={charset}", lines.encode(_CODECS.get(charset, charset)))


def html(text: str) -> Part:
    """What office programs send: the text as HTML, and a plain form beside it."""
    paragraphs = "".join(
        f'<p class="MsoNormal"><span style="font-family:Calibri">{escape(line) or "&nbsp;"}</span></p>'
        for line in text.splitlines()
    )
    page = f"<html><head><style>p {{margin:0}}</style></head><body>{paragraphs}</body></html>"
    marked = _encoded("text/html; charset=utf-8", page.encode())
    return _multipart("alternative", (plain(text), marked), level=2)


def with_files(text: str, files: Sequence[tuple[str, str, bytes]]) -> Part:
    """Text with files, each as (name, media type, content)."""
    attached = tuple(
        _encoded(f'{kind}; name="{name}"', content, ("Content-Disposition", f'attachment; filename="{name}"'))
        for name, kind, content in files
    )
    return _multipart("mixed", (plain(text), *attached), level=1)


def delivery_report(text: str, failed: str, reason: str, original: str) -> Part:
    """A report that a letter could not be delivered; `original` is its Message-ID."""
    status = f"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; {failed}\r\nAction: failed\r\n"
    status += f"Status: 5.1.1\r\nDiagnostic-Code: smtp; {reason}\r\n"
    parts = (
        plain(text),
        Part((("Content-Type", "message/delivery-status"),), status.encode("ascii")),
        Part((("Content-Type", "text/rfc822-headers"),), f"Message-ID: {original}\r\n".encode("ascii")),
    )
    return _multipart("report; report-type=delivery-status", parts, level=1)


def picture(red: int, green: int, blue: int) -> bytes:
    """A small PNG of one colour, as large as a pasted screenshot would be wide."""
    width, height = 320, 200
    rows = (b"\0" + bytes((red, green, blue)) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _encoded(kind: str, content: bytes, *more: tuple[str, str]) -> Part:
    body = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return Part((("Content-Type", kind), ("Content-Transfer-Encoding", "base64"), *more), body)


def _multipart(kind: str, parts: Sequence[Part], *, level: int) -> Part:
    boundary = _BOUNDARY.format(level=level)
    line = f"--{boundary}\r\n".encode("ascii")
    body = b"".join(line + part.content() + b"\r\n" for part in parts)
    end = f"--{boundary}--\r\n".encode("ascii")
    return Part((("Content-Type", f'multipart/{kind}; boundary="{boundary}"'),), body + end)


def _word(text: str, charset: str) -> str:
    """A header value, in encoded-words where it is not ASCII."""
    if text.isascii():
        return text
    return Header(text, charset, header_name="Subject").encode(linesep="\r\n")
