"""Mail that says nothing but thanks: it is filed, and a solved ticket stays solved."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 120
_THANKS = frozenset(
    """
    thanks|thank you|thank you very much|thanks a lot|many thanks|thx|ty|thank you so much|much appreciated
    thanks for your help|thank you for your help|thanks for the help|great thanks|perfect thanks|ok thanks
    ok thank you|great thank you|perfect thank you|thanks again|cheers|got it thanks|works now thanks
    谢谢|多谢|感谢|非常感谢|谢谢你|谢谢您|好的谢谢|好谢谢|收到谢谢|谢谢您的帮助|谢谢帮助|十分感谢|太谢谢了
    謝謝|多謝|感謝|非常感謝|謝謝你|謝謝您|好的謝謝|好謝謝|收到謝謝|謝謝您的幫助|謝謝幫助|十分感謝|太感謝了|感恩
    danke|vielen dank|danke schön|merci|merci beaucoup|gracias|muchas gracias
    ありがとうございます|ありがとうございました
    """.replace("\n", "|").split("|")
)
_FOLDED = frozenset(phrase.strip() for phrase in _THANKS if phrase.strip())
_NOT_A_WORD = re.compile(r"[^\w\s]+")


def is_only_thanks(text: str) -> bool:
    """Whether the text is one of the phrases of thanks and nothing else; linear, and short texts only."""
    folded = unicodedata.normalize("NFKC", text.strip()).casefold()
    if not folded or len(folded) > _LONGEST or "?" in folded:  # a question wants an answer
        return False
    words = " ".join(_NOT_A_WORD.sub(" ", folded).split())
    return words in _FOLDED or words.replace(" ", "") in _FOLDED
