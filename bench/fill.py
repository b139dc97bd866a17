"""Fill a desk's store with tickets as years of use would leave them, by SQL, because mail would take hours.

Each ticket has a requester of its own, a mail in, an acknowledgement and a reply out with their letters, known
Message-IDs, events, and its place in the full-text index. One ticket in fifty is live.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from desk.states import Status
from desk.words import VERSION, fts5_columns

DAY_US = 86_400_000_000
_END_US = 1_795_000_000_000_000
_WORDS = tuple(
    """
    printer network laptop password server backup screen account mailbox license update driver error
    """.split()  # noqa: SIM905  # reads better than quotes
)
_CHINESE = tuple(
    """
    印表機卡紙 網路斷線 密碼忘記 伺服器當機 备份失败 打印机脱机 账号锁定 邮箱已满 软件安装 系统更新 螢幕閃爍 遠端連線
    """.split()  # noqa: SIM905
)


def fill(home: Path, tickets: int, *, seed: int = 1, messages_each: int = 3) -> None:
    """Add `tickets` tickets numbered from 1 to an empty SQLite store; deterministic."""
    chance = random.Random(seed)
    with sqlite3.connect(home / "desk.db", isolation_level=None) as store:
        store.execute("PRAGMA synchronous = OFF")
        for start in range(1, tickets + 1, 2000):
            store.execute("BEGIN IMMEDIATE")
            for number in range(start, min(start + 2000, tickets + 1)):
                _add(store, number, tickets, chance, messages_each)
            store.execute("COMMIT")
        counters = {"ticket": tickets, "search tokens": VERSION, "sealed": tickets * messages_each}
        store.executemany("INSERT OR REPLACE INTO counter (name, value) VALUES (?, ?)", counters.items())
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def requester_of(number: int) -> str:
    """The address of the requester of a filled ticket."""
    return f"person{number}@client{number % 500}.example"


def identity_of(number: int) -> str:
    """The Message-ID of the first mail of a filled ticket."""
    return f"<first.{number}@client{number % 500}.example>"


def text_of(chance: random.Random) -> str:
    """A short text in English or Chinese with a word that few others have."""
    words = chance.choices(_WORDS, k=30) if chance.random() < 0.5 else chance.choices(_CHINESE, k=12)
    return " ".join([*words, f"host-{chance.randrange(5000)}"])


def _add(store: sqlite3.Connection, number: int, tickets: int, chance: random.Random, messages: int) -> None:
    at = _END_US - (tickets - number) * (2 * 365 * DAY_US // max(tickets, 1))
    status = Status.OPEN if number % 50 == 0 else Status.RESOLVED
    address = requester_of(number)
    subject = chance.choice(_WORDS if number % 2 else _CHINESE)
    store.execute(
        "INSERT INTO contact (id, name, said_name, organisation, vip, created) VALUES (?, '', 'Person', '', 0, ?)",
        (number, at),
    )
    store.execute("INSERT INTO address (address, contact) VALUES (?, ?)", (address, number))
    store.execute(
        "INSERT INTO ticket (number, subject, status, priority, tier, kind, category, queue, requester,"
        " requester_address, language, channel, arrived, created, updated, due, messages, reopens, collecting,"
        " version) VALUES (?, ?, ?, 3, 1, 'incident', '', 'help-desk', ?, ?, 'en', 'email', ?, ?, ?, ?, ?, 0, 0, 3)",
        (number, subject, int(status), number, address, at, at, at, 1 << 62, messages - 1),
    )
    store.execute(
        "INSERT INTO participant (ticket, contact, address, role, since) VALUES (?, ?, ?, 'requester', ?)",
        (number, number, address, at),
    )
    for index, message in enumerate(_messages(number, messages)):
        _add_message(store, number, message, index, at + index, subject, text_of(chance))


def _messages(number: int, count: int) -> Iterator[int]:
    yield from range(number * count, number * count + count)


def _add_message(
    store: sqlite3.Connection, number: int, message: int, index: int, at: int, subject: str, text: str
) -> None:
    is_in = index == 0
    identity = identity_of(number) if is_in else f"<letter.{message}@desk.example>"
    kind = "human" if is_in else "ack" if index == 1 else "reply"
    store.execute(
        "INSERT INTO message (id, ticket, origin, direction, kind, audience, state, author_kind, author, author_name,"
        " contact, at, subject, text, spans, marks, message_id, blob, evidence) VALUES (?, ?, ?, ?, ?, 'public', 0, ?,"
        " ?, '', ?, ?, ?, ?, '[]', '[]', ?, ?, '[]')",
        (
            message,
            number,
            number,
            0 if is_in else 1,
            kind,
            "requester" if is_in else "technician",
            requester_of(number) if is_in else "t1",
            number if is_in else None,
            at,
            subject,
            text,
            identity if is_in else None,
            _sha256(identity) if is_in else None,
        ),
    )
    store.execute(
        "INSERT INTO message_identity (message_id, ticket, message) VALUES (?, ?, ?)",
        (identity, number, message),
    )
    if not is_in:
        store.execute(
            "INSERT INTO outbox (ticket, message, kind, message_id, recipient, contact, to_new, blob, state, created,"
            " run_at, tries, lease, holder, answer) VALUES (?, ?, ?, ?, ?, ?, 0, ?, 2, ?, ?, 1, 0, '', 'ok')",
            (number, message, kind, identity, requester_of(number), number, _sha256(identity), at, at),
        )
    _add_event(store, number, message, at, "message.in" if is_in else "message.out")
    columns = fts5_columns(subject, text)
    store.execute("INSERT INTO message_fts (rowid, subject, body) VALUES (?, ?, ?)", (message, *columns))


def _add_event(store: sqlite3.Connection, number: int, message: int, at: int, name: str) -> None:
    event = store.execute(
        "INSERT INTO event (at, ticket, actor_kind, who, message, event, data, text_hash)"
        " VALUES (?, ?, 'system', 'desk', ?, ?, ?, ?) RETURNING id",
        (at, number, message, name, json.dumps({"message": message}), _sha256(f"{message}")),
    ).fetchone()[0]
    store.execute(
        "INSERT INTO event_text (event, salt, text) VALUES (?, '', ?)",
        (event, json.dumps({"to": str(message)})),
    )
    store.execute("INSERT INTO seal (seq, event, hash) VALUES (?, ?, ?)", (event, event, _sha256(f"{event}")))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
