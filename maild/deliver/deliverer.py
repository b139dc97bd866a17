"""Outbox to smarthost: claim, send, mark. A letter is resent as the same bytes until it is taken or too old.

Waits after 4xx and network faults: 1, 2, 5, 15, 30 minutes, 1, 2, 4 hours and so on, up to five days; a 5xx
is final at once. Both end as events on the ticket.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from desk import blobs, clock, outbox
from desk.letters.tokens import reply_address
from desk.outbox import Sending
from desk.service import Desk
from desk.settings import Smarthost
from desk.store.writer import Transaction
from desk.work import Pace
from maild.deliver.maildir import MaildirRoute
from maild.deliver.routes import Abandoned, Answer, Refused, Route
from maild.deliver.smarthost import Patience, SmarthostRoute

log = logging.getLogger(__name__)
_MINUTES = (1, 2, 5, 15, 30, 60, 120, 240)
GIVE_UP = timedelta(days=5)
# Errors that nobody foresaw wait as long as refusals do: a letter is not given up for a fault of ours.
_UNFORESEEN = tuple(timedelta(minutes=m) for m in _MINUTES) + (timedelta(hours=4),) * 28
PACE = Pace(workers=3, waits=_UNFORESEEN)


class Deliverer:
    """The outbox as a work source. Each worker thread keeps a route of its own."""

    name = "deliver"

    def __init__(self, desk: Desk, *, holder: str, patience: Patience | None = None) -> None:
        self._desk, self._holder = desk, holder
        self._patience = patience or Patience()
        self._mine = threading.local()
        self._routes: list[Route] = []
        self._claimed_us: dict[int, int] = {}
        self._unmarked: dict[int, Answer] = {}
        self._is_abandoned = False

    def claim(self, limit: int) -> Sequence[Sending]:
        if not self._desk.settings.smarthost.is_set:
            return ()
        now = clock.now_us()
        items = outbox.claim(self._desk.store, self._holder, limit)
        self._claimed_us.update({item.id: now for item in items})
        return items

    def tries(self, item: Sending) -> int:
        return item.tries

    def again(self, item: Sending, after: timedelta, reason: str) -> None:
        self._settle(partial(outbox.defer, sending=item, after=after, code=None, answer=reason))

    def park(self, item: Sending, reason: str) -> None:
        self._settle(lambda tx: outbox.mark_failed(tx, item, code=None, answer=reason))

    def do(self, item: Sending) -> None:
        """Send one letter and write down what came of it."""
        claimed_us = self._claimed_us.pop(item.id, clock.now_us())
        answer = self._unmarked.get(item.id)
        if answer is None:
            if self._is_late(claimed_us):
                return
            try:
                answer = self._send(item)
            except Refused as refused:
                self._note_refusal(item, refused)
                return
            except Abandoned as abandoned:
                log.info("letter abandoned letter=%s reason=%s", item.id, abandoned)
                return
            self._unmarked[item.id] = answer  # should the store fail now, the next try only marks it
        self._note_sent(item, answer)
        del self._unmarked[item.id]

    def rest(self) -> None:
        """Let go of connections that have been idle."""
        for route in tuple(self._routes):
            route.rest()

    def abandon(self) -> None:
        """Give up the letters under way; they stay claimed, and nobody knows whether they were taken."""
        self._is_abandoned = True
        for route in tuple(self._routes):
            route.abandon()

    def close(self) -> None:
        """Close all kept connections; call it when no worker runs any more."""
        for route in self._routes:
            route.close()
        self._routes.clear()

    def _is_late(self, claimed_us: int) -> bool:
        """Whether the lease could end while it is being sent; then it is left to whoever claims it next."""
        since = timedelta(microseconds=clock.now_us() - claimed_us)
        return self._is_abandoned or since + timedelta(seconds=self._patience.letter_s * 1.1) > outbox.LEASE

    def _send(self, item: Sending) -> Answer:
        with self._desk.reading():
            raw = blobs.content(item.blob)
        return self._route().send(raw, sender=self._envelope_sender(item), recipient=item.recipient)

    def _route(self) -> Route:
        """This thread's way out; a new one when [smarthost] has changed."""
        wanted = self._desk.settings.smarthost
        used: tuple[Smarthost, Route] | None = getattr(self._mine, "route", None)
        if used is not None and used[0] == wanted:
            return used[1]
        if used is not None:
            self._routes.remove(used[1])
            used[1].close()
        route = self._open(wanted)
        self._mine.route = (wanted, route)
        self._routes.append(route)
        return route

    def _open(self, smarthost: Smarthost) -> Route:
        if smarthost.maildir is not None:
            return MaildirRoute(self._desk.home / smarthost.maildir)
        hostname = self._desk.settings.smtp.hostname
        return SmarthostRoute(smarthost, hostname=hostname, patience=self._patience)

    def _envelope_sender(self, item: Sending) -> str:
        """An address of its own for each letter, so that whatever comes back names it (VERP)."""
        own = self._desk.settings.desk.addresses[0]
        if self._desk.settings.smarthost.envelope == "fixed":
            return own
        keys = self._desk.postroom.known_keys()
        return reply_address(own, self._desk.postroom.letter_token(keys, item.id, item.ticket or 0))

    def _note_sent(self, item: Sending, answer: Answer) -> None:
        self._settle(lambda tx: outbox.mark_sent(tx, item, code=answer.code, answer=answer.text))
        log.info(
            "letter sent ticket=%s letter=%s to=%s tries=%s", item.ticket, item.id, item.recipient, item.tries
        )

    def _note_refusal(self, item: Sending, refused: Refused) -> None:
        is_old = clock.now() - clock.from_us(item.created_us) > GIVE_UP
        if refused.is_final or is_old:
            log.warning("letter failed letter=%s to=%s answer=%s", item.id, item.recipient, refused)
            self._settle(lambda tx: outbox.mark_failed(tx, item, code=refused.code, answer=refused.text))
            return
        after = pause_after(item.tries)
        log.warning(
            "letter deferred letter=%s tries=%s after=%s answer=%s", item.id, item.tries, after, refused
        )
        self._settle(lambda tx: outbox.defer(tx, item, after=after, code=refused.code, answer=refused.text))

    def _settle(self, write: Callable[[Transaction], None]) -> None:
        def and_ring(tx: Transaction) -> None:
            write(tx)
            tx.after_commit(self._desk.bell.ring)

        self._desk.store.write_tx(and_ring)


def pause_after(tries: int) -> timedelta:
    """How long a letter waits after its n-th try (from 1), with a jitter of a tenth."""
    minutes = _MINUTES[min(tries, len(_MINUTES)) - 1]
    return timedelta(minutes=minutes * random.uniform(1.0, 1.1))
