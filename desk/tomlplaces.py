"""Where each key and value of a TOML file stands, because tomllib does not tell.

A path is what one would index with: `("imap", 0, "host")`. Lines and columns count from 1, columns in
code points. Trust: call it only with text that tomllib has accepted; it checks nothing itself.
Standards: TOML 1.0.0.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
Place = tuple[int, int]

_BLANK = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'  # up to two quotation marks may stand before the closing three
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]+|[^\s,\]}#]+")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([btnfr"\\]))')
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Places:
    """Offsets of keys and values, and the line starts that turn them into places."""

    keys: dict[Path, int]
    values: dict[Path, int]
    line_starts: list[int]

    def key(self, path: Path) -> Place:
        """Where the key stands; for what is not written, where the nearest table around it stands."""
        while path and path not in self.keys:
            path = path[:-1]
        return self._place(self.keys.get(path, 0))

    def value(self, path: Path) -> Place:
        """Where the value stands; for a table with a header, where its header stands."""
        return self._place(self.values[path]) if path in self.values else self.key(path)

    def _place(self, offset: int) -> Place:
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1


def find_places(text: str) -> Places:
    """The places of all keys and values of a valid TOML text with `\\n` line ends."""
    scanner = _Scanner(text)
    scanner.document()
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    return Places(scanner.keys, scanner.values, starts)


@dataclass(slots=True)
class _Scanner:
    text: str
    at: int = 0
    keys: dict[Path, int] = field(default_factory=dict)
    values: dict[Path, int] = field(default_factory=dict)
    sizes: dict[Path, int] = field(default_factory=dict)  # of arrays of tables

    def document(self) -> None:
        table: Path = ()
        self.skip(_BETWEEN)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip(_BETWEEN)

    def header(self) -> Path:
        double = self.text.startswith("[[", self.at)
        self.at += 2 if double else 1
        names = self.key_parts()
        self.at += 2 if double else 1
        path: Path = ()
        for number, (name, offset) in enumerate(names, 1):
            path = self.note_key((*path, name), offset)
            if number == len(names) and double:
                self.sizes[path] = self.sizes.get(path, 0) + 1
            if path in self.sizes:
                path = self.note_key((*path, self.sizes[path] - 1), offset)
        return path

    def pair(self, table: Path) -> None:
        path = table
        for name, offset in self.key_parts():
            path = self.note_key((*path, name), offset)
        self.at += 1  # the equals sign
        self.skip(_BLANK)
        self.value(path)

    def value(self, path: Path) -> None:
        self.values[path] = self.at
        opening = self.text[self.at]
        if opening == "[":
            self.array(path)
        elif opening == "{":
            self.inline_table(path)
        else:
            self.skip(_STRING if opening in "\"'" else _SCALAR)

    def array(self, path: Path) -> None:
        index = 0
        self.next_item()
        while self.text[self.at] != "]":
            self.note_key((*path, index), self.at)
            self.value((*path, index))
            self.after_item()
            index += 1
        self.at += 1

    def inline_table(self, path: Path) -> None:
        self.next_item()
        while self.text[self.at] != "}":
            self.pair(path)
            self.after_item()
        self.at += 1

    def next_item(self) -> None:
        self.at += 1
        self.skip(_BETWEEN)

    def after_item(self) -> None:
        self.skip(_BETWEEN)
        if self.text[self.at] == ",":
            self.next_item()

    def key_parts(self) -> list[tuple[str, int]]:
        """The parts of a dotted key with their offsets; stops at the equals sign or bracket."""
        parts = []
        while True:
            self.skip(_BLANK)
            start = self.at
            quoted = self.text[start] in "\"'"
            self.skip(_STRING if quoted else _BARE_KEY)
            parts.append(
                (_unquoted(self.text[start : self.at]) if quoted else self.text[start : self.at], start)
            )
            self.skip(_BLANK)
            if self.text[self.at] != ".":
                return parts
            self.at += 1

    def note_key(self, path: Path, offset: int) -> Path:
        self.keys.setdefault(path, offset)
        return path

    def skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at


def _unquoted(key: str) -> str:
    if key[0] == "'":
        return key[1:-1]
    return _ESCAPE.sub(_unescaped, key[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    short, long, letter = match.groups()
    return _ESCAPES[letter] if letter else chr(int(short or long, 16))
