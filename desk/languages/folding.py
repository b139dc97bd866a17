"""Fold Traditional Chinese characters into their Simplified form, for search only.

The mapping is one to one, so a folded text keeps its length. It is no translation: 後 and 后 become one.
"""

from __future__ import annotations

from functools import cache
from importlib import resources


def fold_characters(text: str) -> str:
    """`text` with every Traditional character of the table replaced; idempotent, keeps the length."""
    return text.translate(_table())


@cache
def _table() -> dict[int, str]:
    return {ord(traditional): simplified for traditional, simplified in folding_pairs()}


def folding_pairs() -> list[tuple[str, str]]:
    """The table as it lies in the package: (Traditional, Simplified)."""
    file = resources.files("desk.languages") / "folding.txt"
    lines = file.read_text("utf-8").splitlines()
    characters = "".join(line for line in lines if not line.startswith("#"))
    return list(zip(characters[::2], characters[1::2], strict=True))
