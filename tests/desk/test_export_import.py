"""Export, import, export: the same bytes, and the same tickets as the desk itself wrote."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from desk import blobs, sealing
from desk.actors import SYSTEM, Actor, Door, technician
from desk.commands import (
    AddNote,
    AddTechnician,
    Assign,
    Merge,
    OpenTicket,
    Reopen,
    Reply,
    Resolve,
    SetFields,
    Undo,
)
from desk.errors import Invalid
from desk.events import MessageIn, OwnerChanged, TagAdded, TicketCreated, UndoDone
from desk.export import export_events
from desk.history import record
from desk.import_events import import_events
from desk.newhome import write_home
from desk.rowlines import FILES
from desk.service import Desk, Order, open_desk
from desk.store.database import connect, engine_of
from desk.store.migrate import migrate
from desk.store.schema import Event, EventText, Link, Message, MessageIdentity, Participant, Ticket, TicketTag
from desk.store.writer import Store, Transaction
from tests.real.servers.postgresql import PostgreSQL

ADA = technician("ada")
SAMPLE = (
    '{"seq": 1, "at": "2026-11-06T21:00:00.000000Z", "ticket": 1, "actor": {"kind": "requester", "who":'
    ' "a@example.org"}, "event": "ticket.created", "data": {"channel": "email", "kind": "incident", "queue":'
    ' "help-desk", "requester": "a@example.org", "arrived": "2026-11-06T21:00:00.000000Z"}}'
)


def opened(home: Path, url: str = "sqlite:desk.db") -> Store:
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
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk at which a technician has worked."""
    home = tmp_path / "home"
    home.mkdir()
    write_home(home, domain="example.org")
    with closing(open_desk(home)) as desk:
        work_at(desk)
        yield desk


def work_at(desk: Desk) -> None:
    def order(command: Any, by: Actor = ADA) -> None:
        desk.do(Order(command, by, Door.CLI))

    order(AddTechnician("ada", "ada@example.org", ("lead",)), SYSTEM)
    for n in range(1, 5):
        order(
            OpenTicket(f"r{n % 2}@example.net", f"Printer {n} 列印", "It smokes.\nBadly.", queue="help-desk")
        )
    order(SetFields(1, (("priority", "high"), ("tag", "+smoke,+vpn"), ("tier", "2"))))
    order(SetFields(1, (("tag", "-vpn"),)))
    order(Assign(1, "ada"))
    order(Reply(1, "Switch it off.", resolve=True))
    order(Reopen(1))
    order(AddNote(2, "Bring a bucket."))
    order(AddNote(2, "Not this one."))
    order(Undo(2))
    order(Resolve(3))
    order(SetFields(3, (("kind", "request"),)))
    order(Undo(3))
    order(Merge(4, 2))


def exported(store: Store, **options: Any) -> bytes:
    out = io.BytesIO()
    export_events(store, out, **options)
    return out.getvalue()


def lines_of(*entries: dict[str, Any]) -> list[bytes]:
    return [json.dumps(entry).encode() for entry in entries]


def line(event: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "at": "2026-11-06T21:00:00.000000Z",
        "ticket": 1,
        "actor": {"kind": "technician", "who": "ada"},
        "event": event,
        "data": data,
        **more,
    }


def created(**more: Any) -> dict[str, Any]:
    return {**json.loads(SAMPLE), **more}


def state_of(store: Store) -> dict[str, list[Any]]:
    """What an import must rebuild, without ids of people, which events do not carry."""
    with store.reading():
        tickets = [row.__data__ for row in Ticket.select().order_by(Ticket.number)]
        messages = [row.__data__ for row in Message.select().where(Message.state == 0).order_by(Message.id)]
        counted = (
            "id",
            "ticket",
            "origin",
            "direction",
            "audience",
            "author_kind",
            "author",
            "trust",
            "blob",
        )
        return {
            "tickets": [
                {key: value for key, value in row.items() if key not in ("requester", "version", "updated")}
                for row in tickets
            ],
            "messages": [{key: row[key] for key in counted} for row in messages],
            "tags": sorted(TicketTag.select().tuples()),
            "links": sorted(Link.select().tuples()),
            "participants": sorted(
                Participant.select(Participant.ticket, Participant.address, Participant.role).tuples()
            ),
        }


def test_the_second_export_has_the_same_bytes(desk: Desk, empty: Store) -> None:
    first = exported(desk.store)

    imported = import_events(empty, io.BytesIO(first))

    assert exported(empty) == first
    assert imported.events == len(first.splitlines()) > 40
    assert sealing.verify(empty).broken is None


def test_an_import_rebuilds_what_the_desk_wrote(desk: Desk, empty: Store) -> None:
    import_events(empty, io.BytesIO(exported(desk.store)))

    assert state_of(empty) == state_of(desk.store)


def test_a_desk_goes_on_after_an_import(desk: Desk, tmp_path: Path) -> None:
    home = tmp_path / "other"
    home.mkdir()
    write_home(home, domain="example.org")
    with closing(open_desk(home)) as other:
        import_events(other.store, io.BytesIO(exported(desk.store)))
        other.do(Order(AddTechnician("ada", "ada@example.org", ("lead",)), SYSTEM, Door.CLI))
        command = OpenTicket("r1@example.net", "Again", "It smokes again.", queue="help-desk")
        other.do(Order(command, technician("ada"), Door.CLI))

        with other.reading():
            tickets = [(row.number, row.requester_address) for row in Ticket.select().order_by(Ticket.number)]
            people = {
                row.requester for row in Ticket.select().where(Ticket.requester_address == "r1@example.net")
            }

        assert tickets[-1] == (5, "r1@example.net")
        assert len(people) == 1


def test_a_line_has_exactly_the_keys_that_are_promised(desk: Desk) -> None:
    lines = [json.loads(text) for text in exported(desk.store).splitlines()]

    keys = {frozenset(entry) - {"rule", "message"} for entry in lines}
    assert keys == {frozenset({"seq", "at", "ticket", "actor", "event", "data"})}
    assert {frozenset(entry["actor"]) for entry in lines} == {frozenset({"kind", "who"})}
    assert [entry["seq"] for entry in lines] == list(range(1, len(lines) + 1))


def test_texts_of_people_stand_in_the_data(desk: Desk) -> None:
    lines = [json.loads(text) for text in exported(desk.store).splitlines()]

    first = next(entry for entry in lines if entry["event"] == "ticket.created")
    assert (first["data"]["subject"], first["data"]["requester"]) == ("Printer 1 列印", "r1@example.net")


def test_the_sample_of_the_manual_is_understood(empty: Store) -> None:
    import_events(empty, [SAMPLE.encode()])

    with empty.reading():
        ticket = Ticket.get()
    assert (ticket.number, ticket.queue, ticket.requester_address, ticket.status, ticket.due) == (
        1,
        "help-desk",
        "a@example.org",
        0,
        1 << 62,
    )


def test_what_nobody_knows_is_kept(empty: Store) -> None:
    given = lines_of(
        created(),
        line("moon.phase", {"from": "new", "share": 0.50, "huge": 10**40}, seq=2, message=7, rule="r 1"),
        line("tag.added", {"tag": "a", "why": {"deep": [None]}}, seq=3, extra=[1, 2]),
        line("tag.added", {"tag": "b"}, seq=4, actor={"kind": "robot", "who": None, "model": "x"}),
        line("tag.added", {"tag": "c"}, seq=5, rule={"id": "r", "digest": "d"}, ticket=None),
    )

    import_events(empty, given)

    back = [json.loads(text) for text in exported(empty).splitlines()]
    assert back == [json.loads(text) for text in given]


def test_lines_without_seq_get_their_number(empty: Store) -> None:
    import_events(empty, lines_of(created(seq=None), line("tag.added", {"tag": "a"})))

    assert [json.loads(text)["seq"] for text in exported(empty).splitlines()] == [1, 2]


def test_undone_events_change_nothing_and_are_kept(empty: Store) -> None:
    given = lines_of(
        created(seq=101),
        line("tag.added", {"tag": "kept"}, seq=102),
        line("tag.added", {"tag": "taken back"}, seq=105),
        line("undo.done", {"of": [105]}, seq=107),
        line("tag.added", {"tag": "put back"}, seq=108),
        line("undo.done", {"of": [108, 99]}, seq=109),
        line("undo.done", {"of": [109]}, seq=110),
    )

    import_events(empty, given)

    with empty.reading():
        tags = sorted(row.tag for row in TicketTag.select())
    back = [json.loads(text) for text in exported(empty).splitlines()]
    assert tags == ["kept", "put back"]
    assert [entry["data"]["of"] for entry in back if entry["event"] == "undo.done"] == [[3], [5, 0], [6]]


def test_undone_events_are_named_by_seq(tmp_path: Path, postgresql: PostgreSQL, empty: Store) -> None:
    """Ids have gaps on PostgreSQL, and an export must not depend on them."""
    with closing(opened(tmp_path, postgresql.fresh_database())) as store:
        store.write_tx(lambda tx: tx.rows("SELECT setval('event_id_seq', 500)"))

        def write(tx: Transaction) -> None:
            start = TicketCreated(
                number=1, subject="s", channel="cli", kind="incident", queue="q", requester="a@example.org",
                arrived="2026-11-06T21:00:00.000000Z", language="en",
            )  # fmt: skip
            record(tx, start, by=SYSTEM, ticket=1)
            tag = record(tx, TagAdded(tag="t"), by=SYSTEM, ticket=1)
            record(tx, UndoDone(of=[tag.id]), by=SYSTEM, ticket=1)

        store.write_tx(write)
        first = exported(store)

    import_events(empty, io.BytesIO(first))

    assert json.loads(first.splitlines()[-1])["data"] == {"of": [2]}
    assert exported(empty) == first


def test_erased_texts_stay_away(desk: Desk, empty: Store) -> None:
    sealing.seal(desk.store)
    desk.store.write_tx(lambda tx: EventText.delete().execute())
    first = exported(desk.store)

    import_events(empty, io.BytesIO(first))

    assert (b"example.net" in first, b"Printer" in first) == (False, False)
    assert exported(empty) == first


def test_mails_travel_beside_the_events(tmp_path: Path, empty: Store) -> None:
    raw = b"From: a@example.org\r\n\r\nHello \xff\r\n"
    sha256 = hashlib.sha256(raw).hexdigest()
    lost = "0" * 64

    def write(tx: Transaction) -> None:
        blobs.store(tx, blobs.pack(raw))
        for n, mail in ((1, sha256), (2, lost)):
            event = MessageIn(
                message=n, sha256=mail, message_id=f"<{n}@example.org>", from_="a@example.org", auto=False,
                kind="human", trust=2, author="requester", gratitude=True, audience="public", new_text="Hello",
            )  # fmt: skip
            record(tx, event, by=Actor("requester", "a@example.org"), ticket=1, message=n)

    with closing(opened(tmp_path / "old")) as store:
        store.write_tx(write)
        lines = (
            SAMPLE.encode() + b"\n" + exported(store, mail=tmp_path / "mail").replace(b'"seq":', b'"was":')
        )
    for file in FILES:  # mails alone, as from another program
        (tmp_path / "mail" / file).unlink()

    imported = import_events(empty, io.BytesIO(lines), mail=tmp_path / "mail")

    assert [path.name for path in (tmp_path / "mail").iterdir()] == [f"{sha256}.eml"]
    assert (imported.mails, imported.missing, imported.messages) == (1, 1, 2)
    with empty.reading():
        assert blobs.content(sha256) == raw
        message = Message.get_by_id(1)
        assert (message.blob, message.text, message.spans, message.marks, message.trust) == (
            sha256,
            "Hello",
            [["new", 0, 5]],
            ["gratitude"],
            2,
        )
        assert MessageIdentity.get_by_id("<1@example.org>").ticket == 1


def test_a_mail_that_is_not_what_its_name_says_is_refused(tmp_path: Path, empty: Store) -> None:
    sha256 = "1" * 64
    (tmp_path / f"{sha256}.eml").write_bytes(b"another")
    given = lines_of(created(), line("message.in", {"message": 1, "sha256": sha256}))

    with pytest.raises(Invalid, match="is not what it is named for"):
        import_events(empty, given, mail=tmp_path)

    with empty.reading():
        assert Event.select().count() == 0


def test_a_sha256_is_never_a_path(tmp_path: Path, empty: Store) -> None:
    (tmp_path / "secret.eml").write_bytes(b"secret")
    given = lines_of(created(), line("message.in", {"message": 1, "sha256": "../secret"}))
    (tmp_path / "mail").mkdir()

    imported = import_events(empty, given, mail=tmp_path / "mail")

    assert (imported.mails, imported.missing) == (0, 0)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"nonsense", "line 2 is not an event"),
        (b'{"at": "2026-11-06", "actor": {"kind": "a", "who": "b"}, "event": "c"}', "has no time zone"),
        (b'{"at": "2026-11-06T21:00:00Z", "event": "c"}', "the key 'actor' is missing"),
        (
            b'{"at": "2026-11-06T21:00:00Z", "actor": {"kind": "a", "who": "b"}, "event": "c", "data": 3}',
            "line 2",
        ),
        (b'{"a": ' + b"[" * 10_000, "line 2 is not an event"),
    ],
)
def test_a_line_that_is_no_event_is_refused_and_nothing_is_written(
    empty: Store, bad: bytes, reason: str
) -> None:
    with pytest.raises(Invalid, match=reason):
        import_events(empty, [SAMPLE.encode(), bad])

    with empty.reading():
        assert (Event.select().count(), Ticket.select().count()) == (0, 0)


def test_only_an_empty_store_is_filled(empty: Store) -> None:
    empty.write_tx(lambda tx: record(tx, OwnerChanged(from_=None, to="ada"), by=SYSTEM, ticket=1))

    with pytest.raises(Invalid, match="the store is not empty"):
        import_events(empty, [SAMPLE.encode()])


def test_empty_lines_are_skipped(empty: Store) -> None:
    imported = import_events(empty, [b"\n", SAMPLE.encode() + b"\r\n", b"  \n"])

    assert (imported.events, imported.tickets) == (1, 1)
