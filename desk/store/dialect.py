"""The few words in which the two engines differ, for migrations written in PostgreSQL's types."""

from __future__ import annotations

import re

_SQLITE_TYPES = {
    "BIGSERIAL": "INTEGER",
    "BIGINT": "INTEGER",
    "SMALLINT": "INTEGER",
    "BOOLEAN": "INTEGER",
    "BYTEA": "BLOB",
}
_TYPE = re.compile(r"\b(" + "|".join(_SQLITE_TYPES) + r")\b")


def in_dialect(statement: str, engine: str) -> str:
    """A DDL statement of ours as this engine wants it."""
    if engine == "postgresql":
        return statement
    return _TYPE.sub(lambda match: _SQLITE_TYPES[match[1]], statement)
