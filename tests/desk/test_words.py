"""Tokens of the full-text index."""

from __future__ import annotations

import time

import pytest

from desk import words
from desk.languages.regional import regional, shipped_groups
from desk.words import Phrase


def test_chinese_becomes_bigrams_and_last_character_and_single_characters() -> None:
    assert words.fts5_columns("", "服務台 hello") == ("", "服务 务台 台 hello c服 c务 c台")


def test_both_engines_get_the_same_tokens_in_the_same_order() -> None:
    subject, body = "Re: 密碼", "vpn密碼 X1 密碼。"

    heading, text = (column.split() for column in words.fts5_columns(subject, body))
    lexemes = [part.split(":") for part in words.tsvector_text(subject, body).split()]

    placed = {
        (int(place), lexeme[0].strip("'"))
        for lexeme in lexemes
        if len(lexeme) > 1
        for place in lexeme[1].split(",")
    }
    unplaced = {lexeme[0].strip("'") for lexeme in lexemes if len(lexeme) == 1}
    assert placed == {(n, t) for n, t in enumerate(heading, 1) if not t.startswith("c")} | {
        (n, t) for n, t in enumerate(text, 5) if not t.startswith("c")
    }
    assert unplaced == {token for token in heading + text if token.startswith("c")}


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("密", Phrase(("c密",))),
        ("密碼", Phrase(("密码",))),
        ("忘記密碼", Phrase(("忘记", "记密", "密码"))),
        ("VPN", Phrase(("vpn",))),
        ("site-b", Phrase(("site", "b"))),
        ("vpn密碼", Phrase(("vpn", "密码"))),
        ("vpn密", Phrase(("vpn", "密"), is_prefix=True)),
        ("密碼vpn", Phrase(("密码", "码", "vpn"))),
        ("ＶＰＮ１", Phrase(("vpn1",))),
        ("Straße", Phrase(("strasse",))),
        ("naïve", Phrase(("naive",))),
        ("プリンター", Phrase(("プリ", "リン", "ンタ", "ター"))),
        ("한국", Phrase(("한국",))),
        ("a_b", Phrase(("a", "b"))),
        ("x" * 80, Phrase(("x" * 64,))),
    ],
)
def test_query(text: str, phrase: Phrase) -> None:
    assert words.query(text) == (phrase,)


@pytest.mark.parametrize("text", ["", " ", "***", "。，、", "-", "😀", "_"])
def test_text_without_words_asks_for_nothing(text: str) -> None:
    assert words.query(text) == ()


@pytest.mark.parametrize(
    ("typed", "is_prefix"), [("pri", True), ("pr", False), ("密碼", False), ("p 列印", False)]
)
def test_only_a_latin_word_of_three_characters_matches_by_its_beginning(typed: str, is_prefix: bool) -> None:
    (phrase,) = words.query(typed, is_typed=True)

    assert phrase.is_prefix == is_prefix


def test_alternatives_are_bounded() -> None:
    ready = regional(shipped_groups(), words.fold)

    phrases = words.query("螢幕" * 30, words=ready)

    assert len(phrases) == words.MAX_ALTERNATIVES
    assert phrases[0] == words.query("螢幕" * 30)[0]


def test_only_tokens_reach_the_engines() -> None:
    phrases = words.query("a\"b' OR (c*) :^ NEAR/2 \\ % d")

    assert words.as_match(phrases) == '"a b or c near 2 d"'
    assert words.as_tsquery(phrases) == ("('a' <-> 'b' <-> 'or' <-> 'c' <-> 'near' <-> '2' <-> 'd')")


@pytest.mark.parametrize("unit", ["密", "密 ", "a ", "é", "a", "\U00020000", "ﷺ"])
def test_tokens_of_hostile_texts_are_bounded_and_linear(unit: str) -> None:
    began = time.perf_counter()

    columns = words.fts5_columns(unit * 1_000, unit * 300_000)
    vector = words.tsvector_text(unit * 1_000, unit * 300_000)

    assert len(columns[1].split()) <= words.MAX_TOKENS * 2
    assert len(vector.encode()) < 1_048_575
    assert time.perf_counter() - began < 10
