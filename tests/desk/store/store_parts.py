"""What tests of the store are made of: open one, write a little, and what other processes do meanwhile."""

from __future__ import annotations

import sqlite3
from multiprocessing.connection import Connection
from pathlib import Path

from desk import faults
from desk.store.backup import backup, restore
from desk.store.database import connect, engine_of
from desk.store.migrate import migrate
from desk.store.writer import Store, Transaction


def opened(url: str, home: Path) -> Store:
    """An open store with the newest schema."""
    database = connect(url, home)
    migrate(database, engine_of(url), home)
    return Store(database, engine_of(url))


def count_up(tx: Transaction) -> int:
    """Take the next number, as tickets do."""
    rows = tx.rows(
        "INSERT INTO counter (name, value) VALUES ('number', 1)"
        " ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value"
    )
    return int(rows[0][0])


def add_event(tx: Transaction, number: int) -> int:
    """Write one plain row of the history."""
    return tx.insert(
        "INSERT INTO event (at, ticket, actor_kind, who, event, data)"
        " VALUES (?, ?, 'system', 'desk', 'tag.added', '{}')",
        tx.now_us,
        number,
    )


def write_until_killed(url: str, home: str, specification: str, journal: str) -> None:
    """Write numbered events, and note each in the journal once it was answered."""
    store = Store(connect(url, Path(home)), engine_of(url))
    faults.arm(specification)
    with Path(journal).open("a") as answered:
        for _ in range(100):
            number = store.write_tx(lambda tx: add_event(tx, count_up(tx)))
            answered.write(f"{number}\n")
            answered.flush()


def write_many(url: str, home: str, count: int) -> None:
    """Write so many numbered events; every third attempt fails after it has taken its number."""
    store = Store(connect(url, Path(home)), engine_of(url))

    def write(tx: Transaction, fails: bool) -> None:
        number = count_up(tx)
        if fails:
            raise ValueError("of no use")
        add_event(tx, number)

    futures = [store.submit(lambda tx, fails=n % 3 == 0: write(tx, fails)) for n in range(count * 3 // 2)]
    for future in futures:
        future.exception(60)
    store.close()


def hold_the_lock(path: str, pipe: Connection) -> None:
    """Lock a SQLite file, say so, and let go when told."""
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    pipe.send("locked")
    pipe.recv()
    holder.execute("COMMIT")
    holder.close()


def back_up_until_killed(home: str, file: str, point: str) -> None:
    """Make a backup and die at a fault point of it."""
    store = Store(connect("sqlite:desk.db", Path(home)), "sqlite")
    faults.arm(f"{point}:kill")
    backup(store, Path(home), Path(file))


def restore_until_killed(file: str, home: str, point: str) -> None:
    """Restore and die at a fault point of it."""
    faults.arm(f"{point}:kill")
    restore(Path(file), Path(home))
