"""The quote below an answer: the last message of the same audience, shortened, with its attribution.

Trust: the text and the name are a stranger's; both are shown literally in either body.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import UTC, datetime

from desk.languages.dates import when
from desk.letters.headers import clean
from desk.letters.markdown import legible

MOST_LINES = 200
MOST_BYTES = 16 * 1024
_CUT = "[…]"
_ATTRIBUTION = {
    "en": "On {when}, {who} wrote:",
    "zh-Hant": "{who} 於 {when} 寫道：",
    "zh-Hans": "{who} 于 {when} 写道：",
}
_BAR = "margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex"


@dataclass(frozen=True, slots=True)
class Quoted:
    """What is quoted. `when` is shown in its own zone; `text` is that of a public message, not Markdown."""

    who: str
    when: datetime
    text: str


def attribution(quoted: Quoted, language: str) -> str:
    """Who wrote it and when, on one line, as mail programs (and our own reader) know it."""
    pattern = _ATTRIBUTION.get(language, _ATTRIBUTION["en"])
    moment = when(quoted.when, quoted.when.tzinfo or UTC, language)
    return pattern.replace("{when}", moment).replace("{who}", clean(quoted.who))


def as_plain(quoted: Quoted, language: str) -> str:
    """Attribution and `> ` lines."""
    return "\n".join([attribution(quoted, language), *map(_marked, _shortened(quoted.text))])


def as_html(quoted: Quoted, language: str) -> str:
    """Attribution and a blockquote of the same lines."""
    lines = "<br>\n".join(html.escape(line) for line in _shortened(quoted.text))
    said = html.escape(attribution(quoted, language))
    return f'<p>{said}</p>\n<blockquote type="cite" style="{_BAR}">{lines}</blockquote>\n'


def _marked(line: str) -> str:
    return f">{line}" if line.startswith(">") or not line else f"> {line}"


def _shortened(text: str) -> list[str]:
    """At most 200 lines and 16 KiB of it, and a mark where it was cut."""
    whole = legible(text).strip("\n").encode("utf-8")
    kept = whole[:MOST_BYTES].decode("utf-8", "ignore").split("\n")
    is_cut = len(whole) > MOST_BYTES or len(kept) > MOST_LINES
    return [line.rstrip() for line in kept[:MOST_LINES]] + [_CUT] * is_cut
