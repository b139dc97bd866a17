"""Find tickets by the words of their messages, over the full-text index.

PostgreSQL chooses its plan by itself. SQLite gets one of two, measured on 100,000 messages: the tickets of a
rare word are looked up first and drive the query; for a common word the query walks the tickets in the order
that is wanted and stops when the page is full. Letters that were rejected or withdrawn are not found.
"""

from __future__ import annotations

import json
from typing import Any

from peewee import SQL, PostgresqlDatabase

from desk import regionalwords, words
from desk.store.current import CURRENT
from desk.words import Phrase

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


def sought(text: str, *, is_typed: bool = False) -> tuple[Phrase, ...]:
    """What to look for: the words one right after the other, also as other regions say them.

    Call it inside `store.reading()`. `is_typed`: the last word may go on. `text` holds a word.
    """
    return words.query(text, is_typed=is_typed, words=regionalwords.current())


def holding(phrases: tuple[Phrase, ...]) -> Condition:
    """The condition that a ticket (alias t1) has a message with one of the phrases.

    Call it inside `store.reading()`: on SQLite it asks the index how common they are.
    """
    if isinstance(CURRENT.obj, PostgresqlDatabase):
        return SQL(_HOLDING.format(words.as_tsquery(phrases).replace("'", "''")))
    match = words.as_match(phrases)
    messages = [row[0] for row in CURRENT.execute_sql(_RARE_MESSAGES, (match, RARE + 1))]
    if len(messages) > RARE:
        return SQL(_WALKING, [match])
    return SQL(_DRIVING, [json.dumps(messages)])
