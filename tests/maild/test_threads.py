"""Which ticket a mail of a person goes to: one row per case, from the state before to what was made of it."""

from __future__ import annotations

import pytest
from mails import Mail, mail, new_id
from placing import (
    HERE,
    IN_ADDRESS,
    IN_ID,
    INTO,
    KNOWN,
    LINKED,
    OTHERS,
    OWN,
    REMEMBERED,
    UNKNOWN,
    Case,
    Thread,
    answered,
    check,
    closed,
    forget,
    made,
    merged,
    nothing,
    resolved,
    spoiled,
    token_of,
    waiting,
    with_colleague,
    with_part,
    with_second,
)
from post import Post

CASES = [
    Case("a first mail", nothing, lambda t: mail(t.a), "new", OWN, "public", 1, UNKNOWN, status="new"),
    # --- a token in the address
    Case(
        "own token with reference",
        answered,
        lambda t: mail(t.a, to=t.token, replies_to=t.letter.message_id, subject="quite another"),
        *("joined", HERE, "public", 3, IN_ADDRESS),
    ),
    Case(
        "own token, same subject",
        answered,
        lambda t: mail(t.a, to=t.token, subject="AW: Printer"),
        *("joined", HERE, "public", 3, IN_ADDRESS),
    ),
    Case(
        "own token, no subject",
        answered,
        lambda t: mail(t.a, to=t.token, subject=""),
        *("joined", HERE, "public", 3, IN_ADDRESS),
    ),
    Case(
        "own token, capital letters",
        answered,
        lambda t: mail(t.a.upper(), to=t.token.upper(), recipients=(t.token,), subject="Re: Printer"),
        *("joined", HERE, "public", 3, IN_ADDRESS),
    ),
    Case(
        "own token in To, door without envelope",
        answered,
        lambda t: mail(t.a, to=t.token, subject="Re: Printer", mail_from=None, recipients=(), door="maildir"),
        *("joined", HERE, "public", 3, IN_ADDRESS),
    ),
    Case(
        "own token, foreign subject",
        answered,
        lambda t: mail(t.a, to=t.token, subject="New phone"),
        *("new", LINKED, "public", 3, REMEMBERED),
    ),
    Case(
        "own token, foreign subject with the tag",
        answered,
        lambda t: mail(t.a, to=t.token, subject=f"New phone [#{t.ticket}]"),
        *("joined", HERE, "public", 3, IN_ADDRESS),
    ),
    Case(
        "own token wakes a waiting ticket",
        waiting,
        lambda t: mail(t.a, to=t.token, replies_to=t.letter.message_id),
        *("joined", HERE, "public", 3, IN_ADDRESS),
        status="open",
    ),
    Case(
        "own token reopens a resolved ticket",
        resolved,
        lambda t: mail(t.a, to=t.token, replies_to=t.letter.message_id),
        *("joined", HERE, "public", 3, IN_ADDRESS),
        status="open",
    ),
    Case(
        "own token without reference on a resolved ticket",
        resolved,
        lambda t: mail(t.a, to=t.token, subject="Re: Printer"),
        *("new", LINKED, "public", 3, REMEMBERED),
    ),
    Case(
        "own token on a closed ticket",
        closed,
        lambda t: mail(t.a, to=t.token, replies_to=t.letter.message_id),
        *("new", LINKED, "public", 3, f"{IN_ADDRESS}, which is closed"),
    ),
    Case(
        "own token of a merged ticket",
        merged,
        lambda t: mail(t.a, to=t.token, replies_to=t.letter.message_id),
        *("joined", INTO, "public", 3, "token in the recipient address of ticket {into}"),
        author="participant",
    ),
    Case(
        "own token of a merged ticket, only the tag of the old one",
        merged,
        lambda t: mail(t.a, to=t.token, subject=f"Re: Printer [#{t.ticket}]"),
        *("joined", INTO, "public", 3, "token in the recipient address of ticket {into}"),
        author="participant",
    ),
    Case(
        "remembered token, but an answer to a newer ticket",
        answered,
        lambda t: answer_elsewhere(t),
        *("joined", INTO, "public", 3, "token in the Message-ID of our letter of ticket {into}"),
    ),
    Case(
        "token of another participant",
        with_colleague,
        lambda t: mail(t.b, to=t.token, replies_to=t.letter.message_id),
        *("joined", HERE, "internal", 1, OTHERS),
        author="participant",
    ),
    Case(
        "token of another participant, foreign subject, no reference",
        with_colleague,
        lambda t: mail(t.b, to=t.token, subject="New phone"),
        *("new", LINKED, "public", 1, f"{OTHERS}, but it is about something else; opened beside it"),
    ),
    Case(
        "token of another participant, closed ticket",
        lambda p: shut(with_colleague(p)),
        lambda t: mail(t.b, to=t.token, replies_to=t.letter.message_id),
        *("new", LINKED, "public", 1, f"{OTHERS}, which is closed"),
    ),
    Case(
        "somebody's token from a stranger",
        answered,
        lambda t: mail(t.stranger, to=t.token, replies_to=t.letter.message_id),
        *("held", HERE, "internal", 1, OTHERS),
        author="stranger",
    ),
    Case(
        "somebody's token from a technician without proof",
        answered,
        lambda t: mail("t1@staff.example", to=t.token, replies_to=t.letter.message_id),
        *("joined", HERE, "internal", 1, OTHERS),
        author="technician",
    ),
    Case(
        "own token of one who takes no part any more",
        answered,
        lambda t: forget(t) or mail(t.a, to=t.token, replies_to=t.letter.message_id),  # type: ignore[func-returns-value]
        *("held", HERE, "internal", 1, f"{IN_ADDRESS}, of one who takes no part any more"),
        author="stranger",
    ),
    Case(
        "forged token",
        answered,
        lambda t: mail(t.a, to=with_part(t.token, spoiled(token_of(t.token))), door="lmtp"),
        *("held", None, "internal", 1, "a token in its address is not one of ours"),
        author="stranger",
    ),
    Case(
        "forged token with known references",
        answered,
        lambda t: mail(
            t.a, to=with_part(t.token, spoiled(token_of(t.token))), replies_to=t.first, door="pipe"
        ),
        *("held", None, "internal", 1, "a token in its address is not one of ours"),
        author="stranger",
    ),
    Case(
        "forged token beside a valid one",
        answered,
        lambda t: mail(
            t.a,
            to=f"{t.token}, {with_part(t.token, spoiled(token_of(t.token)))}",
            replies_to=t.letter.message_id,
            recipients=(t.token,),
        ),
        *("joined", HERE, "public", 3, IN_ADDRESS),
    ),
    Case(
        "token of an unknown key",
        answered,
        lambda t: mail(t.a, to=with_part(t.token, made(t, "r", epoch=9, key=b"k" * 32)), subject="Phone"),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
    Case(
        "token of an unknown key with known references",
        answered,
        lambda t: mail(t.a, to=with_part(t.token, made(t, "r", epoch=9, key=b"k" * 32)), replies_to=t.first),
        *("joined", HERE, "internal", 1, KNOWN),
    ),
    Case(
        "vendor's token",
        answered,
        lambda t: mail(t.a, to=with_part(t.token, made(t, "v")), subject="Phone"),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
    Case(
        "a word after the plus",
        answered,
        lambda t: mail(t.a, to=with_part(t.token, "printers"), subject="Phone"),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
    # --- a token in our Message-ID
    Case(
        "In-Reply-To our letter",
        answered,
        lambda t: mail(t.a, replies_to=t.letter.message_id, subject="quite another"),
        *("joined", HERE, "public", 3, IN_ID),
    ),
    Case(
        "References our letter only",
        answered,
        lambda t: mail(t.a, references=(t.letter.message_id, new_id())),
        *("joined", HERE, "public", 3, IN_ID),
    ),
    Case(
        "our letter referred to by a stranger",
        answered,
        lambda t: mail(t.stranger, replies_to=t.letter.message_id),
        *("held", HERE, "internal", 1, f"{IN_ID}, given to somebody else"),
        author="stranger",
    ),
    Case(
        "our letter to A referred to by his colleague",
        with_colleague,
        lambda t: mail(t.b, replies_to=t.letter.message_id),
        *("joined", HERE, "internal", 1, f"{IN_ID}, given to somebody else"),
        author="participant",
    ),
    Case(
        "forged id of a letter",
        answered,
        lambda t: mail(t.stranger, replies_to=f"<{spoiled(token_of(t.token))}.1@desk.example>"),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
    Case(
        "guessed id of a letter",
        answered,
        lambda t: mail(t.stranger, replies_to=f"<notify-{t.ticket}-1@desk.example>"),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
    Case(
        "id of a letter under another domain",
        answered,
        lambda t: mail(t.stranger, replies_to=t.letter.message_id.replace("desk.", "other.")),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
]


def shut(thread: Thread) -> Thread:
    thread.set("closed")
    return thread


def answer_elsewhere(thread: Thread) -> Mail:
    remembered = thread.token
    with_second(thread)
    return mail(thread.a, to=remembered, replies_to=thread.letter.message_id, subject="Re: Scanner")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mail_goes_where_its_evidence_says(case: Case, shared_post: Post) -> None:
    check(case, shared_post)
