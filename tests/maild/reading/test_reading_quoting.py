"""Roles of spans, language by language."""

from __future__ import annotations

import time

import pytest

from maild.reading.letter import read_letter
from maild.reading.quoting import spans_of
from tests.maild.reading.mails import mail, page


def roles(text: str, *, is_forward: bool = False) -> list[tuple[str, str]]:
    return [(span.role, text[span.start : span.end]) for span in spans_of(text, is_forward=is_forward)]


ATTRIBUTIONS = [
    pytest.param("On Fri, Nov 20, 2026 at 10:00 AM A <a@example.org> wrote:", id="en Gmail"),
    pytest.param("On 20.11.2026 10:00, A wrote:", id="en Thunderbird"),
    pytest.param(
        "On Fri, Nov 20, 2026 at 10:00 AM A very long name\n<a@example.org>\nwrote:", id="en broken"
    ),
    pytest.param("Am 20.11.2026 um 10:00 schrieb A:", id="de Thunderbird"),
    pytest.param("Am Fr., 20. Nov. 2026 um 10:00 Uhr schrieb A <\na@example.org>:", id="de Gmail"),
    pytest.param("Le ven. 20 nov. 2026 à 10:00, A <a@example.org> a écrit :", id="fr"),
    pytest.param("El vie, 20 nov 2026 a las 10:00, A (<a@example.org>) escribió:", id="es"),
    pytest.param("在 2026年11月20日，A <a@example.org> 写道：", id="zh-Hans Apple"),
    pytest.param("A <a@example.org> 于2026年11月20日周五 10:00写道：", id="zh-Hans Gmail"),
    pytest.param("A <a@example.org> 於 2026年11月20日 週五 上午10:00寫道：", id="zh-Hant Gmail"),
    pytest.param("於 2026年11月20日 10:00，A 寫道：", id="zh-Hant"),
    pytest.param("2026年11月20日(金) 10:00 A <a@example.org>:", id="ja Gmail"),
    pytest.param("2026/11/20 10:00、A <a@example.org> のメール:", id="ja Apple"),
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_attributed_quote_is_told_from_words_around_it(attribution: str) -> None:
    quote = f"{attribution}\n\n> old\n>> older\n\n"

    assert roles(f"top\n\n{quote}bottom") == [("new", "top\n\n"), ("quote", quote), ("new", "bottom")]


HEADER_BLOCKS = [
    pytest.param("-----Original Message-----\nFrom: A\nSent: Friday\nTo: B\nSubject: x", id="en marked"),
    pytest.param("From: A <a@x>\nSent: Friday\nTo: B <b@x>\nSubject: x", id="en"),
    pytest.param("*From:* A <a@x>\n*Sent:* Friday\n*To:* B\n*Subject:* x", id="en bold"),
    pytest.param("________________________________\nVon: A\nGesendet: Freitag\nAn: B\nBetreff: x", id="de"),
    pytest.param("De : A\nEnvoyé : vendredi\nÀ : B\nObjet : x", id="fr"),
    pytest.param("De: A\nEnviado el: viernes\nPara: B\nAsunto: x", id="es"),
    pytest.param("发件人: A\n发送时间: 2026年11月20日\n收件人: B\n主题: x", id="zh-Hans"),
    pytest.param("寄件者: A\n寄件日期: 2026年11月20日\n收件者: B\n主旨: x", id="zh-Hant"),
    pytest.param("------------------ 原始邮件 ------------------\n发件人：A\n主题：x", id="zh-Hans QQ"),
    pytest.param("差出人: A\n送信日時: 2026年11月20日\n宛先: B\n件名: x", id="ja"),
]


@pytest.mark.parametrize("block", HEADER_BLOCKS)
def test_header_block_quotes_all_that_follows(block: str) -> None:
    quote = f"{block}\n\nold words\nmore"

    assert roles(f"mine\n\n{quote}") == [("new", "mine\n\n"), ("quote", quote)]


FORWARD_MARKS = [
    "---------- Forwarded message ---------\nFrom: A <a@x>\nDate: Fri\nSubject: s\nTo: b@x",
    "Begin forwarded message:\n\nFrom: A <a@x>\nSubject: s\nDate: Fri",
    "-------- Weitergeleitete Nachricht --------\nBetreff: s\nDatum: Fr\nVon: A\nAn: B",
    "---------- 转发的邮件 ---------\n发件人： A\n日期： 2026\n主题： s",
    "---------- 轉寄的郵件 ---------\n寄件者： A\n日期： 2026\n主旨： s",
]


@pytest.mark.parametrize("mark", FORWARD_MARKS)
def test_forward_below_own_words_is_forward(mark: str) -> None:
    forward = f"{mark}\n\nbody\n> quoted"

    assert roles(f"please see\n\n{forward}") == [("new", "please see\n\n"), ("forward", forward)]


@pytest.mark.parametrize("mark", FORWARD_MARKS)
def test_body_of_a_mail_that_is_all_forward_is_new(mark: str) -> None:
    assert roles(f"{mark}\n\nbody\n> quoted") == [
        ("forward", f"{mark}\n\n"),
        ("new", "body\n"),
        ("quote", "> quoted"),
    ]


def test_header_block_under_a_forwarding_subject_is_forward() -> None:
    body = b"FYI\r\n\r\nFrom: A\r\nSent: Fri\r\nTo: B\r\nSubject: s\r\n\r\nprinter on fire"

    letter = read_letter(mail("Subject: FW: s", body=body))

    assert [span.role for span in letter.spans] == ["new", "forward"]
    assert letter.new_text() == letter.text


WORDS = [
    pytest.param("On Monday he wrote:\nthe printer is dead", id="wrote without quote"),
    pytest.param("hi\nOn Monday 10:30 he wrote:\nthe printer is dead", id="wrote with a time"),
    pytest.param("From: the steps\nTo: reproduce\n1. click", id="header-like words"),
    pytest.param("a\n--\n" + "line\n" * 30, id="two dashes above long words"),
    pytest.param("This e-mail is confidential: my password is x", id="one legal word"),
    pytest.param("the message was -- lost", id="dashes within"),
    pytest.param("\n\n", id="blank"),
]


@pytest.mark.parametrize("text", WORDS)
def test_when_in_doubt_it_is_new(text: str) -> None:
    assert roles(text) == [("new", text)]


def test_signature_ends_at_the_quote() -> None:
    assert roles("hi\n-- \nA\nIT\n\nOn 20.11.2026 10:00, B wrote:\n> x") == [
        ("new", "hi\n"),
        ("signature", "-- \nA\nIT\n\n"),
        ("quote", "On 20.11.2026 10:00, B wrote:\n> x"),
    ]


@pytest.mark.parametrize(
    "line",
    ["Sent from my iPhone", "Von meinem iPhone gesendet", "Envoyé de mon iPhone", "Enviado desde mi iPhone",
     "从我的 iPhone 发送", "從我的 iPhone 傳送", "iPhoneから送信", "发自我的iPhone", "Get Outlook for iOS"],
)  # fmt: skip
def test_line_of_a_phone_is_a_signature(line: str) -> None:
    assert roles(f"hi\n\n{line}") == [("new", "hi\n\n"), ("signature", line)]


DISCLAIMERS = [
    "This e-mail is confidential and intended only for the recipient.\nDelete it if you got it by mistake.",
    "CONFIDENTIALITY NOTICE: privileged information, please notify the sender.",
    "Diese E-Mail enthält vertrauliche Informationen. Bitte vernichten Sie sie.",
    "Ce message est confidentiel et réservé à son destinataire.",
    "Este mensaje es confidencial y solo para su destinatario.",
    "本邮件及其附件含有保密信息，如误收请立即删除。",
    "本郵件含有機密資訊，若非指定收件者請刪除。",
    "このメールには機密情報が含まれます。宛先でない場合は削除してください。",
]


@pytest.mark.parametrize("notice", DISCLAIMERS)
def test_legal_notice_is_a_disclaimer(notice: str) -> None:
    assert roles(f"hi\n\n{notice}") == [("new", "hi\n\n"), ("disclaimer", notice)]


def test_html_reply_is_told_from_its_quote() -> None:
    source = (
        '<div dir="ltr">done</div><div class="gmail_quote"><div class="gmail_attr">Dne pá 20. 11. A napsal(a):<br>'
        "</div><blockquote>old</blockquote></div>"
    )

    letter = read_letter(mail("Content-Type: text/html", body=page(source).partition(b"\r\n\r\n")[2]))

    assert [(span.role, letter.text[span.start : span.end].strip()) for span in letter.spans] == [
        ("new", "done"),
        ("quote", "Dne pá 20. 11. A napsal(a):\n\n> old"),
    ]


BOMBS = [
    "On \n" * 40_000, "--\n" * 100_000, "From: x\n" * 40_000, "a：\n" * 80_000, "-----\nThis email\n" * 15_000,
    "-----Original Message-----\n" * 10_000, "Le 1 a@b:\n" * 30_000, "On " * 50_000, "_____\n" * 40_000,
    "于" * 200_000 + "写道：", "\n" * 200_000, "-- \n\n\n\n" * 40_000,
]  # fmt: skip


@pytest.mark.parametrize("text", BOMBS, ids=[repr(bomb[:8]) for bomb in BOMBS])
def test_bomb_takes_no_quadratic_time(text: str) -> None:
    started = time.process_time()

    spans = spans_of(text)

    assert time.process_time() - started < 10  # quadratic work would take minutes
    assert "".join(text[span.start : span.end] for span in spans) == text
