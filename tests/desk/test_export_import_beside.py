"""With a folder beside the events a desk comes back whole: texts, mails, files, letters, people and keys."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import stat
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from orders_parts import ROOT, Shop
from peewee import fn

from desk import sealing
from desk.commands import (
    AddKey,
    AddNote,
    ChangeContact,
    ChangePreference,
    ErasePerson,
    File,
    Merge,
    MergeContacts,
    Reply,
    SetFields,
    Undo,
)
from desk.errors import Invalid
from desk.export import Exported, export_events
from desk.import_events import Imported, import_events
from desk.letter import Attachment as Part
from desk.letters import tokens
from desk.reads.queues import ticket_list
from desk.reads.tickets import ticket_show
from desk.rowlines import FILES
from desk.search_index import index_waiting
from desk.store.database import connect, engine_of
from desk.store.migrate import migrate
from desk.store.schema import (
    TABLES,
    Attachment,
    Contact,
    Event,
    Keyring,
    Message,
    Outbox,
    RoleGrant,
    SearchWaiting,
    Ticket,
)
from desk.store.writer import Store, Transaction
from tests.real.servers.postgresql import PostgreSQL

KEY = (
    "ssh-ed25519 " + b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + b"k" * 32).decode() + " tess@desk.example"
)
PICTURE = b"\x89PNG\x00\xff smoke"
CARRIED = {table.__name__ for table in TABLES} - {
    "Counter", "Lease", "Snapshot", "Inbox", "Blob", "SearchWaiting", "Event", "EventText", "Seal",
}  # fmt: skip
LEFT_OUT = {"inbox", "lease", "holder"}


def opened(home: Path, url: str) -> Store:
    home.mkdir(exist_ok=True)
    database = connect(url, home)
    migrate(database, engine_of(url), home)
    return Store(database, engine_of(url))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store to import into, once for each engine."""
    is_sqlite = request.param == "sqlite"
    url = "sqlite:desk.db" if is_sqlite else request.getfixturevalue("postgresql_url")
    with closing(opened(tmp_path / "new", url)) as store:
        yield store


@pytest.fixture
def worked(shop: Shop) -> Shop:
    """A desk whose history holds what events alone do not tell."""
    picture = Part(
        "印表機.png", "image/png", len(PICTURE), hashlib.sha256(PICTURE).hexdigest(), False, PICTURE
    )
    first = shop.ticket_of(
        shop.mail("a@client.example", "It smokes.\n> quoted\n列印不了", attachments=[picture])
    )
    other = shop.ticket_of(shop.mail("b@other.example", "My screen is dark."))
    shop.mail("a@client.example", "Still smoking.", ticket=first)
    shop.mail("x@stranger.example", "Let me in.", ticket=first, way="hold")
    shop.order(
        Reply(first, "Switch it **off**.", files=(File("how.txt", "text/plain", b"Pull the plug.\n"),))
    )
    shop.send_all()
    shop.order(Reply(other, "Turn it on.", resolve=True, now=True))
    shop.order(AddNote(first, "Bring a bucket."))
    shop.order(AddNote(first, "Not this one."))
    shop.order(Undo(first))
    third = shop.open("c@client.example", category="hardware.printer", send_copy=True)
    gone = shop.open("gone@client.example", subject="Private", text="Nobody shall know.")
    shop.order(SetFields(third, (("tag", "+smoke"), ("priority", "high"))))
    shop.order(Merge(third, first))
    shop.order(AddKey("tess", KEY), ROOT)
    shop.order(ChangePreference("tess", "signature", "Tess ☕"))
    shop.order(ChangeContact("a@client.example", (("organisation", "Client Ltd"), ("vip", "yes"))), "lea")
    shop.order(MergeContacts("a@client.example", "c@client.example"), "ada")
    shop.order(ErasePerson("gone@client.example"), "ada")
    shop.order(AddNote(gone, "All is erased."))
    return shop


def exported(store: Store, folder: Path) -> tuple[bytes, Exported]:
    out = io.BytesIO()
    written = export_events(store, out, mail=folder)
    return out.getvalue(), written


def imported(store: Store, lines: bytes, folder: Path) -> Imported:
    return import_events(store, io.BytesIO(lines), mail=folder)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def shown(store: Store) -> list[Any]:
    with store.reading():
        return [ticket_show(row.number) for row in Ticket.select().order_by(Ticket.number)]


def carried_rows(store: Store) -> dict[str, list[Any]]:
    """All rows of the tables that come back, without the columns that stay behind."""
    with store.reading():
        return {
            table.__name__: [
                {key: value for key, value in row.__data__.items() if key not in LEFT_OUT}
                for row in sorted(table.select(), key=lambda row: str(row._pk))
            ]
            for table in TABLES
            if table.__name__ in CARRIED
        }


def test_a_desk_comes_back_whole(worked: Shop, empty: Store, tmp_path: Path) -> None:
    lines, written = exported(worked.desk.store, tmp_path / "beside")

    done = imported(empty, lines, tmp_path / "beside")

    assert shown(empty) == shown(worked.desk.store)
    assert carried_rows(empty) == carried_rows(worked.desk.store)
    assert (done.tickets, done.messages) == (4, len(worked.rows(Message)))
    assert (done.mails, done.files) == (written.mails, written.files)
    assert (written.files, written.missing) == (5, 0)
    assert sealing.verify(empty).broken is None


def test_the_second_export_has_the_same_bytes(worked: Shop, empty: Store, tmp_path: Path) -> None:
    first, _ = exported(worked.desk.store, tmp_path / "first")
    imported(empty, first, tmp_path / "first")

    second, _ = exported(empty, tmp_path / "second")

    assert second == first
    assert content(tmp_path / "second") == content(tmp_path / "first")
    assert set(FILES) < set(content(tmp_path / "second"))


def test_from_postgresql_back_to_sqlite_the_bytes_are_the_same(
    worked: Shop, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    first, _ = exported(worked.desk.store, tmp_path / "first")
    with closing(opened(tmp_path / "one", postgresql.fresh_database())) as middle:
        imported(middle, first, tmp_path / "first")
        second, _ = exported(middle, tmp_path / "second")
    with closing(opened(tmp_path / "two", "sqlite:desk.db")) as last:
        imported(last, second, tmp_path / "second")
        third, _ = exported(last, tmp_path / "third")

    assert third == first
    assert content(tmp_path / "third") == content(tmp_path / "first")


def test_search_finds_the_texts_after_an_import(worked: Shop, empty: Store, tmp_path: Path) -> None:
    lines, _ = exported(worked.desk.store, tmp_path / "beside")
    imported(empty, lines, tmp_path / "beside")
    with empty.reading():
        waiting = sorted(row.message for row in SearchWaiting.select())
        messages = sorted(row.id for row in Message.select())

    while index_waiting(empty):
        pass

    with empty.reading():
        found = [
            [row["number"] for row in ticket_list(text, limit=0, me=None)]
            for text in ("列印", '"still smoking"', "dark status:resolved", "nobody")
        ]
    assert found == [[1], [1], [2], []]
    assert waiting == messages


def test_the_reply_addresses_of_old_letters_stay_good(worked: Shop, empty: Store, tmp_path: Path) -> None:
    letter = worked.letters(1)[0]
    claimed = tokens.find_in_message_id(letter.message_id, "desk.example")
    lines, _ = exported(worked.desk.store, tmp_path / "beside")
    empty.write_tx(lambda tx: tx.run("INSERT INTO keyring (epoch, key, made) VALUES (1, 'aa', 1)"))

    imported(empty, lines, tmp_path / "beside")

    with empty.reading():
        keys = {row.epoch: bytes.fromhex(row.key) for row in Keyring.select()}
        known = Outbox.get(Outbox.message_id == letter.message_id)
    assert claimed is not None
    token = tokens.verify(keys, claimed)
    assert isinstance(token, tokens.Token)
    assert (token.kind, token.ticket, token.participant) == ("r", 1, letter.contact)
    assert (known.id, known.ticket, known.message) == (letter.id, 1, letter.message)


def test_ids_go_on_after_an_import(worked: Shop, empty: Store, tmp_path: Path) -> None:
    lines, _ = exported(worked.desk.store, tmp_path / "beside")
    imported(empty, lines, tmp_path / "beside")
    last = {row.__name__: highest(empty, row) for row in NUMBERED}

    def add(tx: Transaction) -> list[int]:
        name = "INSERT INTO contact (name, said_name, organisation, vip, created) VALUES ('', '', '', ?, 1)"
        role = "INSERT INTO role_grant (technician, role, queue) VALUES (1, 'observer', 'x')"
        file = (
            "INSERT INTO attachment (message, name, type, size, sha256, inline) VALUES (1, '', '', 0, '', ?)"
        )
        message = Message.insert(
            direction=2, kind="note", audience="internal", author_kind="system", author="", at=1
        )
        letter = Outbox.insert(kind="reply", message_id="<n>", recipient="", blob="", created=1, run_at=1)
        return [
            *(tx.insert(name, False), tx.insert(role), tx.insert(file, False)),
            *(message.execute(), letter.execute()),
        ]

    assert empty.write_tx(add) == [number + 1 for number in last.values()]


NUMBERED = (Contact, RoleGrant, Attachment, Message, Outbox)


def highest(store: Store, table: Any) -> int:
    """The highest id."""
    with store.reading():
        return int(table.select(fn.MAX(table.id)).scalar())


def test_the_keys_are_for_their_owner_only(worked: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "beside"
    folder.mkdir()
    (folder / "keyring.jsonl").write_text("an old one that all may read")
    (folder / "keyring.jsonl").chmod(0o644)

    exported(worked.desk.store, folder)

    secret = [row.key for row in worked.rows(Keyring)]
    assert stat.S_IMODE((folder / "keyring.jsonl").stat().st_mode) == 0o600
    holding = [name for name, text in content(folder).items() if any(key.encode() in text for key in secret)]
    assert (len(secret), holding) == (1, ["keyring.jsonl"])
    assert list(folder.glob("*.part")) == []


def test_an_export_is_of_one_instant(worked: Shop, tmp_path: Path) -> None:
    notes = iter(["While the export runs."])

    class Interrupting(io.BytesIO):
        def write(self, data: Any) -> int:
            for text in notes:
                worked.order(AddNote(1, text))
            return super().write(data)

    out = Interrupting()
    export_events(worked.desk.store, out, mail=tmp_path / "beside")

    messages = (tmp_path / "beside" / "messages.jsonl").read_bytes()
    assert len(messages.splitlines()) == len(worked.rows(Message)) - 1
    assert out.getvalue().count(b'"note.added"') == messages.count(b'"kind":"note"') == 3


Spoil = Callable[[Path], object]


def change(file: str, edit: Callable[[list[Any]], object]) -> Spoil:
    """A fault: the rows of a file, edited."""

    def spoil(folder: Path) -> None:
        rows = [json.loads(line) for line in (folder / file).read_bytes().splitlines()]
        edit(rows)
        (folder / file).write_text("".join(json.dumps(row) + "\n" for row in rows))

    return spoil


def text_of(file: str, text: bytes) -> Spoil:
    return lambda folder: (folder / file).write_bytes(text)


FAULTS: dict[str, tuple[Spoil, str]] = {
    "a key of another version": (
        change("messages.jsonl", lambda rows: rows[1].update(mood="bad")),
        "messages.jsonl:2: .*unknown field `mood`",
    ),
    "a key that stays behind": (
        change("letters.jsonl", lambda rows: rows[0].update(holder="x")),
        "letters.jsonl:1: .*unknown field `holder`",
    ),
    "a key too few": (
        change("messages.jsonl", lambda rows: rows[0].pop("at")),
        "messages.jsonl:1: .*missing required field `at`",
    ),
    "a table that nobody knows": (
        change("people.jsonl", lambda rows: rows[2].update(table="secret")),
        "people.jsonl:3: .*'secret'",
    ),
    "a number too large": (
        change("attachments.jsonl", lambda rows: rows[0].update(id=1 << 63)),
        "attachments.jsonl:1: .*`int`",
    ),
    "no JSON": (text_of("identities.jsonl", b"\n{]\n"), "identities.jsonl:2: .*malformed"),
    "a deep line": (text_of("keyring.jsonl", b'{"a":' + b"[" * 10_000), "keyring.jsonl:1: "),
    "no UTF-8": (text_of("letters.jsonl", b'{"answer": "\xff"}'), "letters.jsonl:1: "),
    "a row twice": (
        change("messages.jsonl", lambda rows: rows.append(rows[0])),
        "messages.jsonl:13: another row of message has the same key",
    ),
    "a ticket twice": (
        change("tickets.jsonl", lambda rows: rows.insert(1, rows[0])),
        "tickets.jsonl:2: ticket 1 stands in this file before",
    ),
    "a ticket too few": (
        change("tickets.jsonl", lambda rows: rows.pop(1)),
        "tickets.jsonl: ticket 2 of the events is missing",
    ),
    "a message of another desk": (
        change("messages.jsonl", lambda rows: rows[2].update(ticket=77)),
        "messages.jsonl:3: the events tell of no ticket 77",
    ),
    "a path for a sha256": (
        change("attachments.jsonl", lambda rows: rows[0].update(sha256="../secret")),
        "attachments.jsonl:1: sha256 '../secret' is no sha256",
    ),
    "other bytes": (
        lambda folder: next(path for path in folder.iterdir() if "." not in path.name).write_bytes(b"x"),
        "is not what it is named for",
    ),
    "a file too few": (
        lambda folder: (folder / "people.jsonl").unlink(),
        "people.jsonl is missing; an export with --with-mail writes",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_place_and_nothing_is_written(
    name: str, worked_export: tuple[bytes, Path], tmp_path: Path
) -> None:
    lines, folder = worked_export
    spoilt = Path(shutil.copytree(folder, tmp_path / "spoilt"))
    spoil, reason = FAULTS[name]
    spoil(spoilt)

    with closing(opened(tmp_path / "new", "sqlite:desk.db")) as store:
        with pytest.raises(Invalid, match=reason):
            imported(store, lines, spoilt)

        with store.reading():
            counts = [table.select().count() for table in (Event, Ticket, Message, Outbox, Keyring)]
        assert counts == [0] * 5


@pytest.fixture
def worked_export(worked: Shop, tmp_path: Path) -> tuple[bytes, Path]:
    lines, _ = exported(worked.desk.store, tmp_path / "beside")
    return lines, tmp_path / "beside"
