"""The home's files in the store: what was put in comes out, and another version's are read anew."""

from __future__ import annotations

from orders_parts import Shop

from desk import snapshots
from desk.homefiles import digest, examine_home


def test_a_snapshot_comes_back_as_it_was_put_in(shop: Shop) -> None:
    files, _ = examine_home(shop.desk.home)
    assert files is not None

    with shop.desk.reading():
        assert snapshots.current() == (digest(files), files)


def test_a_newer_snapshot_takes_the_place_of_the_old_one(shop: Shop) -> None:
    files, _ = examine_home(shop.desk.home)
    assert files is not None

    shop.desk.store.write_tx(lambda tx: snapshots.replace(tx, files, "newer"))

    with shop.desk.reading():
        found = snapshots.current()
    assert found is not None
    assert found[0] == "newer"


def test_a_snapshot_of_another_version_counts_as_none(shop: Shop) -> None:
    for data in ('{"queues": 7}', "{", ""):
        shop.desk.store.write_tx(lambda tx, d=data: tx.run("UPDATE snapshot SET data = ?", d))
        with shop.desk.reading():
            assert snapshots.current() is None
