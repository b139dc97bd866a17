"""Tokens: made, found, verified, forged."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.errors import Invalid
from desk.letters import tokens
from desk.letters.tokens import Refusal, Token

KEYS = {3: b"three" * 8, 4: b"four" * 8}
OWN = ["support@example.org", "Help+IT@example.org"]
NUMBERS = st.integers(0, 2**32 - 1)


@given(kind=st.sampled_from("rbvc"), epoch=st.sampled_from([3, 4]), ticket=NUMBERS, participant=NUMBERS)
def test_a_made_token_says_what_it_was_made_of(kind, epoch, ticket, participant):
    text = tokens.make(KEYS, epoch, kind, ticket, participant)

    assert re.fullmatch("[a-z2-7]{32}", text)
    assert tokens.verify(KEYS, text) == Token(kind, epoch, ticket, participant)
    assert tokens.verify(KEYS, text.upper()) == Token(kind, epoch, ticket, participant)


def test_the_wire_form_of_a_token_is_fixed():
    assert tokens.make({1: b"k" * 32}, 1, "r", 101, 7) == "oiaqaaaamuaaaaahn4s7rmgdjiis26fa"


def test_a_flipped_bit_in_any_byte_is_refused():
    raw = base64.b32decode(tokens.make(KEYS, 3, "r", 101, 7).upper())
    others = dict.fromkeys(range(256), b"k" * 32) | KEYS

    for position in range(20):
        for bit in range(8):
            changed = bytearray(raw)
            changed[position] ^= 1 << bit
            text = base64.b32encode(bytes(changed)).decode().lower()
            assert tokens.verify(others, text) is Refusal.FORGED


def test_an_unknown_epoch_is_told_from_a_forgery():
    text = tokens.make(KEYS, 3, "r", 101, 7)

    assert tokens.verify({4: KEYS[4]}, text) is Refusal.UNKNOWN_EPOCH
    assert tokens.verify({3: b"another key"}, text) is Refusal.FORGED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sales",
        "a" * 31,
        "a" * 33,
        "a" * 31 + "1",
        "a" * 31 + "\n",
        "a" * 31 + "\u212a",
        "é" * 32,
        "=" * 32,
    ],
)
def test_other_shapes_are_not_tokens(text):
    assert tokens.verify(KEYS, text) is Refusal.NOT_A_TOKEN


def test_a_refusal_is_false_and_a_token_is_true():
    assert [bool(refusal) for refusal in Refusal] == [False, False, False]
    assert bool(Token("r", 0, 0, 0)) is True


@pytest.mark.parametrize(
    ("epoch", "kind", "ticket", "participant"),
    [(9, "r", 1, 1), (3, "x", 1, 1), (3, "r", 2**32, 1), (3, "r", -1, 1), (3, "r", 1, 2**32)],
)
def test_what_does_not_fit_into_a_token_is_refused(epoch, kind, ticket, participant):
    with pytest.raises(Invalid):
        tokens.make(KEYS, epoch, kind, ticket, participant)


@pytest.mark.parametrize("own", OWN)
def test_a_token_is_found_in_the_reply_address(own):
    token = tokens.make(KEYS, 3, "b", 5, 6)
    address = tokens.reply_address(own, token)

    assert tokens.find_in_address(address, OWN) == token
    assert tokens.find_in_address(address.upper(), OWN) == token


@pytest.mark.parametrize(
    "address",
    [
        "support@example.org",
        "support+word@example.org",
        f"support+{'a' * 32}@example.com",
        f"sales+{'a' * 32}@example.org",
        f"support+{'a' * 33}@example.org",
        f"support+{'a' * 31}1@example.org",
        f"support+{'a' * 32}",
        "",
        "@",
        "+@",
    ],
)
def test_no_token_is_found_in_other_addresses(address):
    assert tokens.find_in_address(address, OWN) is None


def test_the_longest_own_local_part_fills_an_address_exactly():
    own = "a" * tokens.LONGEST_LOCAL_PART + "@example.org"

    local, _, _ = tokens.reply_address(own, tokens.make(KEYS, 3, "r", 1, 1)).partition("@")

    assert len(local) == 64


def test_a_token_is_found_in_our_message_id():
    token = tokens.make(KEYS, 3, "r", 5, 6)
    message_id = tokens.message_id(token, 12, "example.org")

    assert message_id == f"<{token}.12@example.org>"
    assert tokens.find_in_message_id(message_id, "Example.org") == token
    assert tokens.find_in_message_id(message_id.upper(), "example.org") == token
    assert tokens.find_in_message_id(message_id.strip("<>"), "example.org") == token


@pytest.mark.parametrize(
    "message_id",
    [
        f"<{'a' * 32}.1@example.com>",
        f"<{'a' * 32}@example.org>",
        f"<{'a' * 32}.x@example.org>",
        f"<{'a' * 31}.1@example.org>",
        f"<{'a' * 32}.1@example.org> <b@example.org>",
        "",
    ],
)
def test_no_token_is_found_in_other_message_ids(message_id):
    assert tokens.find_in_message_id(message_id, "example.org") is None
