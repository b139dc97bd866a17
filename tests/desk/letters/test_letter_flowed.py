"""format=flowed: what goes out comes back."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desk.letters.flowed import flow, unflow

LINES = st.lists(st.text("ab >-F印表 \u3000😀.From", max_size=200), max_size=5)
LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"


def tidied(text):
    return "\n".join(line if line == "-- " else line.rstrip(" ") for line in text.split("\n"))


@given(LINES.map("\n".join))
@example("-- \nA")
@example(LONG + " -- " + "x" * 80)
@example("> " + LONG)
@example(">" + LONG)
@example(">>>" + LONG)
@example(">  " + LONG)
@example(" " + LONG)
@example(LONG + " > " + LONG + " From " + LONG)
@example(">" * 500 + " " + LONG * 20)
def test_unflowing_gives_back_the_text(text):
    assert unflow(flow(text)) == tidied(text)


@given(LINES.map("\n".join))
def test_no_line_with_a_blank_to_break_at_is_too_long(text):
    for line in flow(text).split("\n"):
        content = line.lstrip("> ").rstrip(" ")
        assert len(line) <= 77 or " " not in content or ">" * 21 in line or "-- " in line


def test_long_lines_break_softly():
    assert flow(LONG) == (
        "one two three four five six seven eight nine ten eleven twelve thirteen \nfourteen fifteen"
    )


def test_quotes_repeat_their_marks():
    assert flow("> " + LONG) == (
        "> one two three four five six seven eight nine ten eleven twelve thirteen \n> fourteen fifteen"
    )


def test_lines_that_servers_or_readers_mistake_are_stuffed():
    assert flow("From here\n indented\n> quote") == " From here\n  indented\n> quote"


def test_the_signature_line_keeps_its_blank_and_is_not_joined():
    assert flow("text\n-- \nA") == "text\n-- \nA"
    assert unflow("text \n-- \nA") == "text \n-- \nA"


def test_no_wrapped_line_looks_like_a_signature():
    wire = flow("a " * 40 + "-- " + "x" * 80)

    assert "-- " not in wire.split("\n")


def test_chinese_without_blanks_is_left_alone():
    text = "印表機壞了，紙卡在裡面。" * 100

    assert flow(text) == text


@pytest.mark.parametrize(
    "text", [">" * 200_000, "> a " * 50_000, " " * 200_000 + "x", "a " * 100_000, "-- " * 60_000]
)
def test_hostile_lines_take_linear_time(text):
    start = time.process_time()
    wire = flow(text)
    back = unflow(wire)

    assert back == tidied(text)
    assert time.process_time() - start < 2
