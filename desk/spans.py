"""Spans as the store keeps them: `[role, start, end]`, in order, joined the whole text."""

from __future__ import annotations

from collections.abc import Sequence

from desk.letter import Letter

StoredSpan = Sequence[str | int]
_NEW = frozenset({"new", "forward"})


def stored(letter: Letter) -> list[list[str | int]]:
    """A letter's spans as JSON for the store."""
    return [[span.role, span.start, span.end] for span in letter.spans]


def new_text(text: str, spans: Sequence[StoredSpan]) -> str:
    """What a message adds: the text of roles new and forward; all of it when there are no spans."""
    if not spans:
        return text
    return "".join(text[int(start) : int(end)] for role, start, end in spans if role in _NEW).strip("\n")
