"""What becomes of mail of machines, of our own mail, and of mail whose From is not to be believed."""

from __future__ import annotations

import pytest
from mails import DESK, Mail, bounce, mail, new_id, receipt
from placing import (
    HERE,
    IN_ADDRESS,
    INTO,
    KNOWN,
    MACHINE,
    OWN,
    UNKNOWN,
    VACATION,
    Case,
    answered,
    check,
    closed,
    merged,
    nothing,
    resolved,
    spoiled,
    token_of,
    waiting,
)
from post import Post

CASES = [
    # --- machines
    Case(
        "automatic answer to our letter",
        resolved,
        lambda t: mail(t.a, to=t.token, replies_to=t.letter.message_id, fields=VACATION),
        *("joined", HERE, "internal", 1, MACHINE),
        author="stranger",
        status="resolved",
    ),
    Case(
        "automatic answer with token, foreign subject, no reference",
        resolved,
        lambda t: mail(t.a, to=t.token, subject="Automatic reply: away", fields=VACATION),
        *("joined", HERE, "public", 3, IN_ADDRESS),
        status="resolved",
    ),
    Case(
        "automatic answer with token, closed ticket",
        closed,
        lambda t: mail(t.a, to=t.token, subject="Automatic reply: away", fields=VACATION),
        *("joined", HERE, "public", 3, IN_ADDRESS),
        status="closed",
    ),
    Case(
        "automatic answer to a known mail of a closed ticket",
        closed,
        lambda t: mail(t.a, replies_to=t.first, fields=VACATION),
        *("joined", HERE, "internal", 1, KNOWN),
        status="closed",
    ),
    Case(
        "automatic answer to the envelope sender",
        waiting,
        lambda t: mail(t.a, to=t.letter.envelope_sender, subject="Away", fields=VACATION, mail_from="<>"),
        *("joined", HERE, "internal", 1, MACHINE),
        author="stranger",
        status="waiting",
    ),
    Case(
        "automatic answer from a stranger's address to our letter",
        waiting,
        lambda t: mail(t.stranger, replies_to=t.letter.message_id, fields=VACATION),
        *("joined", HERE, "internal", 1, MACHINE),
        author="stranger",
        status="waiting",
    ),
    Case(
        "automatic answer to nothing",
        nothing,
        lambda t: mail(t.a, fields=VACATION),
        *("held", None, "internal", 1, UNKNOWN),
        author="stranger",
    ),
    Case(
        "null sender with token",
        resolved,
        lambda t: mail(t.a, to=t.token, replies_to=t.first, mail_from="<>"),
        *("joined", HERE, "public", 3, IN_ADDRESS),
        status="resolved",
    ),
    Case(
        "null sender without thread",
        nothing,
        lambda t: mail(t.a, mail_from="<>"),
        *("held", None, "internal", 1, UNKNOWN),
        author="stranger",
    ),
    Case(
        "human mail to the envelope sender",
        waiting,
        lambda t: mail(t.a, to=t.letter.envelope_sender),
        *("joined", HERE, "internal", 1, MACHINE),
        author="stranger",
        status="waiting",
    ),
    Case(
        "alarm of a monitor",
        nothing,
        lambda t: mail(f"nagios@{t.domain}", subject="PROBLEM"),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
    Case(
        "bounce to the envelope sender",
        answered,
        lambda t: bounce(t.a, to=t.letter.envelope_sender),
        *("joined", HERE, "internal", 1, MACHINE),
        author="stranger",
    ),
    Case(
        "bounce with the id in its parts",
        answered,
        lambda t: bounce(t.a, returned_id=t.letter.message_id),
        *("joined", HERE, "internal", 1, MACHINE),
        author="stranger",
    ),
    Case(
        "bounce of a merged ticket",
        merged,
        lambda t: bounce(t.a, to=t.letter.envelope_sender),
        *("joined", INTO, "internal", 1, MACHINE),
        author="stranger",
    ),
    Case(
        "bounce for nothing of ours",
        nothing,
        lambda t: bounce(t.a, returned_id=new_id()),
        *("held", None, "internal", 1, UNKNOWN),
        author="stranger",
    ),
    Case(
        "bounce with a forged id of ours",
        answered,
        lambda t: bounce(t.a, returned_id=f"<{spoiled(token_of(t.token))}.1@desk.example>"),
        *("held", None, "internal", 1, UNKNOWN),
        author="stranger",
    ),
    Case(
        "read receipt of our letter",
        resolved,
        lambda t: receipt(original_id=t.letter.message_id, sender=t.a),
        *("joined", HERE, "internal", 1, MACHINE),
        author="stranger",
        status="resolved",
    ),
    Case(
        "read receipt of nothing",
        nothing,
        lambda t: receipt(original_id=new_id(), sender=t.a),
        *("held", None, "internal", 1, UNKNOWN),
        author="stranger",
    ),
    # --- ourselves
    Case(
        "our own letter back",
        answered,
        lambda t: Mail(t.letter.raw, t.letter.message_id, t.a, (DESK,)),
        *("dropped", None, None, None, ""),
        author=None,
    ),
    Case(
        "a letter of another desk",
        nothing,
        lambda t: mail(t.a, fields=("X-Desk-Loop: other.example", "Auto-Submitted: no")),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
    Case(
        "an automatic letter of another desk",
        nothing,
        lambda t: mail(t.a, fields=("X-Desk-Loop: other.example", *VACATION)),
        *("held", None, "internal", 1, UNKNOWN),
        author="stranger",
    ),
    Case(
        "a mail that goes round",
        nothing,
        lambda t: mail(t.a, fields=["Received: from a by b; Fri, 20 Nov 2026 12:00:00 +0000"] * 51),
        *("dropped", None, None, None, ""),
        author=None,
    ),
    # --- From
    *(
        Case(
            f"From is our own address: {own}",
            nothing,
            lambda t, own=own: mail(own, mail_from=t.a),  # type: ignore[misc]
            *("held", None, "internal", 0, "From is our own address"),
            author="stranger",
        )
        for own in (DESK, "Support@Desk.Example", "support+x@desk.example")
    ),
    *(
        Case(
            f"From is not to be believed: {author}",
            answered,
            lambda t, author=author: mail(t.a, author=author.format(a=t.a), replies_to=t.first),  # type: ignore[misc]
            *("held", None, "internal", 0, doubt),
            author="stranger",
        )
        for author, doubt in (
            ("{a}, b@other.example", "several mailboxes in From"),
            ("{a}\r\nFrom: b@other.example", "several From fields"),
            ("=?utf-8?q?{a}=00?=@other.example", "encoded word inside the address; no address in From"),
            ("<{a}> <b@other.example>", "text after the address; address readers disagree"),
            ('"a b"@client.example', "an address to which nothing can be sent"),
        )
    ),
    Case(
        "no From, but an envelope sender",
        nothing,
        lambda t: mail(t.a, author=""),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_such_a_mail_is_filed_in_silence_held_or_dropped(case: Case, shared_post: Post) -> None:
    check(case, shared_post)


def test_a_hard_bounce_marks_the_address_that_we_wrote_to(post: Post) -> None:
    thread = answered(post)

    post.take(bounce("other@elsewhere.example", to=thread.letter.envelope_sender))

    with post.desk.reading():
        rows = post.desk.store.database.execute_sql(
            "SELECT address FROM address WHERE failing_since IS NOT NULL"
        ).fetchall()
    assert rows == [(thread.a,)]
    assert post.events(thread.ticket)[-2:] == ["message.in", "letter.bounced"]


def test_a_passing_failure_marks_no_address(post: Post) -> None:
    thread = answered(post)

    post.take(bounce(thread.a, to=thread.letter.envelope_sender, status="4.2.2", action="delayed"))

    with post.desk.reading():
        rows = post.desk.store.database.execute_sql(
            "SELECT address FROM address WHERE failing_since IS NOT NULL"
        ).fetchall()
    assert rows == []
    assert post.events(thread.ticket)[-2:] == ["message.in", "letter.bounced"]
