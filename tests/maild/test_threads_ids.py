"""Which ticket a mail goes to by known Message-IDs and the subject tag, and what the evidence says."""

from __future__ import annotations

import pytest
from mails import DESK, Mail, bounce, mail, new_id
from placing import (
    HERE,
    INTO,
    KNOWN,
    LINKED,
    OWN,
    UNKNOWN,
    VACATION,
    Case,
    Thread,
    answered,
    check,
    closed,
    merged,
    nothing,
    opened,
    resolved,
    spoiled,
    token_of,
    waiting,
    with_second,
)
from post import Post

CASES = [
    # --- known ids
    Case(
        "In-Reply-To a known mail, from the requester",
        answered,
        lambda t: mail(t.a, replies_to=t.first),
        *("joined", HERE, "internal", 1, KNOWN),
    ),
    Case(
        "References a known mail only",
        answered,
        lambda t: mail(t.a, references=(t.first,)),
        *("joined", HERE, "internal", 1, KNOWN),
    ),
    Case(
        "known mail, from a stranger",
        answered,
        lambda t: mail(t.stranger, replies_to=t.first),
        *("held", HERE, "internal", 1, KNOWN),
        author="stranger",
    ),
    Case(
        "known mail, from a technician without proof",
        answered,
        lambda t: mail("t2@staff.example", replies_to=t.first),
        *("joined", HERE, "internal", 1, KNOWN),
        author="technician",
    ),
    Case(
        "known mail wakes a waiting ticket",
        waiting,
        lambda t: mail(t.a, replies_to=t.first),
        *("joined", HERE, "internal", 1, KNOWN),
        status="open",
    ),
    Case(
        "known mail reopens a resolved ticket",
        resolved,
        lambda t: mail(t.a, replies_to=t.first),
        *("joined", HERE, "internal", 1, KNOWN),
        status="open",
    ),
    Case(
        "known mail of a closed ticket",
        closed,
        lambda t: mail(t.a, replies_to=t.first),
        *("new", LINKED, "public", 1, "refers to closed ticket {n}"),
    ),
    Case(
        "known mail of a closed ticket, from a stranger",
        closed,
        lambda t: mail(t.stranger, replies_to=t.first),
        *("new", LINKED, "public", 1, "refers to closed ticket {n}"),
    ),
    Case(
        "known mail of a merged ticket",
        merged,
        lambda t: mail(t.a, replies_to=t.first),
        *("joined", INTO, "internal", 1, "a known id of ticket {into}"),
        author="participant",
    ),
    Case(
        "parent after its child",
        nothing,
        lambda t: parent_after_child(t),
        *("joined", HERE, "internal", 1, "its own Message-ID of ticket {n}"),
    ),
    Case(
        "parent after a stranger's mail that refers to it",
        nothing,
        lambda t: claimed_parent(t),
        *(
            "new",
            LINKED,
            "public",
            1,
            "ticket {n} of somebody else refers to its Message-ID; opened beside it",
        ),
    ),
    Case(
        "automatic answer after a stranger's mail that refers to it",
        nothing,
        lambda t: claimed_parent(t, fields=VACATION),
        *("held", HERE, "internal", 1, "its own Message-ID of ticket {n}"),
        author="stranger",
    ),
    Case(
        "parent of a technician after a stranger's mail that refers to it",
        nothing,
        lambda t: claimed_parent(t, "t2@staff.example"),
        *("joined", HERE, "internal", 1, "its own Message-ID of ticket {n}"),
        author="technician",
    ),
    Case(
        "sibling under a parent never seen",
        nothing,
        lambda t: sibling(t),
        *("joined", HERE, "internal", 1, KNOWN),
    ),
    Case(
        "newest of two threads",
        answered,
        lambda t: of_two_threads(t),
        *("joined", INTO, "internal", 1, "a known id of ticket {into}"),
    ),
    Case(
        "equal Message-ID, other bytes",
        opened,
        lambda t: mail(t.a, message_id=t.first, text="The scanner too."),
        *("joined", HERE, "internal", 1, "its own Message-ID of ticket {n}"),
    ),
    Case(
        "equal Message-ID, other bytes, a stranger",
        opened,
        lambda t: mail(t.stranger, message_id=t.first, text="The scanner too."),
        *("held", HERE, "internal", 1, "its own Message-ID of ticket {n}"),
        author="stranger",
    ),
    # --- the subject tag
    Case(
        "tag alone, from the requester",
        answered,
        lambda t: mail(t.a, subject=f"Re: Scanner [#{t.ticket}]"),
        *("new", LINKED, "public", 1, UNKNOWN),
    ),
    Case(
        "tag alone, from a stranger",
        answered,
        lambda t: mail(t.stranger, subject=f"[#{t.ticket}] Re: Printer"),
        *("new", LINKED, "public", 1, UNKNOWN),
    ),
    Case(
        "tag of a merged ticket",
        merged,
        lambda t: mail(t.stranger, subject=f"[#{t.ticket}] Re: Printer"),
        *("new", LINKED, "public", 1, UNKNOWN),
        target=INTO,
    ),
    Case(
        "tag of no ticket",
        nothing,
        lambda t: mail(t.a, subject="[#99999999] Printer"),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
    Case(
        "requester without reference",
        answered,
        lambda t: mail(t.a, subject="Scanner"),
        "new",
        OWN,
        "public",
        1,
        UNKNOWN,
    ),
    Case(
        "technician's address on a first mail",
        nothing,
        lambda t: mail("t1@staff.example", subject=t.domain),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
]


def of_two_threads(thread: Thread) -> Mail:
    second = with_second(thread)
    return mail(thread.a, references=(thread.first, second.message_id))


def parent_after_child(thread: Thread) -> Mail:
    parent = new_id()
    thread.ticket = thread.post.take(mail(thread.a, replies_to=parent)).ticket or 0
    return mail(thread.a, message_id=parent)


def claimed_parent(thread: Thread, sender: str = "", fields: tuple[str, ...] = ()) -> Mail:
    parent = new_id()
    thread.ticket = thread.post.take(mail(thread.stranger, references=(parent,))).ticket or 0
    return mail(sender or thread.a, message_id=parent, fields=fields)


def sibling(thread: Thread) -> Mail:
    parent = new_id()
    thread.ticket = thread.post.take(mail(thread.a, replies_to=parent)).ticket or 0
    return mail(thread.a, references=(parent,))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mail_goes_where_its_ids_say(case: Case, shared_post: Post) -> None:
    check(case, shared_post)


def test_a_message_id_that_a_stranger_referred_to_belongs_to_its_mail(post: Post) -> None:
    planted = new_id()
    post.take(mail("s@other.example", references=(planted,)))
    post.take(mail("a@client.example", message_id=planted))

    answer = post.take(mail("a@client.example", replies_to=planted))
    copy = post.take(mail("a@client.example", message_id=planted, text="By another way."))

    assert (post.tickets(), answer.ticket, copy.ticket) == ([1, 2], 2, 2)
    assert [letter.recipient for letter in post.letters()] == ["s@other.example", "a@client.example"]


def test_evidence_names_what_else_was_seen(post: Post) -> None:
    thread = opened(post)

    equal = post.take(mail(thread.a, message_id=thread.first, text="Other bytes."))
    tagged = post.take(mail(thread.stranger, subject=f"[#{thread.ticket}] x"))
    forged = post.take(
        mail(thread.stranger, replies_to=f"<{spoiled(token_of(thread.token))}.1@desk.example>")
    )

    assert equal.evidence == (
        "its own Message-ID of ticket 1",
        "same-message-id: another mail with this Message-ID came before",
        "From is a participant's address; unproven",
    )
    assert tagged.evidence == ("nothing proves the sender", "the subject claims ticket 1; a hint only")
    assert forged.evidence == (
        "nothing proves the sender",
        "something looked like a token of ours and was not",
    )


def test_reasons_of_held_mail_are_sentences(post: Post) -> None:
    thread = opened(post)

    reasons = [
        post.take(incoming).reason
        for incoming in (
            mail("s@other.example", replies_to=thread.first),
            mail(thread.a, fields=VACATION),
            bounce("x@other.example"),
            mail(thread.a, author="x@a.example, y@b.example"),
            mail(DESK, mail_from="x@other.example"),
        )
    ]

    assert reasons == [
        "s@other.example takes no part in ticket 1",
        "an automatic answer to nothing that we know",
        "a delivery report for a letter that we did not send",
        "the sender cannot be trusted: several mailboxes in From",
        "it claims to come from the desk itself",
    ]
