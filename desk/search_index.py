"""Feed the full-text index: messages wait in search_waiting and are indexed outside of their own transaction.

Mails in, replies and notes are indexed, with subject and text. The version of the tokens lies in the store;
an index of another version is emptied and fills again, for its entries could no longer be removed exactly.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from desk import words
from desk.states import Direction
from desk.store.schema import Counter, Message, SearchWaiting
from desk.store.writer import Store, Transaction

log = logging.getLogger(__name__)
BATCH = 500
_VERSION = "search tokens"
_SEARCHED = f"direction IN ({Direction.IN:d}, {Direction.NOTE:d}) OR kind = 'reply'"
Row = tuple[int, bool, str, str]  # id, is searched, subject, text

# FTS5 without content cannot see its rows, but it keeps their sizes in a table of its own.
_IS_INDEXED = {
    "sqlite": "SELECT 1 FROM message_fts_docsize WHERE id = ?",
    "postgresql": "SELECT 1 FROM message_fts WHERE id = ?",
}
_EMPTY = {
    "sqlite": "INSERT INTO message_fts (message_fts) VALUES ('delete-all')",
    "postgresql": "DELETE FROM message_fts",
}


def index_waiting(store: Store, limit: int = BATCH) -> int:
    """Index up to `limit` of the messages that wait, the oldest first; how many were taken, 0 if none waits.

    Each is indexed once, also when several processes do this at the same time.
    """
    _renew_if_outdated(store)
    prepared = [(row, _prepared(row, store.engine)) for row in _waiting(store, limit)]
    if not prepared:
        return 0

    def take(tx: Transaction) -> int:
        return sum(_index(tx, row, columns) for row, columns in prepared)

    indexed = store.write_tx(take)
    log.debug("messages indexed count=%s of=%s", indexed, len(prepared))
    return len(prepared)


def remove(tx: Transaction, message_id: int) -> None:
    """Take a message out of the index. Call it while the message still has the text that was indexed."""
    tx.run("DELETE FROM search_waiting WHERE message = ?", message_id)
    if not tx.rows(_IS_INDEXED[tx.engine], message_id):
        return
    if tx.engine == "postgresql":
        tx.run("DELETE FROM message_fts WHERE id = ?", message_id)
    elif _version(tx) == words.VERSION:  # else the next run empties the whole index
        for subject, text in tx.rows("SELECT subject, text FROM message WHERE id = ?", message_id):
            tx.run(
                "INSERT INTO message_fts (message_fts, rowid, subject, body) VALUES ('delete', ?, ?, ?)",
                message_id,
                *words.fts5_columns(subject, text),
            )


def rebuild(store: Store, progress: Callable[[int, int], None]) -> int:
    """Make the index anew; the number of messages. `progress(done, all)` is called after every batch."""
    total = store.write_tx(_start_anew)
    done = 0
    while taken := index_waiting(store):
        done += taken
        progress(done, max(done, total))
    return done


def _renew_if_outdated(store: Store) -> None:
    with store.reading():
        version = Counter.get_or_none(Counter.name == _VERSION)
    if version is None or version.value != words.VERSION:
        log.info("search index starts anew version=%s", words.VERSION)
        store.write_tx(lambda tx: _version(tx) == words.VERSION or _start_anew(tx))


def _version(tx: Transaction) -> int | None:
    rows = tx.rows("SELECT value FROM counter WHERE name = ?", _VERSION)
    return rows[0][0] if rows else None


def _start_anew(tx: Transaction) -> int:
    """Empty the index and let all messages wait; how many they are."""
    tx.run(_EMPTY[tx.engine])
    tx.run("DELETE FROM search_waiting")
    tx.run(f"INSERT INTO search_waiting (message) SELECT id FROM message WHERE {_SEARCHED}")
    tx.run(
        "INSERT INTO counter (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        _VERSION,
        words.VERSION,
    )
    return int(tx.rows("SELECT count(*) FROM search_waiting")[0][0])


def _waiting(store: Store, limit: int) -> list[Row]:
    with store.reading():
        query: Any = (
            SearchWaiting.select(
                SearchWaiting.message, Message.direction, Message.kind, Message.subject, Message.text
            )
            .left_outer_join(Message, on=(Message.id == SearchWaiting.message))
            .order_by(SearchWaiting.message)
            .limit(limit)
            .tuples()
        )
        return [
            (message, direction in (Direction.IN, Direction.NOTE) or kind == "reply", subject, text)
            for message, direction, kind, subject, text in query
        ]


def _prepared(row: Row, engine: str) -> tuple[Any, ...]:
    """The tokens, made before the transaction: nobody waits for the writer meanwhile."""
    _, is_searched, subject, text = row
    if not is_searched:
        return ()
    if engine == "postgresql":
        return (words.tsvector_text(subject, text),)
    return words.fts5_columns(subject, text)


def _index(tx: Transaction, row: Row, columns: tuple[Any, ...]) -> bool:
    """Index one message if it still waits: who removes it from the waiting ones is who indexes it."""
    if not tx.run("DELETE FROM search_waiting WHERE message = ?", row[0]) or not columns:
        return False
    if tx.rows(_IS_INDEXED[tx.engine], row[0]):
        return False
    if tx.engine == "postgresql":
        tx.run("INSERT INTO message_fts (id, tsv) VALUES (?, CAST(? AS tsvector))", row[0], *columns)
    else:
        tx.run("INSERT INTO message_fts (rowid, subject, body) VALUES (?, ?, ?)", row[0], *columns)
    return True
