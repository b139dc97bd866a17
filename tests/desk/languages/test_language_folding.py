"""The tables that search folds by."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk import words
from desk.errors import FileError, NotFound
from desk.languages.folding import fold_characters, folding_pairs
from desk.languages.regional import home_groups, read_groups, regional, shipped_groups


def test_the_table_maps_big5_onto_gb2312_one_to_one() -> None:
    pairs = folding_pairs()

    assert len({traditional for traditional, _ in pairs}) == len(pairs) > 2_400
    assert [pair for pair in pairs if pair[0] == pair[1]] == []
    for traditional, simplified in pairs:
        traditional.encode("big5")
        simplified.encode("gb2312")


def test_folding_twice_changes_nothing_more() -> None:
    folded = [simplified for _, simplified in folding_pairs()]

    assert [fold_characters(character) for character in folded] == folded


@pytest.mark.parametrize(
    ("traditional", "simplified"),
    [
        ("密碼", "密码"),
        ("臺灣", "台湾"),
        ("網路", "网路"),
        ("帳號", "帐号"),
        ("後臺", "后台"),
        ("軟體", "软体"),
        ("顯示", "显示"),
        ("設定檔", "设定档"),
        ("电脑 abc", "电脑 abc"),
    ],
)
def test_traditional_becomes_simplified(traditional: str, simplified: str) -> None:
    assert fold_characters(traditional) == simplified


def test_regional_groups_hold_different_words_of_two_characters_or_more() -> None:
    groups = [[words.fold(word) for word in group] for group in shipped_groups()]

    assert len(groups) >= 60
    assert [group for group in groups if len(set(group)) < len(group)] == []
    assert [group for group in groups if min(map(len, group)) < 2] == []


def test_a_word_stands_for_those_of_its_own_lines_only() -> None:
    ready = regional([("甲甲", "乙乙"), ("乙乙", "丙丙")], words.fold)

    assert ready.others == {"甲甲": ("乙乙",), "乙乙": ("甲甲", "丙丙"), "丙丙": ("乙乙",)}


def test_the_longest_word_is_found_first() -> None:
    ready = regional(shipped_groups(), words.fold)

    assert ready.pattern.findall(words.fold("無線網路印表機的網路")) == ["无线网路", "印表机", "网路"]


def test_a_home_without_a_list_has_no_groups(tmp_path: Path) -> None:
    assert home_groups(tmp_path) == []


def test_groups_of_a_home_are_read(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("# ours\n\n事務機 = 複合機=MFP\n", "utf-8")

    assert home_groups(tmp_path) == [("事務機", "複合機", "MFP")]


@pytest.mark.parametrize(
    ("text", "place"),
    [("ok=fine\n印表機\n", "words.txt:2:1"), ("a==b\n", "words.txt:1:1"), ("a=" + "b" * 41, "words.txt:1:1")],
)
def test_a_wrong_line_is_named(text: str, place: str) -> None:
    with pytest.raises(FileError) as refused:
        read_groups(text, "words.txt")

    assert str(refused.value).startswith(f"{place}: ")


def test_a_list_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_bytes("密碼=口令".encode("big5"))

    with pytest.raises(FileError, match="not UTF-8"):
        home_groups(tmp_path)


def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "words.txt").mkdir()

    with pytest.raises(NotFound, match="cannot be read"):
        home_groups(tmp_path)
