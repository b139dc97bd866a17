"""Spans of a message: what it adds, and all of it when nobody marked any."""

from __future__ import annotations

from desk.letter import Letter, Span
from desk.spans import new_text, stored


def test_new_and_forwarded_text_is_what_a_message_adds() -> None:
    text = "hello\n> quoted\nbye\n-- \nA"
    spans = [["new", 0, 6], ["quote", 6, 15], ["new", 15, 19], ["signature", 19, 24]]

    assert new_text(text, spans) == "hello\nbye"


def test_without_spans_all_of_a_text_is_new() -> None:
    assert new_text("hello\n", []) == "hello\n"


def test_spans_count_code_points_and_survive_the_store() -> None:
    letter = Letter(
        sha256="0" * 64, size=1, text="🖨壞了\n> 好", spans=[Span("new", 0, 4), Span("quote", 4, 7)]
    )

    assert new_text(letter.text, stored(letter)) == "🖨壞了"
