"""Lawful moves between states, against a table written by hand, and words for the closed sets."""

from __future__ import annotations

import pytest

from desk.errors import IllegalMove, Invalid
from desk.states import LIVE, MOVES, Priority, Status, by_word, check_move, ticket_kind

# Rows: from. Columns: to, in the order of the numbers. x lawful, . not.
TABLE = """
              new open waiting vendor resolved closed merged spam
    new       .   x    x       x      x        x      x      x
    open      .   .    x       x      x        x      x      x
    waiting   .   x    .       x      x        x      x      x
    vendor    .   x    x       .      x        x      x      x
    resolved  .   x    .       .      .        x      x      x
    closed    .   x    .       .      .        .      x      .
    merged    .   .    .       .      .        .      .      .
    spam      .   x    .       .      .        .      .      .
"""
ROWS = TABLE.strip().splitlines()
PAIRS = [
    (Status[row.split()[0].upper()], Status[to.upper()], mark == "x")
    for row in ROWS[1:]
    for to, mark in zip(ROWS[0].split(), row.split()[1:], strict=True)
]


def test_the_table_holds_every_pair() -> None:
    assert len({(now, to) for now, to, _ in PAIRS}) == len(Status) ** 2
    assert set(MOVES) == set(Status)


@pytest.mark.parametrize(("now", "to", "is_lawful"), PAIRS)
def test_a_move_is_lawful_as_the_table_says(now: Status, to: Status, is_lawful: bool) -> None:
    if is_lawful:
        check_move(7, now, to)
        return

    with pytest.raises(IllegalMove) as refusal:
        check_move(7, now, to)

    if now is to:
        assert str(refusal.value) == f"ticket 7 is already {to.word}"
    else:
        ways = ", ".join(way.word for lawful, way, is_one in PAIRS if lawful is now and is_one) or "nowhere"
        assert str(refusal.value).endswith(f"from here it goes to {ways}")


def test_live_states_are_those_below_five() -> None:
    assert set(LIVE) == {status for status in Status if status < 5}


@pytest.mark.parametrize("status", Status)
def test_a_status_is_found_by_word_and_number(status: Status) -> None:
    assert by_word(Status, f" {status.word.upper()} ") is status
    assert by_word(Status, str(int(status))) is status


@pytest.mark.parametrize("text", ["", "4", "done", "-1", "1.0"])
def test_an_unknown_status_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(
        Invalid, match="it is one of new, open, waiting, vendor, resolved, closed, merged, spam"
    ):
        by_word(Status, text)


def test_priorities_and_kinds_are_found_by_word() -> None:
    assert by_word(Priority, "Critical") is Priority.CRITICAL
    assert by_word(Priority, "5") is Priority.PLANNED
    assert ticket_kind(" Change ") == "change"
    with pytest.raises(Invalid, match="one of incident, request, question, problem, change, task"):
        ticket_kind("wish")
