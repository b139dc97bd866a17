"""Mails pass in the order of their arrival; one that takes long is overtaken once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from maild.turnstile import Turnstile


def test_later_mails_wait_for_earlier_ones() -> None:
    turnstile = Turnstile(patience_s=30)
    turnstile.enter([1, 2, 3])
    passed: list[int] = []

    def work(item: int) -> None:
        turnstile.wait(item)
        passed.append(item)
        turnstile.passed(item)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, [3, 2, 1]))

    assert passed == [1, 2, 3]


def test_a_slow_mail_is_overtaken_and_not_waited_for_again() -> None:
    turnstile = Turnstile(patience_s=0.01)
    turnstile.enter([1, 2])
    turnstile.wait(2)
    turnstile.passed(2)
    turnstile.patience_s = 30

    turnstile.enter([3])
    waiter = threading.Thread(target=turnstile.wait, args=(3,), daemon=True)
    waiter.start()
    waiter.join(5)

    assert not waiter.is_alive()


def test_a_mail_that_nobody_claimed_does_not_wait() -> None:
    turnstile = Turnstile(patience_s=30)

    turnstile.wait(7)

    turnstile.passed(7)
