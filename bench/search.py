"""Search: the first page of a filter over 100,000 messages, beside a scan for the substring.

The texts are made: words of two to four Chinese characters and Latin words, a few of them in every second
message and most in hardly any, as in real mail; some words stand in one message of 5,000.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from time import perf_counter

from figures import Row, compared

from desk.reads.queues import ticket_list
from desk.search_index import rebuild
from desk.store.database import connect, engine_of
from desk.store.migrate import migrate
from desk.store.schema import Message
from desk.store.writer import Store, Transaction

MESSAGES = 100_000
GOAL_MS = 30
_PAGE = 100
_NOON = 1_790_000_000_000_000
_RARE, _COMMON = "量子糾纏", "系統無法"  # the common ones are put into every third message
_QUERIES = {
    "1 character, rare": "糾",
    "1 character, common": "無",
    "2 characters, rare": "糾纏",
    "2 characters, common": "無法",
    "3 characters, rare": "子糾纏",
    "3 characters, common": "統無法",
    "4 characters, rare": "量子糾纏",
    "4 characters, common": "系統無法",
    "Latin word, rare": '"zebrafish"',
    "Latin word, common": '"printer"',
    "Latin beginning": "prin",
    "two common words": '無法 "printer"',
}
_MESSAGE = (
    "INSERT INTO message (ticket, origin, direction, kind, audience, state, author_kind, author, author_name,"
    " at, subject, text, spans, marks, evidence)"
    " VALUES (?, ?, 0, 'human', 'public', 0, 'requester', 'a@example.org', 'A', ?, ?, ?, '[]', '[]', '[]')"
)
_TICKET = (
    "INSERT INTO ticket (number, subject, status, priority, tier, kind, category, queue, requester,"
    " requester_address, language, channel, arrived, created, updated, due, messages, reopens, collecting,"
    " version) VALUES (?, 'x', ?, 3, 1, 'incident', '', 'help-desk', 1, 'a@example.org', 'zh-Hant', 'email',"
    " ?, ?, ?, ?, 3, 0, ?, 1)"
)


def search(work: Path, *, runs: int, only: str, url: str = "sqlite:desk.db") -> list[Row]:
    """Milliseconds to the first page of every kind of query; the goal is 30 ms."""
    with closing(filled(url, work)) as store:
        return [row for name in _QUERIES if only in name for row in _measured(store, name, runs)]


def run(work: Path) -> list[Row]:
    """All figures, five turns each."""
    return search(work, runs=5, only="")


def _measured(store: Store, name: str, runs: int) -> Iterator[Row]:
    query = _QUERIES[name]
    with store.reading():
        _milliseconds(lambda: ticket_list(query, limit=_PAGE, me=None))  # warm
        values = {
            name: [_milliseconds(lambda: ticket_list(query, limit=_PAGE, me=None)) for _ in range(runs)],
            "scan": [_milliseconds(lambda: _scan(query)) for _ in range(runs)],
        }
    for row in compared(name, values, unit="ms", at_least={}):
        yield Row(
            **{f: getattr(row, f) for f in Row.__dataclass_fields__}
            | {"goal": f"<= {GOAL_MS} ms", "met": row.value is not None and row.value <= GOAL_MS}
        )


def _scan(query: str) -> int:
    """How many messages hold all words, without an index."""
    words = [word.strip('"') for word in query.split()]
    found = Message.select(Message.id)
    for word in words:
        found = found.where(Message.text.contains(word))
    return int(found.count())


def _milliseconds(measured: Callable[[], object]) -> float:
    began = perf_counter()
    measured()
    return (perf_counter() - began) * 1000


def filled(url: str, home: Path) -> Store:
    """A store with all messages, indexed; it takes about a minute and a half."""
    database = connect(url, home)
    migrate(database, engine_of(url), home)
    store = Store(database, engine_of(url))
    store.write_tx(_fill)
    rebuild(store, lambda done, total: print(f"  indexed {done} of {total}", end="\r", file=sys.stderr))
    if store.engine == "postgresql":
        with store.reading():
            database.execute_sql("ANALYZE")
    return store


def _fill(tx: Transaction) -> None:
    chance = random.Random(1)
    texts = _texts(chance)
    updated: dict[int, int] = {}
    for number in range(MESSAGES):
        newest = number // 3 + 1
        ticket = newest if chance.random() < 0.8 else chance.randint(1, newest)
        at = updated[ticket] = _NOON + number * 1_000_000
        tx.run(_MESSAGE, ticket, ticket, at, "主題", next(texts))
    for ticket in range(1, MESSAGES // 3 + 2):
        at = updated.get(ticket, _NOON)
        tx.run(_TICKET, ticket, 1 if chance.random() < 0.02 else 6, at, at, at, 1 << 62, False)


def _texts(chance: random.Random) -> Iterator[str]:
    """Texts of about 450 characters for ever."""
    characters = [chr(0x4E00 + n) for n in chance.sample(range(12_000), 3_000)]
    characters = [c for c in characters if c not in _RARE + _COMMON]
    chinese, often = _zipf(chance, characters, (2, 2, 2, 3, 4), 8_000)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    latin, seldom = _zipf(chance, list(letters), (3, 5, 7, 9), 5_000)
    number = 0
    while True:
        number += 1
        words = [*chance.choices(chinese, often, k=60), " "]
        words += [f" {word}" for word in chance.choices(latin, seldom, k=40)]
        if number % 3 == 0:
            words += ["，", _COMMON, " printer"]
        if number % 5_000 == 17:
            words += ["，", _RARE, " zebrafish"]
        yield "".join(words)


def _zipf(
    chance: random.Random, parts: list[str], lengths: tuple[int, ...], count: int
) -> tuple[list[str], list[float]]:
    """Words and how often each is used, one over its rank."""
    part_often = [1 / (rank + 3) for rank in range(len(parts))]
    words = ["".join(chance.choices(parts, part_often, k=chance.choice(lengths))) for _ in range(count)]
    return words, [1 / (rank + 5) for rank in range(count)]
