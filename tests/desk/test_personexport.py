"""What a person takes away: own mails to the byte, own tickets and events, nothing that was not meant for him."""

from __future__ import annotations

import mailbox
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from orders_parts import Shop

from desk.commands import AddNote, MergeContacts, Reply, Resolve, SetFields, Undo
from desk.errors import Invalid, NotFound
from desk.personexport import export_person, mboxrd

MINE, OTHER = "a@client.example", "b@client.example"


def _lines(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def _live(shop: Shop) -> tuple[int, int]:
    """Own ticket and one where the person takes part; everything else is marked CANARY."""
    own = shop.ticket_of(shop.mail(MINE, "From here it is broken\r\n>From there too\r\nFrom"))
    shared = shop.ticket_of(shop.mail(OTHER, "CANARY before", newcomers=(MINE,), subject="Shared"))
    shop.mail(MINE, "from me on theirs", ticket=shared, author="participant")
    shop.mail(OTHER, "CANARY theirs", ticket=shared)
    shop.order(AddNote(own, "CANARY note"))
    shop.order(SetFields(own, (("tag", "canary-tag"), ("queue", "network"))))
    shop.order(Reply(own, "answer for you", now=True))
    shop.order(Reply(shared, "answer for both", now=True))
    shop.send_all()
    shop.order(Reply(own, "CANARY taken back"))
    shop.order(Undo(own))
    shop.order(Reply(own, "still on its way", resolve=True))
    shop.mail(MINE, "CANARY unproven", ticket=own, way="join", audience="internal")
    shop.mail(
        "x@client.example", "CANARY held", ticket=own, way="hold", audience="internal", author="stranger"
    )
    shop.ticket_of(shop.mail(OTHER, "CANARY of somebody else"))
    return own, shared


def test_the_export_holds_what_was_meant_for_the_person(shop: Shop, tmp_path: Path) -> None:
    own, shared = _live(shop)

    paths = export_person(shop.desk.store, MINE.upper(), tmp_path / "new" / "out")

    assert [path.name for path in paths] == ["mails.mbox", "tickets.jsonl", "events.jsonl"]
    assert {oct(path.stat().st_mode & 0o777) for path in paths} == {"0o600"}
    tickets = _lines(paths[1])
    assert [(t["number"], t["role"], t["status"]) for t in tickets] == [
        (own, "requester", "resolved"),
        (shared, "cc", "open"),
    ]
    assert [[(m["by"], m["text"][:16]) for m in ticket["messages"]] for ticket in tickets] == [
        [("you", "From here it is "), ("technician", "answer for you"), ("technician", "still on its way")],
        [("you", "from me on their"), ("technician", "answer for both")],
    ]
    assert [(e["event"], e["ticket"]) for e in _lines(paths[2])] == [
        ("ticket.created", own),
        ("message.in", own),
        ("message.in", shared),
        ("message.out", own),
        ("state.changed", own),
        ("message.out", shared),
        ("message.out", own),
        ("state.changed", own),
    ]


def test_the_export_holds_nothing_of_others(shop: Shop, tmp_path: Path) -> None:
    _live(shop)

    paths = export_person(shop.desk.store, MINE, tmp_path)

    assert [path.name for path in paths[1:] if b"canary" in path.read_bytes().lower()] == []
    # the letter to both quoted it, as text and as HTML, and the person has had it
    found = [paths[0].read_bytes().count(words) for words in (b"CANARY", b"CANARY theirs")]
    assert found == [2, 2]
    assert b"tess" not in paths[1].read_bytes() + paths[2].read_bytes()


def test_the_mails_are_the_exact_bytes(shop: Shop, tmp_path: Path) -> None:
    own, _ = _live(shop)

    path = export_person(shop.desk.store, MINE, tmp_path)[0]

    raws = [shop.content(row.blob) for row in _mails_in(shop)]
    assert _unpacked(path.read_bytes())[:2] == raws
    with closing(mailbox.mbox(path)) as box:
        assert len(box) == 4
    assert shop.content(shop.letters(own)[0].blob) in _unpacked(path.read_bytes())


def _mails_in(shop: Shop) -> list[Any]:
    from desk.store.schema import Message  # only here

    return shop.rows(Message, Message.author == MINE, Message.audience == "public", Message.state == 0)


def _unpacked(content: bytes) -> list[bytes]:
    """The mails of an mboxrd, read as its definition says."""
    mails: list[list[bytes]] = []
    for line in content.split(b"\n")[:-1]:
        if line.startswith(b"From "):
            mails.append([])
        elif line.lstrip(b">").startswith(b"From "):
            mails[-1].append(line[1:])
        else:
            mails[-1].append(line)
    return [b"\n".join(lines[:-1]) + b"\n" for lines in mails]


PIECES = st.sampled_from(
    [b"From a", b">From b", b">>From", b"From: c", b"\r\n", b"\n", b" ", b"\xff\0", b"x"]
)


@given(st.lists(PIECES, max_size=20).map(b"".join))
def test_quoting_can_be_undone(content: bytes) -> None:
    raw = content + b"\r\n"

    assert _unpacked(mboxrd(raw, "a@client.example", 0) * 2) == [raw, raw]


def test_the_separator_says_sender_and_time() -> None:
    assert mboxrd(b"x\n", "a b", 0) == b"From MAILER-DAEMON Thu Jan 01 00:00:00 1970\nx\n\n"
    assert mboxrd(b"x", "a@b.example", 0) == b"From a@b.example Thu Jan 01 00:00:00 1970\nx\n\n"


def test_all_addresses_of_a_person_are_in_the_export(shop: Shop, tmp_path: Path) -> None:
    numbers = [shop.ticket_of(shop.mail(address, "x")) for address in (MINE, OTHER)]
    shop.order(Resolve(numbers[1]))
    shop.order(MergeContacts(MINE, OTHER), "ada")

    mails, tickets, _ = export_person(shop.desk.store, OTHER, tmp_path)

    assert [line["number"] for line in _lines(tickets)] == numbers
    assert len(_unpacked(mails.read_bytes())) == 2


def test_a_stranger_has_nothing_to_take_away(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nobody with the address"):
        export_person(shop.desk.store, MINE, tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_files_that_are_there_are_not_touched(shop: Shop, tmp_path: Path) -> None:
    shop.open(MINE)
    (tmp_path / "events.jsonl").write_text("mine")

    with pytest.raises(Invalid, match="is there already"):
        export_person(shop.desk.store, MINE, tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["events.jsonl"]
    assert (tmp_path / "events.jsonl").read_text() == "mine"
