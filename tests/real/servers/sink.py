"""A real SMTP server that records what it takes, and can be told to refuse, to cut the line or to fall asleep."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from threading import Condition
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.real.servers.loopback import HOST

Stage = Literal["MAIL", "RCPT", "DATA"]
_CUT, _SLEEP = "cut", "sleep"


@dataclass(frozen=True)
class Taken:
    """One mail the sink has taken.

    `is_confirmed`: the sender was told so by a 250. `login`: who the sender said he is, if he had to.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    is_confirmed: bool = True
    login: str | None = None


class Sink:
    """An SMTP server in a thread. Without orders every mail is taken with 250.

    `stop` and `start` again keep the port, so that a smarthost can go away and come back. Options are those
    of `aiosmtpd.smtp.SMTP` (tls_context, authenticator ...) and `handler`, a class that extends `SinkHandler`.

    Attributes:
        sessions: how many connections there have been.
        open_sessions: how many there are now.
        asleep: how many commands were left without an answer.
    """

    def __init__(self, handler: type[SinkHandler] | None = None, **options: Any) -> None:
        self.host, self.port = HOST, 0
        self.taken: list[Taken] = []
        self.sessions = self.open_sessions = self.asleep = 0
        self._handler = handler or SinkHandler
        self._options = {"enable_SMTPUTF8": True, "data_size_limit": 50_000_000} | options
        self._plans: dict[Stage, deque[str]] = {"MAIL": deque(), "RCPT": deque(), "DATA": deque()}
        self._changed = Condition()
        self._controller: _AnyPort | None = None

    def start(self) -> None:
        """Listen; on a free port the first time, on the same one later."""
        controller = _AnyPort(self._handler(self), hostname=self.host, port=self.port, **self._options)
        controller.start()
        self._controller, self.port = controller, controller.port

    def stop(self) -> None:
        """Close the port and every connection."""
        if self._controller is not None:
            self._controller.hang_up()
            self._controller.stop()
            self._controller = None

    def answer(self, reply: str, *, times: int = 1, at: Stage = "DATA") -> None:
        """Answer the next so many commands of this stage with `reply`, as "451 4.3.0 later".

        Lone surrogates in it go out as the bytes they stand for.
        """
        self._plans[at].extend([reply] * times)

    def cut(self, *, times: int = 1) -> None:
        """Take the next so many mails and cut the line before the 250: the sender cannot know."""
        self._plans["DATA"].extend([_CUT] * times)

    def sleep(self, *, times: int = 1, at: Stage = "DATA") -> None:
        """Do not answer the next so many commands of this stage until the peer hangs up."""
        self._plans[at].extend([_SLEEP] * times)

    def wait_for(self, number: int, *, timeout_s: float = 10.0) -> list[Taken]:
        """Wait until at least so many mails were taken, and return them, oldest first.

        Raises:
            TimeoutError: there were fewer.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.taken) >= number, timeout_s):
                raise TimeoutError(f"the sink took {len(self.taken)} of {number} mails in {timeout_s:g} s")
            return list(self.taken)

    async def planned(self, stage: Stage) -> str | None:
        """What was ordered for this command."""
        order = self._plans[stage].popleft() if self._plans[stage] else None
        if order == _SLEEP:
            self.asleep += 1
            await asyncio.Event().wait()  # aiosmtpd cancels it when the connection is lost
        return order

    def take(self, envelope: Envelope, session: Session, *, is_confirmed: bool) -> None:
        """Record a mail."""
        content = envelope.content or b""
        assert isinstance(content, bytes)
        taken = Taken(
            envelope.mail_from or "", tuple(envelope.rcpt_tos), content, is_confirmed, session.auth_data
        )
        with self._changed:
            self.taken.append(taken)
            self._changed.notify_all()


class _Server(SMTP):  # type: ignore[misc]
    """Counts its connections, `one` at a time: aiosmtpd's test of itself counts 0."""

    sink: Sink
    one = 1
    wire: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self.wire is None:  # else it is the TLS within a connection
            self.wire = transport
            self.sink.sessions += self.one
            self.sink.open_sessions += self.one
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.sink.open_sessions -= self.one
        super().connection_lost(error)

    async def push(self, status: str | bytes) -> None:
        if isinstance(status, str):
            status = status.encode("utf-8", "surrogateescape")
        await super().push(status)


class _AnyPort(Controller):  # type: ignore[misc]
    """Port 0 takes a free port; aiosmtpd's own self-test would connect to port 0."""

    def __init__(self, handler: SinkHandler, **options: Any) -> None:
        super().__init__(handler, **options)
        self._servers: list[_Server] = []

    def factory(self) -> SMTP:
        server = _Server(self.handler, **self.SMTP_kwargs)
        server.sink, server.one = self.handler.sink, int(bool(self._servers))
        self._servers.append(server)
        return server

    def hang_up(self) -> None:
        """End all connections, also those that aiosmtpd has lost sight of in a failed handshake."""
        for server in self._servers:
            if isinstance(server.wire, asyncio.Transport):
                self.loop.call_soon_threadsafe(server.wire.abort)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class SinkHandler:
    """What the sink does at each command; a subclass may add logins (`auth_...`)."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    async def handle_MAIL(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = await self.sink.planned("MAIL")
        if refusal is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return refusal or "250 2.1.0 ok"

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = await self.sink.planned("RCPT")
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 2.1.5 ok"

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        planned = await self.sink.planned("DATA")
        if planned == _CUT:
            self.sink.take(envelope, session, is_confirmed=False)
            assert server.transport is not None
            server.transport.abort()
        elif planned is None or planned.startswith("250"):
            self.sink.take(envelope, session, is_confirmed=True)
        return planned or "250 2.0.0 taken"
