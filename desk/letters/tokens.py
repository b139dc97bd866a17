"""Thread tokens: the unguessable part of an address or Message-ID that names ticket and participant.

A token is 20 bytes in base32: kind, key epoch, ticket, participant (RFC 4648 section 6, 10 bytes), then
80 bits of HMAC-SHA256 over them. Lower case, because mail systems fold the case of local parts.
Trust: only `verify` tells whether a token is ours. What `find_in_*` return is a claim, nothing more.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import re
import struct
from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple, get_args

from desk.errors import Invalid

Kind = Literal["r", "b", "v", "c"]

LONGEST_LOCAL_PART = 31
"""Of an own address: with `+` and a token it is 64 octets, the limit of RFC 5321 section 4.5.3.1.1."""

_KINDS: dict[int, Kind] = {ord(kind): kind for kind in get_args(Kind)}
_PAYLOAD = struct.Struct(">BBII")
_PURPOSE = b"desk-reply-v1\0"  # the same key may sign other things; those begin with another word
_SHAPE = re.compile(r"[A-Za-z2-7]{32}")
_MESSAGE_ID = re.compile(r"<?([A-Za-z2-7]{32})\.[0-9]{1,10}@([^<>@\s]+)>?")


class Token(NamedTuple):
    """What a token says.

    Attributes:
        kind: r reply of a participant, b bounce of one letter (its envelope sender), v vendor, c command.
        epoch: which key signed it, 0 to 255.
        ticket: the ticket's id, unsigned 32 bit.
        participant: the contact's id; for kind b the letter's id; unsigned 32 bit.
    """

    kind: Kind
    epoch: int
    ticket: int
    participant: int


class Refusal(enum.Enum):
    """Why a text is no token of ours. Every refusal is false in a condition."""

    NOT_A_TOKEN = "not a token"
    FORGED = "forged"
    UNKNOWN_EPOCH = "unknown epoch"

    def __bool__(self) -> bool:
        return False


def make(keys: Mapping[int, bytes], epoch: int, kind: Kind, ticket: int, participant: int) -> str:
    """A new token: 32 characters of lower-case base32; the same arguments give the same token.

    Raises:
        Invalid: no key of that epoch, an unknown kind, or a number out of range.
    """
    if epoch not in keys:
        raise Invalid(f"no token key of epoch {epoch}; known are {sorted(keys)}")
    if ord(kind) not in _KINDS:
        raise Invalid(f"unknown kind of token {kind!r}; one of {', '.join(_KINDS.values())}")
    try:
        payload = _PAYLOAD.pack(ord(kind), epoch, ticket, participant)
    except struct.error as error:
        raise Invalid(f"ticket {ticket}, participant {participant}, epoch {epoch}: {error}") from error
    return base64.b32encode(payload + _seal(keys[epoch], payload)).decode("ascii").lower()


def verify(keys: Mapping[int, bytes], text: str) -> Token | Refusal:
    """The one judge of tokens; every path that believes one asks here.

    Upper and lower case are the same. A text of the right shape whose epoch has no key (any more) is
    UNKNOWN_EPOCH: take the mail in as if it had no token.
    """
    if not _SHAPE.fullmatch(text):
        return Refusal.NOT_A_TOKEN
    raw = base64.b32decode(text, casefold=True)
    payload, seal = raw[: _PAYLOAD.size], raw[_PAYLOAD.size :]
    kind, epoch, ticket, participant = _PAYLOAD.unpack(payload)
    if epoch not in keys:
        return Refusal.UNKNOWN_EPOCH
    if not hmac.compare_digest(seal, _seal(keys[epoch], payload)) or kind not in _KINDS:
        return Refusal.FORGED
    return Token(_KINDS[kind], epoch, ticket, participant)


def find_in_address(address: str, own_addresses: Collection[str]) -> str | None:
    """The token-shaped part of `LOCAL+TOKEN@domain`, lower case, if `LOCAL@domain` is an own address.

    Anything else after the plus is no token (`support+word` is `support`).
    """
    local, _, domain = address.rpartition("@")
    base, plus, tail = local.rpartition("+")
    if not plus or not _SHAPE.fullmatch(tail):
        return None
    own = f"{base}@{domain}".lower()
    return tail.lower() if any(own == known.lower() for known in own_addresses) else None


def find_in_message_id(message_id: str, domain: str) -> str | None:
    """The token-shaped part of `<TOKEN.n@domain>`, lower case; the angle brackets may be missing."""
    match = _MESSAGE_ID.fullmatch(message_id.strip())
    return match[1].lower() if match and match[2].lower() == domain.lower() else None


def reply_address(own_address: str, token: str) -> str:
    """`local+TOKEN@domain`, the address under which an answer finds its ticket."""
    local, _, domain = own_address.rpartition("@")
    return f"{local}+{token}@{domain}"


def message_id(token: str, n: int, domain: str) -> str:
    """`<TOKEN.n@domain>`: n tells the letters to one participant of one ticket apart."""
    return f"<{token}.{n}@{domain}>"


def _seal(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + payload, hashlib.sha256)[:10]
