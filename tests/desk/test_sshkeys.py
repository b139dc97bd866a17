"""SSH keys: what is taken, what is refused, and the line that sshd reads."""

from __future__ import annotations

import base64
import re
import shlex

import pytest

from desk.errors import Invalid
from desk.sshkeys import authorized_line, parse_public_key

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILVwFl/DvQdh5I8DC9//TpPSppuoRzb9r8fStHtHE9o0"
RSA = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCh587BeYGgRYX8oOtpOLo4lMhGwq6cAbYDGHdpXAfYC2Hq8IRyXo0Am6mNiZBb+mSfNX3T"
    "lDwzX3iMId6l1Z4UL+Yb1+RDYFXWIpdI0zr30rhB99vMJljknClEuxC+THhPXNP0pAOp7GoYz1rNhV1q76P2vVxKZChwWDrlRoS0hdbUHylh"
    "7AZNPcF9seGgNRvivIHeG8Cz6h4exhkRWAKfeA2cpDO/z7pS8N5bvM9GoOya19NXDH8CD/iiZN/Vs2sKIrqGwkj7G/UXczlwvRunnwJTSA0F"
    "DUcJDLv65H55qsubb1ovlx+RntPIxqsjYfXBeJXMRHTGmEJ2DuH/Nigf"
)
ECDSA = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBC5L3kax4ZVXJN7QepSFZ0BwopsigxETvq49pl"
    "uCajHJXE0OgGgBP0ZGHG5HKqSPsc9Li88/MmRlxDGfa4gG12k="
)
SHORT_RSA = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDiOCsaEUBeIz8ldCKuFviHzfY86hPpSH9pNQNv+NQZPdB7t2eQm6r9O/C0tJhiNgDfAVuIEC"
    "RL1yBLtVu3khs6EE5OpVzBiIvyZpV9681nHMwjC622mkm4lYNlVEhl2hkO9dcuRobceXwA5XdAv6E9DI3FMiLRFHrT5mErBXv0oQ=="
)


@pytest.mark.parametrize(
    ("line", "fingerprint"),  # as ssh-keygen -l prints them
    [
        (ED25519, "SHA256:ONeEX+nTXqLmR5MuKtuvTI3trlARz3sldXmRz1rgeg8"),
        (RSA, "SHA256:Dz8/QKRVXOknDFe+/UIGvyQeJ10ULgiQAQS3zX1p9xk"),
        (ECDSA, "SHA256:G5pExFxtt9zAY2SERatfCtbOB5QK6DMLV4j1vYJ0AoY"),
    ],
)
def test_a_public_key_is_read_without_its_comment(line: str, fingerprint: str) -> None:
    key = parse_public_key(f"# my key\n\n  {line} somebody@example.org more\r\nssh-rsa AAAA second\n")

    assert (key.line, key.fingerprint) == (line, fingerprint)


def _blob(line: str) -> bytes:
    return base64.b64decode(line.split()[1])


def _line(algorithm: str, blob: bytes) -> str:
    return f"{algorithm} {base64.b64encode(blob).decode()}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n", "this is a private key"),
        ("-----BEGIN RSA PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n", "this is a private key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", "this is a private key"),
        ("", "this is no public key"),
        ("ssh-ed25519", "this is no public key"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "algorithm 'ssh-dss' is not accepted"),
        (f'command="sh" {ED25519}', "is not accepted"),
        (ED25519[:-1] + "*", "damaged"),
        (ED25519[:-1], "damaged"),
        (_line("ssh-ed25519", _blob(ED25519)[:-1]), "copy the whole line"),
        (_line("ssh-ed25519", _blob(ED25519) + b"\0\0\0\0"), "copy the whole line"),
        (_line("ssh-ed25519", _blob(ED25519)[:19]), "copy the whole line"),
        (_line("ssh-ed25519", b"\0\0\0\x0bssh-ed25519\0\0\0\x02ab"), "damaged"),
        (_line("ssh-rsa", _blob(ED25519)), "does not fit its algorithm"),
        (_line("ssh-ed25519", b"\xff\xff\xff\xff" + _blob(ED25519)), "copy the whole line"),
        (SHORT_RSA, "has 1024 bits; at least 2048"),
    ],
)
def test_what_is_no_good_public_key_is_refused(text: str, said: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_public_key(text)

    assert said in str(refusal.value)


def _as_sshd_reads(line: str) -> str:
    """The forced command: sshd ends the value at the first bare quote, and turns only \\" into a quote."""
    found = re.match(r'restrict,pty,command="((?:\\"|[^"])*)" ssh-', line)
    assert found is not None
    return found[1].replace('\\"', '"')


@pytest.mark.parametrize(
    "words",
    [
        ["desk", "console"],
        ["/opt/my desk/bin/desk", "--home", '/srv/it\'s "here"', "console"],
        ["desk", "--home", "C:\\desk\\home", "console"],
        ["desk", "$HOME", "`id`", 'a\\"b', "%h"],
    ],
)
def test_the_forced_command_arrives_as_it_was_given(words: list[str]) -> None:
    line = authorized_line(ED25519, "tess", words)

    assert shlex.split(_as_sshd_reads(line)) == [*words, "--as", "tess"]
    assert line.endswith(f'" {ED25519}')


@pytest.mark.parametrize("word", ["a\nssh-rsa AAAA", "a\rb", "a\0b"])
def test_a_command_cannot_begin_another_line(word: str) -> None:
    with pytest.raises(Invalid, match="cannot stand in authorized_keys"):
        authorized_line(ED25519, "tess", ["desk", "--home", word])
