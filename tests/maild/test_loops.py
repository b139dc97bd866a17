"""Machines that answer machines: everything is quiet after one round."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from mails import Mail, mail, new_id
from post import Post, Sent, make_home

from desk.commands import OpenTicket, Reply
from maild.reading.reader import ReaderPool


class Wires:
    """Carries letters between desks and people with vacation responders, until nobody says a word."""

    def __init__(self, desks: dict[str, Post], away: set[str], *, is_honest: bool = True) -> None:
        self.desks, self.away, self.is_honest = desks, away, is_honest
        self.carried: list[Sent] = []
        self.answered = 0
        self._seen = dict.fromkeys(desks, 0)

    def run(self, *, most: int = 50) -> int:
        """The number of rounds in which somebody said something."""
        for round_ in range(most):
            letters = [letter for post in self.desks.values() for letter in self._fresh(post)]
            if not letters:
                return round_
            for letter in letters:
                self._deliver(letter)
        raise AssertionError("they never stop")

    def _fresh(self, post: Post) -> list[Sent]:
        domain = post.desk.settings.desk.domain
        found = [letter for letter in post.letters() if letter.id > self._seen[domain]]
        self._seen[domain] = max([self._seen[domain], *(letter.id for letter in found)])
        return found

    def _deliver(self, letter: Sent) -> None:
        self.carried.append(letter)
        domain = letter.recipient.rpartition("@")[2]
        if domain in self.desks:
            self.desks[domain].take(
                Mail(letter.raw, letter.message_id, letter.envelope_sender, (letter.recipient,))
            )
        elif letter.recipient in self.away:
            self._answer(letter)

    def _answer(self, letter: Sent) -> None:
        """Out of office: to Reply-To and to the envelope sender, as bad responders do."""
        self.answered += 1
        if self.is_honest and letter.mail["Auto-Submitted"]:
            return
        marks = ("Auto-Submitted: auto-replied",) if self.is_honest else ()
        subject = f"Automatic reply: {letter.mail['Subject']}"
        for to in (letter.reply_to, letter.envelope_sender):
            home = self.desks[to.rpartition("@")[2]]
            home.take(
                mail(
                    letter.recipient,
                    to=to,
                    recipients=(to,),
                    subject=subject,
                    fields=marks,
                    message_id=new_id(),
                )
            )


@pytest.fixture
def desks(template: Path, tmp_path: Path, readers: ReaderPool) -> Iterator[dict[str, Post]]:
    """Two desks that run the same program."""
    other = make_home(tmp_path / "other", domain="other.example", address="support@other.example")
    with (
        closing(Post(template, tmp_path / "one", readers)) as one,
        closing(Post(other, tmp_path / "two", readers)) as two,
    ):
        yield {"desk.example": one, "other.example": two}


def kinds(post: Post) -> list[str]:
    return [letter.kind for letter in post.letters()]


def test_two_desks_come_to_rest_when_one_opens_a_ticket_for_the_other(desks: dict[str, Post]) -> None:
    one, two = desks.values()
    one.order(OpenTicket("support@other.example", "Contract", "Please send the contract."))

    rounds = Wires(desks, set()).run()

    assert rounds == 1
    assert (kinds(one), kinds(two)) == (["copy"], [])
    assert two.tickets() == []


def test_two_desks_come_to_rest_after_an_answer(desks: dict[str, Post]) -> None:
    one, two = desks.values()
    one.order(OpenTicket("support@other.example", "Contract", "Please send the contract.", send_copy=False))
    one.order(Reply(1, "Where is it?", now=True))

    rounds = Wires(desks, set()).run()

    assert rounds == 2
    assert (kinds(one), kinds(two)) == (["reply"], ["ack"])
    assert (one.tickets(), two.tickets()) == ([1], [1])


def test_two_desks_can_talk(desks: dict[str, Post]) -> None:
    one, two = desks.values()
    wires = Wires(desks, set())
    one.order(OpenTicket("support@other.example", "Contract", "Please send the contract.", send_copy=False))
    one.order(Reply(1, "Where is it?", now=True))
    wires.run()

    two.order(Reply(1, "Here.", now=True))
    wires.run()
    one.order(Reply(1, "Thank you, we are looking.", now=True))
    wires.run()

    assert (one.tickets(), two.tickets()) == ([1], [1])
    assert (kinds(one), kinds(two)) == (["reply", "reply"], ["ack", "reply"])


@pytest.mark.parametrize("is_honest", [True, False], ids=["marked as automatic", "not marked"])
def test_a_vacation_responder_opens_nothing_and_gets_no_answer(
    is_honest: bool, desks: dict[str, Post]
) -> None:
    one = desks["desk.example"]
    wires = Wires(desks, {"a@client.example"}, is_honest=is_honest)
    one.take(mail())

    wires.run()
    one.order(Reply(1, "Please restart it.", now=True, resolve=is_honest))
    wires.run()

    assert kinds(one) == ["ack", "reply"]
    assert wires.answered == 2
    assert one.tickets() == [1]
    if is_honest:
        assert one.ticket(1)["status"] == 5


def test_two_desks_and_a_responder_in_copy_come_to_rest(desks: dict[str, Post]) -> None:
    one, two = desks.values()
    wires = Wires(desks, {"a@client.example", "b@client.example"})
    first = mail(to="support@desk.example, support@other.example", cc="b@client.example")
    one.take(first)
    two.take(first)

    rounds = wires.run()
    one.order(Reply(1, "Please restart it.", now=True))
    later = wires.run()

    assert (rounds, later) == (1, 1)
    assert (kinds(one), kinds(two)) == (["ack", "reply"], ["ack"])
    assert (one.tickets(), two.tickets()) == ([1], [1])


def test_our_own_letter_is_dropped_and_listed(post: Post) -> None:
    post.take(mail())
    letter = post.letters()[0]

    filed = post.take(Mail(letter.raw, letter.message_id, "x@client.example", ("support@desk.example",)))

    assert (filed.outcome, filed.reason) == ("dropped", "our own letter came back (loop)")
    assert post.tickets() == [1]


def test_the_name_of_a_desk_says_nothing(post: Post) -> None:
    """Only the domain in the loop mark does, as a whole word."""
    marks = ["X-Desk-Loop: xdesk.example", "X-Desk-Loop: desk.example.other.example"]

    filed = [post.take(mail(fields=(mark,), subject=mark)) for mark in marks]

    assert [each.outcome for each in filed] == ["new", "new"]


def test_a_mail_that_went_through_fifty_servers_is_taken(post: Post) -> None:
    hop = "Received: from a by b; Fri, 20 Nov 2026 12:00:00 +0000"

    at_most = post.take(mail(fields=[hop] * 50))
    too_many = post.take(mail(fields=[hop] * 51))

    assert at_most.outcome == "new"
    assert (too_many.outcome, too_many.reason) == ("dropped", "it went through 51 servers (loop)")
