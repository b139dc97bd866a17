"""Bytes to text: labels, supersets, guesses, refusals."""

from __future__ import annotations

import pytest

from maild.reading.charsets import codec_of, decode, decode_unlabelled

TRADITIONAL = "您好，我的印表機沒有辦法列印，請協助處理，謝謝"
SIMPLIFIED = "您好，我的打印机不能打印，请帮忙处理，谢谢"

LABELLED = [
    pytest.param("镕基", "gbk", "gb2312", "gb18030", id="gb2312 with characters of GBK"),
    pytest.param("日本のプリンタ漢字", "gb18030", "gb2312", "gb18030", id="gb2312 with kana"),
    pytest.param(SIMPLIFIED, "gb18030", "x-gbk", "gb18030", id="x-gbk"),
    pytest.param(SIMPLIFIED, "gb2312", "GB_2312-80", "gb18030", id="gb_2312-80"),
    pytest.param("碁銹裏墻恒", "cp950", "big5", "cp950", id="big5 with characters of cp950"),
    pytest.param("嘅啲咗", "big5hkscs", "big5", "big5hkscs", id="big5 with characters of HKSCS"),
    pytest.param(TRADITIONAL, "big5", "Big5", "cp950", id="big5"),
    pytest.param("①髙﨑㈱", "cp932", "shift_jis", "cp932", id="shift_jis with characters of Windows"),
    pytest.param("プリンタが動きません", "iso2022_jp", "iso-2022-jp", "iso-2022-jp", id="iso-2022-jp"),
    pytest.param("뷁 프린터", "cp949", "ks_c_5601-1987", "cp949", id="ks_c_5601 with characters of cp949"),
    pytest.param("印刷", "euc_jp", "euc-jp", "euc-jp", id="euc-jp"),
    pytest.param("Größe € “x”", "cp1252", "iso-8859-1", "cp1252", id="latin1 with characters of Windows"),
    pytest.param("Größe", "utf-8", "us-ascii", "utf-8", id="ascii with UTF-8"),
    pytest.param("打印", "utf-8", "x-nonsense", "utf-8", id="unknown label with UTF-8"),
]


@pytest.mark.parametrize(("text", "codec", "label", "used"), LABELLED)
def test_label_stands_for_its_superset(text: str, codec: str, label: str, used: str) -> None:
    decoded = decode(text.encode(codec), label)

    assert (decoded.text, decoded.charset, decoded.is_guessed, decoded.is_damaged) == (
        text,
        used,
        False,
        False,
    )


GUESSED = [
    pytest.param(TRADITIONAL, "big5", None, id="Big5 without label"),
    pytest.param(SIMPLIFIED, "gbk", None, id="GBK without label"),
    pytest.param(SIMPLIFIED, "gbk", "utf-8", id="GBK under utf-8"),
    pytest.param("打印机坏了", "gbk", "us-ascii", id="short GBK"),
    pytest.param("印表機壞了", "big5", None, id="short Big5"),
    pytest.param("プリンタが動きません", "cp932", None, id="Shift_JIS without label"),
    pytest.param("프린터가 작동하지 않습니다", "cp949", None, id="Korean without label"),
    pytest.param("Принтер не работает", "cp1251", None, id="Cyrillic without label"),
]


@pytest.mark.parametrize(("text", "codec", "label"), GUESSED)
def test_guess_is_right_and_marked(text: str, codec: str, label: str | None) -> None:
    decoded = decode(text.encode(codec), label)

    assert (decoded.text, decoded.is_guessed) == (text, True)


def test_seven_bit_japanese_is_decoded_without_label() -> None:
    decoded = decode("プリンタ".encode("iso2022_jp"), None)

    assert (decoded.text, decoded.charset, decoded.is_guessed) == ("プリンタ", "iso-2022-jp", False)


REFUSED = """idna punycode undefined unicode_escape raw_unicode_escape rot13 rot_13 zip zlib hex bz2 base64 uu quopri
mbcs oem ../../etc/passwd x-y-z"""


@pytest.mark.parametrize("label", REFUSED.split())
def test_codec_that_is_no_charset_is_refused(label: str) -> None:
    decoded = decode(b"xn--abc \\u0041", label)

    assert codec_of(label) is None
    assert decoded.text == "xn--abc \\u0041"


def test_text_holds_no_nul_and_no_surrogate() -> None:
    assert decode(b"a\0b", "utf-8").text == "a\ufffdb"
    assert decode(b"\x00\xd8a\x00", "utf-16-le").text.encode("utf-8")


def test_single_bad_byte_in_labelled_text_is_damage_and_not_a_guess() -> None:
    data = SIMPLIFIED.encode("gbk") + b"\xff"

    decoded = decode(data, "gb2312")

    assert (decoded.text, decoded.charset, decoded.is_damaged) == (SIMPLIFIED + "\ufffd", "gb18030", True)


def test_undefined_byte_of_windows_page_is_kept() -> None:
    assert decode(b"a\x81b", "iso-8859-1").text == "a\x81b"


def test_raw_header_bytes_follow_an_east_asian_body() -> None:
    decoded = decode_unlabelled("密碼".encode("big5"), "big5")

    assert (decoded.text, decoded.is_guessed) == ("密碼", True)


def test_byte_order_mark_is_dropped() -> None:
    assert decode(b"\xef\xbb\xbfhello", "utf-8").text == "hello"
