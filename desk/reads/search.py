"""Find tickets by the words of their messages, over the full-text index.

PostgreSQL chooses its plan by itself. SQLite gets one of three, measured on 100,000 messages: the tickets of
a rare word are looked up first and drive the query; for a common word the query walks the tickets in the order
that is wanted and stops when the page is full; a word that nearly every message has is looked up on the way.
Letters that were rejected or withdrawn are not found.
"""

from __future__ import annotations

import json
from typing import Any

from peewee import SQL, PostgresqlDatabase

from desk import regionalwords, words
from desk.store.current import CURRENT

RARE = 5_000  # messages; up to here the first plan is the fastest
Condition = Any  # an expression of peewee, which carries no types

# The query text is a literal: for a parameter PostgreSQL makes one plan for rare and common words alike.
_HOLDING = (
    'EXISTS (SELECT 1 FROM message m JOIN message_fts f ON f.id = m.id WHERE m.ticket = "t1"."number"'
    " AND m.state < 2 AND f.tsv @@ CAST('{}' AS tsquery))"
)
_RARE_MESSAGES = "SELECT rowid FROM message_fts WHERE message_fts MATCH ? LIMIT ?"
_DRIVING = (
    '"t1"."number" IN (SELECT m.ticket FROM json_each(?) j CROSS JOIN message m ON m.id = j.value'
    " WHERE m.state < 2 AND m.ticket IS NOT NULL)"
)
# `+` keeps SQLite from asking the index for every message anew: it makes one list of all hits.
_WALKING = (
    'EXISTS (SELECT 1 FROM message m WHERE m.ticket = "t1"."number" AND m.state < 2'
    " AND +m.id IN (SELECT rowid FROM message_fts WHERE message_fts MATCH ?))"
)

_LOOKING_UP = (
    'EXISTS (SELECT 1 FROM message m CROSS JOIN message_fts f WHERE m.ticket = "t1"."number" AND m.state < 2'
    " AND f.rowid = m.id AND message_fts MATCH ?)"
)
# To look a word up takes as long as to list this many hits; a page is 100 rows.
_LOOK_UP_COST, _PAGE = 225, 100


def holding(text: str, *, is_typed: bool = False, is_alone: bool = False) -> Condition:
    """The condition that a ticket (alias t1) has a message with these words, one right after the other.

    Call it inside `store.reading()`: on SQLite it asks the index how common they are. `text` holds a word.
    `is_alone`: no other words are searched for, so a common one fills a page soon.
    """
    phrases = words.query(text, is_typed=is_typed, words=regionalwords.current())
    if isinstance(CURRENT.obj, PostgresqlDatabase):
        return SQL(_HOLDING.format(words.as_tsquery(phrases).replace("'", "''")))
    match = words.as_match(phrases)
    messages = [row[0] for row in CURRENT.execute_sql(_RARE_MESSAGES, (match, RARE + 1))]
    if len(messages) <= RARE:
        return SQL(_DRIVING, [json.dumps(messages)])
    return SQL(_LOOKING_UP if is_alone and _is_dense(messages) else _WALKING, [match])


def _is_dense(messages: list[int]) -> bool:
    """Whether to look up until a page is full is cheaper than to list all hits, by the first hits' density."""
    newest = CURRENT.execute_sql("SELECT max(id) FROM message").fetchone()[0]
    density = len(messages) / (messages[-1] - messages[0] + 1)
    return bool(_PAGE / density * _LOOK_UP_COST < density * newest)
