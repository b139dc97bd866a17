"""What technicians do with mail that was set aside."""

from __future__ import annotations

import pytest
from mails import DESK, bounce, mail, new_id
from placing import Thread, answered, closed, merged, opened, resolved
from post import Filed, Post

from desk.actors import Actor, Door
from desk.commands import AddTechnician, ChangeContact, Merge, RejectHeld, ReleaseHeld, Reply, RetryParked
from desk.errors import IllegalMove, NotAllowed, NotFound
from desk.service import Order
from desk.settings import load_settings
from desk.states import InboxState, MessageState

VACATION = ("Auto-Submitted: auto-replied",)


def held_beside(thread: Thread) -> Filed:
    filed = thread.post.take(mail(thread.stranger, replies_to=thread.first, text="I have it too."))
    assert filed.outcome == "held"
    return filed


def held_alone(post: Post, **more: str) -> Filed:
    filed = post.take(mail(author="a@client.example, b@client.example", **more))
    assert filed.outcome == "held"
    return filed


def state(post: Post, inbox: int) -> InboxState:
    with post.desk.reading():
        rows = post.desk.store.database.execute_sql(f"SELECT state FROM inbox WHERE id = {inbox}").fetchall()
    return InboxState(rows[0][0])


def test_a_held_mail_does_not_count(post: Post) -> None:
    thread = opened(post)

    filed = held_beside(thread)

    assert post.message_state(filed.message or 0) is MessageState.HELD
    assert post.ticket(1)["messages"] == 1
    assert post.events(1)[-1] == "message.held"
    assert post.participants(1) == [(thread.a, "requester")]


def test_release_lets_it_into_its_ticket(post: Post) -> None:
    thread = answered(post)
    filed = held_beside(thread)

    events = post.order(ReleaseHeld(filed.inbox))

    after = post.filed(filed.inbox)
    assert (after.outcome, after.ticket, after.audience) == ("joined", 1, "public")
    assert [event.event for event in events] == ["order.given", "message.released", "message.in"]
    assert post.message_state(filed.message or 0) is MessageState.STANDS
    assert post.ticket(1)["messages"] == 3
    assert post.participants(1) == [(thread.a, "requester")]


def test_orders_about_a_mail_name_the_ticket_beside_which_it_lies(post: Post) -> None:
    thread = opened(post)
    released, rejected = held_beside(thread), held_beside(thread)
    alone = held_alone(post)

    given = [
        post.order(command)[0]
        for command in (ReleaseHeld(released.inbox), RejectHeld(rejected.inbox), RejectHeld(alone.inbox))
    ]

    assert [(event.event, event.ticket) for event in given] == [
        ("order.given", 1),
        ("order.given", 1),
        ("order.given", None),
    ]


def test_orders_about_a_mail_beside_a_merged_ticket_name_the_other(post: Post) -> None:
    thread = opened(post)
    filed = held_beside(thread)
    other = post.take(mail(f"o@{thread.domain}", subject="Scanner"))
    post.order(Merge(thread.ticket, into=other.ticket or 0))

    events = post.order(RejectHeld(filed.inbox))

    assert [(event.event, event.ticket) for event in events] == [
        ("order.given", other.ticket),
        ("message.rejected", other.ticket),
    ]


def test_release_reopens_a_resolved_ticket(post: Post) -> None:
    thread = resolved(post)
    filed = held_beside(thread)

    events = post.order(ReleaseHeld(filed.inbox))

    assert [event.event for event in events][-1] == "state.changed"
    ticket = post.ticket(1)
    assert (ticket["status"], ticket["reopens"], ticket["resolved"]) == (1, 1, None)


def test_release_of_an_automatic_answer_wakes_nothing(post: Post) -> None:
    thread = resolved(post)
    filed = post.take(mail(thread.stranger, replies_to=thread.first, fields=VACATION))

    post.order(ReleaseHeld(filed.inbox))

    assert post.ticket(1)["status"] == 5


def test_release_follows_a_merge(post: Post) -> None:
    thread = merged(post)
    filed = held_beside(thread)

    post.order(ReleaseHeld(filed.inbox))

    assert post.filed(filed.inbox).ticket == thread.into
    assert post.ticket(thread.ticket)["messages"] == 0


def test_release_opens_a_ticket_for_what_lay_alone(post: Post) -> None:
    filed = post.take(
        mail(fields=VACATION, subject="Re: 印表機壞了", text="你好，印表機壞了，請幫忙看一下。")
    )

    events = post.order(ReleaseHeld(filed.inbox))

    assert [event.event for event in events] == [
        "order.given",
        "ticket.created",
        "message.released",
        "message.in",
    ]
    ticket = post.ticket(1)
    assert (ticket["subject"], ticket["language"], ticket["messages"]) == ("印表機壞了", "zh-Hant", 1)
    assert (ticket["requester_address"], ticket["queue"]) == ("a@client.example", "help-desk")
    assert post.participants(1) == [("a@client.example", "requester")]
    assert post.letters() == []


def test_a_released_ticket_has_a_subject_and_the_language_of_the_person(post: Post) -> None:
    post.take(mail())
    post.order(ChangeContact("a@client.example", (("language", "zh-Hans"),)))
    filed = post.take(mail(fields=VACATION, subject=""))

    post.order(ReleaseHeld(filed.inbox))

    ticket = post.ticket(2)
    assert (ticket["subject"], ticket["language"]) == ("（无主题）", "zh-Hans")


def test_a_released_ticket_goes_to_the_queue_of_its_address(post: Post) -> None:
    network = "network@desk.example"
    home = post.desk.home
    toml = (home / "desk.toml").read_text()
    (home / "desk.toml").write_text(toml.replace('["support@desk.example"]', f'["{DESK}", "{network}"]'))
    queue = (home / "queues" / "help-desk.toml").read_text().replace(DESK, network)
    (home / "queues" / "network.toml").write_text(queue)
    post.desk.use(load_settings(home))
    post.refresh()
    filed = post.take(mail(to=network, fields=VACATION))

    post.order(ReleaseHeld(filed.inbox))

    assert post.ticket(1)["queue"] == "network"


def test_answers_to_a_released_mail_find_its_ticket(post: Post) -> None:
    parent, released = new_id(), mail(fields=VACATION, message_id=new_id(), references=(root := new_id(),))
    filed = post.take(released)
    post.order(ReleaseHeld(filed.inbox))

    to_it = post.take(mail(replies_to=released.message_id))
    beside = post.take(mail(references=(root,)))
    elsewhere = post.take(mail(replies_to=parent, subject="Scanner"))

    assert (to_it.ticket, beside.ticket, elsewhere.ticket) == (1, 1, 2)


def test_one_can_answer_a_released_ticket(post: Post) -> None:
    filed = post.take(mail(fields=VACATION))
    post.order(ReleaseHeld(filed.inbox))

    post.order(Reply(1, "Please restart it.", now=True))

    assert [letter.recipient for letter in post.letters()] == ["a@client.example"]


def test_reject_puts_it_away(post: Post) -> None:
    thread = opened(post)
    filed = held_beside(thread)

    events = post.order(RejectHeld(filed.inbox, "advertising"))

    assert [event.event for event in events] == ["order.given", "message.rejected"]
    assert state(post, filed.inbox) is InboxState.REJECTED
    assert post.message_state(filed.message or 0) is MessageState.REJECTED
    assert post.filed(filed.inbox).reason == "advertising"
    assert post.ticket(1)["messages"] == 1


def test_what_was_decided_is_decided(post: Post) -> None:
    thread = opened(post)
    released, rejected = held_beside(thread), held_alone(post)
    post.order(ReleaseHeld(released.inbox))
    post.order(RejectHeld(rejected.inbox))

    for command in (ReleaseHeld, RejectHeld, RetryParked):
        for filed in (released, rejected):
            with pytest.raises(NotFound, match=f"no mail {filed.inbox} set aside"):
                post.order(command(filed.inbox))

    assert state(post, released.inbox) is InboxState.DONE
    assert state(post, rejected.inbox) is InboxState.REJECTED


def test_rejecting_a_duplicate_leaves_the_message_alone(post: Post) -> None:
    first = mail()
    stands, duplicate = post.take(first), post.take(first)

    post.order(RejectHeld(duplicate.inbox))

    assert post.message_state(stands.message or 0) is MessageState.STANDS
    assert state(post, duplicate.inbox) is InboxState.REJECTED
    assert state(post, stands.inbox) is InboxState.DONE


def test_dropped_mail_is_not_released(post: Post) -> None:
    dropped = post.take(mail(fields=("X-Desk-Loop: desk.example",)))

    with pytest.raises(IllegalMove, match="is dropped, not held; its bytes are kept"):
        post.order(ReleaseHeld(dropped.inbox))
    with pytest.raises(IllegalMove, match="only parked mail is read again"):
        post.order(RetryParked(dropped.inbox))


def test_a_mail_without_a_usable_sender_is_released_too(post: Post) -> None:
    nobody, odd = held_alone(post), post.take(mail(author='"a b"@client.example'))

    post.order(ReleaseHeld(nobody.inbox))
    post.order(ReleaseHeld(odd.inbox))

    assert [post.ticket(n)["requester_address"] for n in (1, 2)] == ["unknown-sender@desk.example"] * 2


def test_release_beside_a_closed_ticket_joins_it(post: Post) -> None:
    thread = opened(post)
    filed = held_beside(thread)
    thread.set("closed")

    post.order(ReleaseHeld(filed.inbox))

    assert post.filed(filed.inbox).ticket == 1
    assert post.ticket(1)["status"] == 6


def test_who_may_not_approve_may_not_release(post: Post) -> None:
    add = AddTechnician("o1", "o1@staff.example", ("observer",))
    post.desk.do(Order(add, Actor("system", "root"), Door.CLI))
    filed = held_alone(post)

    for command in (ReleaseHeld(filed.inbox), RejectHeld(filed.inbox)):
        with pytest.raises(NotAllowed):
            post.order(command, by="o1")

    assert state(post, filed.inbox) is InboxState.HELD


def test_a_held_bounce_can_be_rejected(post: Post) -> None:
    closed(post)
    filed = post.take(bounce("x@client.example"))

    post.order(RejectHeld(filed.inbox))

    assert state(post, filed.inbox) is InboxState.REJECTED


def test_equal_ids_are_marked_also_when_the_first_is_held(post: Post) -> None:
    first = mail(fields=VACATION, references=(parent := new_id(),))
    held = post.take(first)

    equal = post.take(mail("b@client.example", message_id=first.message_id))
    referred = post.take(mail("c@client.example", message_id=parent))

    mark = "same-message-id: another mail with this Message-ID came before"
    assert [mark in filed.evidence for filed in (held, equal, referred)] == [False, True, False]
