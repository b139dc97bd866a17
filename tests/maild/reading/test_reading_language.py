"""The language of a letter."""

from __future__ import annotations

import pytest

from maild.reading.language import language_of
from maild.reading.letter import read_letter
from tests.maild.reading.mails import mail

TEXTS = [
    ("Hello, my printer is not working since this morning, please help.", "en"),
    ("Guten Tag, mein Drucker funktioniert nicht, bitte helfen Sie mir.", "de"),
    ("Bonjour, mon imprimante ne fonctionne pas depuis ce matin, merci.", "fr"),
    ("Hola, mi impresora no funciona desde esta mañana, gracias.", "es"),
    ("Buongiorno, la stampante non funziona, grazie.", "it"),
    ("Olá, a minha impressora não funciona desde hoje, obrigado.", "pt"),
    ("Hallo, mijn printer werkt niet meer, kan iemand het bekijken?", "nl"),
    ("您好，我的印表機沒有辦法列印，請協助處理，謝謝", "zh-Hant"),
    ("您好，我的打印机不能打印，请帮忙处理，谢谢", "zh-Hans"),
    ("密碼忘記了", "zh-Hant"),
    ("密码忘记了", "zh-Hans"),
    ("VPN 連不上, error 809, 請幫忙", "zh-Hant"),
    ("印刷できません。助けてください。", "ja"),
    ("프린터가 작동하지 않습니다", "ko"),
    ("Принтер не работает", "ru"),
    ("Принтер не працює, допоможіть", "uk"),
    ("Ο εκτυπωτής δεν λειτουργεί", "el"),
    ("你好", None),
    ("xyzzy 123", None),
    ("https://example.org/the/and/is a@is.the.example", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "language"), TEXTS)
def test_language_is_told(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_new_text_counts_before_subject_and_quote() -> None:
    body = "您好，印表機壞了，請協助\n\n> please help with the printer and this is my problem\n"

    letter = read_letter(
        mail("Subject: the printer is broken", "Content-Type: text/plain; charset=utf-8", body=body.encode())
    )

    assert letter.language == "zh-Hant"


def test_subject_tells_when_the_text_cannot() -> None:
    letter = read_letter(mail("Subject: the printer is not working", body=b"xyzzy"))

    assert letter.language == "en"
