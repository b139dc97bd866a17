"""What the HTML of one mail may cost: a look at the source, linear, before a parser that is not.

Lexbor is quadratic in the depth of the elements, in closing tags under that depth, and in the attributes of
one tag. Size and tags are counted for the whole mail, because a mail may have thousands of pages.
Trust: the source is a stranger's; every doubt about what is a tag is decided against the page.
On failure: never raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_HTML_CHARACTERS = 512 * 1024
MAX_OPEN_TAGS = 10_000
MAX_CLOSING_TAGS = 10_000
MAX_STRIPPED_CHARACTERS = 2_000_000
MAX_TAG_CHARACTERS = 8 * 1024  # outside quoted values, where an image may be written out

_OPEN_TAG = re.compile(r"<[A-Za-z]")
_MARK = re.compile(r"<[A-Za-z]|>|=[ \t\r\n\f]*[\"']?|[\"']")
_RUN_END = re.compile(r"[ \t\r\n\f>]")
_NO_NAME_ENDS = " \t\r\n\f/\"'"
_NONE = -1


@dataclass(slots=True)
class HtmlBudget:
    """What is left for further pages of the same mail."""

    characters: int = MAX_HTML_CHARACTERS
    open_tags: int = MAX_OPEN_TAGS
    closing_tags: int = MAX_CLOSING_TAGS
    stripped: int = MAX_STRIPPED_CHARACTERS

    def affords(self, source: str) -> bool:
        """Whether the page may be parsed; if so it is paid for. The looking itself is paid in any case."""
        if len(source) > self.characters:
            return False
        self.characters -= len(source)
        closing = source.count("</")
        opening = sum(1 for _ in _OPEN_TAG.finditer(source))
        if opening > self.open_tags or closing > self.closing_tags or has_long_tag(source):
            return False
        self.open_tags -= opening
        self.closing_tags -= closing
        return True

    def strippable(self, source: str) -> str:
        """The beginning of the page that may still be stripped of its tags; it is paid for."""
        source = source[: self.stripped]
        self.stripped -= len(source)
        return source


def has_long_tag(source: str) -> bool:
    """Whether a tag could have more than MAX_TAG_CHARACTERS outside its quoted values.

    What a tag is depends on what stands before it (a comment, a script, a quoted value). So all readings are
    followed at once: being in a tag, or in either kind of quoted value, each with the longest markup so far.
    """
    if len(source) <= MAX_TAG_CHARACTERS:
        return False
    tag = _NONE
    values = {'"': _NONE, "'": _NONE}
    position = run_end = 0  # a run is a tag's name or an unquoted value; quotation marks in it mean nothing
    for mark in _MARK.finditer(source):
        start, end = mark.span()
        if tag != _NONE:
            tag += start - position
            if tag > MAX_TAG_CHARACTERS:
                return True
        position = start
        sign = source[end - 1]
        if sign == ">":
            tag = _NONE
        elif sign in values:
            opens = source[start] == "="
            is_sure = opens and start >= run_end and source[start - 1] not in _NO_NAME_ENDS
            before = tag
            tag = max(_NONE if is_sure else tag, values[sign])
            values[sign] = before if opens else _NONE
        else:
            if source[start] == "<":
                tag = max(tag, 0)
            if end >= run_end:
                found = _RUN_END.search(source, end)
                run_end = found.start() if found else len(source)
    return tag != _NONE and tag + len(source) - position > MAX_TAG_CHARACTERS
