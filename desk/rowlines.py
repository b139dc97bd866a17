"""What travels beside exported events: rows of the store as JSON lines, in files of known names.

Columns are those of the schema. What belongs to one running desk only (the spool, who sends a letter just now)
is left out. A key that the schema does not know is refused: it would be lost.
Trust: the lines are the admin's own, but may come from another version or an editor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Union

import msgspec
from msgspec import Meta, Raw
from peewee import (
    BigAutoField,
    BigIntegerField,
    BooleanField,
    Field,
    IntegerField,
    SmallIntegerField,
    TextField,
)

from desk.errors import Invalid
from desk.store.current import JsonField
from desk.store.schema import (
    Address,
    Attachment,
    Contact,
    Keyring,
    Message,
    MessageIdentity,
    Outbox,
    Participant,
    RoleGrant,
    Technician,
    TechnicianKey,
    Ticket,
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The columns of one table that travel. `fixed` are those that do not, with what an import writes there."""

    table: Any  # a model
    columns: tuple[str, ...]
    fixed: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The table's name in the store."""
        return str(self.table._meta.table_name)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of the primary key, which give the order."""
        return tuple(one.column_name for one in self.table._meta.get_primary_keys())


def _all_but(table: Any, **fixed: Any) -> Rows:
    columns = (one.column_name for one in table._meta.sorted_fields)
    return Rows(table, tuple(name for name in columns if name not in fixed), fixed)


TICKETS = Rows(  # all else of a ticket is what its events say
    Ticket,
    ("number", "subject", "requester", "requester_address", "team", "updated", "collecting", "version"),
)
MESSAGES = _all_but(Message, inbox=None)

# In the order of import. Where several tables share a file, each line names its table.
FILES: dict[str, tuple[Rows, ...]] = {
    "people.jsonl": tuple(_all_but(one) for one in (Contact, Address, Technician, TechnicianKey, RoleGrant)),
    "tickets.jsonl": (TICKETS, _all_but(Participant)),
    "messages.jsonl": (MESSAGES,),
    "attachments.jsonl": (_all_but(Attachment),),
    "letters.jsonl": (_all_but(Outbox, lease=0, holder=""),),
    "identities.jsonl": (_all_but(MessageIdentity),),
    "keyring.jsonl": (_all_but(Keyring),),
}
SECRET = frozenset({"keyring.jsonl"})

_Big = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Middle = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
_Small = Annotated[int, Meta(ge=-(2**15), le=2**15 - 1)]
_TYPES: dict[type[Field], Any] = {
    BigAutoField: _Big,
    BigIntegerField: _Big,
    IntegerField: _Middle,
    SmallIntegerField: _Small,
    BooleanField: bool,
    TextField: str,
    JsonField: Raw,  # carried as it was written
}


def encoder(file: str, rows: Rows) -> Callable[[tuple[Any, ...]], bytes]:
    """A function that turns the columns of a row, as the engine gives them, into a line of that file."""
    named = [("table", rows.name)] if len(FILES[file]) > 1 else []
    kinds = [type(_field(rows, name)) for name in rows.columns]
    encode = msgspec.json.Encoder().encode

    def line(row: tuple[Any, ...]) -> bytes:
        values = (_outside(kind, value) for kind, value in zip(kinds, row, strict=True))
        return encode(dict([*named, *zip(rows.columns, values, strict=True)])) + b"\n"

    return line


def _outside(kind: type[Field], value: Any) -> Any:
    if value is None:
        return None
    if kind is BooleanField:  # SQLite says 0 and 1
        return bool(value)
    return Raw(value.encode()) if kind is JsonField else value


@dataclass(frozen=True, slots=True)
class Line:
    """A row read from a file: its place, its table, and the values of `rows.columns` as the store keeps them."""

    place: str  # file:line
    rows: Rows
    values: tuple[Any, ...]

    def __getitem__(self, column: str) -> Any:
        return self.values[self.rows.columns.index(column)]


def read(folder: Path, file: str) -> Iterator[Line]:
    """The rows of a file of the folder, one after another; empty lines are skipped.

    Raises:
        Invalid: a line is no row of this file's tables, or the file cannot be read.
    """
    decode, by_shape = _decoder(file)
    path = folder / file
    for number, text in _lines(path):
        place = f"{path}:{number}"
        try:
            shape = decode(text)
            rows = by_shape[type(shape)]
            yield Line(place, rows, tuple(_inside(getattr(shape, name)) for name in rows.columns))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise Invalid(f"{place}: this is no row that this version of the desk knows: {error}") from error


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, 1):
                if text.strip():
                    yield number, text
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}") from error


def _inside(value: Any) -> Any:
    if isinstance(value, Raw):
        return bytes(value).decode()
    return value.replace("\0", "") if isinstance(value, str) else value  # PostgreSQL keeps no zero bytes


@cache
def _decoder(file: str) -> tuple[Callable[[bytes], Any], dict[type, Rows]]:
    tables = FILES[file]
    by_shape = {_shape(rows, is_named=len(tables) > 1): rows for rows in tables}
    return msgspec.json.Decoder(Union[tuple(by_shape)]).decode, by_shape  # noqa: UP007  # made at run time


def _shape(rows: Rows, *, is_named: bool) -> type[msgspec.Struct]:
    fields: list[Any] = []
    for name in rows.columns:
        column = _field(rows, name)
        kind = _TYPES[type(column)]
        if column.null:
            fields.append((name, kind | None, None))
        elif column.default is not None:  # of an older export
            fields.append((name, kind, _default(column.default)))
        else:
            fields.append((name, kind))
    named: dict[str, Any] = {"tag_field": "table", "tag": rows.name} if is_named else {}
    return msgspec.defstruct(rows.name, fields, kw_only=True, forbid_unknown_fields=True, **named)


def _default(default: Any) -> Any:
    return Raw(msgspec.json.encode(default())) if callable(default) else default


def _field(rows: Rows, name: str) -> Field:
    return rows.table._meta.columns[name]


def check_complete(folder: Path) -> bool:
    """Whether rows travel with the events; False where there are mails only.

    Raises:
        Invalid: some of the files are there, and some are not.
    """
    missing = [file for file in FILES if not (folder / file).is_file()]
    if missing and len(missing) < len(FILES):
        raise Invalid(
            f"{folder / missing[0]} is missing; an export with --with-mail writes {', '.join(FILES)}"
        )
    return not missing
