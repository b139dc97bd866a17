"""Text as format=flowed: soft line ends that every mail program can undo.

Lines break at blanks only, and the blank stays (DelSp=no), so text without blanks (Chinese) survives as it
is; when such a line grows too long for mail, the transfer encoding breaks it, not we.
A line that begins with `>` is a quote. All work is linear.
Standards: RFC 3676 sections 4.1 to 4.5; section 4.3 for the signature line `-- `.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import east_asian_width

COLUMNS = 76
_SIGNATURE = "-- "
_DEEPEST_WRAPPED = 20  # a deeper quote would repeat more marks than words
_QUOTE = re.compile(r"(>*)( ?)(.*)", re.DOTALL)
_WORDS = re.compile(r"[^ ]+ *| +")


def flow(text: str) -> str:
    """Text with `\\n` line ends to its flowed form, also with `\\n`. Blanks at line ends are lost."""
    return "\n".join(wire for line in text.split("\n") for wire in _wire_lines(line))


def unflow(flowed: str) -> str:
    """The text that was flowed: soft line ends taken out, stuffing removed."""
    paragraphs: list[list[str]] = []
    open_depth = -1  # of the paragraph that the last line left open
    for line in flowed.split("\n"):
        depth, content, shown = _read(line)
        if depth == open_depth and content != _SIGNATURE:
            paragraphs[-1].append(content)
        else:
            paragraphs.append([shown])
        open_depth = depth if content.endswith(" ") and content != _SIGNATURE else -1
    return "\n".join("".join(pieces) for pieces in paragraphs)


def _read(line: str) -> tuple[int, str, str]:
    """Quote depth, content without marks and stuffing, and the line as it stood in the text."""
    marks, stuffing, content = _QUOTE.fullmatch(line).groups()  # type: ignore[union-attr]
    if line == _SIGNATURE:
        return 0, line, line
    return len(marks), content, f"{marks}{stuffing}{content}" if marks else content


def _wire_lines(line: str) -> Iterator[str]:
    if line == _SIGNATURE:
        yield line
        return
    line = line.rstrip(" ")
    depth = len(line) - len(line.lstrip(">"))
    if depth > _DEEPEST_WRAPPED or (line.isascii() and len(line) <= COLUMNS):
        yield line if depth else _stuffed(line)
        return
    prefix = ">" * depth + " " * (depth > 0)
    head, content = (prefix, line[len(prefix) :]) if line.startswith(prefix) else (">" * depth, line[depth:])
    for piece in _wrapped(content, COLUMNS - len(prefix)):
        yield head + piece if depth else _stuffed(piece)
        head = prefix


def _stuffed(line: str) -> str:
    return " " + line if line.startswith((" ", ">", "From ")) else line


def _wrapped(content: str, columns: int) -> Iterator[str]:
    """Pieces that end with a blank, but for the last; joined they are the content."""
    piece, taken = "", 0
    for match in _WORDS.finditer(content):
        word = match[0]
        width = _width(word)
        # A piece `-- ` would be read as a signature.
        if taken + width > columns and piece.strip(" ") not in ("", "--"):
            yield piece
            piece, taken = "", 0
        piece += word
        taken += width
    yield piece


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return len(text) + sum(east_asian_width(character) in "WF" for character in text)
