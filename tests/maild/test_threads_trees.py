"""Mails of one conversation in any shape and order, the same mail again, and many at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from mails import Mail, mail, new_id
from post import Post

from desk import clock
from desk.commands import Merge
from desk.work import carry_out
from maild.receive import PACE

_numbers = itertools.count(1)


def rooted_trees(size: int) -> Iterator[tuple[int | None, ...]]:
    """Every rooted labelled tree: the parent of each node. Taken in by label, that is every shape in every order."""
    for parents in itertools.product((None, *range(size)), repeat=size):
        if parents.count(None) == 1 and all(_reaches_root(parents, node) for node in range(size)):
            yield parents


def _reaches_root(parents: tuple[int | None, ...], node: int) -> bool:
    return len(_ancestors(parents, node)) < len(parents)


def _ancestors(parents: tuple[int | None, ...], node: int) -> list[int]:
    """Root first; as long as the tree when there is a circle."""
    found: list[int] = []
    parent = parents[node]
    while parent is not None and len(found) < len(parents):
        found.insert(0, parent)
        parent = parents[parent]
    return found


def in_parallel(post: Post, mails: list[Mail], *, workers: int = 12) -> None:
    """Take mails in as the loop of the daemon does, all at the same time."""
    for each in mails:
        post.accept(each)
    items = post.receiver.claim(len(mails))
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda item: carry_out(post.receiver, item, PACE), items))
    post.work()


TREES = list(rooted_trees(4))


def test_there_are_as_many_trees_as_cayley_says() -> None:
    assert len(TREES) == 4**3


@pytest.mark.parametrize("with_parent", [True, False], ids=["both fields", "references only"])
def test_every_tree_of_four_in_every_order_is_one_ticket(with_parent: bool, shared_post: Post) -> None:
    sender = f"tree{next(_numbers)}@client.example"

    tickets = [_tickets_of_tree(shared_post, sender, tree, with_parent) for tree in TREES]

    assert [len(found) for found in tickets] == [1] * len(TREES)
    assert len(set().union(*tickets)) == len(TREES)


def _tickets_of_tree(
    post: Post, sender: str, parents: tuple[int | None, ...], with_parent: bool
) -> set[int | None]:
    ids = [new_id() for _ in parents]
    tickets = set()
    for node, parent in enumerate(parents):
        replies_to = ids[parent] if parent is not None and with_parent else None
        references = [ids[ancestor] for ancestor in _ancestors(parents, node)]
        text = f"{node} of {ids[0]}"
        one = mail(sender, message_id=ids[node], replies_to=replies_to, references=references, text=text)
        tickets.add(post.take(one).ticket)
    return tickets


def test_identical_bytes_are_one_message(post: Post) -> None:
    one = mail()

    first, second = post.take(one), post.take(one)

    assert (first.outcome, second.outcome, second.reason) == ("new", "dropped", "duplicate")
    assert (second.ticket, second.message) == (first.ticket, first.message)
    assert [letter.kind for letter in post.letters()] == ["ack"]
    assert post.events(1) == ["ticket.created", "message.in", "message.out"]


def test_identical_bytes_of_a_held_mail_are_one_message(post: Post) -> None:
    one = mail(fields=("Auto-Submitted: auto-replied",))

    first, second = post.take(one), post.take(one)

    assert (first.outcome, second.outcome, second.reason) == ("held", "dropped", "duplicate")
    assert post.events(None).count("message.held") == 1


def test_identical_bytes_at_the_same_time_are_one_ticket(post: Post) -> None:
    for round_ in range(10):
        in_parallel(post, [mail(f"r{round_}@client.example", message_id=new_id())] * 6)

    assert post.tickets() == list(range(1, 11))
    assert [letter.ticket for letter in post.letters()] == list(range(1, 11))


def test_siblings_at_the_same_time_are_one_ticket(post: Post) -> None:
    post.limit(acks_to_new_addresses=0)

    for round_ in range(50):
        sender, root = f"s{round_}@client.example", new_id()
        in_parallel(post, [mail(sender, references=(root,), text=str(n)) for n in range(3)])

    assert post.tickets() == list(range(1, 51))
    assert {post.ticket(number)["messages"] for number in post.tickets()} == {3}


def test_many_answers_to_one_ticket_at_the_same_time_all_join(post: Post) -> None:
    first = mail()
    post.take(first)

    in_parallel(post, [mail(replies_to=first.message_id, text=str(n)) for n in range(20)])

    assert post.tickets() == [1]
    assert post.ticket(1)["messages"] == 21


def test_a_second_mail_about_the_same_subject_is_possibly_related(post: Post) -> None:
    post.take(mail(subject="VPN"))

    second = post.take(mail(subject="Fwd: vpn"))
    third = post.take(mail(subject="Re: VPN"))

    assert post.links(2) == [(1, "related")]
    assert post.links(3) == [(2, "related")]
    assert (
        second.evidence[-1] == "the same requester wrote about the same subject in ticket 1; possibly related"
    )
    assert (
        third.evidence[-1] == "the same requester wrote about the same subject in ticket 2; possibly related"
    )
    assert post.events(2)[:3] == ["ticket.created", "message.in", "ticket.linked"]


@pytest.mark.parametrize(
    "other",
    [
        mail("b@client.example", subject="VPN"),
        mail(subject="VPN again"),
        mail(subject=""),
    ],
    ids=["another requester", "another subject", "no subject"],
)
def test_other_mails_are_not_related(other: Mail, post: Post) -> None:
    post.take(mail(subject="VPN"))
    post.take(mail(subject=""))

    filed = post.take(other)

    assert filed.ticket == 3
    assert post.links(3) == []


def test_after_a_week_a_subject_is_a_new_matter(post: Post) -> None:
    with clock.frozen(clock.now()):
        post.take(mail(subject="VPN"))
        clock.advance(timedelta(days=7))

        filed = post.take(mail(subject="VPN"))

    assert filed.ticket == 2
    assert post.links(2) == []


def test_a_merged_ticket_is_not_the_related_one(post: Post) -> None:
    post.take(mail(subject="VPN"))
    post.take(mail(subject="VPN"))
    post.order(Merge(2, into=1))

    filed = post.take(mail(subject="VPN"))

    assert filed.ticket == 3
    assert post.links(3) == [(1, "related")]
