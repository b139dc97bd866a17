"""The full path: a mail of 16 KB on average comes in, becomes a ticket, its acknowledgement is queued.

The same 200 mails for everyone, after 10 others that warm caches and imports. The desk gets them over SMTP
and its clock stops at the last ticket and letter in the store, so it also pays for acceptance and for the
client on the same machine; the peers read them from a folder and pay for neither.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from functools import partial
from pathlib import Path

import desk_side
from client import load
from figures import BenchFailed, Measure, Row, compared, in_turns
from mails import mails
from peers.postfix import PeerMissing

_COUNT = 200
_WARM_UP = 10
_HERE = Path(__file__).parent
_PEERS_PYTHON = _HERE.parent / ".venv-peers" / "bin" / "python"
_DJANGO_HELPDESK = "django_helpdesk.py"
_ROUNDUP = "roundup_gateway.py"
_GOALS = {"django-helpdesk": 8.0, "roundup": 20.0}


def path(work: Path, *, runs: int, only: str) -> list[Row]:
    """Mails a second from the door to ticket and acknowledgement."""
    sides: dict[str, Measure] = {
        "desk": _desk,
        "django-helpdesk": partial(_peer, _DJANGO_HELPDESK, []),
        "django-helpdesk with WAL": partial(_peer, _DJANGO_HELPDESK, ["--journal", "wal"]),
        "roundup": partial(_peer, _ROUNDUP, []),
        "roundup without hashing": partial(_peer, _ROUNDUP, ["--rounds", "1000"]),
    }
    return compared("desk", in_turns(sides, work, runs=runs, only=only), unit="mails/s", at_least=_GOALS)


def _desk(folder: Path) -> float:
    home = desk_side.make_home(folder)
    with desk_side.running(home) as (host, port):
        asyncio.run(load(host, port, mails(_WARM_UP, seed=2)))
        desk_side.wait_for_tickets(home, _WARM_UP)
        result = asyncio.run(load(host, port, mails(_COUNT)))
        answered = time.perf_counter()
        desk_side.wait_for_tickets(home, _WARM_UP + _COUNT)
        seconds = result.seconds + time.perf_counter() - answered
        desk_side.assert_idle(home, _WARM_UP + _COUNT)
    return _COUNT / seconds


def _peer(script: str, options: list[str], folder: Path) -> float:
    if not _PEERS_PYTHON.exists():
        raise PeerMissing(f"{_PEERS_PYTHON} is missing; `make bench` makes it")
    places: list[str | Path] = ["--work", folder / "work"]
    for name, count, seed in (("--warm-up", _WARM_UP, 2), ("--mails", _COUNT, 1)):
        places += [name, _written(folder / name.strip("-"), mails(count, seed=seed))]
    done = subprocess.run(
        [_PEERS_PYTHON, _HERE / "peers" / script, *places, *options],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode != 0:
        raise BenchFailed(f"{script}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    figures = json.loads(done.stdout.splitlines()[-1])
    if (figures["tickets"], figures["acknowledgements"]) != (_COUNT, _COUNT):
        raise BenchFailed(f"{script} did not do all of the work: {figures}")
    return float(figures["per_second"])


def _written(folder: Path, contents: list[bytes]) -> Path:
    folder.mkdir()
    for number, mail in enumerate(contents):
        (folder / f"{number:04}.eml").write_bytes(mail)
    return folder
