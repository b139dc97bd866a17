"""Which parts of a mail are its text, and which are attachments.

Of alternatives the plain one is the text, unless it is empty. Named parts, parts with disposition attachment
and everything that is neither text/plain nor text/html are attachments; message/* stays closed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from maild.reading.charsets import decode
from maild.reading.filenames import own_name
from maild.reading.guard import MAX_TEXT_CHARACTERS
from maild.reading.htmlbudget import HtmlBudget
from maild.reading.htmltext import TOO_COMPLEX, Flag, html_to_text
from maild.reading.structure import Part, content_of

MAX_META_BYTES = 2048

_META_CHARSET = re.compile(rb"(?i)<meta[^<>]{0,100}charset=[\"']?([a-z0-9_-]{1,40})")
_TEXT_TYPES = ("text/plain", "text/html")


@dataclass(slots=True)
class Selection:
    """The leaves of a mail in order, sorted by use."""

    texts: list[Part] = field(default_factory=list)
    attachments: list[Part] = field(default_factory=list)
    has_html: bool = False


@dataclass(slots=True)
class Body:
    """The text as read; `flags` has one entry a line."""

    text: str = ""
    flags: list[Flag] = field(default_factory=list)
    charset: str | None = None
    is_guessed: bool = False
    defects: list[str] = field(default_factory=list)


def select(raw: bytes, root: Part) -> Selection:
    """Sort the parts; iterative, in the order of the mail."""
    selection = Selection()
    rejected: set[int] = set()
    stack = [root]
    while stack:
        part = stack.pop()
        if part.is_multipart():
            if part.type == "multipart/alternative":
                _reject_alternatives(raw, part, rejected)
            if id(part) in rejected:
                rejected.update(id(child) for child in part.children)
            stack.extend(reversed(part.children))
            continue
        is_text = part.type in _TEXT_TYPES and not is_attached(part)
        selection.has_html = selection.has_html or (is_text and part.type == "text/html")
        if not is_text:
            selection.attachments.append(part)
        elif id(part) not in rejected:
            selection.texts.append(part)
    if not selection.texts:
        _use_named_text(selection)
    return selection


def is_attached(part: Part) -> bool:
    """Whether a text part is a file rather than words of the mail."""
    return part.disposition == "attachment" or bool(own_name(part))


def _use_named_text(selection: Selection) -> None:
    """A mail whose only text has a name is still a mail with a text; the file stays too."""
    for part in selection.attachments:
        if part.type in _TEXT_TYPES and part.disposition != "attachment":
            selection.texts.append(part)
            selection.has_html = selection.has_html or part.type == "text/html"
            return


def _reject_alternatives(raw: bytes, part: Part, rejected: set[int]) -> None:
    """Leave one alternative as the text: the first plain one with words, else the first that is not plain."""
    plain = [child for child in part.children if child.type == "text/plain" and not is_attached(child)]
    chosen = next((child for child in plain if _has_words(raw, child)), None)
    others = [child for child in part.children if child.type == "text/html" or child.is_multipart()]
    if chosen is None and others:
        chosen = others[-1]
    if chosen is None:
        return
    rejected.update(id(child) for child in part.children if child is not chosen)


def _has_words(raw: bytes, part: Part) -> bool:
    content = raw[part.body_start : part.body_end]
    return bool(content.translate(None, b" \t\r\n\xa0"))


def read_body(raw: bytes, texts: list[Part]) -> Body:
    """Decode the text parts and join them, one blank line between two."""
    body = Body()
    budget = HtmlBudget()
    lines: list[str] = []
    length = 0
    for part in texts:
        if length > MAX_TEXT_CHARACTERS:
            break
        part_lines, flags = _lines(raw, part, body, budget)
        while part_lines and not part_lines[-1].strip():
            part_lines.pop()
        if not part_lines:
            continue
        if lines:
            lines.append("")
            body.flags.append("")
        lines += part_lines
        length += sum(map(len, part_lines)) + len(part_lines)
        body.flags += flags[: len(part_lines)]
    body.text = "\n".join(lines)
    if len(body.text) > MAX_TEXT_CHARACTERS:
        body.text = body.text[:MAX_TEXT_CHARACTERS]
        body.defects.append("text cut")
    return body


def _lines(raw: bytes, part: Part, body: Body, budget: HtmlBudget) -> tuple[list[str], list[Flag]]:
    content, is_damaged = content_of(raw, part)
    content = content[: MAX_TEXT_CHARACTERS * 4]
    label = part.parameters.get("charset", "").split("(")[0].strip()
    if not label and part.type == "text/html" and (meta := _META_CHARSET.search(content, 0, MAX_META_BYTES)):
        label = meta[1].decode("ascii")
    decoded = decode(content, label or None)
    body.charset = body.charset or decoded.charset
    body.is_guessed = body.is_guessed or decoded.is_guessed
    if is_damaged or decoded.is_damaged:
        body.defects.append("damaged text")
    if part.type == "text/html":
        page = html_to_text(decoded.text, budget)
        if page.is_stripped:
            body.defects.append(TOO_COMPLEX)
        return page.lines, page.flags
    lines = decoded.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines, [""] * len(lines)
