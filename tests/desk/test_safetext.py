"""Foreign text on a terminal."""

from __future__ import annotations

import pytest

from desk.safetext import safe_line, safe_text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain 網路 é 👍", "plain 網路 é 👍"),
        ("\x1b[31mred", "␛[31mred"),
        ("bell\x07 nul\x00 del\x7f", "bell␇ nul␀ del␡"),
        ("c1\x9b31m", "c1<9B>31m"),
        ("user\u202egpj.exe", "user<U+202E>gpj.exe"),
        ("iso\u2066late\u2069", "iso<U+2066>late<U+2069>"),
        ("zero\u200bwidth\ufeff soft\u00adhyphen", "zerowidth softhyphen"),
        ("tag\U000e0041", "tag"),
        ("lone\udc80", "lone\ufffd"),
        ("a\tb\nc\r\nd", "a\tb\nc\nd"),
        ("over\rwritten", "over␍written"),
        ("line\u2028separator", "line\nseparator"),
    ],
)
def test_text_cannot_steer_the_terminal(text: str, safe: str) -> None:
    assert safe_text(text) == safe


def test_line_stays_one_line() -> None:
    text = "a\tb\nc\r\nd\re\u2028f\x1bg"

    assert safe_line(text) == "a b c d e f␛g"


def test_nothing_that_steers_is_left_of_any_character() -> None:
    everything = "".join(map(chr, range(0x11000)))

    safe = safe_text(everything) + safe_line(everything)

    steering = [c for c in safe if ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0x202A <= ord(c) < 0x202F]
    assert set(steering) == {"\n", "\t"}
