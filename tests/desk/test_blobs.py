"""Bytes come back as they were stored, once each."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orders_parts import Shop

from desk import blobs
from desk.errors import NotFound


@given(st.binary(max_size=5000) | st.binary(max_size=50).map(lambda piece: piece * 200))
def test_bytes_survive_packing(content: bytes) -> None:
    packed = blobs.pack(content)

    assert blobs.unpack(packed.codec, packed.data) == content
    assert (packed.sha256, packed.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert len(packed.data) <= len(content)


def test_the_same_bytes_are_stored_once(shop: Shop) -> None:
    packed = blobs.pack(b"once\0\r\n" * 10)

    stored = [shop.desk.store.write_tx(lambda tx: blobs.store(tx, packed)) for _ in range(2)]

    assert stored == [True, False]
    assert shop.content(packed.sha256.upper()) == b"once\0\r\n" * 10


def test_bytes_that_are_not_there_are_named(shop: Shop) -> None:
    with pytest.raises(NotFound, match="no bytes with the sha256 abc"):
        shop.content("abc")
