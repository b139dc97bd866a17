"""Markdown of technicians and templates to the two bodies of a letter: plain text and HTML.

CommonMark, with four departures that keep what technicians paste as they pasted it: a backslash is a
backslash (`\\\\server\\share`), a line end is a line end, a line of dashes makes no heading, and images are
links (a letter fetches nothing). Raw HTML is shown, not obeyed; bare addresses are not made links.

Values of templates come from strangers. `escape` swaps each character that Markdown could take for markup
for a stand-in (a Unicode noncharacter), and `to_html` and `to_plain` swap it back. Unlike a backslash,
a stand-in also holds in code and in the target of a link.
"""

from __future__ import annotations

import html
import re
import string
from functools import lru_cache

from markdown_it import MarkdownIt

# 32 characters of ASCII punctuation, 32 noncharacters; two more for blanks at the beginning of a line.
_MEANT = {chr(0xFDD0 + n): mark for n, mark in enumerate(string.punctuation)}
_MEANT |= {"\U0001fffe": " ", "\U0001ffff": "\t"}
_STAND_INS = {ord(mark): stand_in for stand_in, mark in _MEANT.items() if mark not in " \t"}
_BLANK_STAND_INS = {ord(" "): "\U0001fffe", ord("\t"): "\U0001ffff"}
_STAND_IN = re.compile("[\ufdd0-\ufdef\U0001fffe\U0001ffff]")
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_ENDS = re.compile(r"\r\n?")
_TRAILING = re.compile(r"(?<![ \t])[ \t]+$", re.MULTILINE)


class Markdown(str):
    """Text that is Markdown and may stay so when it is put into a template: never a stranger's."""

    __slots__ = ()


def escape(value: str) -> str:
    """The value as Markdown that shows it literally. Line ends stay."""
    bare = _STAND_IN.sub("", _LINE_ENDS.sub("\n", value)).translate(_STAND_INS)
    return _INDENT.sub(lambda indent: indent[0].translate(_BLANK_STAND_INS), bare)


def to_html(markdown: str) -> str:
    """HTML without scripts, forms, styles or anything that is fetched; links of safe schemes only."""
    return _STAND_IN.sub(lambda s: html.escape(_MEANT[s[0]]), _renderer().render(legible(markdown)))


def to_plain(markdown: str) -> str:
    """The Markdown itself: no blanks at line ends, no empty lines around it, `\\n` ends lines."""
    return _TRAILING.sub("", unescape(legible(markdown))).strip("\n")


def unescape(text: str) -> str:
    """The text with every stand-in as the character that is meant."""
    return _STAND_IN.sub(lambda stand_in: _MEANT[stand_in[0]], text)


def legible(text: str) -> str:
    """The text with `\\n` for line ends and without control characters and lone surrogates."""
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))


class _Renderer(MarkdownIt):
    """The targets of links are judged and written with the characters that are meant."""

    def validateLink(self, url: str) -> bool:  # noqa: N802
        return super().validateLink(unescape(url))

    def normalizeLink(self, url: str) -> str:  # noqa: N802
        return super().normalizeLink(unescape(url))


@lru_cache(maxsize=1)
def _renderer() -> MarkdownIt:
    renderer = _Renderer("commonmark", {"html": False, "breaks": True, "linkify": False, "xhtmlOut": False})
    return renderer.disable(["escape", "image", "lheading"])
