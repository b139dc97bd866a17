"""Header fields of a letter out: cleaned, encoded, folded.

Values may hold what strangers wrote: control characters become a blank, so no value begins a new field,
and what looks like an encoded word is encoded itself, so that the reader sees it as it was written.
Standards: RFC 5322 sections 2.2.3, 3.4, 3.6.4; RFC 2047 sections 2 and 5; RFC 2231 sections 3 and 4.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from urllib.parse import quote

from desk.errors import Invalid
from desk.letter import Mailbox

COLUMNS = 76
_LONGEST_WORD = 200  # of plain ASCII; a longer one is encoded, so that it can be folded
_LONGEST_ID = 500
_LONGEST_ADDRESS = 320
_LONGEST_REFERENCES = 2000
_CONTROLS = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_ADDRESS = re.compile(
    r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r'|"(?:[ !#-\[\]-~]|\\[ -~])*")'
    r"@(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[A-Za-z0-9:.]+\])"
)
_ID = re.compile(r"<[!-;=?-~]+>")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]{1,50}")
_PATH_MARKS = str.maketrans("/\\", "__")


def text_field(name: str, value: str) -> str:
    """An unstructured field, such as Subject."""
    return _folded(name, _words(clean(value), COLUMNS - len(name) - 2))


def mailbox_field(name: str, mailboxes: Iterable[Mailbox]) -> str:
    """An address field.

    Raises:
        Invalid: an address that a mail header cannot carry.
    """
    room = COLUMNS - len(name) - 2
    groups = [[*_phrase(clean(box.name), room), f"<{carried(box.address)}>"] for box in mailboxes]
    words = [word for group in groups for word in (*group[:-1], group[-1] + ",")]
    return _folded(name, [*words[:-1], words[-1][:-1]])


def id_field(name: str, ids: Iterable[str]) -> str:
    """A field of message ids; "" when none of them is well-formed."""
    known = [message_id for message_id in ids if is_message_id(message_id)]
    return _folded(name, known) if known else ""


def references(ids: Iterable[str], parent: str | None) -> list[str]:
    """Well-formed ids without repeats, the parent last: the first and as many of the newest as 2 KiB hold."""
    chain = [one for one in ids if is_message_id(one) and one != parent]
    if parent is not None and is_message_id(parent):
        chain.append(parent)
    unique = list(dict.fromkeys(chain))
    room = _LONGEST_REFERENCES - sum(len(one) + 3 for one in unique[:1])
    newest: list[str] = []
    for one in reversed(unique[1:]):
        room -= len(one) + 3
        if room < 0:
            break
        newest.append(one)
    return unique[:1] + newest[::-1]


def is_message_id(text: str) -> bool:
    """Whether a header can carry it: angle brackets, visible ASCII, no blank, not over 500 characters."""
    return len(text) <= _LONGEST_ID and _ID.fullmatch(text) is not None


def can_carry(address: str) -> bool:
    """Whether a letter can be addressed to this; a stranger's address may be one that cannot."""
    try:
        carried(address)
    except Invalid:
        return False
    return True


def carried(address: str) -> str:
    """The address as a header carries it, a domain of other scripts in its ASCII form.

    Raises:
        Invalid: it is no address, or its local part is not ASCII.
    """
    local, at, domain = address.strip()[: _LONGEST_ADDRESS + 1].rpartition("@")
    known = f"{local}{at}{domain if domain.isascii() else _ascii_domain(domain)}"
    if len(known) > _LONGEST_ADDRESS or "=?" in known or not _ADDRESS.fullmatch(known):
        raise Invalid(f"{address[:80]!r} is no address that a mail can carry")
    return known


def clean(value: str) -> str:
    """The value on one line: control characters, line ends and lone surrogates become one blank."""
    return _CONTROLS.sub(" ", value).strip(" ")


def file_name(name: str) -> str:
    """A name for an attachment: one line, no path, at most 120 characters, never empty."""
    kept = clean(name).translate(_PATH_MARKS).strip(". ")
    if len(kept) > 120:
        stem, dot, ending = kept.rpartition(".")
        kept = f"{stem[: 119 - len(ending)]}.{ending}" if dot and len(ending) <= 20 else kept[:120]
    return kept or "attachment"


def file_name_parameter(name: str) -> str:
    """`filename` with its value, folded and ready to stand behind Content-Disposition."""
    if _PLAIN_NAME.fullmatch(name):
        return f';\r\n filename="{name}"'
    encoded = [quote(character, safe="", encoding="utf-8") for character in name]
    if sum(map(len, encoded)) <= 54:
        return f";\r\n filename*=utf-8''{''.join(encoded)}"
    pieces = ["utf-8''"]
    for character in encoded:
        if len(pieces[-1]) + len(character) > 60:
            pieces.append("")
        pieces[-1] += character
    return "".join(f";\r\n filename*{n}*={piece}" for n, piece in enumerate(pieces))


def _folded(name: str, words: list[str]) -> str:
    lines, line = [], f"{name}:"
    for n, word in enumerate(words):
        if n and len(line) + len(word) + 1 > COLUMNS:
            lines.append(line)
            line = ""
        line += " " + word
    return "\r\n".join([*lines, line]) + "\r\n"


def _words(value: str, room: int) -> list[str]:
    """The value in words between which it may be folded; encoded when it is not plain ASCII."""
    words = value.split(" ")
    if value.isascii() and "=?" not in value and max(map(len, words)) <= _LONGEST_WORD:
        return words
    return _encoded_words(value, room)


def _phrase(name: str, room: int) -> list[str]:
    if not name:
        return []
    if not name.isascii() or "=?" in name or len(name) > 60:
        return _encoded_words(name, room)
    if _ATOMS.fullmatch(name):
        return [name]
    return ['"' + name.replace("\\", r"\\").replace('"', r"\"") + '"']


def _encoded_words(value: str, room: int) -> list[str]:
    """Encoded words of at most 75 characters, the first of at most `room`; none splits a character."""
    data, words, start = value.encode("utf-8"), [], 0
    while start < len(data):
        end = min(start + (min(room, 75) - 12) // 4 * 3, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        words.append(f"=?utf-8?b?{binascii.b2a_base64(data[start:end], newline=False).decode('ascii')}?=")
        start, room = end, 75
    return words


def _ascii_domain(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise Invalid(f"{domain[:80]!r} is no domain name: {error}") from error
