"""What the ways out have in common: a letter goes, or is refused for now, or for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from desk.errors import DeskError


@dataclass(frozen=True, slots=True)
class Answer:
    """What the next hop said when it took the letter."""

    code: int | None
    text: str


class Refused(DeskError):
    """The next hop did not take the letter.

    Attributes:
        code: its SMTP reply code, None when there was none (network).
        is_final: trying again cannot help (5xx).
    """

    def __init__(self, code: int | None, text: str, *, is_final: bool) -> None:
        super().__init__(f"{code} {text}" if code else text)
        self.code, self.text, self.is_final = code, text, is_final
        self.temporary = not is_final


class Route(Protocol):
    """A way out. Used by one thread at a time; keeps its connection."""

    def send(self, raw: bytes, *, sender: str, recipient: str) -> Answer:
        """Hand one letter over, exactly these bytes.

        Raises:
            Refused: it was not taken.
        """

    def close(self) -> None:
        """Let go of the connection."""
