"""`desk doctor --probe`: a letter through the whole round, out by the smarthost and in again by an intake.

Writes: one letter to the desk's own first address. It carries our loop mark, so it is dropped when it comes.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from desk import blobs, clock, outbox
from desk.errors import Unavailable
from desk.letter import Mailbox
from desk.letters.compose import Draft, compose
from desk.live.running import is_running
from desk.reads import health
from desk.service import Desk
from desk.states import InboxState, OutboxState
from desk.store.writer import Transaction

_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Round:
    """How the probe went: the seconds of the whole round, or None and where it got stuck."""

    seconds: float | None
    stuck: str = ""


def probe(desk: Desk, *, patience_s: float) -> Round:
    """Send a letter to ourselves and wait until it is back.

    Raises:
        Unavailable: no desk runs on the home, or there is no smarthost.
    """
    if not is_running(desk.home):
        raise Unavailable("a probe needs a running desk; start `desk up` first")
    if desk.settings.smarthost.host is None:
        raise Unavailable("a probe needs a smarthost; name a host in [smarthost] of desk.toml")
    identity = f"<probe.{secrets.token_hex(16)}@{desk.settings.desk.domain}>"
    with desk.reading():
        before = health.newest_mail_id()
    began = time.monotonic()
    letter = desk.store.write_tx(lambda tx: _enqueue(tx, desk, identity))
    desk.bell.ring()
    while time.monotonic() - began < patience_s:
        with desk.reading():
            is_back = _is_back(before, identity)
        if is_back:
            return Round(time.monotonic() - began)
        time.sleep(_LOOK_S)
    with desk.reading():
        return Round(None, _where(*health.letter_state(letter)))


def _enqueue(tx: Transaction, desk: Desk, identity: str) -> int:
    settings = desk.settings.desk
    address = settings.addresses[0]
    draft = Draft(
        sender=Mailbox(settings.name, address),
        to=Mailbox("", address),
        subject="desk doctor probe",
        message_id=identity,
        date=clock.from_us(tx.now_us),
        text="This letter goes out and comes in again, to see that both ways are open.",
        language="en",
        loop_mark=settings.domain,
        automatic=True,
    )
    return outbox.enqueue(
        tx, compose(draft), ticket=None, message=None, kind="probe", message_id=identity, recipient=address
    )


def _is_back(before: int, identity: str) -> bool:
    for _, sha256, state in health.mails_after(before):
        if state is InboxState.DROPPED and identity.encode() in blobs.content(sha256)[:65536]:
            return True
    return False


def _where(state: OutboxState, answer: str) -> str:
    if state is OutboxState.SENT:
        return f"the smarthost took it ({answer}) and it has not come back; look there, and at the ways in"
    if answer:
        return f"it is {state.word}, the smarthost says: {answer}"
    return f"it is {state.word} in the outbox and the smarthost was not asked; see the log of `desk up`"
