"""The stages of a mail, in order: read, trust, thread, file. Wiring only.

Reads: the spool. Writes: by one order a mail (`FileLetter`), whose inbox id makes it idempotent.
On failure: what is temporary comes back to the spool; what no reader can read is parked with its reason.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from desk import blobs, spool
from desk.actors import SYSTEM, Door
from desk.errors import Conflict
from desk.faults import fault_point
from desk.filing import FileLetter, ParkMail, Placement
from desk.letter import Envelope, Letter, Mailbox
from desk.postroom import LOOP_FIELD
from desk.service import Desk, Order
from desk.spool import Taken
from desk.work import Pace
from maild.clues import Gatherer, addressed_to
from maild.precedence import Precedence
from maild.reading.reader import ReaderPool
from maild.threads import Mail, place
from maild.turnstile import Turnstile

log = logging.getLogger(__name__)
PACE = Pace(workers=12, waits=(timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=30)))
_LOOKS = 4  # how often a mail is placed anew because the desk had moved on
_STRIPES = 64
NO_FROM = "no From field"  # the reader's word for it


@dataclass(frozen=True, slots=True)
class _Read:
    """A mail as it goes to its place: read once, looked at until the desk stands still."""

    item: Taken
    letter: Letter
    is_from_envelope: bool
    files: tuple[blobs.Packed, ...]


class Receiver:
    """The spool as a work source: each mail becomes a ticket, joins one, is held, dropped or parked."""

    name = "receive"

    def __init__(
        self, desk: Desk, readers: ReaderPool, *, holder: str, precedence: Precedence | None = None
    ) -> None:
        self._desk, self._readers, self._holder = desk, readers, holder
        self._precedence = precedence or Precedence()
        self._turnstile = Turnstile()
        # mails of one ticket wait for each other here instead of colliding in the store
        self._in_turn = [threading.Lock() for _ in range(_STRIPES)]

    def claim(self, limit: int) -> Sequence[Taken]:
        allowed = self._precedence.allowed(limit)
        claimed = spool.claim(self._desk.store, self._holder, allowed)
        self._turnstile.enter(taken.id for taken in claimed)
        return claimed

    def tries(self, item: Taken) -> int:
        return item.tries

    def again(self, item: Taken, after: timedelta, reason: str) -> None:
        spool.give_back(self._desk.store, item.id, after, reason)

    def park(self, item: Taken, reason: str) -> None:
        self._desk.do(Order(ParkMail(item.id, reason), SYSTEM, Door.MAIL))

    def do(self, item: Taken) -> None:
        """Read and file one mail.

        Raises:
            Unreadable: no reader could read it. Conflict: the desk moved on each time it was placed.
        """
        try:
            with self._desk.reading():  # one connection for all looks at the store
                self._read_and_file(item)
        finally:
            self._turnstile.passed(item.id)

    def _read_and_file(self, item: Taken) -> None:
        raw = blobs.content(item.sha256)
        letter = self._as_known(self._readers.read(raw), item.envelope)
        is_from_envelope = letter.sender_doubts == [NO_FROM] and bool(item.envelope.sender)
        if is_from_envelope:
            letter = _from_envelope(letter, item.envelope)
        mail = _Read(item, letter, is_from_envelope, _files(letter))
        fault_point("worker.after_read")
        self._turnstile.wait(item.id)
        for look in range(_LOOKS):
            if self._file(mail, is_last_look=look == _LOOKS - 1):
                return

    def _file(self, mail: _Read, *, is_last_look: bool) -> bool:
        item = mail.item
        placement = self._place(mail)
        with self._turn_of(placement.ticket) as has_waited:
            if has_waited:
                placement = self._place(mail)
            try:
                filing = self._desk.submit(Order(_command(mail, placement), SYSTEM, Door.MAIL))
                self._turnstile.passed(item.id)  # the writer keeps the order from here on
                events = filing.result()
            except Conflict:
                if is_last_look:
                    raise
                return False
        fault_point("ingest.after_commit")
        _log(item, mail.letter, placement, events[0].ticket if events else placement.ticket)
        return True

    @contextmanager
    def _turn_of(self, ticket: int | None) -> Iterator[bool]:
        """One mail of a ticket at a time; True when another one went first."""
        if ticket is None:
            yield False
            return
        turn = self._in_turn[ticket % _STRIPES]
        is_free = turn.acquire(blocking=False)
        if not is_free:
            turn.acquire()
        try:
            yield not is_free
        finally:
            turn.release()

    def _place(self, mail: _Read) -> Placement:
        letter, envelope = mail.letter, mail.item.envelope
        settings, postroom = self._desk.settings.desk, self._desk.postroom
        gatherer = Gatherer(self._desk.store, addresses=settings.addresses, domain=settings.domain)
        with self._desk.reading():
            clues = gatherer.gather(letter, envelope, postroom.known_keys())
            queue = postroom.queue_of_addresses(addressed_to(letter, envelope))
            own = frozenset(address.lower() for address in settings.addresses)
            return place(Mail(letter, envelope, clues, own, queue, mail.is_from_envelope), gatherer)

    def _as_known(self, letter: Letter, envelope: Envelope) -> Letter:
        """What only the desk knows about a letter: whether a loop mark is ours, and what its envelope says."""
        if letter.kind == "own" and not self._is_ours(letter):
            is_typed = letter.auto_submitted in ("", "no")
            letter = msgspec.structs.replace(letter, kind="human" if is_typed else "auto-reply")
        if letter.kind == "human" and envelope.sender == "":  # RFC 5321 section 4.5.5: only machines send so
            letter = msgspec.structs.replace(letter, kind="auto-reply")
        return letter

    def _is_ours(self, letter: Letter) -> bool:
        """Another desk may run this program too: its letters are mail like any other."""
        marks = [value.strip() for name, value in letter.headers if name.lower() == LOOP_FIELD.lower()]
        return self._desk.settings.desk.domain in marks


def _from_envelope(letter: Letter, envelope: Envelope) -> Letter:
    """A letter without From, as written by its envelope's sender."""
    sender = Mailbox("", (envelope.sender or "").lower())
    return msgspec.structs.replace(letter, sender=sender, sender_doubts=[])


def _files(letter: Letter) -> tuple[blobs.Packed, ...]:
    """Attachments ready to be stored; what the emergency reader attaches is the mail itself, stored already."""
    return tuple(blobs.pack(a.content) for a in letter.attachments if a.sha256 != letter.sha256)


def _command(mail: _Read, placement: Placement) -> FileLetter:
    is_import = mail.item.envelope.door == "import"
    return FileLetter(
        inbox=mail.item.id,
        arrived_us=mail.item.arrived_us,
        letter=mail.letter,
        placement=placement,
        channel="import" if is_import else "email",
        silent=is_import,
        files=mail.files,
    )


def _log(item: Taken, letter: Letter, placement: Placement, ticket: int | None) -> None:
    log.info(
        "mail filed inbox=%s sha256=%s kind=%s way=%s ticket=%s reason=%s",
        item.id,
        letter.sha256[:16],
        letter.kind,
        placement.way,
        ticket,
        placement.reason,
    )
