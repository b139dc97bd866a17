"""SSH public keys of technicians, and the authorized_keys lines that sshd asks for.

Trust: a line is built from checked parts only; comment and options of the given key are thrown away.
Standards: RFC 4253 section 6.6 (blob), sshd(8) AUTHORIZED_KEYS FILE FORMAT.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import shlex
import struct
from dataclasses import dataclass

from desk.errors import Invalid

ALGORITHMS = frozenset(
    {
        "ssh-ed25519",
        "sk-ssh-ed25519@openssh.com",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-rsa",
    }
)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`line` is algorithm and blob, nothing else; `fingerprint` is as `ssh-keygen -l` prints it."""

    line: str
    fingerprint: str


def parse_public_key(text: str) -> PublicKey:
    """The first key of a .pub file.

    Raises:
        Invalid: it is no public key, or a private one, or of an algorithm that sshd refuses.
    """
    if "PRIVATE KEY" in text:
        raise Invalid("this is a private key; give the file that ends in .pub")
    words = next(
        (line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")), []
    )
    if len(words) < 2:
        raise Invalid('this is no public key; it looks like "ssh-ed25519 AAAA... comment"')
    algorithm, blob = words[0], words[1]
    if algorithm not in ALGORITHMS:
        raise Invalid(f"key algorithm {algorithm!r} is not accepted; use ssh-ed25519")
    try:
        raw = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("the key is damaged; copy the whole line of the .pub file") from error
    if _first_string(raw) != algorithm.encode():
        raise Invalid("the key does not fit its algorithm; copy the whole line of the .pub file")
    digest = base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")
    return PublicKey(f"{algorithm} {blob}", f"SHA256:{digest}")


def _first_string(raw: bytes) -> bytes:
    if len(raw) < 4:
        return b""
    (length,) = struct.unpack(">I", raw[:4])
    return raw[4 : 4 + length]


def authorized_line(key_line: str, login: str, command: list[str]) -> str:
    """One line for AuthorizedKeysCommand: the key may do nothing but run `command` for this login."""
    forced = shlex.join([*command, "--as", login]).replace("\\", "\\\\").replace('"', '\\"')
    return f'restrict,pty,command="{forced}" {key_line}'
