"""Which texts say thanks and nothing else."""

from __future__ import annotations

import time

import pytest

from desk.languages.gratitude import is_only_thanks


@pytest.mark.parametrize(
    "text",
    [
        "謝謝!",
        "謝謝！！",
        "谢谢",
        "非常感謝。",
        "好的，謝謝！",
        "收到，謝謝",
        "Thanks!",
        "THANK YOU",
        "  thank you very much.  ",
        "Thanks a lot 🙂",
        "ＴＨＡＮＫＳ",
        "Ok, thanks!",
        "Perfect, thank you!",
        "Thanks :-)",
        "Danke!",
        "Merci beaucoup !",
        "¡Muchas gracias!",
        "ありがとうございます。",
        "感恩🙏",
        "谢谢您的帮助！",
        "Thanks\n",
        "謝謝~",
    ],
)
def test_mere_thanks(text: str) -> None:
    assert is_only_thanks(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "!",
        "🙂",
        "又壞了",
        "謝謝，但是還是不行",
        "謝謝，又壞了",
        "不謝謝",
        "Thanks, but it does not work.",
        "Thanks! Still broken.",
        "no thanks",
        "Thanks for nothing",
        "thank you, when will it be done?",
        "Thanks?",
        "謝謝？",
        "thanks\n\nP.S. it is broken again",
        "solved",
        "5",
        "thanks " * 30,
    ],
)
def test_more_than_thanks(text: str) -> None:
    assert not is_only_thanks(text)


def test_a_large_text_costs_nothing() -> None:
    text = "!" * 5_000_000

    started = time.perf_counter()
    found = is_only_thanks(text)

    assert not found
    assert time.perf_counter() - started < 0.5
