"""The daemon: build from settings, start, reload, drain, stop.

Threads: one asyncio loop (the doors), the store's writer, the worker loops (receive, deliver, chores); the
readers are processes. On failure: a door that cannot open stops the start with one clear line.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from desk import outbox, search_index, spool
from desk.errors import DeskError, Unavailable
from desk.letter import Envelope
from desk.live.bell import Listener
from desk.live.running import hold
from desk.service import Desk
from desk.settings import load_settings
from desk.work import Loop
from maild import home, receive
from maild.chores import chore
from maild.deliver import deliverer
from maild.intake.smtp import SmtpDoor, SmtpDoorSettings
from maild.reading.reader import ReaderPool
from maild.recipients import DeskRecipients

log = logging.getLogger(__name__)
DRAIN_S = 8.0
_LARGE = 256 * 1024
_SPARE_BYTES = 64 * 1024 * 1024


class Daemon:
    """A running desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._holder = f"up@{socket.gethostname()}:{desk.home}"
        self._readers = ReaderPool(desk.settings.readers.workers)
        self._deliverer = deliverer.Deliverer(desk, holder=self._holder)
        self._receive = Loop(receive.Receiver(desk, self._readers, holder=self._holder), receive.PACE)
        self._deliver = Loop(self._deliverer, deliverer.PACE)
        self._files_stamp = home.stamp(desk.home)
        self._loops: list[Loop[Any]] = [
            self._receive,
            self._deliver,
            chore("seal", timedelta(seconds=1), desk.seal),
            chore("index", timedelta(seconds=0.2), lambda: search_index.index_waiting(desk.store)),
            chore("home-files", timedelta(seconds=2), self._look_at_files),
        ]
        self._space_asked, self._has_space = 0.0, True
        self._stop = asyncio.Event()

    async def run(self, ready: Callable[[str], None]) -> None:
        """Run until SIGTERM or SIGINT; `ready` gets the line to print once every door listens.

        Raises:
            Unavailable: a door cannot be opened, or another desk runs on this home.
        """
        with hold(self.desk.home):
            home.refresh(self.desk)
            door = self._door()
            await self._start(door, ready)
            try:
                await self._stop.wait()
            finally:
                await self._drain(door)

    def _door(self) -> SmtpDoor | None:
        smtp, trust = self.desk.settings.smtp, self.desk.settings.trust
        if smtp.listen is None:
            return None
        settings = SmtpDoorSettings(
            host=smtp.listen.host,
            port=smtp.listen.port,
            hostname=smtp.hostname or socket.gethostname(),
            max_message=smtp.max_message,
            trusted_mtas=trust.trusted_mtas,
            rate_per_peer=smtp.rate_per_peer,
            has_space=self._is_there_space,
        )
        return SmtpDoor(settings, recipients=DeskRecipients(self.desk), accept=self._accept)

    async def _start(self, door: SmtpDoor | None, ready: Callable[[str], None]) -> None:
        spool.release_claims(self.desk.store, self._holder)
        outbox.release_claims(self.desk.store, self._holder)
        words = ["ready"]
        if door is not None:
            host, port = await door.start()
            words.append(f"smtp={host}:{port}")
        for loop in self._loops:
            loop.start()
        self._listen()
        self._on_signals()
        ready(" ".join(words))

    def _listen(self) -> None:
        self._listener: Listener = self.desk.bell.listen()
        if self._listener.fileno() >= 0:
            asyncio.get_running_loop().add_reader(self._listener.fileno(), self._rung)

    def _rung(self) -> None:
        self._listener.drain()
        self._receive.ring()
        self._deliver.ring()

    def _on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    async def _accept(self, raw: bytes, envelope: Envelope) -> None:
        """Durable when it returns; large mails are packed off the loop."""
        store = self.desk.store
        if len(raw) > _LARGE:
            future = await asyncio.to_thread(spool.accept, store, raw, envelope)
        else:
            future = spool.accept(store, raw, envelope)
        await asyncio.wrap_future(future)
        self._receive.ring()

    def _is_there_space(self) -> bool:
        """Whether the disk has room for a mail and its traces; asked at most once a second."""
        if time.monotonic() - self._space_asked > 1:
            self._space_asked = time.monotonic()
            free = shutil.disk_usage(self.desk.home).free
            self._has_space = free > self.desk.settings.smtp.max_message * 2 + _SPARE_BYTES
        return self._has_space

    def _look_at_files(self) -> None:
        stamp = home.stamp(self.desk.home)
        if stamp != self._files_stamp:
            self._files_stamp = stamp
            self._reload()

    def _reload(self) -> None:
        """Take changed files and settings; what is wrong is logged, and the old stays. Doors stay as they are."""
        try:
            settings = load_settings(self.desk.home)
        except DeskError as error:
            log.error("settings refused %s", error)
            return
        if (settings.smtp, settings.store) != (self.desk.settings.smtp, self.desk.settings.store):
            log.warning("settings of [smtp] and [store] count from the next start")
        self.desk.use(settings)
        if not home.refresh(self.desk):
            log.info("reloaded")

    async def _drain(self, door: SmtpDoor | None) -> None:
        if door is not None:
            await door.drain(DRAIN_S)
        await asyncio.to_thread(self._stop_loops)
        self._listener.close()
        log.info("stopped")

    def _stop_loops(self) -> None:
        for loop in self._loops:
            loop.stop()
        self._deliverer.close()
        self._readers.close()
        self.desk.seal()


def run(desk: Desk, ready: Callable[[str], None]) -> None:
    """Run the daemon of a desk in the foreground.

    Raises:
        Unavailable: it could not start.
    """
    try:
        asyncio.run(_main(desk, ready))
    except OSError as error:
        raise Unavailable(f"the desk cannot run: {error.strerror} ({os.fspath(error.filename or '')})") from error


async def _main(desk: Desk, ready: Callable[[str], None]) -> None:
    await Daemon(desk).run(ready)
