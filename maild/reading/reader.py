"""A pool of reader processes: mails go in from any thread, Letters come out, poison hurts nobody.

Each process serves one mail at a time; a free one takes the next. A mail that kills its reader or makes it
fail is tried once more in a fresh one, then read degraded, then refused with the reason. One that takes too
much time is read degraded at once: a second try would take as long.
One watchdog thread kills readers that are over their wall-clock time.
On failure: Unreadable (the mail is parked), Unavailable (the pool is closed).
"""

from __future__ import annotations

import logging
import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import msgspec

from desk.errors import Unavailable, Unreadable
from desk.letter import Letter
from maild.reading import entry, worker

log = logging.getLogger(__name__)

START_S = 60.0  # a machine under load takes long to start a process
CLOSE_S = 2.0
LONGEST_CHECK_S = 0.25

_TRIES = (worker.NORMAL, worker.NORMAL, worker.DEGRADED)


class _Fault(Exception):
    """A reader did not give a letter."""

    def __init__(self, reason: str, *, is_out_of_time: bool = False) -> None:
        super().__init__(reason)
        self.is_out_of_time = is_out_of_time


class ReaderPool:
    """Readers of mail; thread-safe. Close it, or leave it as a context manager.

    Args:
        workers: processes.
        wall_s: seconds a reader may take for one mail.
        memory_bytes: address space of a reader (25 MB of mail need 264 MiB).
        cpu_s: CPU seconds a reader may use for one mail.
    """

    def __init__(
        self,
        workers: int = 2,
        *,
        wall_s: float = 20.0,
        memory_bytes: int = 768 * 1024 * 1024,
        cpu_s: int = 10,
    ) -> None:
        self._change = threading.Condition()
        self._is_closed = False
        self._readers = [_Reader(wall_s, memory_bytes, cpu_s) for _ in range(workers)]
        self._idle = list(self._readers)
        self._stop = threading.Event()
        self._check_s = min(wall_s, LONGEST_CHECK_S)
        self._watchdog = threading.Thread(target=self._watch, name="reader-watchdog", daemon=True)
        self._watchdog.start()
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> ReaderPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, raw: bytes) -> Letter:
        """Read one mail; blocks until a reader is free and has answered.

        Raises:
            Unreadable: not even the emergency reader could read it; the reason is in the text.
            Unavailable: the pool is closed.
        """
        reason = ""
        with self._reader() as reader:
            is_out_of_time = False
            for attempt, mode in enumerate(_TRIES, 1):
                if is_out_of_time and mode != worker.DEGRADED:
                    continue
                if self._is_closed:
                    raise Unavailable("the readers are closed")
                try:
                    return reader.ask(mode, raw)
                except _Fault as fault:
                    reason, is_out_of_time = str(fault), fault.is_out_of_time
                    if self._is_closed:
                        raise Unavailable("the readers are closed") from fault
                    log.warning("reader failed attempt=%s size=%s reason=%s", attempt, len(raw), reason)
                    reader.restart()
        raise Unreadable(f"mail of {len(raw)} bytes cannot be read: {reason}")

    def close(self) -> None:
        """End all readers; who waits in `read` gets Unavailable.

        A mail that is being read has CLOSE_S to be finished. A pipe is closed only when nobody reads from it.
        """
        give_up = time.monotonic() + CLOSE_S
        with self._change:
            self._is_closed = True
            self._change.notify_all()
            for reader in self._idle:
                reader.hang_up()
            self._change.wait_for(self._all_idle, CLOSE_S)
            busy = [reader for reader in self._readers if reader not in self._idle]
        self._stop.set()
        self._watchdog.join()
        for reader in busy:
            reader.kill()
        with self._change:
            self._change.wait_for(self._all_idle, CLOSE_S)
            idle = list(self._idle)
        for reader in idle:
            reader.hang_up()
        for reader in idle:
            reader.end(give_up)

    def _all_idle(self) -> bool:
        return len(self._idle) == len(self._readers)

    @contextmanager
    def _reader(self) -> Iterator[_Reader]:
        with self._change:
            while not self._idle and not self._is_closed:
                self._change.wait()
            if self._is_closed:
                raise Unavailable("the readers are closed")
            reader = self._idle.pop()
        try:
            yield reader
        finally:
            with self._change:
                self._idle.append(reader)
                self._change.notify_all()

    def _watch(self) -> None:
        while not self._stop.wait(self._check_s):
            for reader in self._readers:
                reader.kill_if_late()


class _Reader:
    """One process and our end of its pipe; used by one thread at a time, besides the watchdog."""

    def __init__(self, wall_s: float, memory_bytes: int, cpu_s: int) -> None:
        self._wall_s, self._memory_bytes, self._cpu_s = wall_s, memory_bytes, cpu_s
        self._lock = threading.Lock()
        self._deadline: float | None = None
        self._is_late = False
        self._is_ready = False
        self._decoder = msgspec.msgpack.Decoder(Letter)
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def start(self) -> None:
        """Start the process; it says when it is ready, and the first mail waits for that."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=entry.enter, args=(theirs, self._memory_bytes, self._cpu_s), name="reader", daemon=True
        )
        # Ctrl-C goes to the whole terminal; a reader that is still importing would die of it noisily.
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
            theirs.close()
        self._process, self._connection, self._is_ready = process, ours, False

    def ask(self, mode: bytes, raw: bytes) -> Letter:
        """One mail through the process; a fault leaves it unusable until `restart`."""
        connection = self._connection
        if connection is None:
            raise _Fault("no reader process")
        try:
            if not self._is_ready:
                answer = self._answer(connection, b"", START_S)
                self._is_ready = answer == entry.READY
            if self._is_ready:
                answer = self._answer(connection, mode + raw, self._wall_s)
        except (EOFError, OSError) as gone:
            raise self._obituary() from gone
        if answer[:1] != entry.LETTER:
            raise _Fault(answer[1:].decode("utf-8", "replace"))
        return self._decoder.decode(memoryview(answer)[1:])

    def _answer(self, connection: Connection, frame: bytes, allowed_s: float) -> bytes:
        with self._lock:
            self._is_late = False
            self._deadline = time.monotonic() + allowed_s
        try:
            if frame:
                connection.send_bytes(frame)
            answer = connection.recv_bytes()
        finally:
            with self._lock:
                self._deadline = None
        if self._is_late:
            raise EOFError
        return answer

    def kill_if_late(self) -> None:
        """The watchdog's look at this reader."""
        with self._lock:
            if self._deadline is None or time.monotonic() < self._deadline or self._process is None:
                return
            self._is_late, self._deadline = True, None
            self._process.kill()

    def kill(self) -> None:
        """End the process at once; who asks it sees the end of the pipe."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def restart(self) -> None:
        """A fresh process in place of one that failed."""
        self.hang_up()
        self.end(0)
        self.start()

    def hang_up(self) -> None:
        """Close our end of the pipe, upon which the process ends by itself; only while nobody asks."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()

    def end(self, give_up: float) -> None:
        """Wait for the process until that moment of the monotonic clock, then kill it."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        process.join(max(give_up - time.monotonic(), 0))
        if process.is_alive():
            process.kill()
            process.join()
        process.close()

    def _obituary(self) -> _Fault:
        if self._is_late and not self._is_ready:
            return _Fault(f"reader did not start within {START_S:g} s")
        if self._is_late:
            return _Fault(f"took longer than {self._wall_s:g} s", is_out_of_time=True)
        process = self._process
        if process is None:
            return _Fault("reader was stopped")
        process.join(CLOSE_S)
        code = process.exitcode
        if code is not None and code < 0:
            reason = _DEATHS.get(-code, f"killed by signal {-code}")
            return _Fault(reason, is_out_of_time=-code == signal.SIGXCPU)
        return _Fault(f"reader ended with code {code}")


_DEATHS = {
    int(signal.SIGXCPU): "used too much CPU time",
    int(signal.SIGSEGV): "crashed (SIGSEGV)",
    int(signal.SIGABRT): "crashed (SIGABRT)",
    int(signal.SIGKILL): "was killed",
}
