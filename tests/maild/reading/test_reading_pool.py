"""The reader processes: what kills one of them harms nobody."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from desk.errors import Unavailable, Unreadable
from maild.reading.letter import read_letter
from maild.reading.reader import CLOSE_S, ReaderPool
from tests.maild.reading.mails import mail, multipart, page, plain

MIB = 1024 * 1024
ORDINARY = multipart("alternative", plain("words"), page("<p>words</p>"))
# Takes a second or two to read in the normal way and a hundredth of it in the degraded one.
HEAVY = mail("Content-Transfer-Encoding: x-uue", body=b"begin 644 x\n" + b"#0V%T\n" * 4_000_000)
HEAVIER = mail("Content-Transfer-Encoding: x-uue", body=b"begin 644 x\n" + b"#0V%T\n" * 8_000_000)
BIG = mail("Content-Type: application/octet-stream", body=b"x" * (2 * MIB))  # more than a pipe holds


def wait_until(condition: Callable[[], bool], *, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        threading.Event().wait(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def newest_reader() -> int:
    return max(child.pid or 0 for child in multiprocessing.active_children())


def test_letters_are_those_of_the_reading_itself() -> None:
    mails = [mail(f"Subject: {number}", body=b"x" * number) for number in range(60)]

    with ReaderPool(2) as pool, ThreadPoolExecutor(16) as threads:
        letters = list(threads.map(pool.read, mails))

    assert letters == [read_letter(raw) for raw in mails]


def failures(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().partition(" reason=")[2] for record in caplog.records]


def test_hanging_mail_is_killed_and_read_degraded_at_once(caplog: pytest.LogCaptureFixture) -> None:
    with ReaderPool(1, wall_s=0.3) as pool:
        letter = pool.read(HEAVY)
        after = pool.read(ORDINARY)

    assert failures(caplog) == ["took longer than 0.3 s"]
    assert (letter.degraded, letter.attachments[0].content) == (True, HEAVY)
    assert (after.degraded, after.text) == (False, "words")


def test_hanging_mail_does_not_hold_up_others() -> None:
    with ReaderPool(2, wall_s=0.6) as pool, ThreadPoolExecutor(2) as threads:
        pool.read(ORDINARY)
        heavy = threads.submit(pool.read, HEAVY)

        letters = [pool.read(ORDINARY) for _ in range(20)]

        assert not heavy.done()
        assert [letter.text for letter in letters] == ["words"] * 20
        heavy.result()


def test_mail_that_nothing_can_read_is_refused_with_the_reason() -> None:
    with ReaderPool(1, wall_s=0.000_001) as pool, pytest.raises(Unreadable, match="took longer than 1e-06 s"):
        pool.read(BIG)


def test_mail_that_takes_too_much_memory_is_not_fatal() -> None:
    with ReaderPool(1, memory_bytes=256 * MIB) as pool:
        with pytest.raises(Unreadable, match="MemoryError"):
            pool.read(mail(body=b"x" * (120 * MIB)))
        after = pool.read(ORDINARY)

    assert after.text == "words"


def test_mail_that_takes_too_much_processor_time_is_read_degraded_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ReaderPool(1, cpu_s=0) as pool:
        letter = pool.read(HEAVIER)

    assert (letter.degraded, failures(caplog)) == (True, ["used too much CPU time"])


def test_reader_that_cannot_load_names_the_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "selectolax.py").write_text("import no_such_module")
    monkeypatch.syspath_prepend(tmp_path)  # new processes look there first
    reason = "reader did not start: ModuleNotFoundError: No module named 'no_such_module'"

    with ReaderPool(1) as pool, pytest.raises(Unreadable, match=reason):
        pool.read(ORDINARY)

    assert failures(caplog) == [reason] * 3


def test_killed_reader_is_replaced_and_the_mail_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    with ReaderPool(1) as pool:
        pool.read(ORDINARY)
        os.kill(newest_reader(), signal.SIGKILL)

        letter = pool.read(ORDINARY)

    assert (letter.degraded, letter.text) == (False, "words")
    assert failures(caplog) == ["was killed"]


def test_stopped_reader_is_replaced_too() -> None:
    with ReaderPool(1, wall_s=0.3) as pool:
        pool.read(ORDINARY)
        os.kill(newest_reader(), signal.SIGSTOP)

        letter = pool.read(BIG)
        after = pool.read(ORDINARY)

    assert (letter.degraded, letter.attachments[0].content) == (True, BIG)
    assert (after.degraded, after.text) == (False, "words")


def test_interrupt_of_the_terminal_does_not_reach_readers() -> None:
    with ReaderPool(1) as pool:
        pool.read(ORDINARY)
        pid = newest_reader()
        os.kill(pid, signal.SIGINT)

        letter = pool.read(ORDINARY)

        assert newest_reader() == pid
    assert letter.text == "words"


def test_closed_pool_refuses() -> None:
    pool = ReaderPool(1)
    pool.close()

    with pytest.raises(Unavailable):
        pool.read(ORDINARY)


def test_closing_ends_the_processes() -> None:
    before = {child.pid for child in multiprocessing.active_children()}

    with ReaderPool(2) as pool:
        pool.read(ORDINARY)
        started = {child.pid for child in multiprocessing.active_children()} - before

    assert len(started) == 2
    assert {child.pid for child in multiprocessing.active_children()} == before


def test_who_waits_for_a_reader_is_refused_at_the_close() -> None:
    pool = ReaderPool(1, wall_s=30.0)
    pool.read(ORDINARY)
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(pool.read, HEAVY) for _ in range(4)]

        pool.close()

    assert {type(future.exception()) for future in waiting} <= {Unavailable, type(None)}
    assert Unavailable in {type(future.exception()) for future in waiting}


def test_mail_that_is_being_read_at_the_close_is_finished() -> None:
    pool = ReaderPool(1, wall_s=30.0)
    pool.read(ORDINARY)
    pid = newest_reader()
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(2) as threads:
        reading = threads.submit(pool.read, ORDINARY)
        wait_until(lambda: not pool._idle)

        closing = threads.submit(pool.close)
        wait_until(lambda: pool._is_closed)
        os.kill(pid, signal.SIGCONT)

        closing.result()
        assert reading.result() == read_letter(ORDINARY)


def test_hung_readers_are_killed_together_at_the_close() -> None:
    before = {child.pid for child in multiprocessing.active_children()}
    pool = ReaderPool(4, wall_s=60.0)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(pool.read, [ORDINARY] * 16))
        pids = {child.pid or 0 for child in multiprocessing.active_children()} - before
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        waiting = [threads.submit(pool.read, BIG) for _ in range(2)]
        wait_until(lambda: len(pool._idle) == 2)
        started = time.monotonic()

        pool.close()

        assert time.monotonic() - started < 3 * CLOSE_S  # one after the other: 4 times
        assert [type(future.exception()) for future in waiting] == [Unavailable] * 2
    assert {child.pid for child in multiprocessing.active_children()} == before


PROGRAM = """
import os, sys
from maild.reading.reader import ReaderPool
import multiprocessing

def main():
    pool = ReaderPool(2)
    pool.read(b"From: a@example.org\\n\\nhello")
    print(*[child.pid for child in multiprocessing.active_children()], flush=True)
    sys.stdin.read()

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("how", ["file", "module"])
def test_readers_die_with_a_killed_daemon(how: str, tmp_path: Path) -> None:
    (tmp_path / "daemon_main.py").write_text(PROGRAM)
    command = [sys.executable, str(tmp_path / "daemon_main.py")]
    if how == "module":
        command = [sys.executable, "-m", "daemon_main"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())])}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as daemon:
        assert daemon.stdout is not None
        pids = [int(pid) for pid in daemon.stdout.readline().split()]
        assert [is_alive(pid) for pid in pids] == [True, True]

        daemon.kill()

        wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_reader_imports_nothing_of_store_network_or_screen() -> None:
    program = "import sys, maild.reading.worker; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"peewee", "textual", "aiosmtpd", "sqlite3", "asyncio", "charset_normalizer"} & set(loaded)
