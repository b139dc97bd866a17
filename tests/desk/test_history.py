"""What the history says of orders: who, through which door, what, and nothing that cannot be erased."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from order_cases import ORDERS, OTHER_KEY
from orders_parts import ROOT, Shop

from desk.actors import Door
from desk.commands import SPECS, AddKey, AddNote, Reply, SetFields, Undo
from desk.history import hash_of_text
from desk.store.schema import Event, EventText


def _giver(command: Any, allowed: set[str]) -> str:
    return "lea" if "lea" in allowed else sorted(allowed)[0]


@pytest.mark.parametrize(("command", "allowed"), ORDERS, ids=lambda value: type(value).__name__)
def test_every_order_is_told_and_is_the_cause_of_what_follows(
    filled: Shop, command: Any, allowed: set[str]
) -> None:
    if isinstance(command, AddKey):
        command = AddKey("otto", OTHER_KEY)
    last = filled.events()[-1].id

    filled.order(command, _giver(command, allowed), Door.CONSOLE)

    given, *caused = [event for event in filled.events() if event.id > last]
    assert (given.event, given.cause, given.who) == ("order.given", None, _giver(command, allowed))
    assert given.data == {"door": "console", "verb": SPECS[type(command)].verb, "undo_of": None}
    assert {event.cause for event in caused} <= {given.id}
    assert not any(event.event == "order.given" for event in caused)


def test_arguments_are_told_without_texts_files_and_keys(shop: Shop) -> None:
    number = shop.open(text="CANARY", requester_name="A")
    shop.order(Reply(number, "CANARY", now=True, version=shop.ticket(number)["version"]))
    shop.order(AddNote(number, "CANARY"))
    shop.order(AddKey("tess", OTHER_KEY), ROOT)
    shop.order(SetFields(number, (("tier", "2"), ("tag", "a"))))

    texts = shop.texts()
    told = [msgspec.json.decode(texts[e.id])["args"] for e in shop.events() if e.event == "order.given"]
    assert told[-5:] == [
        {
            "requester": "a@client.example", "subject": "Printer", "requester_name": "A", "channel": "phone",
            "kind": "incident",
        },
        {"ticket": number, "now": True},
        {"ticket": number},
        {"login": "tess"},
        {"ticket": number, "fields": [["tier", "2"], ["tag", "a"]]},
    ]  # fmt: skip


def test_addresses_and_subjects_lie_only_in_the_erasable_texts(shop: Shop) -> None:
    number = shop.ticket_of(
        shop.mail(
            "canary@canary.example", "canary text", subject="canary", newcomers=("canary2@canary.example",)
        )
    )
    shop.order(Reply(number, "canary", now=True))
    shop.mail("canary@canary.example", "canary again", ticket=number)
    shop.send_all()

    rows = shop.rows(Event)
    assert not any("canary" in msgspec.json.encode(row.data).decode() + row.who for row in rows)
    texts = {row.event: row for row in shop.rows(EventText)}
    assert {row.id: row.text_hash for row in rows if row.text_hash} == {
        event: hash_of_text(text.salt, text.text) for event, text in texts.items()
    }


def test_salts_differ_for_equal_texts(shop: Shop) -> None:
    for _ in range(2):
        shop.open("a@client.example")

    rows = [row for row in shop.rows(EventText) if '"requester"' in row.text and '"args"' not in row.text]
    assert rows[0].text == rows[1].text
    assert rows[0].salt != rows[1].salt


def test_an_undo_names_all_events_of_the_order(shop: Shop) -> None:
    number = shop.open()
    given = shop.order(SetFields(number, (("tier", "2"), ("tag", "a"))))

    events = shop.order(Undo(number))

    assert [event.event for event in events] == ["order.given", "undo.done"]
    assert shop.events(number)[-1].data == {"of": [event.id for event in given]}
