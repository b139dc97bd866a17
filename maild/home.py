"""Bring the home's files into the store: whole and checked, or not at all.

Reads: the files of the home. Writes: the snapshot. On failure: the old snapshot stays, and the faults say
file, line and column.
"""

from __future__ import annotations

import logging
from pathlib import Path

from desk import regionalwords, snapshots
from desk.errors import FileError
from desk.homefiles import digest, examine_home
from desk.hometypes import HomeFiles
from desk.languages.regional import HOME_FILE, Group, home_groups
from desk.service import Desk

log = logging.getLogger(__name__)
_PARTS = ("queues", "calendars", "rota", "templates", "rules")
_FILES = ("desk.toml", "categories.toml", "teams.toml", "vendors.toml", "policies.toml", HOME_FILE)


def refresh(desk: Desk) -> list[FileError]:
    """Read the files, and keep them as the snapshot when nothing is wrong with them; the faults."""
    files, faults = examine_home(desk.home)
    words, wrong_words = _words(desk)
    faults = [*faults, *wrong_words]
    if files is None or faults:
        _use_kept(desk)
        for fault in faults:
            log.error("home file refused %s", fault)
        return faults
    _keep(desk, files)
    _keep_words(desk, words)
    return []


def _use_kept(desk: Desk) -> None:
    with desk.reading():
        kept = snapshots.current()
    if kept is not None:
        desk.postroom.use(kept[1])


def _words(desk: Desk) -> tuple[list[Group], list[FileError]]:
    """The home's own regional words for the search, and what is wrong with their file."""
    try:
        return home_groups(desk.home), []
    except FileError as fault:
        return [], [fault]


def _keep_words(desk: Desk, words: list[Group]) -> None:
    with desk.reading():
        are_kept = regionalwords.are_kept(words)
    if not are_kept:
        desk.store.write_tx(lambda tx: regionalwords.replace(tx, words))


def _keep(desk: Desk, files: HomeFiles) -> None:
    found = digest(files)
    with desk.reading():
        kept = snapshots.current()
    if kept is None or kept[0] != found:
        desk.store.write_tx(lambda tx: snapshots.replace(tx, files, found))
        log.info("home files taken digest=%s", found[:16])
    desk.postroom.use(files)


def stamp(home: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, times and sizes of the files that `refresh` reads: cheap to compare, changes when they do."""
    paths = [home / name for name in _FILES]
    for part in _PARTS:
        paths += sorted((home / part).glob("**/*"))
    found = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:  # gone while we looked
            continue
        found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)
