"""The only way to write: one thread per process that joins waiting transactions into one commit.

Callers hand over a function; up to 50 of them run in one transaction, each under its own savepoint, and all
are answered after COMMIT. One that fails rolls back alone. The function may run twice (busy, deadlock, a
connection lost before COMMIT), but never after a COMMIT whose answer did not come: that one is in doubt.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import peewee
from peewee import DatabaseError, InterfaceError, OperationalError

from desk import clock
from desk.errors import DeskError, NoSpace, Unavailable
from desk.faults import fault_point
from desk.store.current import using
from desk.store.database import (
    Engine,
    Pooled,
    connected,
    is_damage,
    is_lost_connection,
    is_worth_repeating,
    translate,
)
from desk.work import Outcome, attempt

log = logging.getLogger(__name__)
GROUP = 50
TRIES = 8
Value = TypeVar("Value")
_AS_PEEWEE_SAYS: Any = vars(peewee)["__exception_wrapper__"]  # the driver's errors as peewee's classes


class Transaction:
    """One caller's part of a commit. `now_us` is the instant of everything it writes.

    `after_commit` functions run on the writer thread once the commit is durable, never for a part that was
    rolled back; they must not raise and must not write. Equal ones (the same bound method) run once a commit,
    however many parts asked for it.
    """

    def __init__(self, database: Pooled, engine: Engine) -> None:
        self.database, self.engine = database, engine
        self.now_us = clock.now_us()
        self.after: list[Callable[[], None]] = []
        self._connection = database.connection()

    def after_commit(self, fn: Callable[[], None]) -> None:
        self.after.append(fn)

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """All rows of a prepared statement (`?` marks parameters on both engines). For the hot paths."""
        return self._execute(sql, parameters).fetchall()

    def run(self, sql: str, *parameters: Any) -> int:
        """Execute a statement without result; the number of rows it changed."""
        return self._execute(sql, parameters).rowcount

    def _execute(self, sql: str, parameters: tuple[Any, ...]) -> Any:
        """Straight on the driver's connection: peewee's own way costs half as much again."""
        text = sql.replace("?", "%s") if self.engine == "postgresql" else sql
        with _AS_PEEWEE_SAYS:
            return self._connection.execute(text, parameters)

    def insert(self, sql: str, *parameters: Any) -> int:
        """Execute an INSERT and return the id that the store gave."""
        return int(self.rows(sql + " RETURNING id", *parameters)[0][0])


@dataclass(slots=True)
class _Job:
    fn: Callable[[Transaction], Any]
    future: Future[Any] = field(default_factory=Future)


class Writer:
    """The writer thread of one store in this process."""

    def __init__(self, database: Pooled, engine: Engine) -> None:
        self._database, self._engine = database, engine
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._door = threading.Lock()
        self._closed = False
        self._in_doubt = False  # COMMIT was sent and has not been answered

    def submit(self, fn: Callable[[Transaction], Value]) -> Future[Value]:
        """Queue `fn`; the future is answered after COMMIT, or with what made it fail.

        A future that is cancelled before its turn is left out.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a transaction must not wait for another one")
        job = _Job(fn)
        with self._door:  # nothing may be queued behind the end
            if self._closed:
                raise Unavailable("the store is closed")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                self._thread.start()
            self._jobs.put(job)
        return job.future

    def close(self) -> None:
        """Finish what is queued and end the thread."""
        with self._door:
            self._closed = True
            self._jobs.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with using(self._database):
            while (job := self._jobs.get()) is not None:
                jobs, last = self._gather(job)
                self._answer([job for job in jobs if job.future.set_running_or_notify_cancel()])
                if last:
                    break
            if not self._database.is_closed():
                self._database.close()

    def _gather(self, first: _Job) -> tuple[list[_Job], bool]:
        jobs = [first]
        while len(jobs) < GROUP:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
        return jobs, False

    def _answer(self, jobs: list[_Job]) -> None:
        if not jobs:
            return
        outcome = attempt(lambda: self._commit(jobs))
        if outcome.error is None:
            for answer in outcome.value or ():
                answer()
            return
        self._drop_connection(outcome.error)
        error = _as_ours(outcome.error)
        if self._in_doubt and not isinstance(error, NoSpace):
            _refuse(jobs, _doubtful(error))
        elif len(jobs) == 1 or is_lost_connection(outcome.error):
            _refuse(jobs, error)
        else:  # an engine error takes the whole group down: each alone finds the culprit
            for job in jobs:
                self._answer([job])

    def _commit(self, jobs: list[_Job]) -> list[Callable[[], None]]:
        """Run all jobs in one transaction; what to call now that it is durable, in order."""
        for tries in range(TRIES):
            try:
                return self._commit_once(jobs)
            except (OperationalError, InterfaceError) as error:
                if not self._may_repeat(error, tries):
                    raise
                time.sleep(random.uniform(0, 0.002 * 2**tries))
        raise AssertionError("unreachable")

    def _may_repeat(self, error: Exception, tries: int) -> bool:
        if is_worth_repeating(error):
            return tries < TRIES - 1
        # a connection that died while nobody used it is no reason to refuse: once more on a fresh one
        if tries == 0 and is_lost_connection(error) and not self._in_doubt:
            self._drop_connection(error)
            return True
        return False

    def _commit_once(self, jobs: list[_Job]) -> list[Callable[[], None]]:
        self._in_doubt = False
        if self._database.is_closed():
            self._database.connect()
        answers: list[Callable[[], None]] = []
        calls: list[Callable[[], None]] = []
        with self._database.atomic():
            for job in jobs:
                transaction = Transaction(self._database, self._engine)
                outcome = self._run_one(job, transaction)
                answers.append(_answering(job, outcome))
                if outcome.error is None:
                    new = _first_ones(transaction.after, calls)
                    calls += new
                    answers += [_quietly(fn) for fn in new]
            fault_point("store.before_commit")
            self._in_doubt = True
        fault_point("store.after_commit")
        self._in_doubt = False
        return answers

    def _run_one(self, job: _Job, transaction: Transaction) -> Outcome[Any]:
        """One job under its savepoint. Errors of the engine itself leave the group."""

        def under_savepoint() -> Any:
            with self._database.savepoint():
                return job.fn(transaction)

        outcome = attempt(under_savepoint)
        if isinstance(outcome.error, (OperationalError, InterfaceError)):
            raise outcome.error
        return outcome

    def _drop_connection(self, error: Exception) -> None:
        """After an engine error the next transaction begins on a fresh connection."""
        if isinstance(error, (OperationalError, InterfaceError)) and not self._database.is_closed():
            attempt(self._database.manual_close)


def _as_ours(error: Exception) -> Exception:
    is_engines = isinstance(error, (OperationalError, InterfaceError))
    if is_engines or (isinstance(error, DatabaseError) and is_damage(error)):
        ours = translate(error)
        ours.__cause__ = error
        return ours
    return error


def _doubtful(error: Exception) -> Exception:
    if isinstance(error, DeskError):
        return Unavailable(
            f"{error}; whether the change was stored is not known, look before you order again"
        )
    return error


def _refuse(jobs: list[_Job], error: Exception) -> None:
    for job in jobs:
        job.future.set_exception(error)


def _answering(job: _Job, outcome: Outcome[Any]) -> Callable[[], None]:
    if outcome.error is not None:
        error = outcome.error
        return lambda: job.future.set_exception(_as_ours(error))
    return lambda: job.future.set_result(outcome.value)


def _first_ones(asked: list[Callable[[], None]], known: list[Callable[[], None]]) -> list[Callable[[], None]]:
    """Those that equal none before them: a doorbell need not ring fifty times."""
    new: list[Callable[[], None]] = []
    for fn in asked:
        if fn not in known and fn not in new:
            new.append(fn)
    return new


def _quietly(fn: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        error = attempt(fn).error
        if error is not None:
            log.error("after-commit call failed reason=%s", error)

    return call


class Store:
    """An open store: reads in the calling thread, writes through the writer thread."""

    def __init__(self, database: Pooled, engine: Engine) -> None:
        self.database, self.engine = database, engine
        self._writer = Writer(database, engine)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A context in which the models read this store; nests, one connection a thread."""
        with using(self.database), connected(self.database):
            yield

    def submit(self, fn: Callable[[Transaction], Value]) -> Future[Value]:
        """Queue a write; see `Writer`."""
        return self._writer.submit(fn)

    def write_tx(self, fn: Callable[[Transaction], Value]) -> Value:
        """Write and wait for COMMIT.

        Raises:
            DeskError: what `fn` refused, or Unavailable / NoSpace from the engine; nothing was changed.
        """
        return self.submit(fn).result()

    def close(self) -> None:
        """End the writer and close all connections; further writes are refused."""
        self._writer.close()
        self.database.close_all()
