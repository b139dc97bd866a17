"""Where a mail goes: one row per case, from the state of the desk before it to what was made of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from mails import DESK, Mail, bounce, mail, new_id, receipt
from post import Filed, Post, Sent

from desk.commands import Merge, Reply, SetFields
from desk.letters import tokens

_numbers = itertools.count(1)


@dataclass(slots=True)
class Thread:
    """A ticket with its requester; addresses that no other case uses."""

    post: Post
    domain: str = field(default_factory=lambda: f"client{next(_numbers)}.example")
    ticket: int = 0
    first: str = ""
    into: int = 0

    @property
    def a(self) -> str:
        return f"a@{self.domain}"

    @property
    def b(self) -> str:
        return f"b@{self.domain}"

    @property
    def stranger(self) -> str:
        return f"s@other-{self.domain}"

    @property
    def letter(self) -> Sent:
        """The newest letter to the requester."""
        return self.post.letter_to(self.a)

    @property
    def token(self) -> str:
        return self.letter.reply_to

    def set(self, status: str) -> None:
        self.post.order(SetFields(self.ticket, (("status", status),)))


def nothing(post: Post) -> Thread:
    return Thread(post)


def opened(post: Post) -> Thread:
    thread = Thread(post)
    first = mail(thread.a)
    filed = post.take(first)
    assert filed.outcome == "new"
    assert filed.ticket is not None
    thread.ticket, thread.first = filed.ticket, first.message_id
    return thread


def answered(post: Post) -> Thread:
    thread = opened(post)
    post.order(Reply(thread.ticket, "Please restart it.", now=True))
    return thread


def waiting(post: Post) -> Thread:
    thread = opened(post)
    post.order(Reply(thread.ticket, "Which printer?", now=True, wait=True))
    return thread


def resolved(post: Post) -> Thread:
    thread = answered(post)
    thread.set("resolved")
    return thread


def closed(post: Post) -> Thread:
    thread = answered(post)
    thread.set("closed")
    return thread


def merged(post: Post) -> Thread:
    thread = answered(post)
    other = post.take(mail(f"o@{thread.domain}", subject="Scanner"))
    assert other.ticket is not None
    thread.into = other.ticket
    post.order(Merge(thread.ticket, into=other.ticket))
    return thread


def with_colleague(post: Post) -> Thread:
    thread = answered(post)
    post.take(mail(thread.a, to=thread.token, cc=thread.b, replies_to=thread.letter.message_id))
    post.order(Reply(thread.ticket, "Restart it twice.", now=True))
    return thread


def _with_part(address: str, part: str) -> str:
    local, _, domain = address.partition("@")
    return f"{local.partition('+')[0]}+{part}@{domain}"


def _token_of(address: str) -> str:
    return address.partition("@")[0].partition("+")[2]


def _spoiled(token: str) -> str:
    """The same shape with a wrong signature."""
    return token[:-1] + ("a" if token[-1] != "a" else "b")


def _made(thread: Thread, kind: tokens.Kind, *, epoch: int = 1, key: bytes | None = None) -> str:
    with thread.post.desk.reading():
        real = tokens.verify(thread.post.desk.postroom.known_keys(), _token_of(thread.token))
    assert isinstance(real, tokens.Token)
    keys = {epoch: key or thread.post.desk.postroom.known_keys()[1]}
    return tokens.make(keys, epoch, kind, real.ticket, real.participant)


def _forget(thread: Thread) -> None:
    """Take the requester out of his ticket's participants."""
    thread.post.desk.store.write_tx(
        lambda tx: tx.run("DELETE FROM participant WHERE ticket = ?", thread.ticket)
    )


VACATION = ("Auto-Submitted: auto-replied",)
HERE = "here"  # the ticket of the thread
INTO = "into"  # the one that it was merged into
OWN = "own"  # a ticket of its own
LINKED = "linked"  # a ticket of its own, linked to that of the thread


@dataclass(frozen=True)
class Case:
    """`evidence` is the first line of it; `{n}` is the number of the ticket of the thread."""

    name: str
    prior: Callable[[Post], Thread]
    mail: Callable[[Thread], Mail]
    outcome: str
    where: str | None
    audience: str | None
    trust: int | None
    evidence: str
    author: str | None = "requester"
    status: str | None = None
    target: str = HERE


IN_ADDRESS = "token in the recipient address of ticket {n}"
IN_ID = "token in the Message-ID of our letter of ticket {n}"
KNOWN = "a known id of ticket {n}"
UNKNOWN = "nothing proves the sender"
OTHERS = f"{IN_ADDRESS}, given to somebody else"
REMEMBERED = f"{IN_ADDRESS}, but it is about something else; opened beside it"
MACHINE = "answer of a machine to our letter {letter}"

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
        lambda t: _answer_elsewhere(t),
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
        lambda p: _closed(with_colleague(p)),
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
        lambda t: _forget(t) or mail(t.a, to=t.token, replies_to=t.letter.message_id),  # type: ignore[func-returns-value]
        *("held", HERE, "internal", 1, f"{IN_ADDRESS}, of one who takes no part any more"),
        author="stranger",
    ),
    Case(
        "forged token",
        answered,
        lambda t: mail(t.a, to=_with_part(t.token, _spoiled(_token_of(t.token))), door="lmtp"),
        *("held", None, "internal", 1, "a token in its address is not one of ours"),
        author="stranger",
    ),
    Case(
        "forged token with known references",
        answered,
        lambda t: mail(
            t.a, to=_with_part(t.token, _spoiled(_token_of(t.token))), replies_to=t.first, door="pipe"
        ),
        *("held", None, "internal", 1, "a token in its address is not one of ours"),
        author="stranger",
    ),
    Case(
        "forged token beside a valid one",
        answered,
        lambda t: mail(
            t.a,
            to=f"{t.token}, {_with_part(t.token, _spoiled(_token_of(t.token)))}",
            replies_to=t.letter.message_id,
            recipients=(t.token,),
        ),
        *("joined", HERE, "public", 3, IN_ADDRESS),
    ),
    Case(
        "token of an unknown key",
        answered,
        lambda t: mail(t.a, to=_with_part(t.token, _made(t, "r", epoch=9, key=b"k" * 32)), subject="Phone"),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
    Case(
        "token of an unknown key with known references",
        answered,
        lambda t: mail(t.a, to=_with_part(t.token, _made(t, "r", epoch=9, key=b"k" * 32)), replies_to=t.first),
        *("joined", HERE, "internal", 1, KNOWN),
    ),
    Case(
        "vendor's token",
        answered,
        lambda t: mail(t.a, to=_with_part(t.token, _made(t, "v")), subject="Phone"),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
    Case(
        "a word after the plus",
        answered,
        lambda t: mail(t.a, to=_with_part(t.token, "printers"), subject="Phone"),
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
        lambda t: mail(t.stranger, replies_to=f"<{_spoiled(_token_of(t.token))}.1@desk.example>"),
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
        lambda t: _parent_after_child(t),
        *("joined", HERE, "internal", 1, "its own Message-ID of ticket {n}"),
    ),
    Case(
        "sibling under a parent never seen",
        nothing,
        lambda t: _sibling(t),
        *("joined", HERE, "internal", 1, KNOWN),
    ),
    Case(
        "newest of two threads",
        answered,
        lambda t: _of_two_threads(t),
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
    Case("requester without reference", answered, lambda t: mail(t.a, subject="Scanner"), "new", OWN, "public", 1, UNKNOWN),
    Case(
        "technician's address on a first mail",
        nothing,
        lambda t: mail("t1@staff.example", subject=t.domain),
        *("new", OWN, "public", 1, UNKNOWN),
    ),
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
        lambda t: bounce(t.a, returned_id=f"<{_spoiled(_token_of(t.token))}.1@desk.example>"),
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


def _closed(thread: Thread) -> Thread:
    thread.set("closed")
    return thread


def _second(thread: Thread) -> Mail:
    """A second ticket of the same requester; `into` is its number."""
    second = mail(thread.a, subject="Scanner")
    filed = thread.post.take(second)
    assert filed.ticket is not None
    thread.into = filed.ticket
    return second


def _answer_elsewhere(thread: Thread) -> Mail:
    remembered = thread.token
    _second(thread)
    return mail(thread.a, to=remembered, replies_to=thread.letter.message_id, subject="Re: Scanner")


def _of_two_threads(thread: Thread) -> Mail:
    second = _second(thread)
    return mail(thread.a, references=(thread.first, second.message_id))


def _parent_after_child(thread: Thread) -> Mail:
    parent = new_id()
    thread.ticket = thread.post.take(mail(thread.a, replies_to=parent)).ticket or 0
    return mail(thread.a, message_id=parent)


def _sibling(thread: Thread) -> Mail:
    parent = new_id()
    thread.ticket = thread.post.take(mail(thread.a, replies_to=parent)).ticket or 0
    return mail(thread.a, references=(parent,))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_mail_goes_where_its_evidence_says(case: Case, shared_post: Post) -> None:
    thread = case.prior(shared_post)
    letter = thread.letter.id if thread.first else None
    incoming = case.mail(thread)

    filed = shared_post.take(incoming)

    evidence = case.evidence.format(n=thread.ticket, into=thread.into, letter=letter)
    assert (filed.outcome, filed.audience, filed.trust, filed.author, (*filed.evidence, "")[0]) == (
        case.outcome,
        case.audience,
        case.trust,
        case.author,
        evidence,
    )
    _check_ticket(case, thread, filed, shared_post)


def _check_ticket(case: Case, thread: Thread, filed: Filed, post: Post) -> None:
    numbers = {HERE: thread.ticket, INTO: thread.into, None: None}
    if case.where in (HERE, INTO, None):
        assert filed.ticket == numbers[case.where]
    else:
        assert filed.ticket is not None
        links = post.links(filed.ticket)
        assert links == ([(numbers[case.target], "related")] if case.where == LINKED else [])
    if case.status is not None and filed.ticket is not None:
        assert post.ticket(filed.ticket)["status"] == {"new": 0, "open": 1, "waiting": 2, "resolved": 5, "closed": 6}[case.status]


def test_evidence_names_what_else_was_seen(post: Post) -> None:
    thread = opened(post)

    equal = post.take(mail(thread.a, message_id=thread.first, text="Other bytes."))
    tagged = post.take(mail(thread.stranger, subject=f"[#{thread.ticket}] x"))
    forged = post.take(mail(thread.stranger, replies_to=f"<{_spoiled(_token_of(thread.token))}.1@desk.example>"))

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
