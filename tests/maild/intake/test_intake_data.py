"""The content of a mail, taken from the wire in chunks of any size."""

from __future__ import annotations

import hashlib

import pytest

from maild.intake.data import DataReader

WIRE = b"Subject: x\r\n\r\n..\r\n.first\r\n\r\n...\r\n\r\n.\r\nQUIT\r\n"
CONTENT = b"Subject: x\r\n\r\n.\r\nfirst\r\n\r\n..\r\n\r\n"


def read(*chunks: bytes, limit: int = 1000) -> DataReader:
    data = DataReader(limit)
    ends = [data.feed(chunk) for chunk in chunks]
    assert ends == [False] * (len(chunks) - 1) + [True]
    return data


@pytest.mark.parametrize("cut", range(len(WIRE) - len("QUIT\r\n")))
def test_content_is_the_same_wherever_the_wire_is_cut(cut):
    data = read(WIRE[:cut], WIRE[cut:])

    assert (data.content(), data.rest) == (CONTENT, b"QUIT\r\n")
    assert data.received == len(WIRE) - len(b"QUIT\r\n")
    assert data.sha256() == hashlib.sha256(CONTENT).hexdigest()
    assert not data.has_bare_newlines


def test_content_is_the_same_byte_by_byte():
    wire = WIRE[: -len(b"QUIT\r\n")]

    data = read(*(wire[i : i + 1] for i in range(len(wire))))

    assert data.content() == CONTENT


def test_a_dot_at_once_is_an_empty_mail():
    assert read(b".\r\n").content() == b""


@pytest.mark.parametrize(
    "false_end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n\0.\r\n", b"\r\n.\r", b"\n\r.\r\n"]
)
def test_false_ends_stay_content(false_end):
    sent = b"a" + false_end + b"MAIL FROM:<evil@example.net>\r\n.\r\n"

    data = read(*(sent[i : i + 1] for i in range(len(sent))))

    assert data.rest == b""
    assert b"MAIL FROM:<evil@example.net>" in data.content()
    assert data.has_bare_newlines is (b"\0" not in false_end)


@pytest.mark.parametrize(("size", "is_too_large"), [(10, False), (11, True)])
def test_the_limit_is_exact(size, is_too_large):
    wire = b"x" * (size - 2) + b"\r\n.\r\n"

    for chunks in ([wire], [wire[:5], wire[5:]], [wire[:-1], wire[-1:]]):
        data = read(*chunks, limit=10)

        assert data.is_too_large is is_too_large
        assert data.content() == (b"" if is_too_large else wire[:-3])
