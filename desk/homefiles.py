"""The home's files, read into one checked piece of data.

Reads: queues/ calendars/ rota/ templates/ and categories, teams, vendors, policies .toml of a home.
Trust: the admin's own files. On failure: nothing half read; every fault has its file, line and column.
A missing file or folder counts as empty; what is then missed is named by the cross references.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from desk import homecheck
from desk.errors import FileError, NotFound
from desk.forms import LANGUAGES, LanguageCode, read_name, whole
from desk.hometypes import Calendar, HomeFiles, Policy, Queue, Rota, Team, Titles, Vendor
from desk.settings import FILE_NAME, settings_problems
from desk.tomlfile import Document, did_you_mean, parse, read_text

T = TypeVar("T")

_LEVELS = ("1", "2", "3", "4")
_TEMPLATE = re.compile(r"(?P<name>[^.]+)\.(?P<language>[^.]+)\.md")
_Policies = tuple[tuple[tuple[int, ...], ...], dict[str, Policy]]
_MatrixRow = tuple[Annotated[int, whole(1, 5)], ...]


def read_home(home: Path) -> HomeFiles:
    """The home's files; desk.toml and cross references are not looked at (`examine_home` does).

    Raises:
        FileError: the first fault.
    """
    reading = _Reading(home)
    found = _read_all(reading)
    for fault in reading.faults:
        raise fault
    return found


def check_home(home: Path) -> list[FileError]:
    """All faults of desk.toml and the home's files, and of what they say about each other."""
    return examine_home(home)[1]


def examine_home(home: Path) -> tuple[HomeFiles | None, list[FileError]]:
    """The home's files, None if any has a fault of its own, with all faults as `check_home` lists them."""
    reading = _Reading(home)
    found = _read_all(reading)
    own = settings_problems(home)
    settings = None if own else reading.document(home / FILE_NAME)
    faults = own + reading.faults
    crossed = homecheck.cross_references(home, found, settings, reading.documents)
    return (None if faults else found), faults + crossed


def digest(found: HomeFiles) -> str:
    """SHA-256 (hex) of the canonical JSON: equal files, equal digest, whatever their order and layout."""
    return hashlib.sha256(msgspec.json.encode(found, order="sorted")).hexdigest()


@dataclass(slots=True)
class _Reading:
    home: Path
    faults: list[FileError] = field(default_factory=list)
    documents: dict[Path, Document] = field(default_factory=dict)

    def document(self, path: Path) -> Document | None:
        """The parsed file, None if it is missing or cannot be parsed, which is noted."""
        try:
            self.documents[path] = parse(path)
        except NotFound:
            return None
        except FileError as fault:
            self.faults.append(fault)
            return None
        return self.documents[path]

    def file(self, path: Path, read: Callable[[Document], T], empty: T) -> T:
        """What `read` makes of a file; its faults are noted."""
        document = self.document(path)
        if document is None:
            return empty
        value = read(document)
        self.faults += document.in_order()
        return empty if document.faults else value

    def folder(self, name: str, kind: type[T]) -> dict[str, T]:
        """The files NAME.toml of a folder as `kind`, by name."""
        found: dict[str, T] = {}
        for path in sorted((self.home / name).glob("[!.]*.toml")):
            self.check_name(path, path.stem)
            value: T | None = self.file(
                path, lambda document: document.convert(kind, (), document.table), None
            )
            if value is not None:
                found[path.stem] = value
        return found

    def table(self, name: str, kind: type[T]) -> dict[str, T]:
        """A file of named tables."""
        return self.file(self.home / name, lambda document: _named_tables(document, kind), {})

    def check_name(self, path: Path, name: str) -> None:
        try:
            read_name(name)
        except ValueError:
            what = f'is named "{name}"; rename it: lower-case letters, digits, - and _'
            self.faults.append(FileError(str(path), 1, 1, what))


def _read_all(reading: _Reading) -> HomeFiles:
    calendars = reading.folder("calendars", Calendar)
    nothing: _Policies = ((), {})
    matrix, policies = reading.file(reading.home / "policies.toml", _policies, nothing)
    return HomeFiles(
        queues=reading.folder("queues", Queue),
        categories=reading.file(reading.home / "categories.toml", _categories, {}),
        teams=reading.table("teams.toml", Team),
        vendors=reading.table("vendors.toml", Vendor),
        matrix=matrix,
        policies=policies,
        calendars=calendars,
        rotas=reading.folder("rota", Rota),
        templates=_templates(reading),
        holiday_files=_holiday_files(reading, calendars),
    )


def _named_tables(document: Document, kind: type[T], *, without: str | None = None) -> dict[str, T]:
    found = {}
    for key, value in document.table.items():
        if key == without:
            continue
        _check_key(document, (key,))
        found[key] = document.convert(kind, (key,), value)
    return found


def _check_key(document: Document, path: tuple[str, ...]) -> None:
    try:
        read_name(path[-1])
    except ValueError:
        document.fault(path, f'name "{path[-1]}" is not accepted; use lower-case letters, digits, - and _')


def _policies(document: Document) -> _Policies:
    policies = _named_tables(document, Policy, without="matrix")
    if "matrix" not in document.table:
        document.fault(
            (), "this file has no [matrix]; add the table of priorities, rows 1 to 4 of four numbers"
        )
        return (), policies
    rows: dict[str, tuple[int, ...]] = document.convert(
        dict[str, _MatrixRow], ("matrix",), document.table["matrix"]
    )
    if not document.faults:
        _check_matrix(document, rows)
    return tuple(rows.get(level, ()) for level in _LEVELS), policies


def _check_matrix(document: Document, rows: dict[str, tuple[int, ...]]) -> None:
    for level in rows.keys() - set(_LEVELS):
        document.fault(
            ("matrix", level), f'unknown row "{level}" in [matrix]; the rows are the impacts 1 to 4'
        )
    for level in _LEVELS:
        if len(rows.get(level, ())) != len(_LEVELS):
            what = f"[matrix] needs a row {level} of four priorities, like {level} = [1, 2, 3, 4]"
            document.fault(("matrix", level), what)


def _categories(document: Document) -> dict[str, Titles]:
    """Titles by the key's whole path, in the order of the file; nested tables without recursion."""
    found: dict[str, Titles] = {}
    waiting: list[tuple[tuple[str, ...], dict[str, Any]]] = [((), document.table)]
    while waiting:
        path, table = waiting.pop()
        inner = [((*path, key), value) for key, value in table.items() if isinstance(value, dict)]
        for below, _ in inner:
            _check_key(document, below)
        titles = _titles(
            document, path, {key: value for key, value in table.items() if not isinstance(value, dict)}
        )
        if path:
            found[".".join(path)] = titles
        waiting += reversed(inner)
    return found


def _titles(document: Document, path: tuple[str, ...], given: dict[str, Any]) -> Titles:
    titles: Titles = {}
    category = ".".join(path)
    for key, value in given.items():
        language = next((code for code in LANGUAGES if code == key), None)
        if language is None or not path:
            near = did_you_mean(key, LANGUAGES)
            hint = (
                f'did you mean "{near}"?'
                if near and path
                else f"titles stand in a category, as {LANGUAGES[0]} = …"
            )
            document.fault(
                (*path, key), f'unknown key "{key}"' + (f" in [{category}]" if path else "") + f"; {hint}"
            )
        elif not isinstance(value, str) or not value.strip():
            document.fault(
                (*path, key), f"{key} in [{category}] is no title; write text between quotes", at_value=True
            )
        else:
            titles[language] = value
    if path and not given:
        document.fault(path, f'category "{category}" has no title; add en = "…"')
    return titles


def _templates(reading: _Reading) -> dict[str, dict[LanguageCode, str]]:
    found: dict[str, dict[LanguageCode, str]] = {}
    for path in sorted((reading.home / "templates").glob("[!.]*.md")):
        if path.name == "README.md":
            continue
        for name, language, text in _template(reading, path):
            found.setdefault(name, {})[language] = text
    return found


def _template(reading: _Reading, path: Path) -> Iterator[tuple[str, LanguageCode, str]]:
    """The template's name, language and text; nothing if it has a fault, which is noted."""
    match = _TEMPLATE.fullmatch(path.name)
    language = next((code for code in LANGUAGES if match and code == match["language"]), None)
    if match is None or language is None:
        what = f"is no template by its name; name it NAME.LANGUAGE.md, LANGUAGE one of {', '.join(LANGUAGES)}"
        reading.faults.append(FileError(str(path), 1, 1, what))
        return
    reading.check_name(path, match["name"])
    try:
        text = read_text(path)
    except FileError as fault:
        reading.faults.append(fault)
        return
    if not re.match(r"Subject: *\S", text):
        reading.faults.append(
            FileError(str(path), 1, 1, 'has no subject; begin the first line with "Subject: "')
        )
        return
    yield match["name"], language, text


def _holiday_files(reading: _Reading, calendars: dict[str, Calendar]) -> dict[str, str]:
    folder = reading.home / "calendars"
    found: dict[str, str] = {}
    for name, calendar in calendars.items():
        file_name = calendar.holidays.ics
        if file_name is None or file_name in found:
            continue
        document = reading.documents[folder / f"{name}.toml"]
        if Path(file_name).name != file_name:
            document.fault(
                ("holidays", "ics"), f'ics in [holidays] is "{file_name}"; write a file name without /'
            )
        else:
            try:
                found[file_name] = read_text(folder / file_name)
            except NotFound:
                document.fault(
                    ("holidays", "ics"), f'ics in [holidays] names "{file_name}"; put it into {folder}'
                )
            except FileError as fault:
                reading.faults.append(fault)
        reading.faults += document.in_order()
    return found
