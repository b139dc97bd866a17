"""The stages of a mail as a work source: repeated, interrupted, refused, parked, given back."""

from __future__ import annotations

import base64
import dataclasses
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from mails import DESK, Mail, mail, new_id
from placing import answered, opened, resolved
from post import Post

from desk import blobs, clock, faults, spool
from desk.actors import SYSTEM, Door
from desk.commands import RetryParked
from desk.errors import Conflict, Unavailable
from desk.filing import FileLetter, ParkMail, Placement
from desk.letter import Envelope, Letter
from desk.service import Order
from desk.states import InboxState
from desk.store.schema import Attachment
from desk.work import carry_out, run_until_idle
from maild.reading.reader import ReaderPool
from maild.receive import PACE, Receiver


@pytest.fixture
def arm() -> Iterator[Callable[[str], None]]:
    """Arms fault points; disarmed afterwards."""
    yield faults.arm
    faults.arm("")


@pytest.fixture
def blind(post: Post) -> Iterator[Receiver]:
    """A receiver whose readers have no room for a large mail, not even the emergency reader."""
    with ReaderPool(1, memory_bytes=1) as readers:
        yield Receiver(post.desk, readers, holder="blind")


def inbox(post: Post) -> list[tuple[InboxState, int, str]]:
    """State, tries and holder of all mails of the spool."""
    with post.desk.reading():
        rows = post.desk.store.database.execute_sql("SELECT state, tries, holder FROM inbox ORDER BY id")
        return [(InboxState(state), tries, holder) for state, tries, holder in rows.fetchall()]


def test_a_mail_that_is_done_again_is_left_alone(post: Post) -> None:
    post.accept(mail())
    [item] = post.receiver.claim(1)
    post.receiver.do(item)
    before = post.events(1)

    post.receiver.do(item)

    assert post.tickets() == [1]
    assert post.events(1) == before
    assert len(post.letters()) == 1


@pytest.mark.parametrize(
    "prepare", [lambda post: mail(fields=("Auto-Submitted: auto-replied",)), lambda post: mail()]
)
def test_a_mail_that_two_workers_hold_is_filed_once(prepare: Callable[[Post], Mail], post: Post) -> None:
    post.accept(prepare(post))
    [item] = post.receiver.claim(1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post.receiver.do, [item] * 8))

    assert len(inbox(post)) == 1
    assert post.events(1).count("ticket.created") + post.events(None).count("message.held") == 1


def test_a_late_worker_does_not_park_what_was_filed(post: Post) -> None:
    filed = post.take(mail())

    post.desk.do(Order(ParkMail(filed.inbox, "too slow"), SYSTEM, Door.MAIL))

    assert post.filed(filed.inbox).outcome == "new"


@pytest.mark.parametrize("point", ["worker.after_read", "ingest.begin", "ingest.before_commit"])
def test_a_failure_before_the_commit_leaves_nothing_and_comes_back(
    point: str, post: Post, arm: Callable[[str], None]
) -> None:
    post.accept(mail())
    [item] = post.receiver.claim(1)
    arm(f"{point}:error")

    with pytest.raises(Unavailable):
        post.receiver.do(item)
    between = (post.tickets(), post.letters(), inbox(post)[0][0])
    post.receiver.do(item)

    assert between == ([], [], InboxState.WAITING)
    assert (post.tickets(), len(post.letters())) == ([1], 1)


def test_a_failure_after_the_commit_changes_nothing_any_more(post: Post, arm: Callable[[str], None]) -> None:
    post.accept(mail())
    [item] = post.receiver.claim(1)
    arm("ingest.after_commit:error")

    carry_out(post.receiver, item, PACE)
    again = post.receiver.claim(1)

    assert again == []
    assert (post.tickets(), len(post.letters())) == ([1], 1)


def test_a_placement_that_is_out_of_date_is_refused(post: Post) -> None:
    thread = opened(post)
    post.accept(mail(thread.a, replies_to=thread.first))
    [item] = post.receiver.claim(1)
    letter = Letter(sha256="0" * 64, size=1, message_id=new_id(), in_reply_to=[thread.first])
    stale = [
        Placement(way="new", identities=()),
        Placement(way="join", ticket=1, version=0, identities=(1,)),
        Placement(way="join", ticket=99, version=1, identities=(1,)),
    ]

    for placement in stale:
        with pytest.raises(Conflict):
            post.desk.do(Order(FileLetter(item.id, 0, letter, placement), SYSTEM, Door.MAIL))

    assert post.ticket(1)["messages"] == 1
    with post.desk.reading():
        rows = post.desk.store.database.execute_sql(
            "SELECT 1 FROM message_identity WHERE message_id = ?", (letter.message_id,)
        )
        assert rows.fetchall() == []


def test_a_mail_that_no_reader_can_read_is_parked_and_can_be_retried(post: Post, blind: Receiver) -> None:
    post.accept(mail(text="It does not print.\r\n" * 100_000))
    [item] = blind.claim(1)
    carry_out(blind, item, PACE)
    parked = post.filed(item.id)

    events = post.order(RetryParked(item.id))
    [filed] = post.work()

    assert (parked.outcome, parked.ticket) == ("parked", None)
    assert parked.reason.startswith("mail of ")
    assert [event.event for event in events] == ["order.given"]
    assert (filed.outcome, filed.ticket) == ("new", 1)


def test_without_from_the_envelope_sender_is_the_requester(post: Post) -> None:
    filed = post.take(mail("Cron@client.example", author=""))

    assert (filed.outcome, filed.trust) == ("new", 1)
    assert filed.evidence == (
        "nothing proves the sender",
        "From is missing; the envelope's sender was taken for it",
    )
    assert post.ticket(1)["requester_address"] == "cron@client.example"
    assert post.letters() == []


@pytest.mark.parametrize("mail_from", ["<>", None])
def test_without_any_sender_a_mail_is_held(mail_from: str | None, post: Post) -> None:
    filed = post.take(mail(author="", mail_from=mail_from, door="lmtp"))

    assert (filed.outcome, filed.reason) == ("held", "the sender cannot be trusted: no From field")
    assert post.letters() == []


def test_an_empty_mail_opens_a_ticket_without_subject(post: Post) -> None:
    filed = post.take(Mail(b"", "", "a@client.example", (DESK,)))

    assert filed.outcome == "new"
    assert post.ticket(1)["subject"] == "(no subject)"


def test_an_empty_mail_of_nobody_is_held(post: Post) -> None:
    filed = post.take(Mail(b"", "", "", (DESK,)))

    assert filed.outcome == "held"


def test_an_address_that_cannot_be_kept_does_not_stop_a_mail(post: Post) -> None:
    long = f"{'x' * 120}@{'d' * 60}.{'d' * 60}.{'d' * 60}.example"

    outcomes = [
        post.take(mail(cc=f'"a b"@client.example, {long}')).outcome,
        post.take(mail(long, mail_from="x@client.example")).outcome,
    ]

    assert outcomes == ["new", "held"]


def test_old_archives_are_silent(post: Post) -> None:
    filed = post.take(mail(door="import"))

    with post.desk.reading():
        channel = post.desk.store.database.execute_sql("SELECT channel FROM ticket").fetchall()
    assert (filed.outcome, channel) == ("new", [("import",)])
    assert post.letters() == []


# --- the spool


def test_a_claim_comes_back_when_its_lease_ends(post: Post) -> None:
    with clock.frozen(clock.now()):
        post.accept(mail())
        [first] = post.receiver.claim(10)
        early = post.receiver.claim(10)
        clock.advance(spool.LEASE)
        [second] = spool.claim(post.desk.store, "other", 10)

    assert early == []
    assert (first.tries, second.tries, second.id) == (1, 2, first.id)
    assert inbox(post) == [(InboxState.WAITING, 2, "other")]


def test_claims_of_a_process_that_died_are_released_at_once(post: Post) -> None:
    post.accept(mail())
    post.accept(mail())
    post.receiver.claim(1)
    spool.claim(post.desk.store, "other", 1)

    released = spool.release_claims(post.desk.store, "test")

    assert released == 1
    assert [item.id for item in post.receiver.claim(10)] == [1]


def test_what_is_given_back_waits(post: Post) -> None:
    with clock.frozen(clock.now()):
        post.accept(mail())
        [item] = post.receiver.claim(1)
        post.receiver.again(item, timedelta(minutes=2), "the desk had moved on")
        early = post.receiver.claim(1)
        clock.advance(timedelta(minutes=2))
        [again] = post.receiver.claim(1)

    assert early == []
    assert again.tries == 2
    assert post.filed(again.id).reason == "the desk had moved on"


def test_released_claims_leave_alone_what_waits(post: Post) -> None:
    with clock.frozen(clock.now()):
        post.accept(mail())
        [item] = post.receiver.claim(1)
        post.receiver.again(item, timedelta(minutes=2), "later")

        released = spool.release_claims(post.desk.store, "test")

        assert (released, post.receiver.claim(1)) == (0, [])


def test_give_back_after_filing_changes_nothing(post: Post) -> None:
    post.accept(mail())
    [item] = post.receiver.claim(1)
    post.receiver.do(item)

    post.receiver.again(item, timedelta(0), "too late")

    assert post.filed(item.id).outcome == "new"
    assert post.filed(item.id).reason == ""


def test_a_door_with_keys_takes_a_delivery_once(post: Post) -> None:
    one = mail()
    envelope = Envelope(door="imap", sender=one.sender, recipients=(DESK,), key="INBOX/1/7")

    shas = [spool.accept(post.desk.store, one.raw, envelope).result() for _ in range(3)]
    other = msgspec.structs.replace(envelope, key="INBOX/1/8")
    spool.accept(post.desk.store, mail().raw, other).result()

    assert len(set(shas)) == 1
    assert len(inbox(post)) == 2


def test_claims_are_oldest_first_and_limited(post: Post) -> None:
    for _ in range(5):
        post.accept(mail())

    assert [[item.id for item in post.receiver.claim(2)] for _ in range(3)] == [[1, 2], [3, 4], [5]]


def test_an_idle_claim_writes_nothing(template: Path, tmp_path: Path, readers: ReaderPool) -> None:
    with closing(Post(template, tmp_path / "home", readers)) as post:
        before = post.desk.store.database.execute_sql("PRAGMA data_version").fetchall()
        file = (tmp_path / "home" / "desk.db-wal").stat().st_size

        claimed = post.receiver.claim(10)

        assert claimed == []
        assert (tmp_path / "home" / "desk.db-wal").stat().st_size == file
        assert post.desk.store.database.execute_sql("PRAGMA data_version").fetchall() == before


def test_outcomes_tell_what_became_of_each(post: Post) -> None:
    first = mail()
    for each in (first, first, mail(fields=("Auto-Submitted: auto-replied",))):
        post.take(each)
    post.accept(mail())

    told = list(spool.outcomes(post.desk.store, [1, 2, 3, 4]))

    assert told == [
        (1, InboxState.DONE, 1, ""),
        (2, InboxState.DROPPED, 1, "duplicate"),
        (3, InboxState.HELD, None, "an automatic answer to nothing that we know"),
        (4, InboxState.WAITING, None, ""),
    ]


# --- what stands in the log


def test_no_token_and_no_text_stands_in_the_log(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)  # at debug peewee itself tells every statement
    caplog.set_level(logging.DEBUG, "maild")
    caplog.set_level(logging.DEBUG, "desk")
    thread = answered(post)
    token = thread.token.partition("+")[2].partition("@")[0]

    post.take(mail(thread.a, to=thread.token, replies_to=thread.letter.message_id, text="secret words"))
    post.take(mail(thread.stranger, to=thread.token, text="secret words"))

    assert "mail filed" in caplog.text
    assert (token in caplog.text, "secret" in caplog.text) == (False, False)


# --- thanks


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("謝謝!", 5),
        ("谢谢！", 5),
        ("Thanks!\n\n> Please restart it.", 5),
        ("又壞了", 1),
        ("謝謝，但是又壞了", 1),
        ("Thanks, but it does not work.", 1),
    ],
)
def test_thanks_do_not_reopen(text: str, status: int, post: Post) -> None:
    thread = resolved(post)

    filed = post.take(mail(thread.a, to=thread.token, replies_to=thread.letter.message_id, text=text))

    assert (filed.outcome, filed.ticket) == ("joined", 1)
    assert post.ticket(1)["status"] == status
    assert ("gratitude" in filed.marks) == (status == 5)


def test_thanks_for_a_closed_ticket_open_no_other(post: Post) -> None:
    thread = answered(post)
    thread.set("closed")

    filed = post.take(mail(thread.a, to=thread.token, replies_to=thread.letter.message_id, text="Thank you!"))

    assert (filed.outcome, filed.ticket) == ("joined", 1)
    assert post.ticket(1)["status"] == 6


def test_all_that_waits_is_done_in_one_go(post: Post) -> None:
    post.limit(acks_to_new_addresses=0)
    for n in range(30):
        post.accept(mail(f"a{n}@client.example"))

    done = run_until_idle(post.receiver, PACE)

    assert (done, len(post.tickets())) == (30, 30)


def test_the_files_of_a_mail_are_kept_exactly(post: Post) -> None:
    content = bytes(range(256)) * 40
    parts = (
        "--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n"
        '--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="a.bin"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{base64.encodebytes(content).decode()}\r\n--b--"
    )
    one = mail(text=parts)
    raw = one.raw.replace(b"text/plain; charset=utf-8", b'multipart/mixed; boundary="b"', 1)

    post.take(dataclasses.replace(one, raw=raw))

    with post.desk.reading():
        [row] = Attachment.select()
        assert (row.name, row.size, blobs.content(row.sha256)) == ("a.bin", len(content), content)
