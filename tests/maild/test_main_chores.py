"""Chores: due every so often, at once when hurried, and later when they fail."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from desk.errors import Unavailable
from desk.work import Pace, carry_out
from maild.chores import Chore, chore
from tests.real.servers.loopback import wait_until

LONG = timedelta(hours=1)


def nothing() -> None:
    """Work that is done at once."""


def test_chore_is_due_at_the_start_and_then_only_after_its_time() -> None:
    work = Chore("seal", LONG, nothing)

    assert [tuple(work.claim(2)) for _ in range(3)] == [("seal",), (), ()]


def test_hurried_chore_is_due_at_once() -> None:
    work = Chore("seal", LONG, nothing)
    work.claim(2)

    work.hurry()

    assert [tuple(work.claim(2)) for _ in range(2)] == [("seal",), ()]


def test_chore_that_fails_is_not_due_for_as_long_as_the_loop_says(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise Unavailable("the store does not answer")

    work = Chore("seal", timedelta(0), fail)
    (item,) = work.claim(2)

    carry_out(work, item, Pace(waits=(LONG,), jitter=0))

    assert tuple(work.claim(2)) == ()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_chore_goes_on_after_a_failure() -> None:
    turns = threading.Semaphore(0)

    def fail_at_first() -> None:
        turns.release()
        if turns._value == 1:
            raise Unavailable("the store does not answer")

    loop = chore("seal", timedelta(milliseconds=10), fail_at_first)
    loop.start()

    try:
        wait_until(lambda: turns._value >= 3, "three turns")
    finally:
        loop.stop()
