"""Which of our languages a letter to somebody is written in.

Order: what the person's record says, what the thread has used, the text itself, the queue's default.
Trust: the text is a stranger's; only its beginning is looked at, once per pattern.
"""

from __future__ import annotations

import re

from desk.languages.scripts import chinese_script

LANGUAGES = ("en", "zh-Hant", "zh-Hans")

# The first lines tell the writer's language; logs and signatures come after them.
_BEGINNING = 600
_ENOUGH = 8  # Latin words and Chinese characters, to judge by
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_NEIGHBOURS = re.compile("[\u3040-\u30ff\u31f0-\u31ff\uac00-\ud7af\u1100-\u11ff]")  # kana and hangul
_LATIN_WORD = re.compile("[A-Za-z\u00c0-\u024f]{2,}")
_OTHER_LETTER = re.compile("[\u0370-\u06ff\u0900-\u0fff]")  # Greek, Cyrillic, Hebrew, Arabic, India, Thai ...
# Product names stand in Chinese sentences too; these words do not.
_ENGLISH_WORDS = """
    the is are was were be been have has had do does did not can cannot could would will should my our your
    we you he she it they this that there please thanks thank hello hi dear regards and or but if when since
    for from with without to of on in at by after before any some what why how where
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_ALIASES = {
    "zh-tw": "zh-Hant",
    "zh-hk": "zh-Hant",
    "zh-mo": "zh-Hant",
    "zh-hant": "zh-Hant",
    "zh-cn": "zh-Hans",
    "zh-sg": "zh-Hans",
    "zh-hans": "zh-Hans",
    "zh": "zh-Hans",
    "en": "en",
}


def choose(*, person: str | None, thread: str | None, text: str, queue: str | None) -> str:
    """One of LANGUAGES. Tags we do not write in count as not given; without any evidence it is en."""
    default = supported(queue)
    return supported(person) or supported(thread) or of_text(text, default=default) or default or "en"


def supported(tag: str | None) -> str | None:
    """Ours for a language tag in any spelling (`zh_TW`, `zh-Hant-HK`, `en-GB`); None when we have none."""
    if not tag:
        return None
    subtags = tag.replace("_", "-").lower().split("-")
    return _ALIASES.get("-".join(subtags[:2])) or _ALIASES.get(subtags[0])


def of_text(text: str, *, default: str | None = None) -> str | None:
    """The language a text is written in, None when it is another or too little to tell.

    Args:
        default: decides the script of Chinese whose characters are all common to both.
    """
    head = _opening(text[:_BEGINNING])
    words, han = _LATIN_WORD.findall(head), _HAN.findall(head)
    if len(_NEIGHBOURS.findall(head)) * 5 > len(han):
        return None
    if _is_chinese(len(han), words):
        script = chinese_script("".join(han))
        return script or (default if default in ("zh-Hant", "zh-Hans") else "zh-Hans")
    is_latin = sum(map(len, words)) > len(_OTHER_LETTER.findall(head))
    return "en" if len(words) >= 2 and is_latin else None


def _opening(text: str) -> str:
    """The first lines that hold enough to judge by; all of them if there is less."""
    seen, kept = 0, []
    for line in text.split("\n"):
        kept.append(line)
        seen += len(_LATIN_WORD.findall(line)) + len(_HAN.findall(line))
        if seen >= _ENOUGH:
            break
    return "\n".join(kept)


def _is_chinese(han: int, words: list[str]) -> bool:
    english = sum(word.lower() in _ENGLISH for word in words)
    return han >= english and (han >= 2 or (han == 1 and not words))
