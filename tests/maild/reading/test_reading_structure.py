"""Parts, attachments, and the mails that other readers break on."""

from __future__ import annotations

import base64
import hashlib
from email import message_from_bytes

import pytest

from maild.reading.letter import read_letter
from maild.reading.structure import read_structure
from tests.maild.reading.mails import mail, multipart, page, parts_of, plain

INNER = b"From: c@example.net\r\nSubject: inner\r\n\r\nINNER  TEXT\r\n\r\n"


def test_plain_alternative_is_the_text() -> None:
    letter = read_letter(multipart("alternative", plain("words"), page("<p>page</p>")))

    assert (letter.text, letter.html, letter.attachments) == ("words", True, [])


def test_html_is_the_text_when_the_plain_part_is_empty() -> None:
    letter = read_letter(multipart("alternative", plain(" \r\n"), page("<p>page</p>")))

    assert (letter.text, letter.html) == ("page", True)


def test_text_parts_of_a_mixed_mail_are_joined() -> None:
    picture = (
        b'Content-Type: image/png; name="x.png"\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo='
    )

    letter = read_letter(multipart("mixed", plain("above"), picture, plain("below")))

    assert letter.text == "above\n\nbelow"
    assert [(a.name, a.type, a.content) for a in letter.attachments] == [
        ("x.png", "image/png", b"\x89PNG\r\n\x1a\n")
    ]


def test_returned_mail_is_an_attachment_of_its_own_bytes() -> None:
    raw = multipart("mixed", plain("outer"), b"Content-Type: message/rfc822\r\n\r\n" + INNER)

    letter = read_letter(raw)

    assert letter.text == "outer"
    assert [(a.name, a.content) for a in letter.attachments] == [("inner.eml", INNER)]
    assert letter.attachments[0].sha256 == hashlib.sha256(INNER).hexdigest()


def test_digest_parts_are_mails() -> None:
    letter = read_letter(multipart("digest", b"\r\n" + INNER))

    assert [(a.type, a.content) for a in letter.attachments] == [("message/rfc822", INNER)]


def test_inner_multipart_that_is_cut_short_keeps_its_text() -> None:
    inner = b'Content-Type: multipart/alternative; boundary="in"\r\n\r\n--in\r\n' + plain("words")
    picture = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo="

    letter = read_letter(multipart("mixed", inner, picture))

    assert (letter.text, letter.defects) == ("words", ["multipart cut short"])
    assert [(a.name, a.size) for a in letter.attachments] == [("image.png", 8)]


@pytest.mark.parametrize("content_type", ["multipart/mixed", 'multipart/mixed; boundary="never"'])
def test_multipart_without_its_boundary_keeps_its_text(content_type: str) -> None:
    letter = read_letter(mail(f"Content-Type: {content_type}", body=b"my words"))

    assert letter.text == "my words"
    assert "multipart without its boundary" in letter.defects


def test_longer_line_is_not_the_boundary() -> None:
    letter = read_letter(
        mail("Content-Type: multipart/mixed; boundary=a", body=b"--a\r\n\r\n--ab\r\nx\r\n--a--\r\n")
    )

    assert letter.text == "--ab\nx"


NAMES = [
    pytest.param("attachment; filename=a.pdf", "a.pdf", id="plain"),
    pytest.param('attachment; filename="=?gb2312?B?tPLTobv6?=.pdf"', "打印机.pdf", id="encoded word"),
    pytest.param("attachment; filename*=utf-8''%E5%8D%B0.pdf", "印.pdf", id="RFC 2231"),
    pytest.param("attachment; filename*=gb2312''%B4%F2%D3%A1.pdf", "打印.pdf", id="RFC 2231 in GB"),
    pytest.param("attachment; filename*0*=utf-8''%E5%8D; filename*1*=%B0.pdf", "印.pdf", id="RFC 2231 split"),
    pytest.param('attachment; filename="../../etc/passwd"', "passwd", id="path"),
    pytest.param('attachment; filename="c:\\\\x\\\\a.dll"', "a.dll", id="Windows path"),
    pytest.param('attachment; filename=".."', "attachment-1", id="dots"),
    pytest.param('attachment; filename=".\u200bhtaccess"', "htaccess", id="hidden file"),
    pytest.param('attachment; filename="invoice\u202efdp.exe"', "invoicefdp.exe", id="bidi"),
    pytest.param('attachment; filename="a\x1b[2J.txt"', "a[2J.txt", id="escape"),
    pytest.param(f"attachment; filename*{'9' * 5000}=x", "attachment-1", id="endless index"),
    pytest.param('attachment; filename*0=a; filename*=x; filename*1="b"', "x", id="mixed continuations"),
    pytest.param(f'attachment; filename="{"a" * 300}.pdf"', "a" * 146 + ".pdf", id="long"),
    pytest.param("attachment" + "; x=y" * 5_000 + "; filename=z", "attachment-1", id="parameter bomb"),
    pytest.param("attachment", "attachment-1", id="nameless"),
]


@pytest.mark.parametrize(("disposition", "name"), NAMES)
def test_attachment_name_is_harmless(disposition: str, name: str) -> None:
    part = f"Content-Type: application/x-thing\r\nContent-Disposition: {disposition}\r\n\r\ndata".encode()

    letter = read_letter(multipart("mixed", plain(), part))

    assert [(a.name, a.content) for a in letter.attachments] == [(name, b"data")]


def test_raw_eight_bit_name_is_decoded_like_the_body() -> None:
    part = b'Content-Type: application/x; name="' + "绩效管理,究竟谁错了.xls".encode("gbk") + b'"\r\n\r\nx'

    letter = read_letter(multipart("mixed", plain("正文", "gbk"), part))

    assert [a.name for a in letter.attachments] == ["绩效管理,究竟谁错了.xls"]


def test_equal_names_are_told_apart() -> None:
    part = b"Content-Type: image/png; name=a.png\r\n\r\nx"

    letter = read_letter(multipart("mixed", part, part, part))

    assert [a.name for a in letter.attachments] == ["a.png", "a-2.png", "a-3.png"]


def test_inline_picture_keeps_its_content_id() -> None:
    picture = b"Content-Type: image/png\r\nContent-ID: <p1@x>\r\nContent-Disposition: inline\r\n\r\nx"

    letter = read_letter(multipart("related", page('<img src="cid:p1@x">'), picture))

    assert [(a.inline, a.content_id) for a in letter.attachments] == [(True, "p1@x")]


def test_unpadded_base64_is_decoded_and_damage_named() -> None:
    letter = read_letter(
        mail("Content-Transfer-Encoding: base64", body=base64.b64encode(b"hello world!!")[:-2])
    )

    assert letter.text == "hello world!!"
    assert letter.defects == ["damaged text"]


def test_unknown_transfer_encoding_keeps_the_bytes() -> None:
    letter = read_letter(mail("Content-Transfer-Encoding: x-strange", body=b"as it is"))

    assert (letter.text, letter.defects) == ("as it is", ["damaged text"])


def test_uuencoded_part_is_decoded() -> None:
    body = b"begin 644 x.txt\n%:&5L;&\\\n`\nend\n"

    letter = read_letter(mail("Content-Transfer-Encoding: x-uuencode", body=body))

    assert letter.text == "hello"


def test_named_text_is_text_when_there_is_no_other() -> None:
    part = b'Content-Type: text/plain; name="note.txt"\r\n\r\nwords'

    letter = read_letter(multipart("mixed", part))

    assert letter.text == "words"
    assert [(a.name, a.content) for a in letter.attachments] == [("note.txt", b"words")]


def test_tree_is_that_of_the_standard_library() -> None:
    inner = b'Content-Type: multipart/alternative; boundary="in"\r\n\r\n' + parts_of(
        plain("a"), page("<p>b"), boundary="in"
    )
    raw = multipart("mixed", inner, b"Content-Type: image/png\r\n\r\nx", plain("c"))

    ours, stack = [], [read_structure(raw).root]
    while stack:
        part = stack.pop(0)
        ours.append(part.type)
        stack = part.children + stack

    assert ours == [part.get_content_type() for part in message_from_bytes(raw).walk()]
