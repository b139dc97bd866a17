"""What the desk says when it refuses. Every error tells whether trying again can help."""

from __future__ import annotations


class DeskError(Exception):
    """A refusal with one clear line: the thing, the value, the remedy.

    Attributes:
        temporary: the same order may succeed later, unchanged; what caused it must be kept.
    """

    temporary = False


class NotFound(DeskError):
    """What the order names does not exist."""


class NotAllowed(DeskError):
    """The actor may not do this to this thing."""


class IllegalMove(DeskError):
    """The ticket's state does not allow this."""


class Invalid(DeskError):
    """A value of the order is not one of those that are possible."""


class Conflict(DeskError):
    """Somebody else changed the thing since it was read; look again, then order again."""

    temporary = True


class Unavailable(DeskError):
    """A part that is needed does not answer at present."""

    temporary = True


class NoSpace(Unavailable):
    """The disk is full; nothing was stored."""


class FileError(DeskError):
    """A file of the admin is wrong. The text begins with file:line:column."""

    def __init__(self, path: str, line: int, column: int, message: str) -> None:
        super().__init__(f"{path}:{line}:{column}: {message}")
        self.path, self.line, self.column, self.message = path, line, column, message


class Unreadable(DeskError):
    """A mail that no reader could read, not even the emergency one; it is parked with this reason."""
