"""Take mails through the spool by command, and wait until they are through.

Beside a running desk the bell is rung and the daemon does the work; alone it is done here, in this process.
Writes: the spool, and alone all that filing a mail writes. On failure: what was stored stays stored.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from desk import search_index, spool
from desk.letter import Envelope
from desk.live.running import is_running
from desk.reads.taken import Fate, fates, newest_of
from desk.service import Desk
from desk.work import run_until_idle
from maild.cli.mailfiles import MailFile
from maild.reading.reader import ReaderPool
from maild.receive import PACE, Receiver

PATIENCE_S = 120.0  # without any mail getting through
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail with what became of it."""

    path: str
    sha256: str
    fate: Fate


@dataclass(frozen=True, slots=True)
class _Stored:
    path: str
    sha256: str
    inbox: int
    is_known: bool


class Taker:
    """Takes mails in groups. Close it, or use it as a context manager: alone it owns reader processes."""

    def __init__(self, desk: Desk, *, is_import: bool = False, waits: bool = True) -> None:
        self._desk, self._is_import, self._waits = desk, is_import, waits
        self._readers: ReaderPool | None = None

    def __enter__(self) -> Taker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Index what was filed here, and end the readers."""
        if self._readers is not None:
            self._readers.close()
            while search_index.index_waiting(self._desk.store):
                pass
            self._desk.seal()

    def store(self, mails: list[MailFile]) -> list[_Stored]:
        """Put mails into the spool; durable when this returns. Bytes that were taken before are left alone.

        Raises:
            DeskError: the store does not take them.
        """
        shas = [hashlib.sha256(mail.content).hexdigest() for mail in mails]
        with self._desk.reading():
            known = newest_of(shas)
        fresh: dict[str, Future[str]] = {}
        for mail, sha256 in zip(mails, shas, strict=True):
            if sha256 not in known and sha256 not in fresh:
                fresh[sha256] = spool.accept(self._desk.store, mail.content, self._envelope(mail))
        for future in fresh.values():
            future.result()
        self._desk.bell.ring()
        with self._desk.reading():
            places = known | newest_of(fresh)
        stored = []
        for mail, sha256 in zip(mails, shas, strict=True):
            stored.append(_Stored(mail.path, sha256, places[sha256], fresh.pop(sha256, None) is None))
        return stored

    def _envelope(self, mail: MailFile) -> Envelope:
        return Envelope(door="import" if self._is_import else mail.form, is_trusted=True)

    def finish(self, stored: list[_Stored]) -> Iterator[Taken]:
        """What became of them, in order; what is not through in time is told as waiting."""
        inboxes = {one.inbox for one in stored}
        found = self.wait(inboxes) if self._waits else self._look(inboxes)
        for one in stored:
            fate = found[one.inbox]
            if one.is_known:
                fate = Fate("known", fate.ticket, fate.reason)
            yield Taken(one.path, one.sha256, fate)

    def wait(self, inboxes: set[int]) -> dict[int, Fate]:
        """Look until all are through, or nothing has moved for too long."""
        left, moved_at = len(inboxes) + 1, time.monotonic()
        while True:
            found = self._look(inboxes)
            waiting = sum(fate.outcome == "waiting" for fate in found.values())
            if waiting < left:
                left, moved_at = waiting, time.monotonic()
            if not waiting or time.monotonic() - moved_at > PATIENCE_S:
                return found
            if is_running(self._desk.home) or not self.work():
                time.sleep(_LOOK_S)

    def _look(self, inboxes: set[int]) -> dict[int, Fate]:
        with self._desk.reading():
            return fates(inboxes)

    def work(self) -> int:
        """Process in this thread what is due in the spool; the number of mails."""
        if self._readers is None:
            self._readers = ReaderPool(self._desk.settings.readers.workers)
        holder = f"take@{socket.gethostname()}:{os.getpid()}"
        return run_until_idle(Receiver(self._desk, self._readers, holder=holder), PACE)
