"""A host for the SMTP door, and a raw peer that may break every rule."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

from desk.errors import DeskError
from desk.letter import Envelope
from maild.intake.smtp import SmtpDoor, SmtpDoorSettings, Verdict

LOOPBACK = (ip_network("127.0.0.1/32"),)
PATIENCE_S = 10.0
ELSEWHERE = "elsewhere.example"
KNOWN = frozenset({"support@example.org", "用户@example.org", '"odd name"@example.org'})
FORGED = "support+" + "a" * 32 + "@example.org"
MAIL = b"Subject: printer\r\n\r\nIt burns.\r\n"


class Host:
    """Knows a few addresses and keeps what it accepts; may be told to fail or to wait."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, Envelope]] = []
        self.failure: DeskError | None = None
        self.is_asked = asyncio.Event()
        self.may_store = asyncio.Event()
        self.may_store.set()

    def verdict(self, address: str) -> Verdict:
        if address.endswith("@" + ELSEWHERE):
            return Verdict.RELAY
        if address == FORGED:
            return Verdict.FORGED
        is_known = address in KNOWN or address.startswith("many")
        return Verdict.ACCEPT if is_known else Verdict.UNKNOWN

    async def accept(self, content: bytes, envelope: Envelope) -> None:
        self.is_asked.set()
        await self.may_store.wait()
        if self.failure is not None:
            raise self.failure
        self.taken.append((content, envelope))

    @property
    def contents(self) -> list[bytes]:
        return [content for content, _ in self.taken]


class Peer:
    """A raw connection; every wait is bounded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def reply(self) -> str:
        """The next reply, lines of one reply joined by newlines; "" when the door has closed."""
        lines = []
        while True:
            try:
                line = await asyncio.wait_for(self.reader.readline(), PATIENCE_S)
            except ConnectionError:
                return ""
            lines.append(line.decode().rstrip("\r\n"))
            if line[3:4] != b"-":
                return "\n".join(lines)

    async def ask(self, data: bytes) -> str:
        self.send(data)
        return await self.reply()

    async def codes(self, count: int) -> list[str]:
        return [(await self.reply())[:3] for _ in range(count)]

    async def is_closed(self) -> bool:
        """Whether nothing more comes but the end."""
        try:
            return await asyncio.wait_for(self.reader.read(), PATIENCE_S) == b""
        except ConnectionError:
            return True

    async def hello(self) -> None:
        assert (await self.reply())[:3] == "220"
        assert (await self.ask(b"EHLO peer.example\r\n"))[:3] == "250"

    async def begin_data(self, recipient: bytes = b"support@example.org") -> None:
        self.send(b"MAIL FROM:<a@example.net>\r\nRCPT TO:<" + recipient + b">\r\nDATA\r\n")
        assert await self.codes(3) == ["250", "250", "354"]

    async def mail(self, content: bytes = MAIL) -> str:
        await self.begin_data()
        return await self.ask(content + b".\r\n")


@dataclasses.dataclass
class Site:
    """An open door with its host."""

    door: SmtpDoor
    host: Host
    port: int
    peers: list[Peer] = dataclasses.field(default_factory=list)

    async def connect(self, source: str = "127.0.0.1") -> Peer:
        streams = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
        self.peers.append(Peer(*streams))
        return self.peers[-1]

    async def greeted(self, source: str = "127.0.0.1") -> Peer:
        peer = await self.connect(source)
        await peer.hello()
        return peer


@asynccontextmanager
async def open_site(**settings: Any) -> AsyncIterator[Site]:
    """A door on loopback, to which everybody is a stranger unless `trusted_mtas` says otherwise."""
    host = Host()
    chosen = SmtpDoorSettings(host="127.0.0.1", port=0, hostname="desk.example.org", **settings)
    door = SmtpDoor(chosen, recipients=host, accept=host.accept)
    _, port = await door.start()
    site = Site(door, host, port)
    try:
        yield site
    finally:
        host.may_store.set()
        for peer in site.peers:
            peer.writer.close()
        await door.drain(5)


def play(scene: Callable[[Site], Any], **settings: Any) -> Any:
    """Run a scene, a coroutine function of a site, in a loop of its own."""

    async def run() -> Any:
        async with open_site(**settings) as site:
            return await asyncio.wait_for(scene(site), 60)

    return asyncio.run(run())
