"""The migrations make the schema that the models describe, and the history refuses change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import peewee
import pytest
from store_parts import add_event, opened

from desk.errors import Unavailable
from desk.store.current import using
from desk.store.database import connect, engine_of
from desk.store.migrate import migrate
from desk.store.schema import TABLES, EventText
from desk.store.writer import Store, Transaction

NAMES = sorted(table._meta.table_name for table in TABLES)
COLUMNS = """SELECT table_name, column_name, data_type, is_nullable,
    CASE WHEN column_default LIKE 'nextval%%' THEN 'serial' ELSE column_default END
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ANY(%s)"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY(%s)"


@pytest.fixture
def fresh(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> Iterator[Any]:
    """A database beside the store's, whose tables were made from the models."""
    if engine_of(url) == "sqlite":
        other = f"sqlite:{tmp_path / 'fresh.db'}"
    else:
        other = request.getfixturevalue("postgresql").fresh_database()
    database = connect(other, tmp_path)
    with using(database), database.connection_context():
        database.create_tables(TABLES, safe=False)
        yield database
    database.close_all()
    if engine_of(url) == "postgresql":
        request.getfixturevalue("postgresql").drop_database(other)


def columns_and_indexes(database: Any, engine: str) -> tuple[list[Any], list[Any]]:
    if engine == "postgresql":
        columns = database.execute_sql(COLUMNS, (NAMES,)).fetchall()
        indexes = database.execute_sql(INDEXES, (NAMES,)).fetchall()
        return sorted(columns, key=str), sorted(indexes)
    columns, indexes = [], []
    for name in NAMES:
        for _, column, type_, not_null, default, key, _ in database.execute_sql(
            f"PRAGMA table_xinfo({name})"
        ):
            columns.append((name, column, type_, bool(not_null), default, key))
        for _, index, unique, origin, partial in database.execute_sql(
            f"PRAGMA index_list({name})"
        ).fetchall():
            rows = database.execute_sql(f"PRAGMA index_info({index})").fetchall()
            where = database.execute_sql("SELECT sql FROM sqlite_master WHERE name = ?", (index,)).fetchall()
            condition = (where[0][0] or "").replace('"', "").partition(" WHERE ")[2].strip("() ")
            key = index if origin == "c" else "primary key"
            indexes.append((name, key, unique, partial, [row[2] for row in rows], condition))
    return sorted(columns, key=str), sorted(indexes)


def test_migrated_schema_equals_that_of_the_models(store: Store, fresh: Any) -> None:
    with store.reading():
        migrated = columns_and_indexes(store.database, store.engine)

    wanted = columns_and_indexes(fresh, store.engine)

    assert migrated[0] == wanted[0]
    assert migrated[1] == wanted[1]


def test_a_second_start_changes_nothing(store: Store, url: str, tmp_path: Path) -> None:
    assert migrate(store.database, engine_of(url), tmp_path) == []


def test_a_store_of_a_newer_version_is_refused(store: Store, url: str, tmp_path: Path) -> None:
    store.write_tx(
        lambda tx: tx.run(
            "INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2030-01-01 00:00:00')"
        )
    )

    with pytest.raises(Unavailable, match="newer version"):
        migrate(store.database, engine_of(url), tmp_path)


@pytest.mark.parametrize("statement", ["UPDATE event SET who = 'b'", "DELETE FROM event"])
def test_history_refuses_change(store: Store, statement: str) -> None:
    store.write_tx(lambda tx: add_event(tx, 1))

    with pytest.raises(peewee.PeeweeException, match="history is insert-only"):
        store.write_tx(lambda tx: tx.run(statement))

    with store.reading():
        assert store.database.execute_sql("SELECT who FROM event").fetchall() == [("desk",)]


def test_texts_of_the_history_can_be_erased(store: Store) -> None:
    def write(tx: Transaction) -> int:
        EventText.create(event=add_event(tx, 1), salt="a", text="b")
        return int(EventText.delete().execute())

    assert store.write_tx(write) == 1


def test_a_url_may_hold_escapes_and_options(postgresql_url: str, tmp_path: Path) -> None:
    spelled = postgresql_url.replace("postgres@", "%70ostgres@") + "?application_name=desk"

    with closing(opened(spelled, tmp_path)) as store, store.reading():
        assert store.database.execute_sql("SHOW application_name").fetchall() == [("desk",)]


def test_a_file_that_is_no_database_is_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "desk.db").write_bytes(b"not a database" * 1000)

    with pytest.raises(Unavailable, match=r"damaged .* `desk restore` the last backup"):
        opened("sqlite:desk.db", tmp_path)


def test_a_damaged_page_is_named_when_it_is_met(tmp_path: Path) -> None:
    with closing(opened("sqlite:desk.db", tmp_path)) as store:
        for n in range(3000):
            store.submit(lambda tx, n=n: add_event(tx, n))
    with (tmp_path / "desk.db").open("r+b") as file:
        file.seek(-8 * 4096, 2)
        file.write(b"\xff" * 8 * 4096)

    with closing(opened("sqlite:desk.db", tmp_path)) as store:
        with pytest.raises(Unavailable, match="damaged"), store.reading():
            store.database.execute_sql("SELECT sum(ticket), max(data) FROM event").fetchall()
        with pytest.raises(Unavailable, match="damaged"):
            store.write_tx(lambda tx: tx.rows("SELECT sum(ticket), max(data) FROM event"))


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        opened("postgresql://postgres@127.0.0.1:9/desk", tmp_path)
