"""What servers on the way wrote into the header, as far as it is acted on without being believed."""

from __future__ import annotations

from collections.abc import Sequence

from maild.reading.headers import Field, plain

_SPAM_FIELDS = frozenset({"x-spam-flag", "x-spam-status"})


def hops(fields: Sequence[Field]) -> int:
    """How many servers say that they took the mail in (RFC 5321 section 4.4)."""
    return sum(field.key == "received" for field in fields)


def is_marked_spam(fields: Sequence[Field]) -> bool:
    """Whether a filter has marked the mail."""
    marks = (plain(field.value).strip().lower() for field in fields if field.key in _SPAM_FIELDS)
    return any(mark.startswith("yes") for mark in marks)
