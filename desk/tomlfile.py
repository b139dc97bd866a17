"""A TOML file of the admin, read into a typed struct; every fault with file, line, column and remedy.

Types understood: msgspec Structs, `dict[str, T]`, `tuple[T, ...]`, `T | None`, Literal, text, numbers,
yes/no, dates, and any of these with a Form beside it in Annotated, which reads and checks the value.
A Struct's `__post_init__` may raise Misfit for keys that do not go together.
Trust: the file is the admin's; it may be wrong, it is not hostile.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from desk import tomlplaces
from desk.errors import FileError, NotFound

T = TypeVar("T")

_SYNTAX = re.compile(
    r"(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)
_SHOWN = 60  # code points of a wrong value that a message repeats

_WANTED = {
    str: 'write text between quotes, like "text"',
    bool: "write true or false, without quotes",
    int: "write a whole number, without quotes",
    float: "write a number, without quotes",
    date: "write a date like 2026-11-02, without quotes",
}


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """How a value is written and read; stands beside the type in Annotated.

    Attributes:
        name: what the settings reference calls it.
        remedy: what to write instead, as the end of the sentence "... is 5; ".
        read: from the TOML value; raises ValueError, whose text, if any, is the remedy for that value.
        show: back to what stands in the file.
        secret: messages never repeat the value.
    """

    name: str
    remedy: str
    read: Callable[[Any], T]
    show: Callable[[Any], str] = str
    secret: bool = False


class Misfit(ValueError):
    """Keys of one table do not go together. `key` is the one to point at, None the table."""

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


@dataclass(slots=True)
class Document:
    """One file: its tables as tomllib gives them, where everything stands, and the faults found so far."""

    path: Path
    table: dict[str, Any]
    places: tomlplaces.Places
    faults: list[FileError] = field(default_factory=list)

    def fault(self, path: tomlplaces.Path, message: str, *, at_value: bool = False) -> None:
        """Note a fault at a key, or at its value."""
        line, column = self.places.value(path) if at_value else self.places.key(path)
        self.faults.append(FileError(str(self.path), line, column, message))

    def convert(self, kind: Any, path: tomlplaces.Path, value: object) -> Any:
        """The value as `kind`; faults are noted, and what is returned then must not be used."""
        return _convert(self, kind, path, value)

    def in_order(self) -> list[FileError]:
        """The faults by their place in the file."""
        return sorted(self.faults, key=lambda fault: (fault.line, fault.column))


def load(path: Path, type: type[T], *, data: bytes | None = None) -> T:  # noqa: A002 - the plain word
    """The file as a `type` (a Struct); `data` instead of the file's bytes if given.

    Raises:
        NotFound: there is no such file.
        FileError: the first fault by its place.
    """
    document = parse(path, data=data)
    value: T = document.convert(type, (), document.table)
    for fault in document.in_order():
        raise fault
    return value


def problems(path: Path, type: type[Any], *, data: bytes | None = None) -> list[FileError]:  # noqa: A002
    """All faults of the file, in order; after a syntax error nothing more can be found."""
    try:
        document = parse(path, data=data)
    except FileError as fault:
        return [fault]
    except NotFound as missing:
        return [FileError(str(path), 1, 1, str(missing))]
    document.convert(type, (), document.table)
    return document.in_order()


def parse(path: Path, *, data: bytes | None = None) -> Document:
    """The file as a document, of which parts can be converted one by one.

    Raises:
        NotFound: there is no such file.
        FileError: it cannot be read, is not UTF-8 or is not TOML.
    """
    text = read_text(path, data=data)
    try:
        table = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and that of integers with thousands of digits
        raise _syntax_error(path, text, str(error)) from error
    except RecursionError as error:
        raise FileError(str(path), 1, 1, "brackets are nested too deeply; write it flatter") from error
    return Document(path, table, tomlplaces.find_places(text))


def read_text(path: Path, *, data: bytes | None = None) -> str:
    """The text of an admin's file, with `\\n` line ends and without a byte order mark.

    Raises:
        NotFound: there is no such file.
        FileError: it cannot be read or is not UTF-8.
    """
    try:
        raw = path.read_bytes() if data is None else data
    except FileNotFoundError as error:
        raise NotFound(f"{path} does not exist") from error
    except OSError as error:
        raise FileError(str(path), 1, 1, f"cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise FileError(str(path), line, column, "is not UTF-8 here; save the file as UTF-8") from error


def did_you_mean(wrong: str, known: Iterable[str]) -> str | None:
    """The known word nearest to a wrong one, if one is near."""
    near = difflib.get_close_matches(wrong.lower(), list(known), n=1, cutoff=0.6)
    return near[0] if near else None


def named(path: tomlplaces.Path) -> str:
    """`listen in [smtp]`: how messages name a key."""
    if not path:
        return "this file"
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of {named(path[:-1])}"
    table = _header(path[:-1])
    return f"{path[-1]} in {table}" if table else str(path[-1])


def shown(value: object) -> str:
    """A value as a message repeats it, cut when it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _header(path: tomlplaces.Path) -> str:
    names = [str(part) for part in path if isinstance(part, str)]
    if not names:
        return ""
    return f"[[{'.'.join(names)}]]" if isinstance(path[-1], int) else f"[{'.'.join(names)}]"


def _syntax_error(path: Path, text: str, message: str) -> FileError:
    match = _SYNTAX.fullmatch(message)
    if match is None:
        return FileError(str(path), 1, 1, message)
    what = match["what"]
    if match["line"]:
        return FileError(str(path), int(match["line"]), int(match["column"]), what)
    return FileError(
        str(path), text.count("\n") + 1, len(text) - text.rfind("\n"), f"{what} at the end of the file"
    )


def _convert(document: Document, kind: Any, path: tomlplaces.Path, value: object) -> Any:
    kind, form = plain(kind)
    if form is not None:
        return _by_form(document, form, path, value)
    origin = get_origin(kind)
    if origin is Literal:
        return _one_of(document, get_args(kind), path, value)
    if origin is tuple:
        return _items(document, get_args(kind)[0], path, value)
    if origin is dict:
        return _entries(document, get_args(kind)[1], path, value)
    if issubclass(kind, msgspec.Struct):
        return _struct(document, kind, path, value)
    return _scalar(document, kind, path, value)


def plain(kind: Any) -> tuple[Any, Form[Any] | None]:
    """The type without Annotated and `| None`, and the Form found on the way."""
    form: Form[Any] | None = None
    while True:
        if get_origin(kind) is Annotated:
            form = next((mark for mark in kind.__metadata__ if isinstance(mark, Form)), form)
            kind = kind.__origin__
        elif get_origin(kind) in (Union, UnionType):
            kind = next(one for one in get_args(kind) if one is not NoneType)
        else:
            return kind, form


def _by_form(document: Document, form: Form[Any], path: tomlplaces.Path, value: object) -> Any:
    try:
        return form.read(value)
    except ValueError as error:
        what = "is not accepted" if form.secret else f"is {shown(value)}"
        document.fault(path, f"{named(path)} {what}; {str(error) or form.remedy}", at_value=True)
        return None


def _one_of(document: Document, words: tuple[str, ...], path: tomlplaces.Path, value: object) -> Any:
    if isinstance(value, str) and value in words:
        return value
    near = did_you_mean(value, words) if isinstance(value, str) else None
    remedy = f'did you mean "{near}"?' if near else f"it must be one of {', '.join(words)}"
    document.fault(path, f"{named(path)} is {shown(value)}; {remedy}", at_value=True)
    return None


def _items(document: Document, kind: Any, path: tomlplaces.Path, value: object) -> tuple[Any, ...]:
    if not isinstance(value, list):
        remedy = "write a list between [ and ]"
        if is_struct(plain(kind)[0]):
            remedy = f"write it as [{_header(path)}]"
        document.fault(path, f"{named(path)} is {_what(value)}; {remedy}", at_value=True)
        return ()
    return tuple(_convert(document, kind, (*path, index), item) for index, item in enumerate(value))


def _entries(document: Document, kind: Any, path: tomlplaces.Path, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        document.fault(path, f"{named(path)} is {_what(value)}; write it as a table", at_value=True)
        return {}
    return {key: _convert(document, kind, (*path, key), item) for key, item in value.items()}


def _struct(document: Document, kind: type[Any], path: tomlplaces.Path, value: object) -> Any:
    if not isinstance(value, dict):
        remedy = f"write it as a table that begins with {_header(path) or '[...]'}"
        document.fault(path, f"{named(path)} is {_what(value)}; {remedy}", at_value=True)
        return None
    faults_before = len(document.faults)
    fields = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    unknown = value.keys() - fields.keys()
    for key in unknown:
        document.fault((*path, key), _unknown(path, key, value[key], fields))
    meant = {did_you_mean(key, fields) for key in unknown}  # a misspelt key is not a missing one besides
    for key, one in fields.items():
        if one.required and key not in value and key not in meant:
            document.fault(path, _missing(path, key, one))
    given = {
        one.name: _convert(document, one.type, (*path, key), value[key])
        for key, one in fields.items()
        if key in value
    }
    if len(document.faults) > faults_before:
        return None
    return _made(document, kind, path, given)


def _made(document: Document, kind: type[Any], path: tomlplaces.Path, given: dict[str, Any]) -> Any:
    try:
        return kind(**given)
    except Misfit as misfit:
        place = path if misfit.key is None else (*path, misfit.key)
        document.fault(place, f"{_header(path) or 'this file'} {misfit}")
        return None


def _scalar(document: Document, kind: type[Any], path: tomlplaces.Path, value: object) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is kind:
        return value
    document.fault(path, f"{named(path)} is {_what(value)}; {_WANTED[kind]}", at_value=True)
    return None


def _what(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    return str(value) if isinstance(value, date | datetime) else shown(value)


def _unknown(path: tomlplaces.Path, key: str, value: object, fields: Mapping[str, Any]) -> str:
    near = did_you_mean(key, fields)
    table = _header(path)
    if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
        header = _header((*path, key))
        what = f"unknown table {f'[{header}]' if isinstance(value, list) else header}"
        hint = near and f"did you mean {_table_header((*path, near), fields[near].type) or near}?"
    else:
        what = f'unknown key "{key}"' + (f" in {table}" if table else "")
        hint = near and f'did you mean "{near}"?'
    return f"{what}; {hint or 'known are ' + ', '.join(fields)}"


def _missing(path: tomlplaces.Path, key: str, one: msgspec.structs.FieldInfo) -> str:
    example, table = example_of(one.type), _table_header((*path, key), one.type)
    what = f'{_header(path) or "this file"} has no "{key}"'
    if table:
        return f"{what}; add the table {table}"
    return f"{what}; add {key} = {example}" if example else f"{what}; add it"


def _table_header(path: tomlplaces.Path, kind: Any) -> str:
    """The header to write for a field that is a table, or an array of them; empty for other fields."""
    whole = plain(kind)[0]
    if get_origin(whole) is tuple and is_struct(plain(get_args(whole)[0])[0]):
        return f"[{_header(path)}]"
    return _header(path) if is_struct(whole) else ""


def is_struct(kind: object) -> bool:
    """Whether a plain type is a table of its own."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def about(sentence: str, example: str | None = None) -> msgspec.Meta:
    """What stands beside a field in Annotated: its entry in the reference, and an example as TOML."""
    return msgspec.Meta(description=sentence, examples=None if example is None else [example])


def example_of(kind: Any) -> str | None:
    """The example beside a field's type, as it stands in a file: the `examples` of its msgspec.Meta."""
    for mark in getattr(kind, "__metadata__", ()):
        if isinstance(mark, msgspec.Meta) and mark.examples:
            return str(mark.examples[0])
    return None
