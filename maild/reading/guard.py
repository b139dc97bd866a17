"""Limits on what is read in the normal way; what breaks one is kept raw or read degraded.

Every figure is far above what honest mail needs and far below what hurts a reader.
"""

from __future__ import annotations

from maild.reading.headers import split_header

MAX_HEADER_BYTES = 256 * 1024
MAX_HEADER_FIELDS = 1000
MAX_PART_HEADER_BYTES = 64 * 1024
MAX_PARTS = 2000
MAX_DEPTH = 60
MAX_ATTACHMENTS = 200
MAX_DASH_LINES = 200_000  # lines that begin like a boundary
MAX_STRUCTURED_BYTES = 8 * 1024  # of a Content-Type or Content-Disposition that is looked into
MAX_TEXT_CHARACTERS = 1_000_000


def legible(raw: bytes) -> bytes:
    """The mail as it can be split into lines: without a byte order mark, and LF where only CR ends lines."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in raw and b"\n" not in raw:
        return raw.replace(b"\r", b"\n")
    return raw


def refusal(raw: bytes) -> str | None:
    """Why a mail must be read in the degraded way, or None."""
    header = split_header(raw, limit=MAX_HEADER_BYTES, is_lenient=True)
    if header.is_cut:
        return f"header block above {MAX_HEADER_BYTES // 1024} KiB"
    if len(header.fields) > MAX_HEADER_FIELDS:
        return f"more than {MAX_HEADER_FIELDS} header fields"
    return None
