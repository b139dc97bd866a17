"""Searching: what is found is what a naive look at the folded texts finds."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from filled_rows import add_message, add_ticket, index_all, tickets_with
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desk import regionalwords, search_index, words
from desk.languages.regional import read_groups
from desk.reads import search
from desk.reads.queues import ticket_list
from desk.store.database import connect
from desk.store.migrate import migrate
from desk.store.schema import SearchWaiting, Ticket
from desk.store.writer import Store, Transaction


def _found(store: Store, text: str) -> set[int]:
    with store.reading():
        return {row["number"] for row in ticket_list(text, limit=0, me=None)}


_CHINESE = st.text(alphabet="密码碼打印機机卡纸", min_size=1, max_size=4)
_TEXTS = st.lists(st.text(alphabet="密码碼打印機机卡纸，a ", max_size=12), min_size=1, max_size=6)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(texts=_TEXTS, queries=st.lists(_CHINESE, min_size=1, max_size=8))
def test_chinese_is_found_exactly_where_it_is_a_substring(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], queries: list[str]
) -> None:
    home = tmp_path_factory.mktemp("home")
    with closing(_without_regional_words(home)) as store:
        tickets_with(store, *texts)

        found = {query: _found(store, f'"{query}"') for query in queries}

    assert found == {
        query: {n for n, text in enumerate(texts, 1) if words.fold(query) in words.fold(text)}
        for query in queries
    }


def _without_regional_words(home: Path) -> Store:
    database = connect("sqlite:desk.db", home)
    database.pragma("synchronous", "off", permanent=True)
    migrate(database, "sqlite", home)
    return Store(database, "sqlite")


def test_a_latin_word_is_found_as_a_whole_word_only(each_store: Store) -> None:
    tickets_with(each_store, "the printer is out of paper", "printers", "reprinter")

    assert _found(each_store, '"printer"') == {1}


def test_the_word_being_typed_is_found_by_its_beginning_from_three_characters_on(each_store: Store) -> None:
    tickets_with(each_store, "printer", "pr", "an imprint")

    found = {typed: _found(each_store, typed) for typed in ("pr", "pri", "pri ", "printer jam", "-pri")}

    assert found == {"pr": {2}, "pri": {1}, "pri ": set(), "printer jam": set(), "-pri": {1, 2, 3}}


def test_one_chinese_character_is_found_anywhere(each_store: Store) -> None:
    tickets_with(each_store, "打印机", "卡纸", "無")

    found = {character: _found(each_store, character) for character in "打印机纸无密"}

    assert found == {"打": {1}, "印": {1}, "机": {1}, "纸": {2}, "无": {3}, "密": set()}


def test_traditional_and_simplified_find_each_other(each_store: Store) -> None:
    tickets_with(each_store, "忘記密碼", "忘记密码")

    assert (_found(each_store, "密碼"), _found(each_store, "密码")) == ({1, 2}, {1, 2})


def test_regional_words_find_each_other_within_longer_ones(each_store: Store) -> None:
    tickets_with(each_store, "印表機卡紙", "打印机卡纸", "隨身碟壞了", "U盘坏了", "鼠标")

    found = {
        query: _found(each_store, query) for query in ("打印机卡纸", "列表機卡", "u盘", "優盤壞", "滑鼠")
    }

    assert found == {
        "打印机卡纸": {1, 2},
        "列表機卡": {1, 2},
        "u盘": {3, 4},
        "優盤壞": {3, 4},
        "滑鼠": {5},
    }


def test_words_of_the_home_extend_the_list(each_store: Store) -> None:
    tickets_with(each_store, "事務機壞了", "多功能复合机坏了")
    groups = read_groups("事務機=複合機\n", "words.txt")

    each_store.write_tx(lambda tx: regionalwords.replace(tx, groups))

    assert _found(each_store, "複合機") == {1, 2}


def test_mixed_scripts_are_found_together(each_store: Store) -> None:
    tickets_with(each_store, "重設vpn密碼", "vpn 密码", "密碼 vpn", "vpns密碼")

    assert _found(each_store, "vpn密码") == {1, 2}


def test_a_phrase_may_begin_and_end_within_chinese(each_store: Store) -> None:
    tickets_with(each_store, "請重設 vpn 密碼", "重 vpn 密碼", "設 vpn 碼密")

    assert _found(each_store, '"設 vpn 密"') == {1}


def test_a_phrase_does_not_reach_over_what_is_indexed_besides(each_store: Store) -> None:
    tickets_with(each_store, "密。碼 x", "x")

    assert (_found(each_store, '"x 密"'), _found(each_store, '"碼 密"')) == (set(), set())


def test_case_width_and_accents_do_not_matter(each_store: Store) -> None:
    tickets_with(each_store, "ＶＰＮ für Müller", "vpn fur muller")

    assert _found(each_store, '"VPN FÜR Muller"') == {1, 2}


SYNTAX = (
    "vpn*",
    "NEAR(vpn",
    "vpn OR printer",
    "^vpn",
    '"vpn',
    "subject:vpn",
    "vpn AND NOT printer",
    "vpn'--",
)


def test_query_syntax_of_the_engines_is_plain_text(each_store: Store) -> None:
    texts = ("vpn", "near vpn or printer", "subject: vpn and not printer")
    tickets_with(each_store, *texts)

    found = {syntax: _holding(each_store, syntax) for syntax in SYNTAX}

    assert found == {
        syntax: {
            number
            for number, text in enumerate(texts, 1)
            if " ".join(words.query(syntax)[0].tokens) in text.replace(":", "")
        }
        for syntax in SYNTAX
    }


def _holding(store: Store, text: str) -> set[int]:
    with store.reading():
        where = search.holding(search.sought(text))
        return {row[0] for row in Ticket.select(Ticket.number).where(where).tuples()}


def test_words_of_one_filter_may_stand_in_different_messages(each_store: Store) -> None:
    add_ticket(each_store, 1)
    add_message(each_store, 1, "vpn")
    add_message(each_store, 1, "printer", subject="密碼")
    tickets = [add_ticket(each_store, 2)]
    add_message(each_store, tickets[0], "vpn")
    index_all(each_store)

    assert (_found(each_store, "vpn printer 密码"), _found(each_store, "vpn -printer")) == ({1}, {2})


def test_rejected_letters_are_not_found_and_held_ones_are(each_store: Store) -> None:
    for number, state in enumerate((0, 1, 2, 3), 1):
        add_ticket(each_store, number)
        add_message(each_store, number, "zebra", state=state)
    index_all(each_store)

    assert _found(each_store, "zebra") == {1, 2}


def test_common_words_give_the_same_as_rare_ones(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tickets_with(store, "vpn 密碼", "vpn", "密碼", "printer")
    filters = ("vpn", "密码", "-vpn", "vpn 密码", "(vpn or printer)", "-(vpn 密码)")
    rare = [_found(store, text) for text in filters]

    monkeypatch.setattr(search, "RARE", 0)

    assert [_found(store, text) for text in filters] == rare
    assert rare == [{1, 2}, {1, 3}, {3, 4}, {1}, {1, 2, 4}, {2, 3, 4}]


def test_only_mails_in_replies_and_notes_are_searched(each_store: Store) -> None:
    kinds = [(0, "human"), (0, "auto-reply"), (1, "reply"), (2, "note"), (1, "ack"), (1, "notice")]
    for number, (direction, kind) in enumerate(kinds, 1):
        add_ticket(each_store, number)
        add_message(each_store, number, "zebra", direction=direction, kind=kind)
    index_all(each_store)

    assert _found(each_store, "zebra") == {1, 2, 3, 4}


def test_a_message_is_indexed_once_however_often_it_waits(each_store: Store) -> None:
    tickets_with(each_store, "zebra")
    each_store.write_tx(lambda tx: SearchWaiting.insert(message=1).execute())

    index_all(each_store)
    each_store.write_tx(lambda tx: search_index.remove(tx, 1))

    assert _found(each_store, "zebra") == set()


def test_a_removed_message_is_found_no_more_and_others_still_are(each_store: Store) -> None:
    tickets_with(each_store, "密碼 zebra", "密碼 zebra")
    add_message(each_store, 1, "waiting zebra")

    def remove(tx: Transaction) -> None:
        for message in (1, 3, 99):
            search_index.remove(tx, message)

    each_store.write_tx(remove)
    index_all(each_store)

    assert [_found(each_store, text) for text in ("密", "密码", "zebra", "waiting")] == [{2}, {2}, {2}, set()]


def test_an_index_of_other_tokens_is_made_anew(each_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tickets_with(each_store, "zebra", "密碼")
    each_store.write_tx(lambda tx: tx.run("UPDATE message SET text = 'lion' WHERE id = 1"))

    monkeypatch.setattr(words, "VERSION", words.VERSION + 1)
    index_all(each_store)

    assert [_found(each_store, text) for text in ("zebra", "lion", "密码")] == [set(), {1}, {2}]


def test_rebuild_tells_how_far_it_is(each_store: Store) -> None:
    tickets_with(each_store, "zebra", "lion")
    told: list[tuple[int, int]] = []

    count = search_index.rebuild(each_store, lambda done, total: told.append((done, total)))

    assert (count, told, _found(each_store, "lion")) == (2, [(2, 2)], {2})


def test_huge_texts_are_indexed_up_to_a_bound(each_store: Store) -> None:
    add_ticket(each_store, 1)
    add_message(each_store, 1, "zebra " + "密" * 200_000 + " lion")
    add_ticket(each_store, 2)
    add_message(each_store, 2, " ".join(f"{n:060}" for n in range(20_000)) + " lion")
    add_ticket(each_store, 3)
    add_message(each_store, 3, "".join(chr(0x20000 + n) for n in range(40_000)))
    index_all(each_store)

    assert [_found(each_store, text) for text in ("zebra", "密密密", "lion")] == [{1}, {1}, set()]
