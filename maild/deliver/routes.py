"""What the ways out have in common: a letter goes, or is refused for now, or for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from desk.errors import DeskError, Unavailable
from desk.safetext import safe_line

_LONGEST_ANSWER = 500


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


class Abandoned(Unavailable):
    """The desk stops: whether the next hop took the letter is not known, and it will be sent again."""


class Route(Protocol):
    """A way out. Letters go one at a time; `rest`, `abandon` and `close` may come from other threads."""

    def send(self, raw: bytes, *, sender: str, recipient: str) -> Answer:
        """Hand one letter over, exactly these bytes.

        Raises:
            Refused: it was not taken. Abandoned: `abandon` was called.
        """

    def rest(self) -> None:
        """Let go of a connection that has not been used for some time."""

    def abandon(self) -> None:
        """Give up the letter under way at once, and every later one."""

    def close(self) -> None:
        """Let go of everything; call it when no letter is under way."""


def said(text: str) -> str:
    """A server's words as one line that can be stored and shown: strangers chose them, in any encoding."""
    return safe_line(text).strip()[:_LONGEST_ANSWER]
