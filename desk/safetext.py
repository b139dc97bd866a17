"""Make foreign text safe for a terminal: what would steer it becomes visible, what cannot be seen is dropped.

Control characters become their pictures (ESC becomes U+241B), C1 and bidirectional controls are spelled out,
invisible characters go. Trust: for every text that a stranger may have written, names of files included.
"""

from __future__ import annotations

_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}
_C1 = {code: f"<{code:02X}>" for code in range(0x80, 0xA0)}
_BIDI = {
    code: f"<U+{code:04X}>"
    for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
_INVISIBLE = dict.fromkeys(
    (
        0x00AD,  # soft hyphen
        0x034F,  # combining grapheme joiner
        0x115F,  # Hangul fillers
        0x1160,
        0x3164,
        0xFFA0,
        0x180E,
        *range(0x200B, 0x200E),  # zero-width space and joiners
        *range(0x2060, 0x2066),
        *range(0x206A, 0x2070),
        0xFEFF,
        *range(0xFFF9, 0xFFFC),
        *range(0xE0000, 0xE0080),  # tags
    )
)
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_TEXT: dict[int, str | None] = {
    **_PICTURES,
    **_C1,
    **_BIDI,
    **_INVISIBLE,
    **_SURROGATES,
    0x2028: "\n",
    0x2029: "\n",
}
del _TEXT[0x09], _TEXT[0x0A]
_LINE: dict[int, str | None] = {**_TEXT, 0x09: " ", 0x0A: " ", 0x0D: " ", 0x2028: " ", 0x2029: " "}


def safe_text(text: str) -> str:
    """Text of several lines; newlines and tabs stay, CR LF counts as one newline."""
    return text.replace("\r\n", "\n").translate(_TEXT)


def safe_line(text: str) -> str:
    """Text for one line; newlines and tabs become blanks."""
    return text.replace("\r\n", "\n").translate(_LINE)
