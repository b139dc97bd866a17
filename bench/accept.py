"""Durable acceptance: mails of 4 KB over 20 connections, answered 250 only when they are on the disk.

The desk is `desk up` as a site runs it, so it reads and files the mails while more come in. Postfix is
measured holding (nothing behind acceptance) and delivering to its own discard.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import desk_side
from client import load
from figures import BenchFailed, Measure, Row, compared, in_turns
from mails import small
from peers import postfix

_CONNECTIONS = 20
_COUNT = 3000
_WARM_UP = 200
_GOALS = {"postfix holding": 1.3}


def accept(work: Path, *, runs: int, only: str) -> list[Row]:
    """Mails accepted a second."""
    sides: dict[str, Measure] = {
        "desk": _desk,
        "postfix holding": partial(_postfix, hold=True),
        "postfix delivering": partial(_postfix, hold=False),
    }
    return compared("desk", in_turns(sides, work, runs=runs, only=only), unit="mails/s", at_least=_GOALS)


def _desk(folder: Path) -> float:
    with desk_side.running(desk_side.make_home(folder)) as (host, port):
        return _accepted(host, port)


def _postfix(folder: Path, *, hold: bool) -> float:
    site = folder / "postfix"
    with postfix.running(site, hold=hold, connections=_CONNECTIONS) as (host, port):
        rate = _accepted(host, port)
    if hold and postfix.held(site) != _WARM_UP + _COUNT:
        raise BenchFailed(f"Postfix holds {postfix.held(site)} mails, not {_WARM_UP + _COUNT}")
    return rate


def _accepted(host: str, port: int) -> float:
    asyncio.run(load(host, port, small(_WARM_UP, seed=2), connections=_CONNECTIONS))
    result = asyncio.run(load(host, port, small(_COUNT), connections=_CONNECTIONS))
    if result.refused:
        raise BenchFailed(f"{result.refused} mails refused, first: {result.first_refusal}")
    return result.per_second
