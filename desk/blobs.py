"""Exact bytes in the store, by their sha256: mails as received, letters as sent, attachments."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import zstandard

from desk.errors import NotFound
from desk.store.current import CURRENT
from desk.store.writer import Transaction

PLAIN, ZSTD = 0, 2
_LEVEL = 3
_MAX_BYTES = 256 * 1024 * 1024
_INSERT = "INSERT INTO blob (sha256, size, codec, data) VALUES (?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING"


@dataclass(frozen=True, slots=True)
class Packed:
    """Bytes ready to be stored: hashed and compressed outside of the transaction."""

    sha256: str
    size: int
    codec: int
    data: bytes


def pack(content: bytes) -> Packed:
    """Hash and compress; what does not get smaller stays plain. Safe from any thread."""
    sha256 = hashlib.sha256(content).hexdigest()
    packed = zstandard.compress(content, _LEVEL)
    if len(packed) < len(content):
        return Packed(sha256, len(content), ZSTD, packed)
    return Packed(sha256, len(content), PLAIN, content)


def store(tx: Transaction, packed: Packed) -> bool:
    """Keep the bytes; False when they were there already."""
    return tx.run(_INSERT, packed.sha256, packed.size, packed.codec, packed.data) > 0


def content(sha256: str) -> bytes:
    """The bytes, exactly as they were stored.

    Raises:
        NotFound: no such bytes (any more).
    """
    query = "SELECT codec, data FROM blob WHERE sha256 = " + CURRENT.param
    row = CURRENT.execute_sql(query, (sha256.lower(),)).fetchone()
    if row is None:
        raise NotFound(f"there are no bytes with the sha256 {sha256}")
    return unpack(row[0], bytes(row[1]))


def unpack(codec: int, data: bytes) -> bytes:
    """Undo `pack`."""
    if codec == PLAIN:
        return data
    return zstandard.decompress(data, max_output_size=_MAX_BYTES)
