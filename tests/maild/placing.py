"""What the tests of placing are made of: a ticket in some state, a mail for it, and what shall become of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from mails import Mail, mail
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


def with_second(thread: Thread) -> Mail:
    """A second ticket of the same requester; `into` is its number."""
    second = mail(thread.a, subject="Scanner")
    filed = thread.post.take(second)
    assert filed.ticket is not None
    thread.into = filed.ticket
    return second


def with_part(address: str, part: str) -> str:
    local, _, domain = address.partition("@")
    return f"{local.partition('+')[0]}+{part}@{domain}"


def token_of(address: str) -> str:
    return address.partition("@")[0].partition("+")[2]


def spoiled(token: str) -> str:
    """The same shape with a wrong signature."""
    return token[:-1] + ("a" if token[-1] != "a" else "b")


def made(thread: Thread, kind: tokens.Kind, *, epoch: int = 1, key: bytes | None = None) -> str:
    with thread.post.desk.reading():
        real = tokens.verify(thread.post.desk.postroom.known_keys(), token_of(thread.token))
    assert isinstance(real, tokens.Token)
    keys = {epoch: key or thread.post.desk.postroom.known_keys()[1]}
    return tokens.make(keys, epoch, kind, real.ticket, real.participant)


def forget(thread: Thread) -> None:
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


def check(case: Case, post: Post) -> None:
    """Take the mail of a case in and compare all that is said about it."""
    thread = case.prior(post)
    letter = thread.letter.id if thread.first else None
    incoming = case.mail(thread)

    filed = post.take(incoming)

    evidence = case.evidence.format(n=thread.ticket, into=thread.into, letter=letter)
    assert (filed.outcome, filed.audience, filed.trust, filed.author, (*filed.evidence, "")[0]) == (
        case.outcome,
        case.audience,
        case.trust,
        case.author,
        evidence,
    )
    _check_ticket(case, thread, filed, post)


def _check_ticket(case: Case, thread: Thread, filed: Filed, post: Post) -> None:
    numbers = {HERE: thread.ticket, INTO: thread.into, None: None}
    if case.where in (HERE, INTO, None):
        assert filed.ticket == numbers[case.where]
    else:
        assert filed.ticket is not None
        links = post.links(filed.ticket)
        assert links == ([(numbers[case.target], "related")] if case.where == LINKED else [])
    if case.status is not None and filed.ticket is not None:
        assert (
            post.ticket(filed.ticket)["status"]
            == {"new": 0, "open": 1, "waiting": 2, "resolved": 5, "closed": 6}[case.status]
        )
