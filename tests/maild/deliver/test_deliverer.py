"""Letters from the outbox to a smarthost that is a real server: sent once, deferred, or failed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from datetime import timedelta

import pytest
from peewee import IntegrityError

from desk import clock, outbox
from desk.letters.tokens import Token, find_in_address, verify
from desk.states import OutboxState
from desk.work import Loop, carry_out
from maild.deliver.deliverer import GIVE_UP, PACE, pause_after
from maild.deliver.routes import said
from tests.maild.deliver.delivery import HOST, START, Office, letter_bytes
from tests.real.servers.loopback import wait_until
from tests.real.servers.sink import Sink, Stage

SENT, WAITING, FAILED = OutboxState.SENT, OutboxState.WAITING, OutboxState.FAILED
OWN = ("support@example.org",)


def minutes_between(due: float, least: float) -> bool:
    """A pause has a jitter of a tenth, never shorter."""
    return least <= due <= least * 1.1


def test_letter_is_sent_byte_for_byte_and_marked(office: Office, sink: Sink) -> None:
    letter = office.write(1)

    office.run()

    (taken,) = sink.taken
    assert (taken.content, taken.recipients) == (letter_bytes(1), ("a@example.net",))
    state = office.state(letter)
    assert (state.state, state.code, state.answer, state.tries) == (SENT, 250, "2.0.0 taken", 1)
    assert office.events(1) == [
        ("letter.sent", {"letter": letter, "code": 250, "text": "2.0.0 taken", "attempt": 1})
    ]


def test_letter_that_was_sent_is_never_sent_again(office: Office, sink: Sink) -> None:
    office.write(1)
    office.run()

    clock.advance(timedelta(days=30))
    tried = office.run()

    assert (tried, len(sink.taken)) == (0, 1)


def test_refusal_for_now_is_tried_again_after_the_pauses_of_the_table(office: Office, sink: Sink) -> None:
    letter = office.write(1)
    sink.answer("451 4.3.0 later", times=9, at="RCPT")

    pauses = []
    for _ in range(9):
        before = clock.now()
        office.run()
        due = office.state(letter).due
        pauses.append((due - before) / timedelta(minutes=1))
        clock.advance(due - clock.now())
    office.run()

    wanted = [1, 2, 5, 15, 30, 60, 120, 240, 240]
    assert [minutes_between(*pair) for pair in zip(pauses, wanted, strict=True)] == [True] * 9
    assert len(sink.taken) == 1
    assert office.event_names(1) == ["letter.deferred", "letter.sent"]


def test_deferred_letter_is_not_tried_before_its_time(office: Office, sink: Sink) -> None:
    letter = office.write(1)
    sink.answer("451 4.3.0 later")
    office.run()

    clock.advance(timedelta(seconds=59))
    tried = office.run()

    state = office.state(letter)
    assert (tried, state.state, state.code, state.answer) == (0, WAITING, 451, "4.3.0 later")


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_final_refusal_fails_the_letter_at_once(office: Office, sink: Sink, stage: Stage) -> None:
    letter = office.write(1)
    sink.answer("550 5.7.1 not wanted", at=stage)

    office.run()
    clock.advance(timedelta(days=6))
    tried = office.run()

    state = office.state(letter)
    assert (state.state, state.code, state.answer) == (FAILED, 550, "5.7.1 not wanted")
    failed = {"letter": letter, "code": 550, "text": "5.7.1 not wanted", "attempt": 1}
    assert office.events(1) == [("letter.failed", failed)]
    assert (tried, sink.taken) == (0, [])


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
def test_other_letters_go_on_while_one_is_refused(office: Office, sink: Sink, stage: Stage) -> None:
    refused, *others = [office.write(n) for n in range(1, 5)]
    sink.answer("550 5.1.1 no such user", at=stage)

    office.run()

    assert office.state(refused).state is FAILED
    assert [office.state(letter).state for letter in others] == [SENT] * 3
    assert [taken.content for taken in sink.taken] == [letter_bytes(n) for n in (2, 3, 4)]


def test_server_that_wants_a_login_first_does_not_fail_letters(office: Office, sink: Sink) -> None:
    letter = office.write(1)
    sink.answer("530 5.7.0 authentication required", at="MAIL")

    office.run()

    assert (office.state(letter).state, office.state(letter).code) == (WAITING, 530)


def test_letter_whose_answer_was_cut_off_is_sent_again_as_the_same_bytes(office: Office, sink: Sink) -> None:
    letter = office.write(1)
    sink.cut()

    office.run()
    was = office.state(letter).state
    clock.advance(timedelta(minutes=2))
    office.run()

    assert was is WAITING
    assert [taken.is_confirmed for taken in sink.taken] == [False, True]
    assert sink.taken[0].content == sink.taken[1].content == letter_bytes(1)
    assert sink.taken[0].sender == sink.taken[1].sender
    assert office.state(letter).state is SENT


def test_letter_waits_while_the_smarthost_is_down(office: Office, sink: Sink) -> None:
    sink.stop()
    letter = office.write(1)

    office.run()
    waiting = office.state(letter)
    sink.start()
    clock.advance(timedelta(minutes=2))
    office.run()

    assert (waiting.state, waiting.code) == (WAITING, None)
    assert waiting.answer.startswith(f"smarthost 127.0.0.1:{sink.port} does not answer: ")
    assert (office.state(letter).state, len(sink.taken)) == (SENT, 1)
    assert office.event_names(1) == ["letter.deferred", "letter.sent"]


def test_letter_is_given_up_after_five_days(office: Office, sink: Sink) -> None:
    letter = office.write(1)
    sink.answer("451 4.3.0 later", times=1000, at="MAIL")

    while office.state(letter).state is WAITING:
        clock.advance(max(timedelta(0), office.state(letter).due - clock.now()))
        office.run()

    lasted = clock.now() - START
    assert (GIVE_UP < lasted < GIVE_UP + timedelta(hours=5), sink.taken) == (True, [])
    assert office.event_names(1) == ["letter.deferred", "letter.failed"]
    assert office.events(1)[-1][1]["code"] == 451


def test_letter_of_a_deliverer_that_died_comes_back_when_its_lease_ends(office: Office, sink: Sink) -> None:
    letter = office.write(1)
    outbox.claim(office.desk.store, "dead", 10)

    clock.advance(outbox.LEASE)
    early = office.run()
    clock.advance(timedelta(seconds=1))
    office.run()

    assert early == 0
    assert (office.state(letter).state, office.state(letter).tries, len(sink.taken)) == (SENT, 2, 1)


def test_letter_whose_lease_may_end_while_it_is_sent_is_left_for_the_next(office: Office, sink: Sink) -> None:
    letter = office.write(1)
    (item,) = office.deliverer.claim(10)

    clock.advance(outbox.LEASE - timedelta(seconds=1))
    office.deliverer.do(item)
    late = len(sink.taken)
    clock.advance(timedelta(seconds=2))
    office.run()

    assert (late, len(sink.taken), office.state(letter).state) == (0, 1, SENT)


def test_letter_that_was_taken_but_could_not_be_marked_is_marked_and_not_sent_again(
    office: Office, sink: Sink
) -> None:
    letter = office.write(1)
    (item,) = office.deliverer.claim(10)
    office.change_store(
        "CREATE TRIGGER no_mark BEFORE UPDATE OF state ON outbox WHEN new.state = 2"
        " BEGIN SELECT raise(abort, 'the store fails'); END"
    )
    with pytest.raises(IntegrityError, match="the store fails"):
        office.deliverer.do(item)
    office.deliverer.again(item, timedelta(minutes=1), "the store failed")
    office.change_store("DROP TRIGGER no_mark")

    clock.advance(timedelta(minutes=1))
    office.run()

    assert (len(sink.taken), office.state(letter).state) == (1, SENT)


@pytest.mark.parametrize("is_refused", [False, True], ids=["taken", "refused"])
def test_letter_that_could_not_be_given_back_is_owed_by_the_loop_alone(
    is_refused: bool, office: Office, sink: Sink
) -> None:
    letter = office.write(1)
    if is_refused:
        sink.answer("451 4.3.0 later", times=1, at="RCPT")
    (item,) = office.deliverer.claim(10)
    office.change_store(
        "CREATE TRIGGER no_mark BEFORE UPDATE OF state ON outbox BEGIN SELECT raise(abort, 'the store fails'); END"
    )
    owed: deque[Callable[[], None]] = deque()
    carry_out(office.deliverer, item, PACE, owed=owed)
    office.change_store("DROP TRIGGER no_mark")

    [settle] = owed
    settle()
    waiting = office.state(letter)
    clock.advance(timedelta(minutes=2))
    office.run()

    assert (waiting.state, waiting.answer) == (WAITING, "IntegrityError: the store fails")
    assert (office.state(letter).state, len(sink.taken)) == (SENT, 1)


def test_answer_in_a_foreign_encoding_does_not_make_the_letter_go_twice(office: Office, sink: Sink) -> None:
    letter = office.write(1)
    sink.answer("250 2.0.0 \udce4\udcf6 \x00\x1b[2Jgenommen")

    office.run()

    state = office.state(letter)
    assert (state.state, state.tries, len(sink.taken)) == (SENT, 1, 1)
    assert state.answer == "2.0.0 \ufffd\ufffd ␀␛[2Jgenommen"


def test_long_answers_are_cut() -> None:
    assert said(" a\r\nb" * 1000) == ("a b " * 1000)[:500]


def test_verp_gives_each_letter_an_envelope_sender_that_names_it(office: Office, sink: Sink) -> None:
    letters = [office.write(n) for n in (7, 8)]

    office.run()

    keys = office.desk.postroom.known_keys()
    texts = [find_in_address(taken.sender, OWN) for taken in sink.taken]
    tokens = [verify(keys, text or "") for text in texts]
    assert [(t.kind, t.ticket, t.participant) for t in tokens if isinstance(t, Token)] == [
        ("b", 7, letters[0]),
        ("b", 8, letters[1]),
    ]


def test_fixed_envelope_is_the_desks_own_address(office: Office, sink: Sink) -> None:
    office.sends_to(host=HOST, port=sink.port, envelope="fixed")
    office.write(1)

    office.run()

    assert [taken.sender for taken in sink.taken] == ["support@example.org"]


def test_recipient_with_a_domain_of_another_script_is_written_in_ascii(office: Office, sink: Sink) -> None:
    letter = office.write(1, recipient="a@bücher.example")

    office.run()

    assert office.state(letter).state is SENT
    assert [taken.recipients for taken in sink.taken] == [("a@xn--bcher-kva.example",)]


def test_recipient_that_no_mail_can_carry_fails_the_letter(office: Office, sink: Sink) -> None:
    letter = office.write(1, recipient="ä@example.net")

    office.run()

    state = office.state(letter)
    assert (state.state, state.answer) == (FAILED, "'ä@example.net' is no address that a mail can carry")
    assert sink.sessions == 0


def test_letters_wait_untried_without_a_smarthost_and_go_once_there_is_one(
    office: Office, sink: Sink
) -> None:
    office.sends_to()
    letter = office.write(1)

    idle = office.run()
    tries = office.state(letter).tries
    office.set_smarthost(host=HOST, port=sink.port)
    office.run()

    assert (idle, tries, office.state(letter).state, len(sink.taken)) == (0, 0, SENT, 1)


def test_changed_smarthost_counts_for_the_next_letter(office: Office, sink: Sink) -> None:
    other = Sink()
    other.start()
    try:
        office.write(1)
        office.run()
        office.set_smarthost(host=HOST, port=other.port)
        office.write(2)
        office.run()

        assert [len(sink.taken), len(other.taken)] == [1, 1]
        wait_until(lambda: sink.open_sessions == 0, "the old connection to be closed")
    finally:
        other.stop()


def test_three_workers_send_side_by_side_and_each_letter_once(office: Office, sink: Sink) -> None:
    letters = [office.write(n) for n in range(1, 41)]
    loop = Loop(office.deliverer, PACE)

    loop.start()
    taken = sink.wait_for(40)
    wait_until(lambda: all(office.state(n).state is SENT for n in letters), "all letters to be marked")
    loop.stop()

    assert sorted(taken_one.content for taken_one in taken) == sorted(letter_bytes(n) for n in letters)
    assert sink.sessions == PACE.workers


def test_abandoned_letter_ends_the_loop_at_once_and_is_sent_after_the_next_start(
    office: Office, sink: Sink
) -> None:
    letter = office.write(1)
    sink.sleep()
    loop = Loop(office.deliverer, PACE)
    loop.start()
    wait_until(lambda: sink.asleep == 1, "a letter under way")

    office.deliverer.abandon()
    loop.stop()
    between = office.state(letter)
    outbox.release_claims(office.desk.store, "test")
    office.sends_to(host=HOST, port=sink.port)
    office.run()

    assert between.state is OutboxState.SENDING
    assert (office.state(letter).state, len(sink.taken)) == (SENT, 1)
    assert office.event_names(1) == ["letter.sent"]


def test_pauses_have_a_jitter_of_a_tenth() -> None:
    pauses = {pause_after(3) for _ in range(50)}

    assert len(pauses) > 1
    assert (min(pauses) >= timedelta(minutes=5), max(pauses) <= timedelta(minutes=5.5)) == (True, True)


def test_log_names_the_letter_and_no_secret(
    office: Office, sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    letter = office.write(1)

    with caplog.at_level("INFO", logger="maild"):
        office.run()

    assert [record.getMessage() for record in caplog.records] == [
        f"letter sent ticket=1 letter={letter} to=a@example.net tries=1"
    ]
    assert not re.search(r"\+[a-z2-7]{32}@", caplog.text)
