"""The daemon: build from settings, start, reload, drain, stop.

Threads: one asyncio loop (the doors), the store's writer, the worker loops (receive, deliver, chores); the
readers are processes. On failure: a door that cannot open stops the start with one clear line.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from desk import outbox, search_index, spool
from desk.errors import DeskError, Unavailable
from desk.letter import Envelope
from desk.live.bell import Listener
from desk.live.running import hold
from desk.reads.health import INTAKE_LEASE, INTAKE_LEASE_US
from desk.service import Desk
from desk.settings import Settings, load_settings
from desk.store import leases
from desk.work import Loop, Pace, attempt
from maild import home, receive
from maild.chores import Chore, chore
from maild.deliver import deliverer
from maild.intake.smtp import SmtpDoor, SmtpDoorSettings
from maild.precedence import Precedence
from maild.reading.reader import ReaderPool
from maild.recipients import DeskRecipients

log = logging.getLogger(__name__)
# Seconds that each step of a stop may take; nine in all, for systemd and people give ten.
DOOR_S, LOOPS_S, GIVING_UP_S, LAST_WRITES_S = 4.0, 2.0, 1.5, 1.5
_SPARE_BYTES = 64 * 1024 * 1024
_LOOK_AT_FILES = timedelta(seconds=2)
_HEARTBEAT = timedelta(seconds=15)


class Daemon:
    """A running desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._holder = f"up@{socket.gethostname()}:{desk.home}"
        self._deliverer = deliverer.Deliverer(desk, holder=self._holder)
        self._deliver = Loop(self._deliverer, deliverer.PACE)
        self._file_look = Chore("home-files", _LOOK_AT_FILES, self._look_at_files)
        self._files = Loop(self._file_look, Pace(workers=1, poll=_LOOK_AT_FILES))
        self._files_stamp = home.stamp(desk.home)
        self._running: list[Loop[Any]] = []
        self._precedence = Precedence()
        self._listener: Listener | None = None
        self._has_door = False
        self._space_asked, self._has_space = 0.0, True
        self._stop = asyncio.Event()

    async def run(self, ready: Callable[[str], None]) -> None:
        """Run until SIGTERM or SIGINT; `ready` gets the line to print once every door listens.

        Raises:
            Unavailable: a door cannot be opened, or another desk runs on this home.
        """
        asyncio.get_running_loop().set_exception_handler(_LoopTrouble())
        with hold(self.desk.home):
            self._on_signals()
            home.refresh(self.desk)
            door = self._door()
            with ReaderPool(self.desk.settings.readers.workers) as readers:
                receiver = receive.Receiver(
                    self.desk, readers, holder=self._holder, precedence=self._precedence
                )
                self._receive = Loop(receiver, receive.PACE)
                try:
                    await self._start(door, ready)
                    await self._stop.wait()
                finally:
                    await self._drain(door, readers)

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
        self._release_claims()
        words = ["ready"]
        if door is not None:
            host, port = await door.start()
            self._has_door = True
            words.append(f"smtp={host}:{port}")
        loops: list[Loop[Any]] = [self._receive, self._deliver, self._files, *self._chores()]
        for loop in loops:
            loop.start()
            self._running.append(loop)
        self._listen()
        ready(" ".join(words))

    def _chores(self) -> list[Loop[str]]:
        return [
            chore("seal", timedelta(seconds=1), self.desk.seal),
            chore("index", timedelta(seconds=0.2), self._index),
            chore("idle-connections", timedelta(seconds=15), self._deliverer.rest),
            chore("heartbeat", _HEARTBEAT, self._beat),
        ]

    def _beat(self) -> None:
        """Say in the store that the door listens; `desk status` on another machine reads it too."""
        if self._has_door:
            name = f"{INTAKE_LEASE}smtp"
            self.desk.store.write_tx(lambda tx: leases.take(tx, name, self._holder, INTAKE_LEASE_US))

    def _index(self) -> None:
        if self._precedence.is_quiet():
            search_index.index_waiting(self.desk.store)

    def _release_claims(self) -> None:
        spool.release_claims(self.desk.store, self._holder)
        outbox.release_claims(self.desk.store, self._holder)

    def _listen(self) -> None:
        self._listener = self.desk.bell.listen()
        if self._listener.fileno() >= 0:
            asyncio.get_running_loop().add_reader(self._listener.fileno(), self._rung, self._listener)

    def _rung(self, listener: Listener) -> None:
        listener.drain()
        self._receive.ring()
        self._deliver.ring()

    def _on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._read_files_again)

    async def _accept(self, raw: bytes, envelope: Envelope) -> None:
        """Durable when it returns; large mails are packed off the loop."""
        store = self.desk.store
        if len(raw) > spool.LARGE:
            future = await asyncio.to_thread(spool.accept, store, raw, envelope)
        else:
            future = spool.accept(store, raw, envelope)
        await asyncio.wrap_future(future)
        self._precedence.stored()
        self._receive.ring()

    def _is_there_space(self) -> bool:
        """Whether the disks have room for a mail and its traces; asked at most once a second."""
        if time.monotonic() - self._space_asked > 1:
            self._space_asked = time.monotonic()
            wanted = self.desk.settings.smtp.max_message * 2 + _SPARE_BYTES
            store = self.desk.settings.store.sqlite_path(self.desk.home)
            folders = {self.desk.home, store.parent if store is not None else self.desk.home}
            self._has_space = all(shutil.disk_usage(folder).free > wanted for folder in folders)
        return self._has_space

    # Files and settings

    def _read_files_again(self) -> None:
        """SIGHUP; a hundred of them are one reading, and the doors do not wait for it."""
        self._files_stamp = ()
        self._file_look.hurry()
        self._files.ring()

    def _look_at_files(self) -> None:
        try:
            stamp = home.stamp(self.desk.home)
            if stamp != self._files_stamp:
                self._reload()
                self._files_stamp = stamp
        except OSError as error:
            raise Unavailable(f"the home's files cannot be read: {error.strerror}") from error

    def _reload(self) -> None:
        """Take changed files and settings; what is wrong is logged, and the old stays. Doors stay as they are."""
        try:
            settings = load_settings(self.desk.home)
        except DeskError as error:
            log.error("settings refused %s", error)
            return
        if _fixed_at_start(settings) != _fixed_at_start(self.desk.settings):
            log.warning("settings of [smtp], [lmtp], [store] and [readers] count from the next start")
        self.desk.use(settings)
        if not home.refresh(self.desk):
            log.info("reloaded")

    # The end

    async def _drain(self, door: SmtpDoor | None, readers: ReaderPool) -> None:
        """Let what is under way come to its end; what takes too long is given up, and done after the next start."""
        if door is not None:
            await door.drain(DOOR_S)
        loops = [_beside(loop.stop) for loop in self._running]
        if not await _are_done(loops, LOOPS_S):
            log.warning("work under way is given up, it comes back at the next start")
            self._deliverer.abandon()
            loops.append(_beside(readers.close))
            if not await _are_done(loops, GIVING_UP_S):
                _leave_at_once()
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener.fileno())
            self._listener.close()
        if self._running and not await _are_done([_beside(self._write_last)], LAST_WRITES_S):
            _leave_at_once()
        log.info("stopped")

    def _write_last(self) -> None:
        self._deliverer.close()
        self._release_claims()
        self.desk.seal()


class _LoopTrouble:
    """What the loop reports. Out of files it does so a hundred times a second: one line a minute is enough."""

    _EVERY_S = 60.0

    def __init__(self) -> None:
        self._said_at = -self._EVERY_S

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif loop.time() - self._said_at >= self._EVERY_S:
            self._said_at = loop.time()
            log.error("no file can be opened, new connections wait reason=%s", error.strerror)


def _fixed_at_start(settings: Settings) -> tuple[object, ...]:
    return settings.smtp, settings.lmtp, settings.store, settings.readers


def _beside(fn: Callable[[], object]) -> asyncio.Future[None]:
    """Call `fn` in a thread that does not keep the process alive; what goes wrong is logged."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def call() -> None:
        error = attempt(fn).error
        if error is not None:
            log.warning("not stopped cleanly reason=%s", error)
        loop.call_soon_threadsafe(done.set_result, None)

    threading.Thread(target=call, name="stopping", daemon=True).start()
    return done


async def _are_done(futures: Iterable[asyncio.Future[None]], within_s: float) -> bool:
    waiting = [future for future in futures if not future.done()]
    return not waiting or not (await asyncio.wait(waiting, timeout=within_s))[1]


def _leave_at_once() -> None:
    """Threads that hang would keep the process; nothing is lost, for all that counts is committed."""
    log.error("stopped without waiting for what hangs")
    os._exit(0)


def run(desk: Desk, ready: Callable[[str], None]) -> None:
    """Run the daemon of a desk in the foreground.

    Raises:
        Unavailable: it could not start.
    """
    try:
        asyncio.run(_main(desk, ready))
    except OSError as error:
        raise Unavailable(
            f"the desk cannot run: {error.strerror} ({os.fspath(error.filename or '')})"
        ) from error


async def _main(desk: Desk, ready: Callable[[str], None]) -> None:
    await Daemon(desk).run(ready)
