"""One ticket as `desk ticket show` gives it."""

from __future__ import annotations

from typing import Any

import pytest
from filled_rows import NOON, add_message, add_ticket

from desk.actors import Actor, technician
from desk.clock import iso
from desk.errors import NotFound
from desk.events import OrderGiven, TagAdded, UndoDone
from desk.history import record
from desk.reads.queues import ticket_list
from desk.reads.tickets import ticket_show
from desk.states import Direction, MessageState
from desk.store.schema import Attachment, Contact, Link, Outbox, Participant, Seal, TicketTag
from desk.store.writer import Store, Transaction


def _shown(store: Store, number: int) -> dict[str, Any]:
    with store.reading():
        return ticket_show(number)


def test_a_ticket_that_does_not_exist_is_named(store: Store) -> None:
    with pytest.raises(NotFound, match="no ticket 99"):
        _shown(store, 99)


def test_it_begins_with_the_row_of_the_list(store: Store) -> None:
    add_ticket(store, 1, messages=5)
    with store.reading():
        (row,) = ticket_list("", limit=1, me=None)

    shown = _shown(store, 1)

    assert {key: shown[key] for key in row if key != "messages"} == {
        key: value for key, value in row.items() if key != "messages"
    }
    assert (shown["messages"], shown["events"], shown["clocks"]) == ([], [], [])


def test_a_message_tells_all_that_is_known_of_it(each_store: Store) -> None:
    add_ticket(each_store, 1)
    message = add_message(
        each_store,
        1,
        "hello",
        subject="Re: x",
        author_name="A",
        blob="5ha",
        message_id="<1@example.org>",
        trust=3,
        evidence=["spf"],
        spans=[["new", 0, 5]],
        audience="vendor:7",
    )
    each_store.write_tx(
        lambda tx: Attachment.insert(
            message=message, name="a.txt", type="text/plain", size=3, sha256="f"
        ).execute()
    )

    (shown,) = _shown(each_store, 1)["messages"]

    assert shown == {
        "id": message,
        "direction": "in",
        "kind": "human",
        "audience": "vendor",
        "from": "a@example.org",
        "from_name": "A",
        "sha256": "5ha",
        "message_id": "<1@example.org>",
        "at": iso(NOON),
        "subject": "Re: x",
        "text": "hello",
        "spans": [{"role": "new", "start": 0, "end": 5}],
        "trust": 3,
        "evidence": ["spf"],
        "state": "received",
        "attachments": [{"id": 1, "name": "a.txt", "type": "text/plain", "size": 3}],
    }


@pytest.mark.parametrize(
    ("direction", "state", "letters", "shown"),
    [
        (Direction.IN, MessageState.STANDS, [], "received"),
        (Direction.NOTE, MessageState.STANDS, [], "noted"),
        (Direction.IN, MessageState.HELD, [], "held"),
        (Direction.IN, MessageState.REJECTED, [], "rejected"),
        (Direction.OUT, MessageState.WITHDRAWN, [4], "withdrawn"),
        (Direction.OUT, MessageState.STANDS, [], "sent"),
        (Direction.OUT, MessageState.STANDS, [0], "waiting"),
        (Direction.OUT, MessageState.STANDS, [1], "sending"),
        (Direction.OUT, MessageState.STANDS, [2, 4], "sent"),
        (Direction.OUT, MessageState.STANDS, [2, 3, 0], "failed"),
        (Direction.OUT, MessageState.STANDS, [2, 0], "waiting"),
    ],
)
def test_the_state_of_a_message_is_that_of_its_letters(
    store: Store, direction: Direction, state: MessageState, letters: list[int], shown: str
) -> None:
    add_ticket(store, 1)
    message = add_message(store, 1, direction=int(direction), state=int(state))
    for number, letter in enumerate(letters):
        _add_letter(store, message, number, letter)

    (found,) = _shown(store, 1)["messages"]

    assert found["state"] == shown


def _add_letter(store: Store, message: int, number: int, state: int = 0) -> None:
    store.write_tx(
        lambda tx: Outbox.insert(
            ticket=1,
            message=message,
            kind="reply",
            message_id=f"<{message}.{number}@example.org>",
            recipient="a@example.org",
            blob=f"{number}",
            created=NOON,
            run_at=NOON,
            state=state,
        ).execute()
    )


def test_people_tags_and_links(each_store: Store) -> None:
    add_ticket(each_store, 1)

    def write(_tx: Transaction) -> None:
        for contact, (name, said, role) in enumerate(
            [("", "C", "cc"), ("A", "other", "requester"), ("", "", "follower")], 1
        ):
            Contact.insert(name=name, said_name=said, created=NOON).execute()
            address = f"{contact}@example.org"
            Participant.insert(ticket=1, contact=contact, address=address, role=role, since=NOON).execute()
        for tag in ("vpn", "site-b"):
            TicketTag.insert(ticket=1, tag=tag).execute()
        for source, target in ((1, 2), (3, 1), (2, 3)):
            Link.insert(source=source, target=target, relation="related").execute()

    each_store.write_tx(write)

    shown = _shown(each_store, 1)

    assert shown["participants"] == [
        {"address": "2@example.org", "name": "A", "role": "requester"},
        {"address": "1@example.org", "name": "C", "role": "cc"},
        {"address": "3@example.org", "name": "", "role": "follower"},
    ]
    assert shown["tags"] == ["site-b", "vpn"]
    assert shown["links"] == [
        {"source": 1, "relation": "related", "target": 2},
        {"source": 3, "relation": "related", "target": 1},
    ]


def test_events_are_the_lines_of_the_export(each_store: Store) -> None:
    add_ticket(each_store, 1)

    def write(tx: Transaction) -> None:
        record(tx, OrderGiven(door="cli", verb="set", args={}), by=technician("b"), ticket=9)
        tagged = record(tx, TagAdded(tag="vpn"), by=Actor("requester", "a@example.org"), ticket=1, at_us=NOON)
        record(tx, UndoDone(of=[tagged.id]), by=technician("b"), ticket=1, at_us=NOON)
        Seal.insert(seq=41, event=tagged.id, hash="x").execute()

    each_store.write_tx(write)

    assert _shown(each_store, 1)["events"] == [
        {
            "seq": 41,
            "at": iso(NOON),
            "ticket": 1,
            "actor": {"kind": "requester", "who": "a@example.org"},
            "event": "tag.added",
            "data": {"tag": "vpn"},
        },
        {
            "seq": None,
            "at": iso(NOON),
            "ticket": 1,
            "actor": {"kind": "technician", "who": "b"},
            "event": "undo.done",
            "data": {"of": [41]},
        },
    ]


def _fill(store: Store, number: int, rows: int) -> None:
    add_ticket(store, number)
    for row in range(rows):
        message = add_message(store, number, f"text {row}")
        _add_letter(store, message, row)

        def write(tx: Transaction, message: int = message, row: int = row) -> None:
            Attachment.insert(message=message, name="a", type="b", size=1, sha256="c").execute()
            contact = Contact.insert(created=NOON).execute()
            Participant.insert(ticket=number, contact=contact, address="a", role="cc", since=NOON).execute()
            TicketTag.insert(ticket=number, tag=f"t{row}").execute()
            Link.insert(source=number, target=100 + row, relation="related").execute()
            tagged = record(tx, TagAdded(tag="vpn"), by=Actor("requester", "a@example.org"), ticket=number)
            record(tx, UndoDone(of=[tagged.id]), by=technician("b"), ticket=number)

        store.write_tx(write)


def _queries(store: Store, number: int) -> tuple[int, int]:
    seen: list[str] = []
    with store.reading():
        connection = store.database.connection()
        connection.set_trace_callback(seen.append)
        shown = ticket_show(number)
        connection.set_trace_callback(None)
    return len(seen), len(shown["messages"])


def test_the_number_of_queries_does_not_grow_with_the_rows(store: Store) -> None:
    _fill(store, 1, rows=1)
    _fill(store, 2, rows=3)

    assert [_queries(store, 1), _queries(store, 2)] == [(9, 1), (9, 3)]
