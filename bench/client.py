"""A bounded SMTP load client: the same bytes over the same connections for every server that is measured.

No pipelining: each command waits for its answer, as most senders do. The mails are made ready for the wire
before the clock starts. Also a command: `python bench/client.py HOST:PORT [--connections N] [--each M]`.
Standards: RFC 5321 (4.5.2 for dot-stuffing).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

from mails import RECIPIENT, sender_of, small

_MOST_MAILS = 100_000


@dataclass(frozen=True, slots=True)
class Load:
    """What one run gave. Times in milliseconds, from sending DATA to the 250 for the mail.

    `seconds` runs from the first connection made (greetings read) to the last answer.
    """

    accepted: int
    refused: int
    first_refusal: str
    seconds: float
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(slots=True)
class _Tally:
    waits_ms: list[float] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Ready:
    sender: bytes
    wire: bytes


class LoadFailed(Exception):
    """The server closed a connection, broke the protocol or took too long."""


async def load(
    host: str, port: int, mails: Sequence[bytes], *, connections: int = 20, timeout_s: float = 120.0
) -> Load:
    """Send `mails` once each, dealt out over `connections` that are open at the same time.

    Raises:
        LoadFailed: more than 100,000 mails, not all answered within `timeout_s`, or a connection broke.
    """
    if len(mails) > _MOST_MAILS:
        raise LoadFailed(f"{len(mails)} mails; the most in one run is {_MOST_MAILS}")
    deck = iter([_Ready(sender_of(mail).encode("ascii"), wire(mail)) for mail in mails])
    tally = _Tally()
    try:
        async with asyncio.timeout(timeout_s):
            seconds = await _run(host, port, deck, tally, connections)
    except TimeoutError as error:
        raise LoadFailed(f"{len(tally.waits_ms)} of {len(mails)} mails accepted in {timeout_s} s") from error
    except (OSError, EOFError) as error:
        raise LoadFailed(f"{host}:{port}: {error or type(error).__name__}") from error
    return _sum_up(tally, seconds)


def wire(mail: bytes) -> bytes:
    """The mail with dots stuffed and the end mark; its lines must end with CRLF."""
    stuffed = mail.replace(b"\r\n.", b"\r\n..")
    if stuffed.startswith(b"."):
        stuffed = b"." + stuffed
    return stuffed + (b".\r\n" if mail.endswith(b"\r\n") else b"\r\n.\r\n")


async def _run(host: str, port: int, deck: Iterator[_Ready], tally: _Tally, connections: int) -> float:
    sessions = [await _Session.open(host, port) for _ in range(connections)]
    started = time.perf_counter()
    try:
        await asyncio.gather(*(_work(session, deck, tally) for session in sessions))
        return time.perf_counter() - started
    finally:
        for session in sessions:
            session.close()


async def _work(session: _Session, deck: Iterator[_Ready], tally: _Tally) -> None:
    for ready in deck:
        answer = await session.ask(b"MAIL FROM:<%b>\r\n" % ready.sender)
        if answer.startswith(b"250"):
            answer = await session.ask(b"RCPT TO:<%b>\r\n" % RECIPIENT.encode("ascii"))
        if answer.startswith(b"250"):
            began = time.perf_counter()
            answer = await session.ask(b"DATA\r\n")
            if answer.startswith(b"354"):
                answer = await session.ask(ready.wire)
            if answer.startswith(b"250"):
                tally.waits_ms.append((time.perf_counter() - began) * 1000)
                continue
        tally.refusals.append(answer.decode("ascii", "replace").strip())
        await session.ask(b"RSET\r\n")


class _Session:
    """One connection; `ask` sends a command and gives the last line of the answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, host: str, port: int) -> _Session:
        session = cls(*await asyncio.open_connection(host, port))
        await session._answer("220")
        session._writer.write(b"EHLO client.example.org\r\n")
        await session._answer("250")
        return session

    async def ask(self, command: bytes) -> bytes:
        self._writer.write(command)
        return await self._answer()

    async def _answer(self, expected: str = "") -> bytes:
        line = await self._reader.readuntil(b"\n")
        while line[3:4] == b"-":
            line = await self._reader.readuntil(b"\n")
        if line.startswith(b"421") or not line.startswith(expected.encode("ascii")):
            raise LoadFailed(f"the server answered {line.decode('ascii', 'replace').strip()}")
        return line

    def close(self) -> None:
        self._writer.write(b"QUIT\r\n")
        self._writer.close()


def _sum_up(tally: _Tally, seconds: float) -> Load:
    waits = tally.waits_ms
    cuts = statistics.quantiles(waits, n=100, method="inclusive") if len(waits) > 1 else [0.0] * 99
    return Load(
        accepted=len(waits),
        refused=len(tally.refusals),
        first_refusal=next(iter(tally.refusals), ""),
        seconds=seconds,
        per_second=len(waits) / seconds,
        p50_ms=cuts[49],
        p95_ms=cuts[94],
        p99_ms=cuts[98],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Send small mails to an SMTP server, print the figures.")
    parser.add_argument("server", help="HOST:PORT")
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--each", type=int, default=100, help="mails per connection")
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=120.0)
    options = parser.parse_args()
    host, _, port = options.server.rpartition(":")
    mails = small(options.connections * options.each, options.size, seed=options.seed)
    result = asyncio.run(
        load(host, int(port), mails, connections=options.connections, timeout_s=options.timeout)
    )
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
