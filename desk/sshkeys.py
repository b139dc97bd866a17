"""SSH public keys of technicians, and the authorized_keys lines that sshd asks for.

Trust: a line is built from checked parts only; comment and options of the given key are thrown away.
Standards: RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4 (blobs), OpenSSH PROTOCOL.u2f
(sk- keys), sshd(8) AUTHORIZED_KEYS FILE FORMAT.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import shlex
from dataclasses import dataclass

from desk.errors import Invalid

# How many strings the blob holds after the name of its algorithm.
_PARTS = {
    "ssh-ed25519": 1,
    "sk-ssh-ed25519@openssh.com": 2,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
    "ssh-rsa": 2,
}
ALGORITHMS = frozenset(_PARTS)
_ED25519_BYTES = 32
_LEAST_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`line` is algorithm and blob, nothing else; `fingerprint` is as `ssh-keygen -l` prints it."""

    line: str
    fingerprint: str


def parse_public_key(text: str) -> PublicKey:
    """The first key of a .pub file.

    Raises:
        Invalid: it is no public key, or a private one, damaged, too short, or of an algorithm that sshd refuses.
    """
    if "PRIVATE KEY" in text or text.lstrip().startswith("PuTTY-User-Key-File"):
        raise Invalid("this is a private key; give the file that ends in .pub")
    lines = (line.strip() for line in text.splitlines())
    words = next((line.split() for line in lines if line and not line.startswith("#")), [])
    if len(words) < 2:
        raise Invalid('this is no public key; it looks like "ssh-ed25519 AAAA... comment"')
    algorithm, blob = words[0], words[1]
    if algorithm not in ALGORITHMS:
        raise Invalid(f"key algorithm {algorithm[:60]!r} is not accepted; use ssh-ed25519")
    try:
        raw = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("the key is damaged; copy the whole line of the .pub file") from error
    _check_blob(algorithm, raw)
    digest = base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")
    return PublicKey(f"{algorithm} {base64.b64encode(raw).decode()}", f"SHA256:{digest}")


def _check_blob(algorithm: str, raw: bytes) -> None:
    """Refuse a blob that is cut short, goes on too long, or is of another algorithm."""
    strings = _strings(raw)
    if strings is None or strings[:1] != [algorithm.encode()] or len(strings) != _PARTS[algorithm] + 1:
        raise Invalid("the key does not fit its algorithm; copy the whole line of the .pub file")
    if "ed25519" in algorithm and len(strings[1]) != _ED25519_BYTES:
        raise Invalid("the key is damaged; copy the whole line of the .pub file")
    if algorithm == "ssh-rsa" and (bits := int.from_bytes(strings[2]).bit_length()) < _LEAST_RSA_BITS:
        raise Invalid(
            f"the RSA key has {bits} bits; at least {_LEAST_RSA_BITS} are needed, or use ssh-ed25519"
        )


def _strings(raw: bytes) -> list[bytes] | None:
    """The strings of a blob, each after its length in 4 bytes; None when they do not fill it exactly."""
    found, position = [], 0
    while position < len(raw):
        start = position + 4
        position = start + int.from_bytes(raw[position:start])
        found.append(raw[start:position])
    return found if position == len(raw) else None


def authorized_line(key_line: str, login: str, command: list[str]) -> str:
    """One line for AuthorizedKeysCommand: the key may do nothing but run `command` for this login.

    Raises:
        Invalid: a word of the command holds a control character, which could begin another line.
    """
    forced = shlex.join([*command, "--as", login])
    if any(ord(character) < 32 for character in forced + key_line):
        raise Invalid(f"the command {forced!r} cannot stand in authorized_keys")
    # sshd knows one escape inside the quotes: \" ; every other backslash stands for itself
    escaped = forced.replace('"', '\\"')
    return f'restrict,pty,command="{escaped}" {key_line}'
