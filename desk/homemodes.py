"""Who may write the home and read its password: what stops the daemon, and what `desk doctor` names."""

from __future__ import annotations

import stat
from pathlib import Path

from desk.errors import FileError, NotFound
from desk.settings import FILE_NAME, load_settings

_FOLDERS = ("rules", "templates", "queues", "calendars", "rota")


def refusals(home: Path) -> list[str]:
    """Why the daemon must not start: others could rewrite the home, or read its password."""
    places = [home, home / FILE_NAME]
    for name in _FOLDERS:
        places += [home / name, *sorted((home / name).rglob("*"))]
    found = [
        f"{place} can be written by everybody; run: chmod o-w {place}"
        for place in places
        if _mode(place) & stat.S_IWOTH
    ]
    return found + _readable_secret(home, stat.S_IROTH, "everybody", "o-r")


def warnings(home: Path) -> list[str]:
    """What `desk doctor` names about file modes: all refusals, and a password its group can read."""
    return refusals(home) + _readable_secret(home, stat.S_IRGRP, "its group", "g-r")


def _readable_secret(home: Path, bit: int, who: str, change: str) -> list[str]:
    path = home / FILE_NAME
    if not _mode(path) & bit:
        return []
    try:
        holds_secret = load_settings(home).store.has_password
    except (FileError, NotFound):
        return []
    return (
        [f"{path} holds a password and can be read by {who}; run: chmod {change} {path}"]
        if holds_secret
        else []
    )


def _mode(place: Path) -> int:
    try:
        return place.stat().st_mode
    except OSError:
        return 0
