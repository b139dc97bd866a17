"""In a burst the door goes first; else filing takes what it wants."""

from __future__ import annotations

from maild.precedence import BURST, Precedence


def test_without_a_burst_all_that_is_wanted_is_filed() -> None:
    precedence = Precedence()
    for _ in range(BURST - 1):
        precedence.stored()

    assert [precedence.allowed(24), precedence.allowed(24)] == [24, 24]


def test_in_a_burst_one_mail_is_filed_at_a_time() -> None:
    precedence = Precedence()
    for _ in range(BURST):
        precedence.stored()

    assert [precedence.allowed(24), precedence.allowed(24)] == [1, 1]


def test_what_can_wait_waits_for_a_burst_to_be_over() -> None:
    precedence = Precedence()
    before = precedence.is_quiet()
    for _ in range(BURST):
        precedence.stored()

    assert (before, precedence.is_quiet()) == (True, False)
