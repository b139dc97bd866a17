"""The parts of a mail as byte ranges, in one pass over the lines that begin like a boundary.

Own splitter: no recursion, no copy of the content, exact bytes for every part (so a message/rfc822 is
the sender's own, never re-serialised). It mends what readers commonly lose: a multipart that is cut short,
or whose boundary never comes, keeps its text.
Standards: RFC 2045, RFC 2046 section 5.1; RFC 2231 for parameters.
On failure: never raises; what is beyond a limit stays inside the raw mail, `is_beyond` tells so.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from maild.reading.charsets import decode
from maild.reading.guard import (
    MAX_DASH_LINES,
    MAX_DEPTH,
    MAX_HEADER_BYTES,
    MAX_PART_HEADER_BYTES,
    MAX_PARTS,
    MAX_STRUCTURED_BYTES,
)
from maild.reading.headers import Field, first_value, split_header, values_of

_TYPE = re.compile(r"\s*([A-Za-z0-9!#$&^_.+-]{1,80})\s*/\s*([A-Za-z0-9!#$&^_.+-]{1,80})")
_PARAMETER = re.compile(r';\s*([A-Za-z0-9_.*-]{1,80})\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)', re.DOTALL)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_CUT_SHORT = "multipart cut short"
_TOO_DEEP = "too deeply nested"


@dataclass(slots=True)
class Part:
    """One part: `[body_start, body_end)` of the raw mail is its body as sent."""

    fields: list[Field]
    type: str
    parameters: dict[str, str]
    disposition: str
    start: int
    body_start: int
    body_end: int = 0
    depth: int = 0
    children: list[Part] = field(default_factory=list)

    def is_multipart(self) -> bool:
        return self.type.startswith("multipart/") and bool(self.children)


@dataclass(slots=True)
class Tree:
    """The whole mail; `is_beyond` says that parts were left inside the raw mail."""

    root: Part
    defects: list[str]
    is_beyond: bool = False

    def is_too_deep(self) -> bool:
        return _TOO_DEEP in self.defects


def read_structure(raw: bytes) -> Tree:
    """The tree of parts; linear in the size of the mail."""
    root = _part(raw, 0, len(raw), default="text/plain", depth=0, limit=MAX_HEADER_BYTES)
    tree = Tree(root, [])
    open_parts = _Open()
    open_parts.push(root)
    if open_parts.levels:
        _walk(raw, tree, open_parts)
    for level in open_parts.levels:
        tree.defects.append(_CUT_SHORT)
        _close(level, len(raw))
    _mend(tree)
    return tree


def _walk(raw: bytes, tree: Tree, opened: _Open) -> None:
    position, parts, lines = tree.root.body_start, 1, 0
    while (before := raw.find(b"\n--", max(position - 1, 0))) >= 0:
        start = before + 1
        position, lines = _line_end(raw, start), lines + 1
        if lines > MAX_DASH_LINES:
            tree.defects.append("too many boundary lines")
            tree.is_beyond = True
            return
        found = opened.find(raw[start:position])
        if found is None:
            continue
        index, is_end = found
        end = _before_line(raw, start)
        if index < len(opened.levels) - 1:
            tree.defects.append(_CUT_SHORT)
        opened.close_above(index, end)
        level = opened.levels[index]
        _finish_child(level, end)
        if is_end:
            opened.close_above(index - 1, end)
            if not opened.levels:
                return
            continue
        if parts >= MAX_PARTS or level.part.depth >= MAX_DEPTH:
            tree.defects.append("too many parts" if parts >= MAX_PARTS else _TOO_DEEP)
            tree.is_beyond = True
            opened.levels.clear()
            return
        parts += 1
        default = "message/rfc822" if level.part.type == "multipart/digest" else "text/plain"
        child = _part(raw, min(position + 1, len(raw)), len(raw), default=default, depth=level.part.depth + 1)
        level.part.children.append(child)
        level.is_child_open = True
        opened.push(child)
        position = max(position, child.body_start - 1)


def _line_end(raw: bytes, position: int) -> int:
    end = raw.find(b"\n", position)
    return len(raw) if end < 0 else end


def _before_line(raw: bytes, position: int) -> int:
    """The line end before a boundary belongs to the boundary (RFC 2046 section 5.1.1)."""
    if position and raw[position - 1] == 0x0A:
        position -= 1
        if position and raw[position - 1] == 0x0D:
            position -= 1
    return position


@dataclass(slots=True)
class _Level:
    part: Part
    boundary: bytes
    is_child_open: bool = False


class _Open:
    """The multiparts we are inside of, outermost first, found by boundary in constant time."""

    def __init__(self) -> None:
        self.levels: list[_Level] = []
        self.indexes: dict[bytes, int] = {}

    def push(self, part: Part) -> None:
        boundary = part.parameters.get("boundary", "").rstrip() if part.type.startswith("multipart/") else ""
        if boundary:
            line = b"--" + boundary.encode("utf-8", "surrogateescape")
            self.indexes[line] = len(self.levels)  # an inner one with the same boundary hides the outer
            self.levels.append(_Level(part, line))

    def find(self, line: bytes) -> tuple[int, bool] | None:
        """Which level a line delimits, and whether it ends it."""
        line = line.rstrip()
        index = self.indexes.get(line)
        if index is not None:
            return index, False
        if line.endswith(b"--") and (index := self.indexes.get(line[:-2])) is not None:
            return index, True
        return None

    def close_above(self, index: int, end: int) -> None:
        while len(self.levels) > index + 1:
            level = self.levels.pop()
            _close(level, end)
            if self.indexes.get(level.boundary) == len(self.levels):
                del self.indexes[level.boundary]
                self._uncover(level.boundary)

    def _uncover(self, boundary: bytes) -> None:
        for index in range(len(self.levels) - 1, -1, -1):
            if self.levels[index].boundary == boundary:
                self.indexes[boundary] = index
                return


def _finish_child(level: _Level, end: int) -> None:
    if level.is_child_open:
        child = level.part.children[-1]
        child.body_end = max(child.body_start, end)
        level.is_child_open = False


def _close(level: _Level, end: int) -> None:
    _finish_child(level, end)
    level.part.body_end = max(level.part.body_start, end)


def _mend(tree: Tree) -> None:
    """Multiparts in which no part was found become text, so that their words are kept."""
    stack = [tree.root]
    while stack:
        part = stack.pop()
        if part.type.startswith("multipart/") and not part.children:
            tree.defects.append("multipart without its boundary")
            part.type = "text/plain"
        stack.extend(part.children)


def _part(raw: bytes, start: int, end: int, *, default: str, depth: int, limit: int = 0) -> Part:
    header = split_header(raw, start, end, limit=limit or MAX_PART_HEADER_BYTES, is_lenient=depth == 0)
    content_type = structured(first_value(header.fields, "content-type"))
    match = _TYPE.match(content_type)
    return Part(
        header.fields,
        f"{match[1]}/{match[2]}".lower() if match else default,
        parameters(content_type),
        structured(first_value(header.fields, "content-disposition")).partition(";")[0].strip().lower(),
        start,
        header.body_start,
        end,
        depth,
    )


def structured(value: bytes) -> str:
    """The text of a structured MIME field; raw 8-bit bytes as UTF-8 or surrogates."""
    return value[:MAX_STRUCTURED_BYTES].decode("utf-8", "surrogateescape")


def parameters(value: str) -> dict[str, str]:
    """The parameters of a Content-Type or Content-Disposition; the first of a name counts.

    RFC 2231 continuations are joined, at most 100 of them.
    """
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(value[value.find(";") :] if ";" in value else ""):
        found.setdefault(match[1].lower(), _unquoted(match[2]))
    starred = sorted({name.partition("*")[0] for name in found if "*" in name})
    for name in starred[:20]:
        found[name] = _continued(found, name)
    return found


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == '"' == value[-1]:
        return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
    return value.strip('"')


def _continued(found: dict[str, str], name: str) -> str:
    """`name*`, or `name*0`, `name*1*` ... in their order (RFC 2231 sections 3 and 4)."""
    if f"{name}*" in found:
        pieces = [(found[f"{name}*"], True)]
    else:
        pieces = []
        for number in range(100):
            key = f"{name}*{number}"
            if key in found:
                pieces.append((found[key], False))
            elif f"{key}*" in found:
                pieces.append((found[f"{key}*"], True))
            else:
                break
    if not pieces:
        return found.get(name, "")
    label = ""
    if pieces[0][1] and pieces[0][0].count("'") >= 2:
        label, _, rest = pieces[0][0].split("'", 2)
        pieces[0] = (rest, True)
    data = b"".join(
        _PERCENT.sub(_percent, piece.encode("utf-8", "surrogateescape"))
        if is_encoded
        else piece.encode("utf-8", "surrogateescape")
        for piece, is_encoded in pieces
    )
    return decode(data, label or None).text


def _percent(match: re.Match[bytes]) -> bytes:
    return bytes((int(match[1], 16),))


def content_of(raw: bytes, part: Part) -> tuple[bytes, bool]:
    """The decoded bytes of a leaf, and whether they were damaged; never fails."""
    data = raw[part.body_start : part.body_end]
    values = values_of(part.fields, "content-transfer-encoding")
    encoding = structured(values[0]).partition(";")[0].strip().lower() if values else ""
    decoder = _TRANSFER.get(encoding)
    if decoder is None:
        return data, encoding not in _AS_THEY_ARE
    return decoder(data)


def _from_base64(data: bytes) -> tuple[bytes, bool]:
    try:
        return binascii.a2b_base64(data), False
    except binascii.Error:
        kept = data.translate(None, _NOT_BASE64)
        kept = kept[:-1] if len(kept) % 4 == 1 else kept
        return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4)), True


def _from_quoted_printable(data: bytes) -> tuple[bytes, bool]:
    return binascii.a2b_qp(data), False


def _from_uuencode(data: bytes) -> tuple[bytes, bool]:
    decoded, is_damaged, is_inside = [], False, False
    for line in data.split(b"\n"):
        line = line.rstrip(b"\r")
        if line.startswith(b"begin ") and not is_inside:
            is_inside = True
        elif is_inside and line in (b"end", b"`", b" "):
            if line == b"end":
                break
        elif is_inside and line:
            try:
                decoded.append(binascii.a2b_uu(line))
            except binascii.Error:
                is_damaged = True
    return (b"".join(decoded), is_damaged) if is_inside else (data, True)


_AS_THEY_ARE = ("", "7bit", "8bit", "binary")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(byte for byte in range(256) if byte not in _BASE64)
_TRANSFER: dict[str, Callable[[bytes], tuple[bytes, bool]]] = {
    "base64": _from_base64,
    "quoted-printable": _from_quoted_printable,
    "x-uuencode": _from_uuencode,
    "uuencode": _from_uuencode,
    "x-uue": _from_uuencode,
    "uue": _from_uuencode,
}
