"""The regional words in force: those of the package, and those of the home, which the store keeps.

They change queries only, never the index.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import msgspec

from desk import words
from desk.languages.regional import Group, Regional, regional, shipped_groups
from desk.store.schema import Snapshot
from desk.store.writer import Transaction

_NAME = "regional words"


def current() -> Regional:
    """The words that queries use. Call it inside `store.reading()`."""
    row = Snapshot.get_or_none(Snapshot.name == _NAME)
    return _ready("[]" if row is None else row.data)


def are_kept(groups: list[Group]) -> bool:
    """Whether the store holds just these groups of the home. Call it inside `store.reading()`."""
    row = Snapshot.get_or_none(Snapshot.name == _NAME)
    return ("[]" if row is None else row.data) == msgspec.json.encode(groups).decode()


def replace(tx: Transaction, groups: list[Group]) -> None:
    """Put the groups of the home's words.txt (`home_groups`) in place of those that were there."""
    data = msgspec.json.encode(groups).decode()
    tx.run(
        "INSERT INTO snapshot (name, digest, data, at) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
        " SET digest = excluded.digest, data = excluded.data, at = excluded.at",
        _NAME,
        hashlib.sha256(data.encode()).hexdigest(),
        data,
        tx.now_us,
    )


@lru_cache(maxsize=4)
def _ready(data: str) -> Regional:
    of_home: list[Group] = msgspec.json.decode(data, type=list[Group])
    return regional([*shipped_groups(), *of_home], words.fold)
