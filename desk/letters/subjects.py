"""Subjects: what mail programs put in front of them, and our own tag `[#123]`.

Reads subjects of strangers; all work is linear in their length.
Standards: RFC 5256 section 2.1 (base subject), widened to the prefixes of other languages.
"""

from __future__ import annotations

import re

# "I:" and "R:" (Italian) are left out on purpose: "R: drive is full" is a subject.
_WORDS = "re|fw|fwd|aw|wg|sv|vs|antw|vb|tr|rv|回复|回覆|答复|答覆|轉寄|轉發|转发|转寄"
_COUNT = r"(?:[\[(（][0-9]{1,3}[\])）]|\^[0-9]{1,3})"  # RE[2]:, RE(2):, Re^2:
# Every repeat is bounded, so a match costs no more than its own length.
_PREFIX = re.compile(
    rf"[ \u3000]{{0,2}}(?:{_WORDS})[ \u3000]{{0,2}}{_COUNT}?[ \u3000]?[:：]",
    re.IGNORECASE,
)
_TAG = re.compile(r"\[#([0-9]{1,10})\]")
_BLANKS = re.compile(r"[\x00-\x20\x7f-\x9f]+")


def base_subject(subject: str) -> str:
    """The subject without reply and forward prefixes, without our tag, with single blanks."""
    text = _BLANKS.sub(" ", _TAG.sub(" ", subject))
    position = 0
    while prefix := _PREFIX.match(text, position):
        position = prefix.end()
    return text[position:].strip(" \u3000")


def ticket_tag(subject: str) -> int | None:
    """The ticket number of the first tag `[#123]`; a hint, never a proof."""
    tag = _TAG.search(subject)
    return int(tag[1]) if tag else None


def reply_subject(subject: str, number: int) -> str:
    """`Re: subject [#123]`, with one prefix and one tag whatever was there before."""
    return " ".join(word for word in ("Re:", base_subject(subject), f"[#{number}]") if word)
