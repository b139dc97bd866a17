"""Erasing a person: nothing of the text or the address is left in any table or in the file; the chain holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from orders_parts import ROOT, Shop

from desk import blobs, sealing, search_index
from desk.actors import SYSTEM, Door
from desk.commands import (
    AddNote,
    ChangeContact,
    ErasePerson,
    File,
    Merge,
    MergeContacts,
    OpenTicket,
    Reply,
    Resolve,
    SetFields,
    Take,
)
from desk.erasure import ERASED, scrub
from desk.errors import IllegalMove, NotFound
from desk.filing import FileLetter, ParkMail, Placement
from desk.letter import Letter
from desk.service import Order
from desk.states import InboxState, OutboxState
from desk.store.schema import (
    TABLES,
    Attachment,
    Blob,
    Contact,
    Event,
    EventText,
    Inbox,
    Message,
    MessageIdentity,
    Outbox,
    Ticket,
)

ADDRESS = "canaryperson@canary.example"
WORDS = (b"canaryperson", b"canarytext", b"canary.example", b"canaryname")


def _cells(shop: Shop, table: Any) -> list[bytes]:
    """Every value of a table, packed bytes unpacked."""
    found = []
    with shop.desk.reading():
        for row in table.select().dicts():
            if table is Blob:
                found.append(blobs.unpack(row["codec"], bytes(row["data"])))
            found += [str(value).encode() for value in row.values() if not isinstance(value, bytes)]
    return found


def _leaks(shop: Shop) -> list[tuple[str, bytes]]:
    return [
        (table.__name__, cell[:300])
        for table in TABLES
        for cell in _cells(shop, table)
        if any(word in cell.lower() for word in WORDS)
    ]


def _live(shop: Shop) -> dict[str, int]:
    """The person asks, is answered, takes part elsewhere, writes under two addresses, is held and parked."""
    second = "second@canary.example"
    own = shop.ticket_of(shop.mail(ADDRESS, "canarytext one", subject="canarytext subject"))
    phone = shop.open(ADDRESS, subject="canarytext call", text="canarytext told", requester_name="Canaryname",
                      send_copy=True)  # fmt: skip
    shop.order(AddNote(own, "canarytext in a note"))
    file = File("canarytext.txt", "text/plain", b"canarytext file")
    shop.order(Reply(own, "canarytext answered", files=(file,), now=True))
    shared = shop.ticket_of(shop.mail("b@client.example", "not mine", newcomers=(ADDRESS,)))
    shop.mail(ADDRESS, "canarytext joins", ticket=shared, author="participant")
    shop.order(Reply(shared, "for both of you", now=True))
    shop.order(Resolve(shared))
    shop.mail(ADDRESS, "canarytext reopens", ticket=shared, author="participant")
    moved = shop.ticket_of(shop.mail(ADDRESS, "canarytext moved"))
    shop.order(Reply(moved, "canarytext quoted by us", now=True))
    shop.order(Merge(moved, shared))
    shop.mail(ADDRESS, "canarytext held", ticket=shared, way="hold", audience="internal")
    shop.mail(second, "canarytext of the second address")
    shop.order(MergeContacts(ADDRESS, second), "ada")
    shop.order(ChangeContact(ADDRESS, (("organisation", "Canaryname Ltd"),)))
    parked = shop.put_aside(f"From: <{ADDRESS}>\r\n\r\ncanarytext parked\r\n".encode(), sender=ADDRESS)
    shop.order(ParkMail(parked, "unreadable"), SYSTEM)
    unknown = shop.put_aside(b"From: Canaryname <CanaryPerson@canary.example>\r\n\r\nx\r\n", sender="")
    shop.order(
        FileLetter(unknown, 0, Letter(sha256="0" * 64, size=1), Placement(way="drop", reason="loop")), SYSTEM
    )
    shop.send_all()
    shop.order(Reply(own, "canarytext still waiting"))
    while search_index.index_waiting(shop.desk.store):
        pass
    return {"own": own, "phone": phone, "shared": shared}


def test_nothing_of_an_erased_person_is_left(shop: Shop) -> None:
    _live(shop)
    shop.desk.seal()
    others = shop.ticket_of(shop.mail("c@client.example", "nothing to do with it"))
    before = shop.ticket(others)

    shop.order(ErasePerson(ADDRESS.upper()), "ada")
    scrub(shop.desk.store)
    shop.desk.seal()

    assert _leaks(shop) == []
    assert shop.ticket(others) == before
    verdict = sealing.verify(shop.desk.store)
    assert (verdict.broken, verdict.unsealed, verdict.erased > 0) == (None, 0, True)
    shop.desk.close()
    assert {path.name: _words_in(path) for path in _files(shop.desk.home)} == {
        path.name: [] for path in _files(shop.desk.home)
    }


def _files(home: Path) -> list[Path]:
    return [path for path in home.glob("desk.db*") if path.is_file()]


def _words_in(path: Path) -> list[bytes]:
    content = path.read_bytes().lower()
    return [word for word in WORDS if word in content]


def test_the_test_would_see_what_is_left(shop: Shop) -> None:
    """The same store without the erasure is full of it."""
    _live(shop)

    tables = {name for name, _ in _leaks(shop)}
    assert {"Message", "Outbox", "EventText", "Ticket", "Contact", "Address", "Inbox", "Blob", "Attachment",
            "Participant", "MessageIdentity"} == tables  # fmt: skip
    assert _words_in(shop.desk.home / "desk.db") or _words_in(shop.desk.home / "desk.db-wal")


def test_what_others_wrote_stays(shop: Shop) -> None:
    numbers = _live(shop)
    before = {row.id: row.text for row in shop.rows(Message)}

    shop.order(ErasePerson(ADDRESS), "ada")

    texts = {row.text for row in shop.rows(Message, Message.ticket == numbers["shared"])}
    assert texts == {"not mine", "for both of you", ERASED}
    assert len(shop.rows(Message)) == len(before)
    ticket = shop.ticket(numbers["shared"])
    assert (ticket["subject"], ticket["requester_address"]) == ("Printer", "b@client.example")
    raw = shop.rows(Message, Message.author == "b@client.example")[0].blob
    assert b"not mine" in shop.content(raw)
    authors = {(row.author_kind, row.author) for row in shop.rows(Message, Message.ticket == numbers["own"])}
    assert authors == {("requester", ERASED), ("technician", "tess")}


def test_letters_that_wait_for_the_person_stay_at_home_and_those_for_others_leave(shop: Shop) -> None:
    numbers = _live(shop)
    shop.order(Reply(numbers["shared"], "to both"))

    shop.order(ErasePerson(ADDRESS), "ada")

    waiting = [row.recipient for row in shop.rows(Outbox, Outbox.state == int(OutboxState.WAITING))]
    assert waiting == ["b@client.example"]
    shop.desk.store.write_tx(lambda tx: tx.run("UPDATE outbox SET run_at = 0"))
    assert shop.send_all() == 1


def test_mail_of_the_person_that_was_set_aside_is_settled(shop: Shop) -> None:
    _live(shop)

    shop.order(ErasePerson(ADDRESS), "ada")

    states = {row.state for row in shop.rows(Inbox) if row.reason == "erased"}
    assert states == {InboxState.DONE, InboxState.REJECTED, InboxState.DROPPED}
    assert shop.rows(Inbox, Inbox.state.in_([int(InboxState.HELD), int(InboxState.PARKED)])) == []


def test_work_goes_on_on_an_erased_persons_ticket(shop: Shop) -> None:
    numbers = _live(shop)
    shop.order(ErasePerson(ADDRESS), "ada")

    with pytest.raises(IllegalMove, match="nobody to answer to"):
        shop.order(Reply(numbers["own"], "hello?"))
    shop.order(Take(numbers["phone"]))
    shop.order(SetFields(numbers["own"], (("status", "closed"),)))

    with pytest.raises(NotFound, match="nobody with the address"):
        shop.order(ErasePerson(ADDRESS), "ada")


def test_a_person_who_writes_again_is_somebody_new(shop: Shop) -> None:
    _live(shop)
    shop.order(ErasePerson(ADDRESS), "ada")

    number = shop.ticket_of(shop.mail(ADDRESS, "hello again"))

    contact = shop.rows(Contact, Contact.id == shop.ticket(number)["requester"])[0]
    assert (contact.name, contact.merged_into) == ("", None)


def test_files_and_mails_that_somebody_else_has_too_stay(shop: Shop) -> None:
    own = shop.ticket_of(shop.mail(ADDRESS, "x"))
    other = shop.ticket_of(shop.mail("b@client.example", "y"))
    file = File("manual.pdf", "application/pdf", b"the same for all")
    shop.order(Reply(own, "see the manual", files=(file,)))
    shop.order(Reply(other, "see the manual", files=(file,)))

    shop.order(ErasePerson(ADDRESS), "ada")

    assert [(row.name, shop.content(row.sha256)) for row in shop.rows(Attachment)] == [
        ("manual.pdf", b"the same for all")
    ]


def test_an_address_that_only_begins_alike_is_somebody_else(shop: Shop) -> None:
    for address in ("a@b.example", "aa@b.example", "a@b.example.org", "x-a@b.example"):
        shop.open(address, subject="s")
        shop.order(OpenTicket(address, "s", "t", send_copy=False))

    shop.order(ErasePerson("a@b.example"), "ada")

    texts = "\n".join(shop.texts().values())
    assert [address for address in ("aa@b.example", "a@b.example.org", "x-a@b.example") if address in texts] == [
        "aa@b.example", "a@b.example.org", "x-a@b.example",
    ]  # fmt: skip
    assert '"a@b.example"' not in texts


def test_a_person_with_very_many_tickets_is_erased(shop: Shop) -> None:
    """More than an engine takes as parameters of one statement."""
    number = shop.ticket_of(shop.mail(ADDRESS, "first"))
    contact, many = shop.ticket(number)["requester"], 40_000
    columns = [column for column in shop.ticket(number) if column != "number"]

    def fill(tx: Any) -> None:
        names = ", ".join(columns)
        count = f"WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {many})"
        tx.run(
            f"{count} INSERT INTO ticket (number, {names}) SELECT n.i, {names} FROM n, ticket WHERE number = 1"
        )
        tx.run(
            f"{count} INSERT INTO message (ticket, origin, direction, kind, audience, state, author_kind, author,"
            " author_name, contact, at, subject, text, spans, marks, evidence) SELECT n.i, n.i, 0, 'human', 'public',"
            " 0, 'requester', author, '', contact, at, '', 'canarytext', '[]', '[]', '[]' FROM n, message WHERE id = 1"
        )

    shop.desk.store.write_tx(fill)

    shop.order(ErasePerson(ADDRESS), "ada")

    with shop.desk.reading():
        assert Ticket.select().where(Ticket.requester == contact, Ticket.subject == ERASED).count() == many
        assert Message.select().where(Message.text == ERASED).count() == many
        assert MessageIdentity.select().count() == 0


def test_the_order_itself_keeps_no_address(shop: Shop) -> None:
    shop.open(ADDRESS)

    events = shop.order(ErasePerson(ADDRESS), ROOT)

    with shop.desk.reading():
        assert EventText.get_or_none(EventText.event == events[0].id) is None
        assert Event.get_by_id(events[0].id).data == {"door": "cli", "verb": "people erase", "undo_of": None}


def test_orders_go_on_after_an_erasure(shop: Shop) -> None:
    """Undo and history read events whose texts are gone."""
    numbers = _live(shop)
    shop.desk.do(Order(ErasePerson(ADDRESS), ROOT, Door.CLI))

    assert len(shop.events(numbers["own"])) > 3
    shop.order(AddNote(numbers["own"], "done"))
