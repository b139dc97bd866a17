"""Traditional or Simplified."""

from __future__ import annotations

import pytest

from desk.languages.scripts import chinese_script

TEXTS = [
    ("我的電腦無法開機，請協助處理", "zh-Hant"),
    ("我的电脑无法开机，请协助处理", "zh-Hans"),
    ("網路斷線", "zh-Hant"),
    ("网络断线", "zh-Hans"),
    ("密碼", "zh-Hant"),
    ("密码", "zh-Hans"),
    ("你好", None),
    ("hello", None),
    ("國国", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "script"), TEXTS)
def test_script_is_that_of_the_exclusive_characters(text: str, script: str | None) -> None:
    assert chinese_script(text) == script


def test_only_the_beginning_of_a_long_text_is_looked_at() -> None:
    assert chinese_script("好" * 20_000 + "國") is None
