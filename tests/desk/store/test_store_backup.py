"""Backups are whole, checked, private, and restored only into an empty home."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import sqlite3
import stat
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from store_parts import add_event, back_up_until_killed, count_up, opened, restore_until_killed

from desk import sealing
from desk.errors import Invalid, NoSpace
from desk.store.archive import MANIFEST
from desk.store.backup import backup, restore
from desk.store.schema import Event
from desk.store.writer import Store
from tests.real.servers.programs import require_root

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with admin's files, some data, and things that no backup takes."""
    home = tmp_path / "home"
    for folder in ("rules/more", "queues", "run", "log", ".git"):
        (home / folder).mkdir(parents=True)
    for name in (
        "desk.toml",
        "rules/main.rules",
        "rules/more/網路.rules",
        "queues/help-desk.toml",
        ".gitignore",
    ):
        (home / name).write_text(f"# {name}\n")
    for name in ("run/daemon.pid", "log/desk.log", ".git/HEAD", "old.tar.zst"):
        (home / name).write_text("not this one")
    (home / "desk.toml").chmod(0o640)
    return home


@pytest.fixture
def filled(home: Path) -> Iterator[Store]:
    """Its store, with sealed and unsealed events."""
    with closing(opened("sqlite:desk.db", home)) as store:
        for _ in range(20):
            store.write_tx(lambda tx: add_event(tx, count_up(tx)))
        sealing.seal(store)
        store.write_tx(lambda tx: add_event(tx, count_up(tx)))
        yield store


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 2 MiB."""
    require_root()
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("cannot mount a file system here")
    yield place
    subprocess.run(["umount", place], check=True)


def names_in(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["desk.tar.zst", "desk.tar"])
def test_a_restored_home_is_the_one_that_was_saved(
    filled: Store, home: Path, tmp_path: Path, name: str
) -> None:
    saved = backup(filled, home, tmp_path / name)

    restored = restore(tmp_path / name, tmp_path / "new")

    assert names_in(tmp_path / "new") == [
        ".gitignore",
        "desk.db",
        "desk.toml",
        "queues/help-desk.toml",
        "rules/main.rules",
        "rules/more/網路.rules",
    ]
    assert (tmp_path / "new/rules/more/網路.rules").read_text() == "# rules/more/網路.rules\n"
    assert (saved.events, saved.head) == (21, sealing.heads(filled)[0])
    assert (restored.events, restored.head, restored.files) == (21, saved.head, saved.files)
    with closing(opened("sqlite:desk.db", tmp_path / "new")) as store:
        assert (sealing.verify(store).checked, sealing.seal(store)) == (20, 1)


def test_a_backup_is_for_its_owner_only(filled: Store, home: Path, tmp_path: Path) -> None:
    backup(filled, home, tmp_path / "desk.tar.zst")
    restore(tmp_path / "desk.tar.zst", tmp_path / "new")

    places = [tmp_path / "desk.tar.zst", tmp_path / "new/desk.toml", tmp_path / "new/desk.db"]
    assert [stat.S_IMODE(place.stat().st_mode) for place in places] == [0o600, 0o640, 0o600]


def test_nothing_else_is_left_beside_the_backup(filled: Store, home: Path, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()

    backup(filled, home, tmp_path / "target" / "desk.tar.zst")

    assert names_in(tmp_path / "target") == ["desk.tar.zst"]


def test_progress_ends_at_all_pages(filled: Store, home: Path, tmp_path: Path) -> None:
    filled.write_tx(lambda tx: tx.run("INSERT INTO counter (name, value) VALUES (?, 1)", "x" * 20_000_000))
    seen: list[tuple[int, int]] = []

    backup(filled, home, tmp_path / "desk.tar.zst", progress=lambda done, total: seen.append((done, total)))

    assert len(seen) > 2
    assert seen[-1][0] == seen[-1][1]


def test_a_backup_under_load_is_one_moment_of_the_desk(filled: Store, home: Path, tmp_path: Path) -> None:
    filled.write_tx(lambda tx: tx.run("INSERT INTO counter (name, value) VALUES (?, 1)", "x" * 20_000_000))
    may_end, has_begun = threading.Event(), threading.Event()
    written: list[int] = []

    def write() -> None:
        while not may_end.is_set():
            written.append(filled.write_tx(lambda tx: add_event(tx, count_up(tx))))
            has_begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert has_begun.wait(30)
    saved = backup(filled, home, tmp_path / "desk.tar.zst")
    may_end.set()
    writer.join()
    restore(tmp_path / "desk.tar.zst", tmp_path / "new")

    assert 21 < saved.events < 21 + len(written)
    with closing(opened("sqlite:desk.db", tmp_path / "new")) as store, store.reading():
        numbers = [row.ticket for row in Event.select().order_by(Event.id)]
    assert numbers == list(range(1, saved.events + 1))


def test_a_home_that_is_not_empty_is_refused(filled: Store, home: Path, tmp_path: Path) -> None:
    backup(filled, home, tmp_path / "desk.tar.zst")
    before = names_in(home)

    with pytest.raises(Invalid, match=r"is not empty \(it holds .git\)"):
        restore(tmp_path / "desk.tar.zst", home)

    assert names_in(home) == before


def test_an_empty_folder_is_a_place_to_restore_to(filled: Store, home: Path, tmp_path: Path) -> None:
    backup(filled, home, tmp_path / "desk.tar.zst")
    (tmp_path / "new").mkdir()

    assert restore(tmp_path / "desk.tar.zst", tmp_path / "new").events == 21


@pytest.mark.parametrize("name", ["desk.tar.zst", "desk.tar"])
def test_any_damage_is_found_and_the_home_stays_empty(
    filled: Store, home: Path, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    backup(filled, home, file)
    whole = file.read_bytes()
    flipped = [
        whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(600, len(whole) - 11_000, 9973)
    ]
    cut = [whole[:length] for length in (0, 100, len(whole) // 2, len(whole) - 11_000)]

    for damaged in [*flipped, *cut]:
        file.write_bytes(damaged)
        with pytest.raises(Invalid, match=r"take another one|not accepted|not a backup"):
            restore(file, tmp_path / "new")

    assert names_in(tmp_path / "new") == []


def test_a_history_that_was_changed_in_the_backup_is_found(filled: Store, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "desk.tar"
    backup(filled, home, file)
    members = members_of(file)
    (tmp_path / "loose.db").write_bytes(members["desk.db"])
    with closing(sqlite3.connect(tmp_path / "loose.db")) as loose:
        loose.execute("DROP TRIGGER event_no_update")
        loose.execute("UPDATE event SET ticket = 99 WHERE id = 3")
        loose.commit()
        loose.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    changed = (tmp_path / "loose.db").read_bytes()
    write_members(file, {**members, "desk.db": changed}, is_summed_anew=True)

    with pytest.raises(Invalid, match="the history is broken at seq 3"):
        restore(file, tmp_path / "new")

    assert names_in(tmp_path / "new") == []


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "rules/../../evil", "./desk.toml", "rules//x"])
def test_names_that_leave_the_home_are_refused(filled: Store, home: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / "desk.tar"
    backup(filled, home, file)
    write_members(file, {name: b"evil", **members_of(file)}, is_summed_anew=True)

    with pytest.raises(Invalid, match="is not accepted"):
        restore(file, tmp_path / "new")

    assert (names_in(tmp_path / "new"), (tmp_path / "evil").exists()) == ([], False)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE]
)
def test_anything_but_files_is_refused(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("rules")
    member.type, member.linkname = kind, "/etc"
    with tarfile.open(tmp_path / "desk.tar", "w") as tar:
        tar.addfile(member)

    with pytest.raises(Invalid, match="is no regular file"):
        restore(tmp_path / "desk.tar", tmp_path / "new")

    assert list((tmp_path / "new").iterdir()) == []


def test_a_newer_format_is_refused(filled: Store, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "desk.tar"
    backup(filled, home, file)
    members = members_of(file)
    members[MANIFEST] = members[MANIFEST].replace(b'"format": 1', b'"format": 2')
    write_members(file, members)

    with pytest.raises(Invalid, match="newer version"):
        restore(file, tmp_path / "new")


def test_a_store_on_postgresql_is_saved_by_its_own_tools(tmp_path: Path, postgresql_url: str) -> None:
    with closing(opened(postgresql_url, tmp_path)) as store, pytest.raises(Invalid, match="pg_dump"):
        backup(store, tmp_path, tmp_path / "desk.tar.zst")


def test_a_damaged_store_makes_no_backup(filled: Store, home: Path, tmp_path: Path) -> None:
    filled.close()
    with (home / "desk.db").open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\xff" * 4096 * 3)
    store = opened("sqlite:desk.db", home)
    (tmp_path / "target").mkdir()

    with closing(store), pytest.raises(Invalid, match="keep the last good backup"):
        backup(store, home, tmp_path / "target" / "desk.tar.zst")

    assert names_in(tmp_path / "target") == []


def test_a_place_that_is_missing_is_refused(filled: Store, home: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="No such file"):
        backup(filled, home, tmp_path / "nowhere" / "desk.tar.zst")


def test_a_full_disk_leaves_nothing_behind(small_disk: Path, filled: Store, home: Path) -> None:
    filled.write_tx(lambda tx: tx.run("INSERT INTO counter (name, value) VALUES (?, 1)", "x" * 4_000_000))

    with pytest.raises(NoSpace, match="no space left for"):
        backup(filled, home, small_disk / "desk.tar")

    assert names_in(small_disk) == []


@pytest.mark.parametrize("point", ["backup.copied", "backup.packed"])
def test_a_backup_that_was_killed_can_be_made_again(
    filled: Store, home: Path, tmp_path: Path, point: str
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    child = SPAWN.Process(target=back_up_until_killed, args=(str(home), str(target / "desk.tar.zst"), point))
    child.start()
    child.join(60)
    left = names_in(target)

    backup(filled, home, target / "desk.tar.zst")

    assert (child.exitcode, "desk.tar.zst" in left) == (-9, False)
    assert names_in(target) == ["desk.tar.zst"]


def test_a_restore_that_was_killed_can_be_made_again(filled: Store, home: Path, tmp_path: Path) -> None:
    backup(filled, home, tmp_path / "desk.tar.zst")
    child = SPAWN.Process(
        target=restore_until_killed,
        args=(str(tmp_path / "desk.tar.zst"), str(tmp_path / "new"), "restore.unpacked"),
    )
    child.start()
    child.join(60)
    has_settings = (tmp_path / "new/desk.toml").exists()

    restored = restore(tmp_path / "desk.tar.zst", tmp_path / "new")

    assert (child.exitcode, has_settings, restored.events) == (-9, False, 21)


def members_of(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def write_members(file: Path, members: dict[str, bytes], *, is_summed_anew: bool = False) -> None:
    """Write a tar as somebody would who knows the format; the manifest stays last."""
    manifest: dict[str, Any] = msgspec.json.decode(members.pop(MANIFEST))
    if is_summed_anew:
        manifest["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    with tarfile.open(file, "w") as tar:
        for name, content in [*members.items(), (MANIFEST, msgspec.json.encode(manifest))]:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
