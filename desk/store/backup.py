"""Back up a running desk into one file, and restore it into an empty home.

The store is copied by SQLite's online backup from one snapshot, while others go on writing; the copy is checked
before the file gets its name, and the whole file once more after it was written.
Reads: the store and the admin's files of the home, not run/, log/ and .git/. A kill leaves nothing but hidden
files *.partial, which the next backup to the same place removes.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from desk import clock, sealing
from desk.errors import DeskError, Invalid, NoSpace
from desk.faults import fault_point
from desk.sealing import Head
from desk.store import archive
from desk.store.archive import Manifest
from desk.store.database import connect
from desk.store.writer import Store

log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]
_PAGES_AT_ONCE = 2000
_SEALS_CHECKED = 1000
_NOT_SAVED = frozenset({"run", "log", ".git", ".schema.lock", ".restoring"})
_NOT_SAVED_ENDINGS = (".tar", ".tar.zst", ".partial")
_SETTINGS = "desk.toml"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_SQLITE_FULL = 13


@dataclass(frozen=True, slots=True)
class Saved:
    """What a backup holds."""

    file: Path
    size: int
    files: int
    events: int
    head: Head


def backup(store: Store, home: Path, file: Path, *, progress: Progress | None = None) -> Saved:
    """Save store and home into `file` (readable by its owner only), compressed when it ends in .zst.

    Args:
        progress: called with the pages done and the pages there are, while the store is copied.

    Raises:
        Invalid: the store is PostgreSQL or damaged, or the file cannot be written. NoSpace: its disk is full.
    """
    if store.engine == "postgresql":
        raise Invalid(
            "this desk's store is PostgreSQL: save it with `pg_dump --format=custom`, and the files of"
            f" {home} with `tar`"
        )
    home, source = home.resolve(), Path(store.database.database).resolve()
    copy, partial = file.with_name(f".{file.name}.db.partial"), file.with_name(f".{file.name}.partial")
    with _translated(file), _removed_after(copy, partial):
        events = _copy_store(source, copy, progress)
        fault_point("backup.copied")
        head = _check_copy(copy, events)
        manifest = _pack(partial, file.name.endswith(".zst"), copy, source, home, events, head)
        fault_point("backup.packed")
        archive.read(partial, None)
        partial.rename(file)
        _sync_folder(file.parent)
        size = file.stat().st_size
    log.info("backup made file=%s size=%s events=%s head=%s:%s", file, size, events, head.seq, head.hash)
    return Saved(file, size, len(manifest.files), events, head)


def restore(file: Path, home: Path) -> Saved:
    """Put a backup into an empty home, which is made when it is missing; everything is verified first.

    Raises:
        Invalid: the home is not empty, or the file is not a whole and untouched backup; the home stays empty.
        NoSpace: the disk of the home is full.
    """
    _check_empty(home)
    folder = home / ".restoring"
    with _translated(file), _removed_after(folder):
        home.mkdir(mode=0o750, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        manifest = archive.read(file, folder)
        fault_point("restore.unpacked")
        head = _check_copy(folder / manifest.database, manifest.events, is_whole=True)
        if head != Head(manifest.seq, manifest.head):
            raise Invalid(f"{file}: the history does not end where the backup says; take another one")
        # the settings come last: without them nothing takes this folder for a home
        for place in sorted(folder.iterdir(), key=lambda path: path.name == _SETTINGS):
            place.rename(home / place.name)
        _sync_folder(home)
    log.info("backup restored file=%s home=%s events=%s", file, home, manifest.events)
    return Saved(file, file.stat().st_size, len(manifest.files), manifest.events, head)


def _copy_store(source: Path, copy: Path, progress: Progress | None) -> int:
    """Copy from one snapshot; the number of events in it."""
    os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with (
        closing(sqlite3.connect(source, isolation_level=None)) as reading,
        closing(sqlite3.connect(copy)) as writing,
    ):
        # Inside a read transaction the copy sees one snapshot. Without it, it begins anew with every commit.
        reading.execute("BEGIN")
        [[events]] = reading.execute("SELECT count(*) FROM event")
        reading.backup(
            writing,
            pages=_PAGES_AT_ONCE,
            progress=None if progress is None else lambda _, left, total: progress(total - left, total),
        )
    return int(events)


def _check_copy(copy: Path, events: int, *, is_whole: bool = False) -> Head:
    """Look whether the copy is sound, holds all events, and is sealed as it should be; its head."""
    with closing(sqlite3.connect(copy)) as reading:
        [[finding], *_] = reading.execute("PRAGMA integrity_check(1)")
        if finding != "ok":
            raise Invalid(f"the store is damaged ({finding}); keep the last good backup")
        [[found]] = reading.execute("SELECT count(*) FROM event")
        if found != events:
            raise Invalid(f"the copy holds {found} of {events} events; try again")
    with closing(Store(connect(f"sqlite:{copy}", copy.parent), "sqlite")) as store:
        verdict = sealing.verify(store, last=None if is_whole else _SEALS_CHECKED)
    if verdict.broken is not None:
        raise Invalid(
            f"the history is broken at seq {verdict.broken}: {verdict.reason}; see `desk audit verify`"
        )
    return verdict.head


def _pack(
    partial: Path, is_compressed: bool, copy: Path, source: Path, home: Path, events: int, head: Head
) -> Manifest:
    name = _name_of(source, home)
    descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        with archive.writing(target, is_compressed=is_compressed) as members:
            with copy.open("rb") as content:
                members.add(name, content, copy.stat().st_size, mtime=clock.now().timestamp())
            for path in _files_of(home, source):
                _add(members, home, path)
            manifest = Manifest(
                format=archive.FORMAT,
                made=clock.iso(clock.now_us()),
                database=name,
                events=events,
                seq=head.seq,
                head=head.hash,
                files=dict(members.files),
            )
            members.close(manifest)
        target.flush()
        os.fsync(target.fileno())
    return manifest


def _name_of(source: Path, home: Path) -> str:
    if source.is_relative_to(home):
        return source.relative_to(home).as_posix()
    log.warning("the store lies outside of the home; restored it is desk.db store=%s", source)
    return "desk.db"


def _add(members: archive.ArchiveWriter, home: Path, path: Path) -> None:
    try:
        content, found = path.read_bytes(), path.stat()
    except FileNotFoundError:  # a letter of an outgoing folder that somebody has taken meanwhile
        return
    members.add(
        path.relative_to(home).as_posix(),
        io.BytesIO(content),
        len(content),
        mode=found.st_mode,
        mtime=found.st_mtime,
    )


def _files_of(home: Path, source: Path) -> Iterator[Path]:
    """The admin's files: regular ones, and links to such."""
    stores = {
        database.with_name(database.name + ending)
        for database in (source, home / "desk.db")
        for ending in ("", "-wal", "-shm", "-journal")
    }
    for folder, subfolders, names in os.walk(home):
        subfolders.sort()
        if Path(folder) == home:
            subfolders[:] = [name for name in subfolders if name not in _NOT_SAVED]
        for name in sorted(names):
            path = Path(folder, name)
            is_data = path in stores or name in _NOT_SAVED or name.endswith(_NOT_SAVED_ENDINGS)
            if not is_data and path.is_file():
                yield path


def _check_empty(home: Path) -> None:
    if home.exists() and not home.is_dir():
        raise Invalid(f"{home} is not a folder; name an empty one")
    names = sorted(path.name for path in home.iterdir()) if home.exists() else []
    if names == [".restoring"]:  # of a restore that was killed before it put anything in place
        return
    if ".restoring" in names:
        raise Invalid(f"{home} holds a restore that did not finish; empty it and restore again")
    if names:
        raise Invalid(f"{home} is not empty (it holds {names[0]}); restore into a new folder")


@contextmanager
def _removed_after(*places: Path) -> Iterator[None]:
    """Leave none of these behind, whatever happens; those of an earlier run that was killed go first."""
    _remove(*places)
    try:
        yield
    finally:
        _remove(*places)


def _remove(*places: Path) -> None:
    for place in places:
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
        for ending in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                place.with_name(place.name + ending).unlink(missing_ok=True)


@contextmanager
def _translated(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _refusal(file, error) from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == _SQLITE_FULL:
            raise NoSpace(f"no space left for {file}; free some on its disk or name another place") from error
        raise Invalid(f"the store cannot be copied ({error}); keep the last good backup") from error


def _refusal(file: Path, error: OSError) -> DeskError:
    if error.errno in _FULL:
        return NoSpace(f"no space left for {file}; free some on its disk or name another place")
    return Invalid(f"{error.filename or file}: {error.strerror}")


def _sync_folder(folder: Path) -> None:
    """Make names durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
