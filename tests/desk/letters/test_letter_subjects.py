"""Subjects: prefixes and tags off and on."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.letters.subjects import base_subject, reply_subject, ticket_tag


@pytest.mark.parametrize(
    "subject",
    [
        "Printer is broken",
        "Re: Printer is broken",
        "RE: re: Re: Printer is broken",
        "Fwd: FW: fw : Printer is broken",
        "AW: WG: SV: VS: Antw: Printer is broken",
        "RE[2]: Printer is broken",
        "Re(3): Re^2: Printer is broken",
        "回复: 回覆：答复:答覆： Printer is broken",
        "轉寄: 转发：转寄: 轉發：Printer is broken",
        "Re：Printer is broken",
        "回覆\u3000：\u3000Printer is broken",
        "Re: [#101] Printer is broken",
        "[#101] Re: Printer is broken [#101]",
        "  Re:\t Printer \r\n is  broken ",
    ],
)
def test_prefixes_and_our_tag_are_taken_off(subject):
    assert base_subject(subject) == "Printer is broken"


@pytest.mark.parametrize(
    "subject",
    [
        "R: drive is full",
        "Reply: missing",
        "Rewards: late",
        "印表機壞了：三樓",
        "[EXTERNAL] hello",
        "#101 broken",
        "回覆太慢",
    ],
)
def test_what_only_looks_like_a_prefix_stays(subject):
    assert base_subject(subject) == subject


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("Re: x [#123]", 123),
        ("[#7] x [#8]", 7),
        ("x #123", None),
        ("x [123]", None),
        ("x [#12345678901]", None),
        ("x [#１２]", None),
        ("", None),
    ],
)
def test_the_tag_is_read(subject, number):
    assert ticket_tag(subject) == number


def test_an_answer_has_one_prefix_and_one_tag():
    assert reply_subject("RE: 回覆： 印表機壞了 [#101]", 101) == "Re: 印表機壞了 [#101]"
    assert reply_subject("", 101) == "Re: [#101]"
    assert reply_subject("Fwd: [#7] x", 101) == "Re: x [#101]"


@given(st.text(max_size=60), st.integers(1, 10**9))
def test_answering_an_answer_changes_nothing(subject, number):
    once = reply_subject(subject, number)

    assert reply_subject(once, number) == once
    assert once.isprintable() or not subject.isprintable()


@pytest.mark.parametrize("piece", ["Re: ", "re", "[#1", "[#1]", " ", "\u3000", "回复：", "Re["])
def test_hostile_subjects_take_linear_time(piece):
    subject = piece * (1_000_000 // len(piece)) + "x"

    start = time.process_time()
    base_subject(subject)
    ticket_tag(subject)

    assert time.process_time() - start < 2
