"""Take in the rows that travel beside exported events, and the bytes of files and letters.

What the events say of a ticket is theirs; the rows add texts, people, letters and keys, under the ids they had.
Trust: the admin's own files; nothing in them is executed, and no name in them becomes a path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from pathlib import Path

from desk.errors import Invalid
from desk.export import checked_sha256
from desk.fold import Fold
from desk.rebuild import continue_ids, write_tickets
from desk.rowlines import FILES, MESSAGES, TICKETS, Line, Rows, read
from desk.store.writer import Transaction

_PAGE = 200
_FILLED = ("contact", "technician", "outbox", "attachment")
_UPDATE_TICKET = (
    "UPDATE ticket SET "
    + ", ".join(f"{name} = ?" for name in TICKETS.columns[1:])
    + " WHERE number = ? AND requester = 0"
)


def bytes_beside(folder: Path) -> Iterator[str]:
    """The sha256 of all files and letters that the rows name, some more than once.

    Raises:
        Invalid: what a row names is no sha256.
    """
    for file, column in (("attachments.jsonl", "sha256"), ("letters.jsonl", "blob")):
        for line in read(folder, file):
            if line[column]:  # empty once it was erased
                yield _checked(line, column)


def _checked(line: Line, column: str) -> str:
    sha256 = checked_sha256(line[column])
    if sha256 is None:
        raise Invalid(f"{line.place}: {column} {line[column]!r} is no sha256 in hex")
    return sha256


def write_beside(tx: Transaction, folder: Path, state: Fold) -> int:
    """Write tickets as the events tell them, and all rows of the folder; the number of messages.

    Raises:
        Invalid: a row names what is not there, or is there twice; with its file:line.
    """
    _check_empty(tx)
    write_tickets(tx, state, lambda address, since_us: 0)  # the rows tell who
    tx.run("DELETE FROM keyring")  # a new home's own key has signed nothing
    for file in FILES:
        for rows, lines in groupby(read(folder, file), key=lambda line: line.rows):
            if rows is TICKETS:
                _complete_tickets(tx, lines, state)
            else:
                _insert_all(tx, rows, lines, state)
    _check_complete(tx, folder)
    tx.run("INSERT INTO search_waiting (message) SELECT id FROM message")
    for tables in FILES.values():
        for rows in tables:
            if rows.keys == ("id",):
                continue_ids(tx, rows.name)
    return int(tx.rows("SELECT count(*) FROM message")[0][0])


def _check_empty(tx: Transaction) -> None:
    for table in _FILLED:
        if tx.rows(f"SELECT 1 FROM {table} LIMIT 1"):
            raise Invalid(f"the store is not empty (table {table}); import into a new home (`desk init`)")


def _complete_tickets(tx: Transaction, lines: Iterable[Line], state: Fold) -> None:
    for line in lines:
        number, *values = line.values
        _check_ticket(line, number, state)
        if tx.run(_UPDATE_TICKET, *values, number) == 0:
            raise Invalid(f"{line.place}: ticket {number} stands in this file before")


def _check_complete(tx: Transaction, folder: Path) -> None:
    without = tx.rows("SELECT min(number) FROM ticket WHERE requester = 0")[0][0]
    if without is not None:
        raise Invalid(f"{folder / 'tickets.jsonl'}: ticket {without} of the events is missing in it")


def _check_ticket(line: Line, number: int | None, state: Fold) -> None:
    if number is not None and number not in state.tickets:
        raise Invalid(f"{line.place}: the events tell of no ticket {number}; both must be of one export")


def _insert_all(tx: Transaction, rows: Rows, lines: Iterable[Line], state: Fold) -> None:
    rest = iter(lines)
    while page := list(islice(rest, _PAGE)):
        if rows is MESSAGES:
            for line in page:
                _check_ticket(line, line["ticket"], state)
        _insert(tx, rows, page)


def _insert(tx: Transaction, rows: Rows, page: list[Line]) -> None:
    """Write a page; when one of its rows is refused, write them one by one to find it."""
    fixed = tuple(rows.fixed.values())
    with tx.database.savepoint() as part:
        values = (value for line in page for value in (*line.values, *fixed))
        if tx.run(_statement(rows, len(page)), *values) == len(page):
            return
        part.rollback()
    for line in page:
        if tx.run(_statement(rows, 1), *line.values, *fixed) == 0:
            raise Invalid(f"{line.place}: another row of {rows.name} has the same key")


def _statement(rows: Rows, count: int) -> str:
    names = (*rows.columns, *rows.fixed)
    marks = "(" + ", ".join("?" * len(names)) + ")"
    columns = ", ".join(f'"{name}"' for name in names)
    return f"INSERT INTO {rows.name} ({columns}) VALUES {', '.join([marks] * count)} ON CONFLICT DO NOTHING"
