"""What the home's files say about each other: every name that one uses must exist in another.

Calendars may also be made by `hours NAME = …` in a rule file; those names are found by their first words
only, because what a rule file means is not this room's business.
A file that is there but broken counts as there: one fault, one error.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from desk.errors import FileError
from desk.hometypes import HomeFiles
from desk.settings import FILE_NAME, Settings
from desk.tomlfile import Document, did_you_mean, named
from desk.tomlplaces import Path as KeyPath

_HOURS = re.compile(r"^[ \t]*hours[ \t]+([\w-]+)[ \t]*=", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Home:
    path: Path
    found: HomeFiles
    documents: Mapping[Path, Document]

    def names(self, place: str) -> Collection[str] | None:
        """The names made in a folder, or in a file of tables; None if that file cannot be read."""
        path = self.path / place
        if path.suffix != ".toml":
            return {one.stem for one in path.glob("[!.]*.toml")}
        if path in self.documents:
            return self.documents[path].table.keys() - {"matrix"}
        return None if path.exists() else ()

    def fault(self, file_name: str, key: KeyPath, message: str) -> FileError:
        """A fault at a value of one of the parsed files."""
        path = self.path / file_name
        line, column = self.documents[path].places.value(key) if path in self.documents else (1, 1)
        return FileError(str(path), line, column, message)

    def unknown(
        self, file_name: str, key: KeyPath, name: str | None, place: str, more: Collection[str] = ()
    ) -> Iterator[FileError]:
        """A fault if a name is not one of those made in `place`, or of `more`."""
        known = self.names(place)
        if name is None or known is None or name in known or name in more:
            return
        near = did_you_mean(name, [*known, *more])
        folder = not place.endswith(".toml")
        remedy = (
            f'did you mean "{near}"?'
            if near
            else f"make {place}/{name}.toml"
            if folder
            else f"add it to {place}"
        )
        yield self.fault(file_name, key, f'{named(key)} is "{name}", which does not exist; {remedy}')


def cross_references(
    home: Path, found: HomeFiles, settings: Document | None, documents: Mapping[Path, Document]
) -> list[FileError]:
    """The faults between files, in the order of files and places.

    Args:
        settings: desk.toml, None if it has faults of its own and cannot be compared.
        documents: the parsed files, for the places.
    """
    whole = _Home(home, found, documents)
    calendars = rule_calendars(home)
    faults = [*_default_calendar(whole), *_queues(whole, calendars), *_swarms_and_teams(whole)]
    faults += _vendors(whole, calendars)
    if settings is not None:
        read: Settings = settings.convert(Settings, (), settings.table)
        faults += _against_settings(whole, read)
    return sorted(faults, key=lambda fault: (fault.path, fault.line, fault.column))


def rule_calendars(home: Path) -> set[str]:
    """The calendars that rule files make by `hours NAME = …`."""
    names: set[str] = set()
    for path in (home / "rules").rglob("*.rules"):
        try:
            names.update(_HOURS.findall(path.read_text("utf-8", "replace")))
        except OSError:
            continue  # `desk rules check` names what is wrong with the file
    return names


def _default_calendar(home: _Home) -> Iterator[FileError]:
    if "default" not in (home.names("calendars") or ()):
        yield home.fault("calendars/default.toml", (), 'calendar "default" does not exist; make this file')


def _queues(home: _Home, calendars: Collection[str]) -> Iterator[FileError]:
    queue_of: dict[str, str] = {}
    for name, queue in home.found.queues.items():
        file_name = f"queues/{name}.toml"
        yield from home.unknown(file_name, ("team",), queue.team, "teams.toml")
        yield from home.unknown(file_name, ("calendar",), queue.calendar, "calendars", calendars)
        yield from home.unknown(file_name, ("policy",), queue.policy, "policies.toml")
        for index, address in enumerate(queue.addresses):
            other = queue_of.setdefault(address, name)
            if other != name or address in queue.addresses[:index]:
                what = f'address "{address}" is already in queues/{other}.toml; keep it in one place'
                yield home.fault(file_name, ("addresses", index), what)


def _swarms_and_teams(home: _Home) -> Iterator[FileError]:
    for name, queue in home.found.queues.items():
        for swarm, terms in queue.swarm.items():
            yield from home.unknown(f"queues/{name}.toml", ("swarm", swarm, "rota"), terms.rota, "rota")
    for name, team in home.found.teams.items():
        yield from home.unknown("teams.toml", (name, "rota"), team.rota, "rota")


def _vendors(home: _Home, calendars: Collection[str]) -> Iterator[FileError]:
    vendor_of: dict[str, str] = {}
    for name, vendor in home.found.vendors.items():
        yield from home.unknown("vendors.toml", (name, "calendar"), vendor.calendar, "calendars", calendars)
        other = vendor_of.setdefault(vendor.address, name)
        if other != name:
            what = f'address "{vendor.address}" is already that of [{other}]; give each vendor its own'
            yield home.fault("vendors.toml", (name, "address"), what)


def _against_settings(home: _Home, settings: Settings) -> Iterator[FileError]:
    yield from home.unknown(FILE_NAME, ("desk", "queue"), settings.desk.queue, "queues")
    ours = set(settings.desk.addresses)
    for name, queue in home.found.queues.items():
        for index, address in enumerate(queue.addresses):
            if address not in ours:
                what = f'address "{address}" is not in addresses of [desk] in {FILE_NAME}; add it there'
                yield home.fault(f"queues/{name}.toml", ("addresses", index), what)
    for name, vendor in home.found.vendors.items():
        if vendor.address in ours:
            what = f'address "{vendor.address}" is the desk\'s own; write where the vendor reads'
            yield home.fault("vendors.toml", (name, "address"), what)
