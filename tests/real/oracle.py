"""What must hold whatever was killed: the store and the receiving mailbox against the clients' own log."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from email import message_from_bytes
from typing import Any

import psycopg

from tests.real.clients import Crowd
from tests.real.servers.desk_home import Home
from tests.real.servers.sink import Taken

_DOUBLED = {
    "message.in": "SELECT message FROM event WHERE event = 'message.in'",
    "message.out": "SELECT message FROM event WHERE event = 'message.out'",
    "ticket.created": "SELECT ticket FROM event WHERE event = 'ticket.created'",
    "letter.sent": "SELECT data FROM event WHERE event = 'letter.sent'",
    "mail as a message": "SELECT blob FROM message WHERE direction = 0",
    "acknowledgement": "SELECT ticket FROM outbox WHERE kind = 'ack'",
    "letter": "SELECT message_id FROM outbox",
}


def rows(home: Home, sql: str) -> list[tuple[Any, ...]]:
    """What the store of a stopped desk holds."""
    if home.store_url is not None:
        with psycopg.connect(home.store_url) as server:
            return server.execute(sql.encode()).fetchall()
    with closing(sqlite3.connect(f"file:{home.path / 'desk.db'}?mode=ro", uri=True)) as store:
        return store.execute(sql).fetchall()


def column(home: Home, sql: str) -> list[Any]:
    """The one column of these rows."""
    return [row[0] for row in rows(home, sql)]


def assert_nothing_is_lost_or_doubled(home: Home, crowd: Crowd) -> None:
    """Every answered mail is exactly one message of exactly one ticket, and nothing stands there twice."""
    mails = column(home, "SELECT blob FROM message WHERE direction = 0 AND ticket IS NOT NULL")
    assert sorted(mails) == sorted(crowd.answered)
    doubled = {what: _repeated(column(home, sql)) for what, sql in _DOUBLED.items()}
    assert doubled == {what: [] for what in _DOUBLED}
    tickets = column(home, "SELECT number FROM ticket ORDER BY number")
    assert tickets == list(range(1, crowd.threads + 1))
    assert column(home, "SELECT count(*) FROM inbox WHERE state IN (0, 2, 3)") == [0]


def assert_every_ticket_is_acknowledged_once(home: Home, letters: list[Taken]) -> None:
    """Each letter is in the mailbox; one that came twice came as the same bytes with the same envelope."""
    acknowledged = column(home, "SELECT ticket FROM outbox WHERE kind = 'ack' AND state = 2")
    assert sorted(acknowledged) == column(home, "SELECT number FROM ticket ORDER BY number")
    copies: dict[str, set[tuple[str, bytes]]] = {}
    for letter in letters:
        identity = message_from_bytes(letter.content)["Message-ID"]
        copies.setdefault(identity, set()).add((letter.sender, letter.content))
    assert sorted(copies) == sorted(column(home, "SELECT message_id FROM outbox"))
    assert {identity for identity, versions in copies.items() if len(versions) > 1} == set()


def assert_store_is_whole(home: Home) -> None:
    """The file is sound, and the chain of the history is unbroken."""
    if home.store_url is None:
        assert column(home, "PRAGMA integrity_check") == ["ok"]
    home.run("audit", "verify")


def _repeated(values: list[Any]) -> list[Any]:
    return sorted(value for value, count in Counter(values).items() if count > 1)
