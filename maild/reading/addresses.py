"""Mailboxes of address fields: own strict parser on the raw bytes, checked against the standard library.

One pass over tokens, no recursion. Structure is found before anything is decoded, so an encoded word can
never become an address or a delimiter; names are decoded afterwards.
Trust: who wrote a letter hangs on this. Where two readers see different senders, nobody is believed.
Standards: RFC 5322 section 3.4; RFC 6532 (UTF-8); RFC 5890 (names beyond ASCII become punycode).
On failure: an item that is no mailbox is left out and named in the problems; never raises.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import getaddresses

from desk.letter import Mailbox
from maild.reading.charsets import decode_unlabelled
from maild.reading.headers import decode_header, plain

MAX_MAILBOXES = 1000
MAX_NAME_CHARACTERS = 200
SENDER_LIMIT_BYTES = 2048  # a longer From is nobody's

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\\.|[()<>,:;"\\]|[^()<>,:;"\\]+', re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LOCAL = re.compile(
    r'(?:[A-Za-z0-9!#$%&\'*+/=?^_`{|}~.\x80-\xff-]{1,128}|"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f]){1,126}")'
)
_DOMAIN = re.compile(r"[A-Za-z0-9_\x80-\xff](?:[A-Za-z0-9_.\x80-\xff-]{0,253})")
_LITERAL = re.compile(r"\[[A-Za-z0-9:.]{1,80}\]")
_IDEOGRAPHIC_DOTS = re.compile("[\u3002\uff0e\uff61]")


@dataclass(slots=True)
class _Item:
    """What stands between two commas."""

    phrase: list[str] = field(default_factory=list)
    angle: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    angles: int = 0
    has_rest: bool = False

    def is_blank(self) -> bool:
        return not self.angles and not "".join(self.phrase).strip()


@dataclass(slots=True)
class Mailboxes:
    """The mailboxes of one field and what was wrong with it."""

    found: list[Mailbox] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_mailboxes(value: bytes, *, hint: str | None = None) -> Mailboxes:
    """All mailboxes of a field body, groups flattened; at most 1000."""
    text = plain(_as_utf8(value, hint))
    result = Mailboxes()
    if _CONTROL.search(text):
        result.problems.append("control character in an address field")
    leftover: list[str] = []
    for item in _items(text, result.problems):
        if len(result.found) >= MAX_MAILBOXES:
            result.problems.append("too many mailboxes")
            break
        _take(item, result, leftover, hint)
    return result


def _as_utf8(value: bytes, hint: str | None) -> bytes:
    """Raw East Asian bytes hold backslashes and quotes as second bytes, so they are decoded before scanning."""
    if b"\x1b" not in value:
        try:
            value.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            return value
    return decode_unlabelled(value, hint).text.encode("utf-8")


def _take(item: _Item, result: Mailboxes, leftover: list[str], hint: str | None) -> None:
    spec = "".join(item.angle if item.angles else item.phrase).strip()
    if "@" not in spec and not item.angles:
        leftover.append("".join(item.phrase).strip())  # `Doe, A <a@example.org>`: a name torn at its comma
        return
    if not item.angles and " " in spec and '"' not in spec and spec.count("@") == 1:
        result.problems.append("address not well formed")  # `A a@example.org`: shown, but not believed
        spec = next(word for word in spec.split() if "@" in word)
    address = _address(spec, result.problems)
    if item.angles > 1 or item.has_rest:
        result.problems.append("text after the address")
    if address is None:
        leftover.clear()
        return
    phrase = "".join(item.phrase).strip() if item.angles else ""
    if leftover and phrase:
        phrase = ", ".join([*leftover, phrase])
    leftover.clear()
    name = phrase or " ".join(item.comments).strip()
    result.found.append(Mailbox(_name(name, hint), address))


def _items(text: str, problems: list[str]) -> Iterable[_Item]:
    item = _Item()
    depth, is_angle = 0, False
    comment: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match[0]
        if depth:
            depth += (token == "(") - (token == ")")
            if depth:
                comment.append(token)
            else:
                item.comments.append("".join(comment))
                comment.clear()
        elif token == "(":
            depth = 1
        elif token == "<":
            item.angles += 1
            is_angle = True
        elif token == ">" and is_angle:
            is_angle = False
        elif is_angle:
            (item.angle if item.angles == 1 else item.phrase).append(token)
        elif token in (",", ";"):
            if not item.is_blank():
                yield item
            item = _Item()
        elif token == ":":
            item = _Item()  # the name of a group says nothing about who wrote
        elif item.angles:
            item.has_rest = item.has_rest or bool(token.strip())
        else:
            item.phrase.append(token)
    if depth or is_angle:
        problems.append("unclosed bracket in an address field")
    if not item.is_blank():
        yield item


def _address(spec: str, problems: list[str]) -> str | None:
    if spec.startswith("@") and ":" in spec:  # an obsolete route (RFC 5322 section 4.4)
        spec = spec.rpartition(":")[2].strip()
    if "=?" in spec and "?=" in spec:
        problems.append("encoded word inside the address")
        return None
    local, at, domain = spec.rpartition("@")
    local, domain = local.strip(), domain.strip().rstrip(".")
    if not at or not _LOCAL.fullmatch(local):
        problems.append("address not well formed")
        return None
    known = domain.lower() if _LITERAL.fullmatch(domain) else _domain(domain)
    try:
        local = local.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        known = None
    if known is None:
        problems.append("address not well formed")
        return None
    return f"{local}@{known}"


def _domain(domain: str) -> str | None:
    """The domain in lower case, labels beyond ASCII in punycode; None when it is none."""
    if not _DOMAIN.fullmatch(domain) or ".." in domain:
        return None
    if domain.isascii():
        return domain.lower()
    try:
        text = unicodedata.normalize("NFKC", domain.encode("latin-1").decode("utf-8")).lower()
    except UnicodeDecodeError:
        return None
    labels = [_label(label) for label in _IDEOGRAPHIC_DOTS.sub(".", text).split(".")]
    known = ".".join(labels)
    return known if all(0 < len(label) <= 63 for label in labels) and len(known) <= 253 else None


def _label(label: str) -> str:
    if label.isascii():
        return label
    return "xn--" + label[:64].encode("punycode").decode("ascii")


def _name(phrase: str, hint: str | None) -> str:
    """A display name: quotes and backslashes taken off, encoded words decoded, one line."""
    if not phrase:
        return ""
    if '"' in phrase or "\\" in phrase:
        phrase = "".join(_unquoted(match[0]) for match in _TOKEN.finditer(phrase))
    text = decode_header(phrase.encode("latin-1"), hint=hint).text
    if text.startswith('"') and text.endswith('"') and len(text) > 2:
        text = text[1:-1]  # quotes inside an encoded word
    return " ".join(text.split())[:MAX_NAME_CHARACTERS]


def _unquoted(token: str) -> str:
    if token.startswith('"') and token.endswith('"') and len(token) > 1:
        return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)
    return token[1:] if token.startswith("\\") and len(token) > 1 else token.strip('"')


def sender_of(values: list[bytes], *, hint: str | None, other: list[str]) -> tuple[Mailbox | None, list[str]]:
    """The one mailbox of From, and the reasons not to believe it (empty for honest mail).

    Args:
        values: every From field of the mail.
        other: the addresses that mail-parser sees in the first From.
    """
    if not values:
        return None, ["no From field"]
    sender, doubts = _one_sender(values[0], hint, other)
    if len(values) > 1:
        sender, doubts = None, ["several From fields", *doubts]
    return sender, list(dict.fromkeys(doubts))


def _one_sender(value: bytes, hint: str | None, other: list[str]) -> tuple[Mailbox | None, list[str]]:
    if len(value) > SENDER_LIMIT_BYTES:
        return None, ["From is too long"]
    own = read_mailboxes(value, hint=hint)
    if len(own.found) != 1:
        return None, [*own.problems, "several mailboxes in From" if own.found else "no address in From"]
    sender = own.found[0]
    if any(_disagrees(theirs, sender.address) for theirs in (_library_addresses(value), other)):
        own.problems.append("address readers disagree")
    return sender, own.problems


def _disagrees(theirs: list[str] | None, ours: str) -> bool:
    return theirs is None or any(_comparable(address.strip("'")) != _comparable(ours) for address in theirs)


def _library_addresses(value: bytes) -> list[str] | None:
    """What email.utils sees in the text of compat32; None when it fails."""
    text = value.decode("ascii", "surrogateescape")
    try:
        return [address for _, address in getaddresses([text]) if "@" in address]
    except (RecursionError, ValueError, IndexError):
        return None


def _comparable(address: str) -> str:
    """An address as any of the readers writes it, in the form of ours."""
    local, _, domain = address.encode("utf-8", "surrogateescape").decode("latin-1").rpartition("@")
    return f"{local.strip()}@{_domain(domain.strip().rstrip('.')) or domain.lower()}"
