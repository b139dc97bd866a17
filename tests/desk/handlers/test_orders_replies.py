"""Replies, notes and tickets by phone: what goes out, to whom, when, and what never does."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from orders_parts import ROOT, Shop

from desk.actors import Actor, Door
from desk.commands import (
    AddNote,
    ChangePreference,
    File,
    OpenTicket,
    Reopen,
    Reply,
    Resolve,
    SetFields,
    Take,
)
from desk.errors import IllegalMove, Invalid, NotAllowed, NotFound
from desk.handlers.replies import MOST_FILES_BYTES, MOST_TEXT, file_named
from desk.letters.tokens import find_in_address, verify
from desk.states import Status
from desk.store.schema import Attachment, Blob, Contact, Message, Outbox

SECOND_US = 1_000_000


def _read(shop: Shop, letter: Any) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(shop.content(letter.blob), policy=default))


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_reply_goes_to_every_public_participant_with_a_token_of_his_own(shop: Shop) -> None:
    number = shop.ticket_of(shop.mail("a@client.example", "hello", newcomers=("c@client.example",)))

    events = shop.order(Reply(number, "Please restart it."))

    mails = [_read(shop, letter) for letter in shop.letters(number)]
    assert [mail["To"] for mail in mails] == ["a@client.example", "c@client.example"]
    assert [mail["Cc"] for mail in mails] == ["c@client.example", "a@client.example"]
    assert [event.event for event in events].count("message.out") == 2
    keys = shop.desk.postroom.known_keys()
    tokens = [verify(keys, find_in_address(_address(mail), ["support@desk.example"]) or "") for mail in mails]
    assert [(token.ticket, token.participant) for token in tokens if token] == [
        (number, letter.contact) for letter in shop.letters(number)
    ]


def _address(mail: EmailMessage) -> str:
    return str(mail["Reply-To"].addresses[0].addr_spec)


def test_a_reply_is_from_the_technician_and_the_desk_and_keeps_the_thread(shop: Shop) -> None:
    number = shop.ticket_of(shop.mail("a@client.example", "hello"))

    shop.order(Reply(number, "Please restart it."))

    mail = _read(shop, shop.letters(number)[0])
    assert mail["From"] == '"TESS (Example IT)" <support@desk.example>'
    assert mail["Subject"] == f"Re: Printer [#{number}]"
    assert mail["In-Reply-To"] == "<1.a@client.example>"
    assert "Auto-Submitted" not in mail


def test_the_queue_gives_name_address_and_signature_below_the_technicians(shop: Shop) -> None:
    number = shop.open(queue="network")
    shop.order(ChangePreference("tess", "signature", "Tess\r\nFirst line\x1b[2J"))

    shop.order(Reply(number, "Hello."))

    mail = _read(shop, shop.letters(number)[0])
    assert mail["From"] == '"TESS (Network team)" <network@desk.example>'
    assert "\n-- \nTess\nFirst line[2J\nNetwork team, floor 2" in _text(mail)


def test_a_letter_is_in_the_language_of_its_ticket(shop: Shop) -> None:
    number = shop.ticket_of(shop.mail("a@client.example", "你好，印表機壞了，請幫忙看一下。"))
    shop.order(OpenTicket("b@client.example", "印表機壞了", "電話說印表機壞了"))

    shop.order(Reply(number, "請重新啟動。"))

    mail = _read(shop, shop.letters(number)[0])
    assert shop.ticket(number)["language"] == "zh-Hant"
    assert "寫道" in _text(mail)


@pytest.mark.parametrize(("setting", "seconds"), [(None, 20), ("0", 0), ("7", 7), ("60", 60)])
def test_a_reply_waits_as_long_as_its_writer_wishes(shop: Shop, setting: str | None, seconds: int) -> None:
    number = shop.open()
    if setting is not None:
        shop.order(ChangePreference("tess", "undo_seconds", setting))

    shop.order(Reply(number, "text"))

    letter = shop.letters(number)[0]
    assert letter.run_at - letter.created == seconds * SECOND_US


def test_a_reply_with_now_does_not_wait(shop: Shop) -> None:
    number = shop.open()

    shop.order(Reply(number, "text", now=True))

    assert [letter.run_at - letter.created for letter in shop.letters(number)] == [0]


@pytest.mark.parametrize("value", ["61", "-1", "", "ten"])
def test_an_undo_window_outside_of_a_minute_is_refused(shop: Shop, value: str) -> None:
    with pytest.raises(Invalid, match="from 0 to 60"):
        shop.order(ChangePreference("tess", "undo_seconds", value))


@pytest.mark.parametrize(
    ("more", "status"),
    [({}, Status.OPEN), ({"wait": True}, Status.WAITING), ({"resolve": True}, Status.RESOLVED)],
)
def test_a_reply_moves_the_ticket_as_asked(shop: Shop, more: dict[str, bool], status: Status) -> None:
    number = shop.open()

    shop.order(Reply(number, "text", **more))  # type: ignore[arg-type]

    after = shop.ticket(number)
    assert (after["status"], after["messages"], after["resolved"] is not None) == (
        status, 2, status is Status.RESOLVED,
    )  # fmt: skip


def test_a_reply_leaves_a_solved_ticket_solved(shop: Shop) -> None:
    number = shop.open()
    shop.order(Resolve(number))

    shop.order(Reply(number, "You are welcome.", resolve=True))

    assert shop.ticket(number)["status"] == Status.RESOLVED


@pytest.mark.parametrize("status", ["closed", "spam"])
def test_a_reply_on_a_closed_or_spam_ticket_is_refused(shop: Shop, status: str) -> None:
    number = shop.open()
    shop.order(SetFields(number, (("status", status),)))
    before = shop.counts()

    with pytest.raises(IllegalMove, match=f"is {status}; reopen it"):
        shop.order(Reply(number, "text"))

    assert shop.counts() == before
    shop.order(Reopen(number))
    shop.order(Reply(number, "text"))


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(1, " \r\n\0 "), "the text is empty"),
        (Reply(1, "x" * (MOST_TEXT + 1)), f"at most {MOST_TEXT} fit"),
        (Reply(1, "x", files=(File("a.bin", "x/y", b"0" * (MOST_FILES_BYTES + 1)),)), "can be mailed"),
        (Reply(1, "x", resolve=True, wait=True), "not both"),
    ],
    ids=["empty", "long", "files", "both"],
)
def test_a_reply_that_cannot_go_out_is_refused_without_a_trace(shop: Shop, reply: Reply, said: str) -> None:
    shop.open()
    before = shop.counts()

    with pytest.raises(Invalid, match=said):
        shop.order(reply)

    assert shop.counts() == before


def test_files_are_stored_once_and_go_along(shop: Shop) -> None:
    first, second = shop.open(), shop.open()
    file = file_named("設定.txt", b"value = 1\n" * 100)
    nameless = file_named("dump.unknown", b"\0\1")

    shop.order(Reply(first, "text", files=(file, nameless)))
    shop.order(Reply(second, "text", files=(file,)))

    assert (file.type, nameless.type) == ("text/plain", "application/octet-stream")
    stored = shop.rows(Attachment)
    assert [row.name for row in stored] == ["設定.txt", "dump.unknown", "設定.txt"]
    assert len(shop.rows(Blob, Blob.sha256 == stored[0].sha256)) == 1
    parts = list(_read(shop, shop.letters(first)[0]).iter_attachments())
    assert [(p.get_filename(), p.get_payload(decode=True)) for p in parts] == [
        ("設定.txt", file.content), ("dump.unknown", b"\0\1"),
    ]  # fmt: skip


def test_a_note_never_leaves_the_house(shop: Shop) -> None:
    number = shop.ticket_of(shop.mail("a@client.example", "hello"))
    shop.order(AddNote(number, "CANARY-note"))

    shop.order(Reply(number, "text"))
    shop.order(Reply(number, "more"))

    assert [row.kind for row in shop.rows(Outbox)] == ["reply", "reply"]
    assert not any(b"CANARY" in shop.content(row.blob) for row in shop.rows(Outbox))
    assert shop.ticket(number)["messages"] == 4


def test_internal_and_held_mail_is_not_quoted(shop: Shop) -> None:
    number = shop.ticket_of(shop.mail("a@client.example", "quote me"))
    shop.mail("a@client.example", "CANARY-unproven", ticket=number, audience="internal")
    shop.mail("x@client.example", "CANARY-held", ticket=number, way="hold", author="stranger")

    shop.order(Reply(number, "text"))

    text = _text(_read(shop, shop.letters(number)[0]))
    assert "> quote me" in text
    assert "CANARY" not in text


def test_who_cannot_be_written_to_does_not_keep_others_from_their_answer(shop: Shop) -> None:
    number = shop.ticket_of(shop.mail("a@client.example", "hi", newcomers=("josé@client.example",)))

    shop.order(Reply(number, "text"))

    assert [letter.recipient for letter in shop.letters(number)] == ["a@client.example"]


def test_a_requester_who_cannot_be_written_to_is_named(shop: Shop) -> None:
    number = shop.ticket_of(shop.mail("josé@client.example", "hi", newcomers=("b@client.example",)))
    before = shop.counts()

    with pytest.raises(Invalid, match=r"josé@client\.example"):
        shop.order(Reply(number, "text"))

    assert shop.counts() == before


def test_a_rule_answers_at_once_and_as_a_machine(shop: Shop) -> None:
    number, rule = shop.open(), Actor("rule", "welcome")

    shop.order(Reply(number, "We are on it."), rule, Door.RULE)
    shop.order(AddNote(number, "noted"), rule, Door.RULE)

    letter = shop.letters(number)[0]
    mail = _read(shop, letter)
    assert (mail["From"], mail["Auto-Submitted"]) == ("Example IT <support@desk.example>", "auto-replied")
    assert letter.run_at == letter.created
    said = [(row.kind, row.author_kind, row.author) for row in shop.rows(Message)[1:]]
    assert said == [("reply", "system", "welcome"), ("note", "system", "welcome")]
    assert [e.data["author"] for e in shop.events(number) if e.event == "message.out"] == ["system"]


def test_a_ticket_by_phone_sends_a_copy_that_tells_the_number(shop: Shop) -> None:
    number = shop.open(text="It does **not** print.", send_copy=True, requester_name="Ann\nB")

    letter = shop.letters(number, "copy")[0]
    mail = _read(shop, letter)
    assert mail["To"] == "Ann B <a@client.example>"
    assert f"[#{number}]" in mail["Subject"]
    assert mail["Auto-Submitted"] == "auto-replied"
    assert "> It does **not** print." in _text(mail)
    assert (letter.run_at == letter.created, shop.ticket(number)["messages"]) == (True, 1)
    assert [(row.direction, row.kind) for row in shop.rows(Message)] == [(0, "human"), (1, "copy")]


def test_a_ticket_by_phone_holds_what_was_told(shop: Shop) -> None:
    number = shop.open(
        "B@Client.example", subject="Re: VPN", kind="request", queue="network", category="network.vpn",
        priority="high", language="zh-Hans", channel="walkin", take=True, requester_name="B",
    )  # fmt: skip

    after = shop.ticket(number)
    assert {
        "subject": "VPN", "kind": "request", "queue": "network", "category": "network.vpn", "priority": 2,
        "language": "zh-Hans", "channel": "walkin", "owner": "tess", "status": 1, "messages": 1,
        "requester_address": "b@client.example",
    }.items() <= after.items()  # fmt: skip
    assert shop.rows(Contact)[0].name == "B"
    assert [event.event for event in shop.events(number)] == [
        "ticket.created", "category.changed", "message.in", "owner.changed", "state.changed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"requester": "nobody"}, "not a mail address"),
        ({"requester": "<a@b.example>"}, "not a mail address"),
        ({"subject": " Re: "}, "needs a subject"),
        ({"text": ""}, "the text is empty"),
        ({"queue": "netwrk"}, 'did you mean "network"'),
        ({"category": "hardwre"}, 'did you mean "hardware"'),
        ({"priority": "9"}, "priority '9' does not exist"),
        ({"kind": "x"}, "kind 'x' does not exist"),
        ({"language": "xx"}, "is not one of en"),
    ],
)
def test_a_ticket_by_phone_with_a_wrong_word_is_refused(shop: Shop, more: dict[str, str], said: str) -> None:
    before = shop.counts()

    with pytest.raises(Invalid) as refusal:
        shop.open(**more)

    assert said in str(refusal.value)
    assert shop.counts() == before


def test_the_desk_opens_tickets_but_owns_none(shop: Shop) -> None:
    with pytest.raises(NotFound, match="no technician 'root'"):
        shop.order(OpenTicket("a@client.example", "s", "t", take=True), ROOT)

    assert shop.order(OpenTicket("a@client.example", "s", "t"), ROOT)[1].event == "ticket.created"


def test_numbers_have_no_gaps_after_refusals(shop: Shop) -> None:
    first = shop.open()
    with pytest.raises(NotAllowed):
        shop.open(by="otto")
    with pytest.raises(Invalid):
        shop.open(kind="x")

    assert shop.open() == first + 1


def test_taking_part_in_the_reply_is_not_blocked_by_a_claim(shop: Shop) -> None:
    """A ticket that somebody owns may be answered by another; the owner stays."""
    number = shop.open()
    shop.order(Take(number), "tom")

    shop.order(Reply(number, "text"))

    assert shop.ticket(number)["owner"] == "tom"
