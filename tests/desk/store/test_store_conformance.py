"""What every engine must do when the desk writes: SQLite and PostgreSQL pass the same suite."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

import peewee
import pytest
from store_parts import add_event, count_up, hold_the_lock, opened, write_many, write_until_killed

from desk import sealing
from desk.errors import Invalid, NoSpace, NotFound, Unavailable
from desk.store.schema import Counter, Event
from desk.store.writer import GROUP, Store, Transaction
from tests.real.servers.loopback import wait_until
from tests.real.servers.postgresql import running_postgresql

Read = Callable[..., list[Any]]
SPAWN = multiprocessing.get_context("spawn")


def queued(store: Store, *jobs: Callable[[Transaction], Any]) -> list[Future[Any]]:
    """Submit jobs while the writer is held up, so that they all wait when it looks."""
    is_running, may_end = threading.Event(), threading.Event()

    def hold_up(tx: Transaction) -> None:
        is_running.set()
        assert may_end.wait(30)

    first = store.submit(hold_up)
    assert is_running.wait(30)
    futures = [store.submit(job) for job in jobs]
    may_end.set()
    first.result(30)
    return futures


class Caller:
    """Notes its name when it is called."""

    def __init__(self, name: str, calls: list[str]) -> None:
        self._name, self._calls = name, calls

    def call(self) -> None:
        self._calls.append(self._name)


def refused(tx: Transaction) -> None:
    add_event(tx, 1)
    raise Invalid("no")


def test_waiting_callers_join_one_commit(store: Store) -> None:
    transactions: list[Any] = []

    def write(tx: Transaction) -> None:
        add_event(tx, 1)
        transactions.append(tx.database.top_transaction())

    futures = queued(store, *[write] * (GROUP * 2))
    for future in futures:
        future.result(30)

    assert [len(set(map(id, part))) for part in (transactions[:GROUP], transactions[GROUP:])] == [1, 1]


def test_a_caller_that_fails_leaves_the_others_of_its_commit_alone(store: Store, second: Read) -> None:
    jobs = [refused if n % 10 == 0 else lambda tx, n=n: add_event(tx, n) for n in range(200)]

    futures = queued(store, *jobs)

    failed = [n for n, future in enumerate(futures) if isinstance(future.exception(30), Invalid)]
    kept = [row[0] for row in second("SELECT ticket FROM event ORDER BY ticket")]
    assert failed == list(range(0, 200, 10))
    assert kept == [n for n in range(200) if n % 10]


def test_a_caller_that_breaks_a_constraint_fails_alone(store: Store, second: Read) -> None:
    def twice(tx: Transaction) -> None:
        tx.run("INSERT INTO counter (name, value) VALUES ('twice', 1)")
        tx.run("INSERT INTO counter (name, value) VALUES ('twice', 2)")

    first, broken, last = queued(store, lambda tx: add_event(tx, 1), twice, lambda tx: add_event(tx, 2))

    assert isinstance(broken.exception(30), peewee.IntegrityError)
    assert (first.exception(30), last.exception(30)) == (None, None)
    assert second("SELECT ticket FROM event ORDER BY ticket") == [(1,), (2,)]


def test_an_engine_error_fails_only_its_own_caller(store: Store, second: Read) -> None:
    def broken_query(tx: Transaction) -> None:
        tx.rows("SELECT nothing FROM nowhere")

    first, broken, last = queued(
        store, lambda tx: add_event(tx, 1), broken_query, lambda tx: add_event(tx, 2)
    )

    assert broken.exception(30) is not None
    assert (first.exception(30), last.exception(30)) == (None, None)
    assert second("SELECT ticket FROM event ORDER BY ticket") == [(1,), (2,)]


def test_a_caller_is_answered_after_the_commit(store: Store, second: Read) -> None:
    seen: list[tuple[int, int]] = []
    for number in range(20):

        def write(tx: Transaction, number: int = number) -> int:
            add_event(tx, number)
            return len(second("SELECT id FROM event"))

        before = store.write_tx(write)
        seen.append((before, len(second("SELECT id FROM event"))))

    assert seen == [(n, n + 1) for n in range(20)]


def test_calls_after_commit_come_once_and_only_for_what_was_kept(store: Store, second: Read) -> None:
    calls: list[tuple[str, int]] = []

    def write(tx: Transaction, name: str, fails: bool) -> None:
        add_event(tx, 1)
        tx.after_commit(lambda: calls.append((name, len(second("SELECT id FROM event")))))
        if fails:
            raise Invalid("no")

    for future in queued(
        store,
        lambda tx: write(tx, "kept", False),
        lambda tx: write(tx, "refused", True),
        lambda tx: write(tx, "also kept", False),
    ):
        future.exception(30)
    store.write_tx(lambda tx: None)

    assert calls == [("kept", 2), ("also kept", 2)]


def test_equal_calls_after_commit_are_made_once_a_commit_in_order_of_first_appearance(store: Store) -> None:
    calls: list[str] = []
    bell, horn = Caller("bell", calls), Caller("horn", calls)

    def write(tx: Transaction, *callers: Caller, fails: bool = False) -> None:
        add_event(tx, 1)
        for caller in callers:
            tx.after_commit(caller.call)
        if fails:
            raise Invalid("no")

    together = queued(
        store,
        lambda tx: write(tx, horn, fails=True),
        lambda tx: write(tx, bell, bell),
        lambda tx: write(tx, horn, bell),
        lambda tx: write(tx, bell),
    )
    for future in together:
        future.exception(30)
    store.write_tx(lambda tx: write(tx, bell))
    store.write_tx(lambda tx: None)

    assert calls == ["bell", "horn", "bell"]


def test_a_call_after_commit_that_fails_hurts_nobody(
    store: Store, second: Read, caplog: pytest.LogCaptureFixture
) -> None:
    def write(tx: Transaction) -> str:
        add_event(tx, 1)
        tx.after_commit(lambda: 1 // 0)
        return "kept"

    answers = [future.result(30) for future in queued(store, write, lambda tx: "next")]
    store.write_tx(lambda tx: None)

    assert answers == ["kept", "next"]
    assert len(second("SELECT id FROM event")) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "after-commit call failed reason=integer division or modulo by zero"
    ]


def test_a_transaction_must_not_wait_for_another_one(store: Store) -> None:
    with pytest.raises(RuntimeError, match="must not wait"):
        store.write_tx(lambda tx: store.write_tx(lambda inner: 1))


def test_a_caller_that_gave_up_in_time_is_left_out(store: Store, second: Read) -> None:
    is_running, may_end = threading.Event(), threading.Event()

    def hold_up(tx: Transaction) -> None:
        is_running.set()
        assert may_end.wait(30)

    first = store.submit(hold_up)
    assert is_running.wait(30)
    given_up = store.submit(lambda tx: add_event(tx, 1))
    was_cancelled = given_up.cancel()
    may_end.set()
    first.result(30)
    store.write_tx(lambda tx: add_event(tx, 2))

    assert was_cancelled is True
    assert second("SELECT ticket FROM event") == [(2,)]


def test_a_closed_store_finishes_and_then_refuses(url: str, tmp_path: Path, second: Read) -> None:
    store = opened(url, tmp_path)
    futures = [store.submit(lambda tx, n=n: add_event(tx, n)) for n in range(120)]

    store.close()

    assert [future.done() for future in futures] == [True] * 120
    assert len(second("SELECT id FROM event")) == 120
    with pytest.raises(Unavailable, match="closed"):
        store.submit(lambda tx: None)


def test_reads_go_on_while_a_write_is_open(store: Store) -> None:
    is_written, may_end = threading.Event(), threading.Event()

    def write(tx: Transaction) -> None:
        add_event(tx, 1)
        is_written.set()
        assert may_end.wait(30)

    future = store.submit(write)
    assert is_written.wait(30)
    with store.reading():
        meanwhile = Event.select().count()
    may_end.set()
    future.result(30)

    with store.reading():
        assert (meanwhile, Event.select().count()) == (0, 1)


def test_reading_nests(store: Store) -> None:
    with store.reading():
        with store.reading():
            inner = Counter.select().count()

        assert (inner, Counter.select().count()) == (0, 0)


def test_models_write_inside_a_transaction(store: Store, second: Read) -> None:
    store.write_tx(lambda tx: Counter.create(name="a", value=1))

    assert second("SELECT name, value FROM counter") == [("a", 1)]


def test_numbers_have_no_gaps_with_callers_that_fail(store: Store, url: str, tmp_path: Path) -> None:
    def take(tx: Transaction, n: int) -> int:
        number = count_up(tx)
        if n % 7 == 0:
            raise NotFound("of no use")
        return number

    futures: list[Future[int]] = []
    lock = threading.Lock()

    def submit_some(start: int) -> None:
        for n in range(start, start + 50):
            future = store.submit(lambda tx, n=n: take(tx, n))
            with lock:
                futures.append(future)

    threads = [threading.Thread(target=submit_some, args=(start,)) for start in (0, 50, 100, 150)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    numbers = sorted(future.result() for future in futures if future.exception(60) is None)
    assert numbers == list(range(1, 172))


def test_numbers_have_no_gaps_over_two_processes(
    store: Store, url: str, tmp_path: Path, second: Read
) -> None:
    others = [SPAWN.Process(target=write_many, args=(url, str(tmp_path), 60)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)

    assert [other.exitcode for other in others] == [0, 0]
    assert [row[0] for row in second("SELECT ticket FROM event ORDER BY ticket")] == list(range(1, 121))


@pytest.mark.parametrize(
    ("point", "kept_unanswered"), [("store.before_commit", 0), ("store.after_commit", 1)]
)
def test_kill_at_a_commit_loses_nothing_that_was_answered(
    store: Store, url: str, tmp_path: Path, second: Read, point: str, kept_unanswered: int
) -> None:
    journal = tmp_path / "journal"
    child = SPAWN.Process(
        target=write_until_killed, args=(url, str(tmp_path), f"{point}:kill:5", str(journal))
    )
    child.start()
    child.join(60)

    answered = len(journal.read_text().splitlines())
    sealed = sealing.seal(store)

    assert (child.exitcode, answered) == (-9, 4)
    assert second("SELECT count(*), max(ticket) FROM event") == [(4 + kept_unanswered, 4 + kept_unanswered)]
    assert (sealed, sealing.verify(store).broken) == (4 + kept_unanswered, None)


def test_an_error_before_commit_refuses_and_stores_nothing(store: Store, second: Read, faults: Any) -> None:
    faults("store.before_commit:error")

    with pytest.raises(Unavailable):
        store.write_tx(lambda tx: add_event(tx, 1))

    assert second("SELECT id FROM event") == []


def test_a_commit_in_doubt_is_not_repeated(store: Store, second: Read, faults: Any) -> None:
    faults("store.after_commit:error:2")

    futures = queued(store, lambda tx: add_event(tx, 1), lambda tx: add_event(tx, 2))

    reasons = [str(future.exception(30)) for future in futures]
    assert [reason.endswith("look before you order again") for reason in reasons] == [True, True]
    assert second("SELECT ticket FROM event ORDER BY ticket") == [(1,), (2,)]


def test_a_connection_that_died_unused_is_no_reason_to_refuse(tmp_path: Path, postgresql_url: str) -> None:
    with (
        closing(opened(postgresql_url, tmp_path)) as store,
        closing(opened(postgresql_url, tmp_path)) as other,
    ):
        [[backend]] = store.write_tx(lambda tx: tx.rows("SELECT pg_backend_pid()"))
        other.write_tx(lambda tx: tx.rows("SELECT pg_terminate_backend(?)", backend))

        assert store.write_tx(lambda tx: add_event(tx, 7)) == 1


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Any:
    with closing(opened("sqlite:desk.db", tmp_path)) as store:
        yield store


@pytest.fixture
def locked_file(tmp_path: Path, sqlite_store: Store) -> Any:
    """Lets a second process hold the lock; call it to let go."""
    ours, theirs = SPAWN.Pipe()
    child = SPAWN.Process(target=hold_the_lock, args=(str(tmp_path / "desk.db"), theirs))
    sqlite_store.write_tx(lambda tx: tx.rows("PRAGMA busy_timeout = 0"))
    child.start()
    assert ours.recv() == "locked"
    yield lambda: ours.send("let go")
    ours.send("let go")
    child.join(30)
    ours.close()
    theirs.close()


def test_busy_is_tried_again(sqlite_store: Store, locked_file: Callable[[], None]) -> None:
    future = sqlite_store.submit(lambda tx: add_event(tx, 1))
    locked_file()

    assert future.result(30) == 1


def test_busy_for_too_long_is_unavailable(sqlite_store: Store, locked_file: Callable[[], None]) -> None:
    with pytest.raises(Unavailable, match="database is locked"):
        sqlite_store.write_tx(lambda tx: add_event(tx, 1))

    locked_file()
    assert sqlite_store.write_tx(lambda tx: add_event(tx, 1)) == 1


def test_a_full_disk_refuses_and_then_works_again(sqlite_store: Store) -> None:
    def fill(tx: Transaction) -> None:
        tx.rows("PRAGMA max_page_count = 1")  # no page more than there are
        tx.run("INSERT INTO counter (name, value) VALUES (?, 1)", "x" * 200_000)

    small, full, last = queued(sqlite_store, lambda tx: add_event(tx, 1), fill, lambda tx: add_event(tx, 2))

    assert isinstance(full.exception(30), NoSpace)
    assert (small.exception(30), last.exception(30)) == (None, None)
    with sqlite_store.reading():
        assert (Counter.select().count(), Event.select().count()) == (0, 2)


@pytest.mark.real
def test_a_restart_of_postgresql_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with running_postgresql(is_durable=True) as server:
        store = opened(server.fresh_database(), tmp_path)
        answered: set[int] = set()
        may_end = threading.Event()

        def write(start: int) -> None:
            number = start
            while not may_end.is_set():
                name = f"{number}"
                try:
                    store.write_tx(
                        lambda tx, name=name: tx.run(
                            "INSERT INTO counter (name, value) VALUES (?, 1)"
                            " ON CONFLICT (name) DO UPDATE SET value = 1",
                            name,
                        )
                    )
                except Unavailable:
                    continue
                answered.add(number)
                number += 4

        threads = [threading.Thread(target=write, args=(start,)) for start in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            before = len(answered)
            _until(lambda before=before: len(answered) > before + 100)
            server.restart(3)  # SIGQUIT: as good as a crash
        before = len(answered)
        _until(lambda: len(answered) > before + 100, timeout_s=5)
        may_end.set()
        for thread in threads:
            thread.join()

        with store.reading():
            stored = {int(row.name) for row in Counter.select()}
        store.close()
        assert stored - answered == set()
        assert answered - stored == set()


def _until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    wait_until(condition, "writes that were answered", timeout_s=timeout_s)
