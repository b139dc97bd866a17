"""Which language for whom."""

import time

import pytest

from desk.languages.choose import choose, of_text, supported

HANT, HANS = "印表機壞了，請協助處理", "打印机坏了，请协助处理"


@pytest.mark.parametrize(
    ("person", "thread", "text", "queue", "chosen"),
    [
        ("en", "zh-Hant", HANS, "zh-Hans", "en"),
        (None, "zh-Hant", HANS, "en", "zh-Hant"),
        (None, None, HANS, "zh-Hant", "zh-Hans"),
        (None, None, HANT, "en", "zh-Hant"),
        (None, None, "The printer is broken.", "zh-Hant", "en"),
        (None, None, "", "zh-Hans", "zh-Hans"),
        (None, None, "", None, "en"),
        ("fr", "de", "", "xx", "en"),
        ("zh-TW", None, "", None, "zh-Hant"),
    ],
)
def test_the_order_of_evidence(person, thread, text, queue, chosen):
    assert choose(person=person, thread=thread, text=text, queue=queue) == chosen


@pytest.mark.parametrize(
    ("tag", "ours"),
    [
        ("zh-Hant", "zh-Hant"),
        ("zh_TW", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"),
        ("ZH-cn", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("en-GB", "en"),
        ("fr", None),
        ("", None),
        (None, None),
    ],
)
def test_tags_in_any_spelling(tag, ours):
    assert supported(tag) == ours


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("VPN 連不上，error code 809，Windows Server 2019", "zh-Hant"),
        ("Outlook 打不开", "zh-Hans"),
        (HANT + "\n\nTraceback: the connection was closed by the server", "zh-Hant"),
        (HANT + "\n\n" + "error at line one of the log " * 500, "zh-Hant"),
        ("Hello,\n\nthe printer on floor 3 is broken and we cannot print.\n\nRegards,\n陳先生", "en"),
        ("Hi IT team,\n\n印表機壞了，請協助", "zh-Hant"),
        ("Printer broken again, paper jam", "en"),
        ("Der Drucker ist kaputt", "en"),
        ("プリンターが壊れました。お願いします。", None),
        ("프린터가 고장났습니다", None),
        ("Принтер сломан, помогите", None),
        ("ok", None),
        ("12345 !!", None),
        ("", None),
        ("不能上 VPN", "zh-Hans"),
    ],
)
def test_the_language_of_a_text(text, language):
    assert of_text(text) == language


@pytest.mark.parametrize(
    ("default", "language"), [("zh-Hant", "zh-Hant"), ("zh-Hans", "zh-Hans"), ("en", "zh-Hans")]
)
def test_characters_common_to_both_scripts_follow_the_queue(default, language):
    assert of_text("不能上", default=default) == language


def test_a_long_text_costs_no_more_than_its_beginning():
    start = time.process_time()
    for _ in range(20):
        of_text("a印" * 5_000_000)

    assert time.process_time() - start < 2
