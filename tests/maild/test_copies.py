"""Who joins a ticket from Cc, and what a letter to each participant says."""

from __future__ import annotations

import pytest
from mails import DESK, mail, new_id
from placing import Thread, answered, opened
from post import Post

from desk.actors import Actor, Door
from desk.commands import AddNote, MergeContacts, Reply
from desk.errors import Invalid
from desk.letters.tokens import Token, verify
from desk.service import Order

OUTSIDER = "x@outside.example"


def copying(thread: Thread, cc: str, **more: str) -> tuple[str, ...]:
    """An answer of the requester with his token and a Cc; its evidence."""
    return thread.post.take(
        mail(thread.a, to=thread.token, cc=cc, replies_to=thread.letter.message_id, **more)
    ).evidence


def test_a_colleague_joins_and_gets_the_next_answer(post: Post) -> None:
    thread = answered(post)

    copying(thread, f"B <{thread.b}>")
    post.order(Reply(1, "Restart it twice.", now=True))

    assert post.participants(1) == [(thread.a, "requester"), (thread.b, "cc")]
    assert post.events(1).count("participant.added") == 1
    letters = post.letters()[-2:]
    assert [letter.recipient for letter in letters] == [thread.a, thread.b]
    assert [letter.addresses("To") for letter in letters] == [[thread.a], [thread.b]]
    assert [letter.addresses("Cc") for letter in letters] == [[thread.b], [thread.a]]


def test_an_outsider_waits_and_the_evidence_says_so(post: Post) -> None:
    thread = answered(post)

    evidence = copying(thread, f"{OUTSIDER}, {thread.b}")
    post.order(Reply(1, "Restart it twice.", now=True))

    assert evidence[-1] == f"outside the requester's organisation, waiting for a technician: {OUTSIDER}"
    assert post.participants(1) == [(thread.a, "requester"), (thread.b, "cc")]
    assert OUTSIDER not in [letter.recipient for letter in post.letters()]


@pytest.mark.parametrize("domain", ["gmail.com", "QQ.com", "hinet.net"])
def test_public_mail_providers_are_no_organisation(domain: str, post: Post) -> None:
    sender = f"a@{domain}"
    post.take(mail(sender))
    token = post.letters()[-1].reply_to

    post.take(mail(sender, to=token, cc=f"b@{domain}", subject="Re: Printer"))

    assert post.participants(1) == [(sender.lower(), "requester")]


@pytest.mark.parametrize(
    "cc",
    [
        "sub@mail.{domain}",
        "look@alike-{domain}",
        "Support@Desk.Example",
        "support+x@desk.example",
        "{a}",
        "ü@{domain}",
        '"a b"@{domain}',
    ],
)
def test_such_a_copy_joins_nobody(cc: str, post: Post) -> None:
    thread = answered(post)

    copying(thread, cc.format(domain=thread.domain, a=thread.a.upper()))
    post.order(Reply(1, "Restart it twice.", now=True))

    assert post.participants(1) == [(thread.a, "requester")]


def test_an_unproven_answer_joins_nobody(post: Post) -> None:
    thread = answered(post)

    post.take(mail(thread.a, cc=thread.b, replies_to=thread.first))

    assert post.participants(1) == [(thread.a, "requester")]


def test_an_unproven_first_mail_joins_nobody_and_says_so(post: Post) -> None:
    filed = post.take(mail(cc=f"b@client.example, {OUTSIDER}"))

    assert post.participants(1) == [("a@client.example", "requester")]
    assert filed.evidence[-1] == "2 more in To or Cc wait for a technician; the sender is not proven"


def test_an_automatic_answer_joins_nobody(post: Post) -> None:
    thread = answered(post)

    post.take(
        mail(
            thread.a,
            to=thread.token,
            cc=thread.b,
            subject="Re: Printer",
            fields=("Auto-Submitted: auto-replied",),
        )
    )

    assert post.participants(1) == [(thread.a, "requester")]


def test_a_remembered_token_brings_colleagues_but_no_outsiders(post: Post) -> None:
    thread = answered(post)

    filed = post.take(mail(thread.a, to=thread.token, cc=f"{thread.b}, {OUTSIDER}", subject="New phone"))

    assert (filed.outcome, filed.trust) == ("new", 3)
    assert post.participants(2) == [(thread.a, "requester"), (thread.b, "cc")]


def test_a_colleague_answers_by_his_own_token(post: Post) -> None:
    thread = answered(post)
    copying(thread, thread.b)
    post.order(Reply(1, "Restart it twice.", now=True))
    to_b = post.letter_to(thread.b)

    filed = post.take(mail(thread.b, to=to_b.reply_to, replies_to=to_b.message_id))

    assert (filed.outcome, filed.trust, filed.author, filed.audience) == (
        "joined",
        3,
        "participant",
        "public",
    )


def test_every_recipient_has_a_token_of_his_own(post: Post) -> None:
    thread = answered(post)
    copying(thread, thread.b)
    post.order(Reply(1, "Restart it twice.", now=True))

    letters = post.letters()[-2:]
    keys = post.desk.postroom.known_keys()
    by_address = [verify(keys, letter.reply_to.partition("+")[2].partition("@")[0]) for letter in letters]
    by_id = [verify(keys, letter.message_id[1:33]) for letter in letters]
    senders = [verify(keys, letter.envelope_sender.partition("+")[2].partition("@")[0]) for letter in letters]

    with post.desk.reading():
        rows = post.desk.store.database.execute_sql("SELECT address, contact FROM address").fetchall()
    contacts = dict(rows)
    assert by_address == by_id
    assert by_address == [Token("r", 1, 1, contacts[letter.recipient]) for letter in letters]
    assert senders == [Token("b", 1, 1, letter.id) for letter in letters]


def test_references_lead_back_to_what_the_recipient_has_seen(post: Post) -> None:
    thread = answered(post)
    ack, first_reply = post.letters()
    second = mail(thread.a, to=thread.token, cc=thread.b, replies_to=first_reply.message_id)
    post.take(second)
    post.take(mail(thread.a, replies_to=thread.first, text="unproven"))
    post.order(AddNote(1, "A note."))

    post.order(Reply(1, "Restart it twice.", now=True))

    to_a, to_b = post.letters()[-2:]
    seen = [thread.first, ack.message_id, first_reply.message_id, second.message_id]
    assert to_a.mail["References"].split() == seen
    assert to_a.mail["In-Reply-To"] == second.message_id
    assert to_b.mail["References"].split() == [thread.first, second.message_id]
    assert to_b.mail["In-Reply-To"] == second.message_id
    assert to_a.mail["Subject"] == "Re: Printer [#1]"


def test_the_quote_holds_the_last_public_message_only(post: Post) -> None:
    thread = answered(post)
    copying(thread, "", text="First public words.\n\n> older words")
    copying(thread, "", text="Second public words.")
    post.take(mail(thread.a, replies_to=thread.first, text="Unproven words."))
    post.take(mail(thread.stranger, replies_to=thread.first, text="Held words."))
    post.order(AddNote(1, "Noted words."))

    post.order(Reply(1, "Answering words.", now=True))

    text = post.letters()[-1].text
    said = [
        word
        for word in ("First", "Second", "older", "Unproven", "Held", "Noted", "Answering")
        if word in text
    ]
    assert said == ["Second", "Answering"]
    assert [line for line in text.splitlines() if line.startswith(">")] == ["> Second public words."]


def test_a_first_answer_quotes_the_question_and_not_the_acknowledgement(post: Post) -> None:
    thread = opened(post)

    post.order(Reply(1, "Please restart it.", now=True))

    quoted = [line for line in post.letters()[-1].text.splitlines() if line.startswith(">")]
    assert quoted == ["> It does not print any more."]
    assert thread.ticket == 1


def test_only_a_persons_letter_carries_no_mark_of_a_machine(post: Post) -> None:
    thread = answered(post)

    ack, reply = post.letters(thread.ticket)

    assert [letter.mail["Auto-Submitted"] for letter in (ack, reply)] == ["auto-replied", None]
    assert [letter.mail["X-Desk-Loop"] for letter in (ack, reply)] == ["desk.example"] * 2


def test_a_token_stays_good_when_two_addresses_become_one_person(post: Post) -> None:
    thread = answered(post)
    other = f"private@{thread.domain}"
    post.take(mail(other, subject="Scanner"))
    post.desk.do(Order(MergeContacts(other, thread.a), Actor("system", "root"), Door.CLI))

    filed = post.take(mail(other, to=thread.token, replies_to=thread.letter.message_id))

    assert (filed.outcome, filed.ticket, filed.trust, filed.author) == ("joined", 1, 3, "requester")


def test_an_answer_to_an_address_that_no_letter_can_carry_is_refused(post: Post) -> None:
    post.take(mail("ü@client.example"))

    with pytest.raises(Invalid, match="no address that a mail can carry"):
        post.order(Reply(1, "Please restart it.", now=True))

    assert post.letters() == []


def test_mail_to_two_of_our_addresses_goes_once(post: Post) -> None:
    one = mail(to=f"{DESK}, support+x@desk.example", message_id=new_id())

    filed = [post.take(one) for _ in range(2)]

    assert [each.outcome for each in filed] == ["new", "dropped"]
    assert post.participants(1) == [("a@client.example", "requester")]
