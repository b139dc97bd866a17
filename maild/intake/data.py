"""Take the content of a mail from the wire in chunks, with flat memory and no second reading of it.

Only CRLF.CRLF ends the content; anything else that looks like an end stays content, so no second mail can
be smuggled in. All work is done chunk by chunk: a large mail never holds up the event loop for long.
Trust: every byte was sent by a stranger.
Standards: RFC 5321 §4.1.1.4 (end of data), §4.5.2 (transparency), §2.3.8 (no bare CR or LF).
"""

from __future__ import annotations

import hashlib

_END = b"\r\n.\r\n"


class DataReader:
    """One mail's content. Feed it until it says that the end has come, then ask `is_too_large` first.

    Attributes:
        received: bytes fed so far, content or not.
        is_too_large: the content has more than `limit` bytes on the wire; none of it is kept.
        has_bare_newlines: a CR or a LF stood alone somewhere.
        rest: what came behind the end of data; commands, when the sender pipelines.
    """

    def __init__(self, limit: int) -> None:
        self.received = 0
        self.is_too_large = False
        self.has_bare_newlines = False
        self.rest = b""
        self._limit = limit
        self._pieces: list[bytes] = []
        self._digest = hashlib.sha256()
        # The line end of the DATA command itself counts before a first line that is only a dot.
        self._held = b"\r\n"
        self._is_first = True

    def feed(self, chunk: bytes) -> bool:
        """Take what was read; True when the content is complete."""
        self.received += len(chunk)
        window = self._held + chunk
        end = window.find(_END)
        if end >= 0:
            self.rest = window[end + len(_END) :]
            self.received -= len(self.rest)
            self._keep(window[: end + 2])
            return True
        keep = len(window) - _begun_end(window)
        self._held = window[keep:]
        self._keep(window[:keep])
        return False

    def content(self) -> bytes:
        """The mail without dot-stuffing; empty when it was too large."""
        return b"".join(self._pieces)

    def sha256(self) -> str:
        """Of `content()`, as hexadecimal digits."""
        return self._digest.hexdigest()

    def _keep(self, piece: bytes) -> None:
        """Keep a piece that never splits a CRLF, nor a CRLF from the dot behind it."""
        if self.received > self._limit + 3:  # the final dot and its CRLF are not content
            self.is_too_large = True
            self._pieces.clear()
        if self.is_too_large or not piece:
            return
        newlines = piece.count(b"\n")
        if newlines != piece.count(b"\r\n") or newlines != piece.count(b"\r"):
            self.has_bare_newlines = True
        if b"\r\n." in piece:
            piece = piece.replace(b"\r\n.", b"\r\n")
        if self._is_first:
            piece = piece[2:]
            self._is_first = False
        self._digest.update(piece)
        self._pieces.append(piece)


def _begun_end(window: bytes) -> int:
    """How many bytes at the end of the window may be the beginning of the end of data."""
    for length in (4, 3, 2, 1):
        if window.endswith(_END[:length]):
            return length
    return 0
