"""Words that regions say differently, as alternatives for a search: 印表機 = 打印机.

Reads: regional.txt of the package, and a home's words.txt of the same form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from desk.errors import FileError, NotFound

Group = tuple[str, ...]
HOME_FILE = "words.txt"
MAX_GROUPS = 5_000
MAX_WORD = 40  # characters


@dataclass(frozen=True, slots=True)
class Regional:
    """Which words stand for which others, all folded. `pattern` finds them, the longest first."""

    others: dict[str, Group]
    pattern: re.Pattern[str]


def read_groups(text: str, path: str) -> list[Group]:
    """The groups of a word list, as they are written; `#` begins a comment line.

    Raises:
        FileError: a line is no group of two or more words, or there are too many.
    """
    groups = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            groups.append(_group(line, path, number))
    if len(groups) > MAX_GROUPS:
        raise FileError(path, 1, 1, f"{len(groups)} groups are too many; write up to {MAX_GROUPS}")
    return groups


def _group(line: str, path: str, number: int) -> Group:
    words = tuple(word.strip() for word in line.split("="))
    if len(words) < 2 or not all(words):
        raise FileError(path, number, 1, f'"{line.strip()[:60]}" is no group; write words parted by "="')
    if long := [word for word in words if len(word) > MAX_WORD]:
        raise FileError(path, number, 1, f'"{long[0][:60]}" is longer than {MAX_WORD} characters')
    return words


def home_groups(home: Path) -> list[Group]:
    """The groups of the home's own words.txt; none where there is no such file.

    Raises:
        FileError: the file is wrong. NotFound: it is there and cannot be read.
    """
    file = home / HOME_FILE
    try:
        return read_groups(file.read_text("utf-8"), HOME_FILE)
    except FileNotFoundError:
        return []
    except UnicodeDecodeError as error:
        raise FileError(HOME_FILE, 1, 1, "the file is not UTF-8") from error
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}") from error


@cache
def shipped_groups() -> tuple[Group, ...]:
    """The groups of the package."""
    text = (resources.files("desk.languages") / "regional.txt").read_text("utf-8")
    return tuple(read_groups(text, "regional.txt"))


def regional(groups: Iterable[Group], fold: Callable[[str], str]) -> Regional:
    """Make the groups ready for queries; `fold` is what the index does to text. Lines are not chained:
    a word stands for the words of its own lines only."""
    others: dict[str, dict[str, None]] = {}
    for group in groups:
        folded = [" ".join(fold(unicodedata.normalize("NFKC", word)).split()) for word in group]
        for word in folded:
            others.setdefault(word, {}).update(dict.fromkeys(w for w in folded if w != word))
    known = {word: tuple(rest) for word, rest in others.items() if word and rest}
    longest_first = sorted(known, key=lambda word: (-len(word), word))
    return Regional(known, re.compile("|".join(map(re.escape, longest_first)) or r"(?!)"))
