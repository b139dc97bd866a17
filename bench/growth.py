"""Cost of a mail in a store of 100,000 tickets against one of 1,000: reopened, page cache dropped.

Half of the mails are new, half answer old tickets spread over the whole store. Both sides do the same work by
the same way (SMTP, `desk up`), in turns.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import client
from desk_side import make_home, running
from figures import BenchFailed, Row, compared, in_turns
from fill import fill, identity_of, requester_of
from mails import mails

_MAILS = 200
_SMALL, _LARGE = 1_000, 100_000


def growth(work: Path, *, runs: int, only: str) -> list[Row]:
    """Mails per second with 100 k tickets over those with 1 k; at least 1 / 1.2 of it is wanted."""
    filled = {count: _filled(work / f"filled-{count}", count) for count in (_SMALL, _LARGE)}
    sides = {
        f"{count} tickets": (lambda folder, count=count: _measure(filled[count], folder, count))
        for count in (_LARGE, _SMALL)
    }
    values = in_turns(sides, work, runs=runs, only=only)
    return compared(f"{_LARGE} tickets", values, unit="mails/s", at_least={f"{_SMALL} tickets": 1 / 1.2})


def _filled(folder: Path, tickets: int) -> Path:
    folder.mkdir(mode=0o755)
    home = make_home(folder)
    fill(home, tickets)
    return home


def _measure(filled: Path, folder: Path, tickets: int) -> float:
    home = folder / "home"
    shutil.copytree(filled, home)
    batch = _half_joining(tickets)
    _drop_cache(home / "desk.db")
    with running(home) as (host, port):
        started = time.perf_counter()
        load = asyncio.run(client.load(host, port, batch, connections=20))
        if load.accepted != _MAILS:
            raise BenchFailed(f"{load.refused} of {_MAILS} mails refused: {load.first_refusal}")
        _wait_until_filed(home)
        return _MAILS / (time.perf_counter() - started)


def _half_joining(tickets: int) -> list[bytes]:
    """Every second mail answers a ticket, as its requester, without a token."""
    chance = random.Random(7)
    batch = mails(_MAILS, seed=3)
    for position in range(0, _MAILS, 2):
        number = chance.randrange(1, tickets + 1)
        head, blank, body = batch[position].partition(b"\r\n\r\n")
        fields = [
            f
            for f in head.split(b"\r\n")
            if not f.lower().startswith((b"from:", b"in-reply-to:", b"references:"))
        ]
        own = f"From: Person <{requester_of(number)}>\r\nIn-Reply-To: {identity_of(number)}".encode()
        batch[position] = b"\r\n".join([*fields, own]) + blank + body
    return batch


def _drop_cache(path: Path) -> None:
    """Let the system forget the file, so that the first reads come from the disk."""
    os.sync()
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _wait_until_filed(home: Path, *, timeout_s: float = 120.0) -> None:
    deadline = time.monotonic() + timeout_s
    with closing(sqlite3.connect(f"file:{home / 'desk.db'}?mode=ro", uri=True)) as store:
        while (done := store.execute("SELECT count(*) FROM inbox WHERE state = 1").fetchone()[0]) < _MAILS:
            if time.monotonic() > deadline:
                raise BenchFailed(f"after {timeout_s} s only {done} of {_MAILS} mails are filed")
            time.sleep(0.002)
