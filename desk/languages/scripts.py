"""Tell Traditional from Simplified Chinese by the characters that only one of them has.

The two sets come from the national character sets: what GB 2312 has and Big5 has not is Simplified, and
the other way round. Rare characters blur the edges, so the majority decides.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

MAX_CHARACTERS = 20_000  # enough to decide; a longer text is judged by its beginning

_GB2312_ROWS = (range(0xB0, 0xF8), range(0xA1, 0xFF))
_BIG5_ROWS = (range(0xA4, 0xFA), (*range(0x40, 0x7F), *range(0xA1, 0xFF)))


def chinese_script(text: str) -> Literal["zh-Hant", "zh-Hans"] | None:
    """The script that most exclusive characters of `text` belong to; None when there are none, or as many."""
    traditional_only, simplified_only = _exclusive_characters()
    head = text[:MAX_CHARACTERS]
    traditional = sum(character in traditional_only for character in head)
    simplified = sum(character in simplified_only for character in head)
    if traditional == simplified:
        return None
    return "zh-Hant" if traditional > simplified else "zh-Hans"


@cache
def _exclusive_characters() -> tuple[frozenset[str], frozenset[str]]:
    """Characters of Big5 alone and of GB 2312 alone; 10 ms once a process."""
    simplified = _characters("gb2312", *_GB2312_ROWS)
    traditional = _characters("big5", *_BIG5_ROWS)
    return traditional - simplified, simplified - traditional


def _characters(codec: str, leads: range, trails: range | tuple[int, ...]) -> frozenset[str]:
    plane = bytes(byte for lead in leads for trail in trails for byte in (lead, trail))
    # Pairs without a character leave their second byte behind, which is ASCII.
    return frozenset(character for character in plane.decode(codec, "ignore") if character > "\u3400")
