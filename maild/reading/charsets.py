"""Bytes of text to text: label first, then UTF-8, then a guess that is marked as one.

Labels are looked up in a table and never handed to the codec machinery: senders name codecs that are
no character sets (zip, rot13) or cost quadratic time (idna, punycode). Many labels stand for a superset,
because that is what mailers really send under them.
Trust: the bytes and the label are a stranger's.
On failure: never raises; what cannot be decoded becomes U+FFFD and `is_damaged` is set.
"""

from __future__ import annotations

import codecs
import re
from encodings.aliases import aliases as python_aliases
from typing import NamedTuple

GUESS_SAMPLE_BYTES = 4 * 1024

# Codecs that may be used for mail; everything else that Python knows is refused.
_ALLOWED_NAMES = """
    ascii big5 big5hkscs cp037 cp1006 cp1026 cp1125 cp1140 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255
    cp1256 cp1257 cp1258 cp273 cp424 cp437 cp500 cp720 cp737 cp775 cp850 cp852 cp855 cp856 cp857 cp858
    cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp875 cp932 cp949 cp950 euc_jis_2004 euc_jisx0213
    euc_jp euc_kr gb18030 gb2312 gbk hp_roman8 hz iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004
    iso2022_jp_3 iso2022_jp_ext iso2022_kr iso8859_10 iso8859_11 iso8859_13 iso8859_14 iso8859_15
    iso8859_16 iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 johab koi8_r
    koi8_t koi8_u kz1048 latin_1 mac_croatian mac_cyrillic mac_greek mac_iceland mac_latin2 mac_roman
    mac_romanian mac_turkish ptcp154 shift_jis shift_jis_2004 shift_jisx0213 tis_620 utf_16 utf_16_be
    utf_16_le utf_32 utf_32_be utf_32_le utf_7 utf_8 utf_8_sig
"""
_ALLOWED = frozenset(_ALLOWED_NAMES.split())

# What a codec is widened to, tried in order, all strict.
_WIDENED: dict[str, tuple[str, ...]] = {
    "ascii": (),  # no statement at all: 8-bit bytes under it are UTF-8 or a guess
    "utf_8": ("utf_8",),
    "latin_1": ("cp1252",),
    "iso8859_9": ("cp1254",),
    "iso8859_11": ("cp874",),
    "tis_620": ("cp874",),
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "big5": ("cp950", "big5hkscs"),
    "cp950": ("cp950", "big5hkscs"),
    "big5hkscs": ("big5hkscs", "cp950"),
    "shift_jis": ("cp932", "shift_jis_2004"),
    "cp932": ("cp932", "shift_jis_2004"),
    "euc_jp": ("euc_jp", "euc_jis_2004"),
    "euc_kr": ("cp949",),
    "iso2022_jp": ("iso2022_jp", "iso2022_jp_ext", "iso2022_jp_2004"),
    "utf_16": ("utf_16",),
}

# Labels seen in mail that Python does not know, or knows as too little.
_MAIL_LABELS = {
    "gb-2312-80": "gb2312",
    "gb2312-80": "gb2312",
    "gb-2312": "gb2312",
    "gb_2312-80": "gb2312",
    "x-gbk": "gbk",
    "x-gb18030": "gb18030",
    "x-gb2312": "gb2312",
    "gb18030-2000": "gb18030",
    "hz-gb-2312": "hz",
    "big5-eten": "big5",
    "x-x-big5": "big5",
    "x-big5": "big5",
    "big5-hkscs-2004": "big5hkscs",
    "x-sjis": "shift_jis",
    "ms-kanji": "cp932",
    "windows-31j": "cp932",
    "x-ms-cp932": "cp932",
    "x-euc-jp": "euc_jp",
    "cp51932": "euc_jp",
    "cp50220": "iso2022_jp",
    "cp50221": "iso2022_jp",
    "ks-c-5601-1987": "cp949",
    "ks-c-5601": "cp949",
    "ksc5601": "cp949",
    "windows-949": "cp949",
    "x-windows-949": "cp949",
    "iso-8859-8-i": "iso8859_8",
    "iso-8859-8-e": "iso8859_8",
    "iso-8859-6-i": "iso8859_6",
    "windows-874": "cp874",
    "x-mac-roman": "mac_roman",
    "macintosh": "mac_roman",
    "unicode-1-1-utf-7": "utf_7",
    "unicode-1-1-utf-8": "utf_8",
    "x-utf-8": "utf_8",
    "utf8mb4": "utf_8",
    "cp-850": "cp850",
    "cp-1252": "cp1252",
    "ansi": "latin_1",
    "x-ansi": "latin_1",
    "iso8859-1": "latin_1",
    "iso-8859-1-windows-3.1-latin-1": "latin_1",
    "unknown-8bit": "ascii",
    "x-unknown": "ascii",
    "unknown": "ascii",
    "default": "ascii",
    "none": "ascii",
}

# What a guess may come to; Western last, because it accepts nearly everything.
_GUESS_NAMES = """utf_8 gb18030 cp950 big5hkscs cp932 euc_jp cp949 cp1251 koi8_r cp1253 cp1255 cp1256 cp874
    cp1250 cp1254 cp1252"""

# Leading bytes of the characters of everyday use (level 1 of each standard, its kana and punctuation).
# In order of preference when two are equal; Hangul first, for only Korean stays within its rows for long.
_EVERYDAY_LEADS: tuple[tuple[str, frozenset[int]], ...] = (
    ("cp949", frozenset((0xA1, *range(0xB0, 0xC9)))),
    ("gb18030", frozenset((0xA1, 0xA3, *range(0xB0, 0xD8)))),
    ("cp950", frozenset((0xA1, *range(0xA4, 0xC7)))),
    ("euc_jp", frozenset((0xA1, 0xA4, 0xA5, *range(0xB0, 0xD0)))),
    ("cp932", frozenset((0x81, 0x82, 0x83, *range(0x88, 0x98)))),
)


class Decoded(NamedTuple):
    """Text and how it was come by; `charset` is the codec that was used, with hyphens."""

    text: str
    charset: str
    is_guessed: bool = False
    is_damaged: bool = False


def decode(data: bytes, label: str | None) -> Decoded:
    """Decode the bytes of a text part or of a header.

    The text holds no NUL and no lone surrogate.

    Args:
        label: the character set as the sender named it; None when he did not.
    """
    codec = codec_of(label)
    return _scrubbed(_decode(data, codec))


def decode_unlabelled(data: bytes, hint: str | None) -> Decoded:
    """Decode the raw bytes of a header, which can carry no label.

    Args:
        hint: the character set of the body; an East Asian one is believed, a Western one accepts anything.
    """
    codec = codec_of(hint)
    if b"\x1b" in data and data.isascii():
        return decode(data, None)
    text = _strict(data, "utf_8")
    if text is not None:
        return _scrubbed(Decoded(text, "utf-8"))
    if codec in _EAST_ASIAN or (codec and _guess_east_asian(data[:GUESS_SAMPLE_BYTES]) is None):
        return _scrubbed(_decode(data, codec)._replace(is_guessed=True))
    return _scrubbed(_guess(data))


def codec_of(label: str | None) -> str | None:
    """The Python codec a label stands for, or None when it is unknown or refused."""
    if not label or len(label) > 64:
        return None
    return _LABELS.get(_normal(label))


def first_choice(label: str) -> str | None:
    """The widened codec that a label is read with first; None when it is unknown or refused."""
    codec = codec_of(label)
    if codec is None:
        return None
    return next(iter(_WIDENED.get(codec, (codec,))), "utf_8")


def scrub(text: str) -> str:
    """The text without NUL and lone surrogates, which no database takes."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8") if _has_surrogates(text) else text
    return text


def _decode(data: bytes, codec: str | None) -> Decoded:
    candidates = _WIDENED.get(codec, (codec,)) if codec else ()
    if codec in (None, "ascii", "utf_8"):
        if data.isascii():
            return _decode_7bit(data, codec)
        candidates = ("utf_8",)
    elif codec in ("iso2022_jp", "hz") and not data.isascii():
        candidates = (*candidates, "utf_8")
    for candidate in candidates:
        text = _strict(data, candidate)
        if text is not None:
            return Decoded(text, _shown(candidate))
    if "utf_8" not in candidates and (text := _strict(data, "utf_8")) is not None:
        return Decoded(text, "utf-8")
    if candidates and (mended := _nearly(data, candidates)):
        return mended
    return _guess(data)


def _decode_7bit(data: bytes, codec: str | None) -> Decoded:
    # ISO-2022-JP is seven-bit: unlabelled it looks like ASCII with escape sequences (RFC 1468).
    if b"\x1b$" in data or b"\x1b(J" in data:
        for candidate in _WIDENED["iso2022_jp"]:
            if (text := _strict(data, candidate)) is not None:
                return Decoded(text, "iso-2022-jp")
    return Decoded(data.decode("ascii"), "utf-8" if codec == "utf_8" else "us-ascii")


def _strict(data: bytes, codec: str) -> str | None:
    errors = "maild.latin1" if codec in ("cp1252", "cp1254") else "strict"
    try:
        return data.decode(codec, errors)
    except UnicodeError:
        return None


def _nearly(data: bytes, candidates: tuple[str, ...]) -> Decoded | None:
    """The labelled reading when it fails only at a few places (a cut mail, one flipped byte)."""
    high = len(data) - len(data.translate(None, _HIGH))
    for candidate in candidates:
        text = data.decode(candidate, "replace")
        if text.count("\ufffd") * 10 <= high:
            return Decoded(text, _shown(candidate), is_damaged=True)
    return None


def _guess(data: bytes) -> Decoded:
    codec = _guess_east_asian(data[:GUESS_SAMPLE_BYTES]) or _guess_any(data[:GUESS_SAMPLE_BYTES])
    text = _strict(data, codec)
    if text is None:
        return Decoded(data.decode(codec, "replace"), _shown(codec), is_guessed=True, is_damaged=True)
    return Decoded(text, _shown(codec), is_guessed=True)


def _guess_any(sample: bytes) -> str:
    from charset_normalizer import from_bytes  # slow import, and seldom needed

    match = from_bytes(sample, cp_isolation=_GUESS_NAMES.split(), preemptive_behaviour=False).best()
    return match.encoding if match else "cp1252"


def _guess_east_asian(sample: bytes) -> str | None:
    """The East Asian codec under which nearly all characters are everyday ones, or None.

    Short texts are where the general guess fails most: two characters of Big5 are good Shift_JIS.
    """
    best, best_share = None, 0.85
    sample = b" ".join(_WIDE_TOKEN.findall(sample))
    for codec, everyday in _EVERYDAY_LEADS:
        text = _strict(sample, codec)
        if text is None:
            continue
        wide = [character for character in text if character > "\x7f"]
        fewest = 6 if codec == "cp949" else 2
        if len(wide) < fewest or len(wide) * 3 < len(text) - text.count(" "):
            continue
        share = sum(character.encode(codec)[0] in everyday for character in wide) / len(wide)
        if share > best_share:
            best, best_share = codec, share
    return best


def _scrubbed(decoded: Decoded) -> Decoded:
    text = scrub(decoded.text)
    if text.startswith("\ufeff"):
        text = text[1:]
    return decoded if text is decoded.text else decoded._replace(text=text)


def _has_surrogates(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _normal(label: str) -> str:
    return label.strip(" \t\"'").lower().replace("_", "-").replace(" ", "-")


def _shown(codec: str) -> str:
    return codec.replace("_", "-").replace("iso8859", "iso-8859").replace("iso2022", "iso-2022")


def _label_table() -> dict[str, str]:
    table = {_normal(alias): codec for alias, codec in python_aliases.items() if codec in _ALLOWED}
    table.update({_normal(codec): codec for codec in _ALLOWED})
    table.update({f"x-{label}": codec for label, codec in list(table.items()) if not label.isdigit()})
    table.update({_normal(label): codec for label, codec in _MAIL_LABELS.items()})
    return table


def _latin1_rest(error: UnicodeError) -> tuple[str, int]:
    """Bytes that a Windows code page leaves undefined, as Latin-1 has them (WHATWG does the same)."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


# Words with 8-bit bytes in them; the delimiters are no second bytes in any of the codecs.
_WIDE_TOKEN = re.compile(rb"[^\s\"<>;=,\x80-\xff]*[\x80-\xff][^\s\"<>;=,]*")
_EAST_ASIAN = frozenset(codec for codec, _ in _EVERYDAY_LEADS) | {
    "big5",
    "big5hkscs",
    "gbk",
    "gb2312",
    "shift_jis",
}
_HIGH = bytes(range(0x80, 0x100))
_LABELS = _label_table()
codecs.register_error("maild.latin1", _latin1_rest)
