"""Mail that says nothing but thanks: it is filed, and a solved ticket stays solved."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 120
_THANKS = """
    thanks|thank you|thank you very much|thanks a lot|many thanks|thx|ty|thank you so much|much appreciated
    thanks for your help|thank you for your help|thanks for the help|great thanks|perfect thanks|ok thanks
    ok thank you|great thank you|perfect thank you|thanks again|cheers|got it thanks|works now thanks
    谢谢|多谢|感谢|非常感谢|谢谢你|谢谢您|谢谢你们|感谢您|好的谢谢|好谢谢|收到谢谢|谢谢您的帮助|谢谢帮助|感谢帮助
    十分感谢|太谢谢了|辛苦了
    謝謝|多謝|感謝|非常感謝|謝謝你|謝謝您|謝謝你們|感謝您|好的謝謝|好謝謝|收到謝謝|謝謝您的幫助|謝謝幫助|感謝幫助
    十分感謝|太謝謝了|感恩
    danke|vielen dank|danke schön|merci|merci beaucoup|gracias|muchas gracias
    ありがとうございます|ありがとうございました
"""
# Said beside thanks, they only say that all is well.
_ALL_IS_WELL = """
    ok|okay|great|perfect|excellent|good|got it|it works|it works now|works|works now|that did it|that worked
    that works|solved|fixed|it is fixed|all good|all is well
    好|好的|好了|可以了|可以|收到|没问题了|解决了|已解决|搞定了|沒問題了|解決了|已解決
"""


def _phrases(text: str) -> frozenset[str]:
    return frozenset(filter(None, (phrase.strip() for phrase in text.replace("\n", "|").split("|"))))


_THANKING, _CONTENT = _phrases(_THANKS), _phrases(_ALL_IS_WELL)
_BETWEEN = re.compile(r"[,.!;:~\n、。…]+")
_NOT_A_WORD = re.compile(r"[^\w\s]+")


def is_only_thanks(text: str) -> bool:
    """Whether a text is thanks, and at most that all is well beside it; linear, and short texts only."""
    folded = unicodedata.normalize("NFKC", text.strip()).casefold()
    if not folded or len(folded) > _LONGEST or "?" in folded:  # a question wants an answer
        return False
    said = [_words(part) for part in _BETWEEN.split(folded)]
    said = [words for words in said if words]
    return any(words in _THANKING for words in said) and all(
        words in _THANKING or words in _CONTENT for words in said
    )


def _words(part: str) -> str:
    """The words of a part; Chinese without the blanks that some put between the characters."""
    words = " ".join(_NOT_A_WORD.sub(" ", part).split())
    return (
        words if words.isascii() else words.replace(" ", "") if words.replace(" ", "") in _THANKING else words
    )
