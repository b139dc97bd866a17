"""From a client's SMTP session with Postfix to the committed ticket: 300 mails at 5 a second, 100 k tickets.

Not a comparison: a promise (p99 of two seconds), measured from the moment at which the client begins to send.
Postfix stands in front as on a site and hands over to the desk's SMTP door.
"""

from __future__ import annotations

import smtplib
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from desk_side import make_home, running
from figures import BenchFailed, Row
from fill import fill
from mails import RECIPIENT, mails, sender_of

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.real.servers.postfix import running_postfix

_COUNT, _PER_SECOND, _TICKETS, _P99_S = 300, 5.0, 100_000, 2.0


def latency(work: Path, *, runs: int, only: str) -> list[Row]:
    """p50, p95 and p99 in milliseconds; the baseline is what was promised."""
    home = make_home(work)
    fill(home, _TICKETS)
    with running_postfix() as postfix, running(home) as (_, port):
        postfix.route(RECIPIENT.partition("@")[2], port)
        sent = _send(postfix.port, mails(_COUNT, seed=11))
        waits = sorted(_waits(home, sent))
    return [
        _row(name, waits[int(_COUNT * share) - 1])
        for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    ]


def _send(port: int, batch: list[bytes]) -> dict[str, float]:
    """Sender address to the instant at which his mail was begun."""
    sent: dict[str, float] = {}
    started = time.time()
    for position, mail in enumerate(batch):
        time.sleep(max(0.0, started + position / _PER_SECOND - time.time()))
        sent[sender_of(mail)] = time.time()
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.sendmail(sender_of(mail), [RECIPIENT], mail)
    return sent


def _waits(home: Path, sent: dict[str, float], *, timeout_s: float = 60.0) -> list[float]:
    deadline = time.monotonic() + timeout_s
    query = f"SELECT requester_address, created FROM ticket WHERE number > {_TICKETS}"
    with closing(sqlite3.connect(f"file:{home / 'desk.db'}?mode=ro", uri=True)) as store:
        while len(rows := store.execute(query).fetchall()) < _COUNT:
            if time.monotonic() > deadline:
                raise BenchFailed(f"only {len(rows)} of {_COUNT} mails became tickets")
            time.sleep(0.05)
    if len(rows) != _COUNT:
        raise BenchFailed(f"{len(rows)} tickets of {_COUNT} mails")
    return [created / 1e6 - sent[address] for address, created in rows]


def _row(name: str, seconds: float) -> Row:
    is_promised = name == "p99"
    return Row(
        figure=f"mail to ticket {name}",
        unit="ms",
        value=seconds * 1000,
        baseline="promise",
        baseline_value=_P99_S * 1000,
        ratio=seconds / _P99_S,
        goal="<= 1" if is_promised else "",
        met=seconds <= _P99_S if is_promised else None,
        values=[seconds * 1000],
        baseline_values=[_P99_S * 1000],
    )
