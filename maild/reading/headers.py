"""Header fields of a mail or part: split from the bytes, decoded to text.

Own linear splitter: only LF ends a line (a bare CR is a space), so nothing a sender writes into a field
becomes a second field. A line that is neither field nor continuation ends the header, as in compat32.
Standards: RFC 5322 section 2.2 (fields, folding); RFC 2047 (encoded words).
On failure: never raises; damaged words stay as they were sent.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from maild.reading.charsets import Decoded, decode, decode_unlabelled

MAX_DECODED_BYTES = 32 * 1024  # of one field; what is longer is cut before decoding
MAX_SUBJECT_CHARACTERS = 998
MAX_REFERENCES = 200
MAX_MESSAGE_ID_CHARACTERS = 998

_FIELD_NAME = re.compile(rb"([\x21-\x39\x3b-\x7e]+)[ \t]*:")
_CORE_FIELD = re.compile(
    rb"(?im)^(?:from|to|cc|date|subject|message-id|content-type|mime-version|received)[ \t]*:"
)
_LINE = re.compile(rb"[^\n]+")
# Each piece stops at its delimiter, so a failed attempt is never rescanned.
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?=")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_LINE_BREAKS = re.compile(r"[\r\n]+[ \t]*")
_MESSAGE_ID = re.compile(r"<([^<>\s\x00-\x1f\x7f]{1,996})>")


class Field(NamedTuple):
    """One header field: `key` is the name in lower case, `value` is unfolded and otherwise as sent."""

    key: str
    name: str
    value: bytes


class Header(NamedTuple):
    """The fields of a mail or part, and where its body begins."""

    fields: list[Field]
    body_start: int
    is_cut: bool = False


def split_header(
    raw: bytes, start: int = 0, end: int | None = None, *, limit: int | None = None, is_lenient: bool = False
) -> Header:
    """The header that begins at `start`; linear in its length.

    Args:
        is_lenient: lines that are no fields are left out when fields of every mail follow before the blank line;
            otherwise the body begins with the first such line.
        limit: bytes of header that are looked at; `is_cut` tells that there was more.
    """
    end = len(raw) if end is None else end
    if raw.startswith((b"\n", b"\r\n"), start):
        return Header([], start + (1 if raw.startswith(b"\n", start) else 2))
    seen = end if limit is None else min(end, start + limit)
    block_end, body_start = blank_line(raw, start, seen)
    is_cut = body_start == block_end and seen < end
    fields: list[Field] = []
    lines: list[bytes] = []
    position = start
    last_core = _last_core(raw, start, block_end) if is_lenient else start
    for match in _LINE.finditer(raw, start, block_end):  # lazy: a hostile header may end at its first line
        position, line = match.start(), match[0]
        if line.startswith((b" ", b"\t")) and lines:
            lines.append(line.rstrip(b"\r"))
        elif _FIELD_NAME.match(line):
            _append(fields, lines)
            lines = [line.rstrip(b"\r")]
        elif position == start and line.startswith((b"From ", b">From ")):
            pass  # the separator line of an mbox
        elif position < last_core:
            _append(fields, lines)
            lines = []
        else:
            _append(fields, lines)
            return Header(fields, position, is_cut)
    _append(fields, lines)
    return Header(fields, body_start, is_cut)


def blank_line(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the line before the first blank line ends, and where the line after it begins; `end` twice if none."""
    crlf = raw.find(b"\n\r\n", start, end)
    bare = raw.find(b"\n\n", start, end if crlf < 0 else crlf + 1)
    if bare >= 0:
        return bare, bare + 2
    return (crlf, crlf + 3) if crlf >= 0 else (end, end)


def _last_core(raw: bytes, start: int, end: int) -> int:
    return max((match.start() for match in _CORE_FIELD.finditer(raw, start, end)), default=start)


def _append(fields: list[Field], lines: list[bytes]) -> None:
    if not lines:
        return
    name, _, value = b"".join(lines).partition(b":")
    shown = name.strip().decode("ascii")
    fields.append(Field(shown.lower(), shown, value.replace(b"\r", b" ").strip()))


def values_of(fields: list[Field], key: str) -> list[bytes]:
    """All values of a field, in order; `key` in lower case."""
    return [field.value for field in fields if field.key == key]


def first_value(fields: list[Field], key: str) -> bytes:
    """The first value of a field, b"" when it is absent."""
    return next((field.value for field in fields if field.key == key), b"")


def plain(value: bytes) -> str:
    """A structured value for looking things up in it: Latin-1, so one character is one byte."""
    return value.decode("latin-1")


def decode_header(value: bytes, *, hint: str | None = None) -> Decoded:
    """The text of an unstructured field or of a display name, on one line.

    Characters that were split over neighbouring encoded words are joined before decoding.

    Args:
        hint: the character set of the body, tried for raw 8-bit bytes that are not UTF-8.
    """
    value = value[:MAX_DECODED_BYTES]
    if b"=?" not in value:
        decoded = _decode_raw(value, hint)
    else:
        pieces = [decode(data, label) if label else _decode_raw(data, hint) for data, label in _runs(value)]
        decoded = Decoded(
            "".join(piece.text for piece in pieces),
            next((piece.charset for piece in pieces if piece.charset != "us-ascii"), "us-ascii"),
            any(piece.is_guessed for piece in pieces),
            any(piece.is_damaged for piece in pieces),
        )
    if "\n" in decoded.text or "\r" in decoded.text:
        decoded = decoded._replace(text=_LINE_BREAKS.sub(" ", decoded.text))
    return decoded


def _decode_raw(value: bytes, hint: str | None) -> Decoded:
    if value.isascii() and b"\x1b" not in value:
        return Decoded(value.decode("ascii").replace("\0", "\ufffd"), "us-ascii")
    return decode_unlabelled(value, hint)


def _runs(value: bytes) -> Iterator[tuple[bytes, str]]:
    """Pieces of bytes with their label ("" for what stands outside encoded words)."""
    text = value.decode("latin-1")
    joined, label, position = b"", "", 0
    for word in _ENCODED_WORD.finditer(text):
        data = _WORD_DECODERS[word[2].lower()](word[3])
        if data is None:
            continue
        gap = text[position : word.start()]
        word_label = word[1].partition("*")[0].lower()  # RFC 2231 section 5: a language may follow
        if gap.strip() or (word_label != label and label) or (gap and not label):
            if joined:
                yield joined, label
            joined = b""
            if gap.strip() or not label:
                yield gap.encode("latin-1"), ""
        joined, label, position = joined + data, word_label, word.end()
    if joined:
        yield joined, label
    if position < len(text):
        yield text[position:].encode("latin-1"), ""


def _from_base64(word: str) -> bytes | None:
    word = _NOT_BASE64.sub("", word)
    word = word[:-1] if len(word) % 4 == 1 else word
    return binascii.a2b_base64(word + "=" * (-len(word) % 4))


def _from_quoted(word: str) -> bytes | None:
    return binascii.a2b_qp(word.encode("latin-1"), header=True)


_WORD_DECODERS: dict[str, Callable[[str], bytes | None]] = {"b": _from_base64, "q": _from_quoted}


def message_ids(value: bytes) -> list[str]:
    """The `<...>` tokens of a field, brackets kept, in order and without repetition."""
    return list(dict.fromkeys(f"<{match[1]}>" for match in _MESSAGE_ID.finditer(plain(value))))


def bounded_references(ids: list[str]) -> list[str]:
    """At most 200 ids: the first, which names the thread, and the newest."""
    return ids if len(ids) <= MAX_REFERENCES else [ids[0], *ids[1 - MAX_REFERENCES :]]
