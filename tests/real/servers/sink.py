"""A real SMTP server that records what it takes, and can be told to refuse or to cut the line."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Condition
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.real.servers.loopback import HOST

Stage = Literal["MAIL", "RCPT", "DATA"]


@dataclass(frozen=True)
class Taken:
    """One mail the sink has taken. `is_confirmed`: the sender was told so by a 250."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    is_confirmed: bool = True


class Sink:
    """An SMTP server in a thread. Without orders every mail is taken with 250.

    `stop` and `start` again keep the port, so that a smarthost can go away and come back. Options are those
    of `aiosmtpd.smtp.SMTP` (tls_context, authenticator ...).
    """

    def __init__(self, **options: Any) -> None:
        self.host, self.port = HOST, 0
        self.taken: list[Taken] = []
        self._options = {"enable_SMTPUTF8": True, "data_size_limit": 50_000_000} | options
        self._plans: dict[Stage, deque[str]] = {"MAIL": deque(), "RCPT": deque(), "DATA": deque()}
        self._changed = Condition()
        self._controller: Controller | None = None

    def start(self) -> None:
        """Listen; on a free port the first time, on the same one later."""
        controller = _AnyPort(_Handler(self), hostname=self.host, port=self.port, **self._options)
        controller.start()
        self._controller, self.port = controller, controller.port

    def stop(self) -> None:
        """Close the port and every connection."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def answer(self, reply: str, *, times: int = 1, at: Stage = "DATA") -> None:
        """Answer the next so many commands of this stage with `reply`, as "451 4.3.0 later"."""
        self._plans[at].extend([reply] * times)

    def cut(self, *, times: int = 1) -> None:
        """Take the next so many mails and cut the line before the 250: the sender cannot know."""
        self._plans["DATA"].extend([_CUT] * times)

    def wait_for(self, number: int, *, timeout_s: float = 10.0) -> list[Taken]:
        """Wait until at least so many mails were taken, and return them, oldest first.

        Raises:
            TimeoutError: there were fewer.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.taken) >= number, timeout_s):
                raise TimeoutError(f"the sink took {len(self.taken)} of {number} mails in {timeout_s:g} s")
            return list(self.taken)

    def _planned(self, stage: Stage) -> str | None:
        return self._plans[stage].popleft() if self._plans[stage] else None

    def _take(self, envelope: Envelope, *, is_confirmed: bool) -> None:
        content = envelope.content or b""
        assert isinstance(content, bytes)
        taken = Taken(envelope.mail_from or "", tuple(envelope.rcpt_tos), content, is_confirmed)
        with self._changed:
            self.taken.append(taken)
            self._changed.notify_all()


_CUT = "cut"


class _AnyPort(Controller):  # type: ignore[misc]
    """Port 0 takes a free port; aiosmtpd's own self-test would connect to port 0."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class _Handler:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def handle_MAIL(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self._sink._planned("MAIL")
        if refusal is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return refusal or "250 2.1.0 ok"

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self._sink._planned("RCPT")
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 2.1.5 ok"

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        planned = self._sink._planned("DATA")
        if planned is None or planned == _CUT:
            self._sink._take(envelope, is_confirmed=planned is None)
        if planned == _CUT:
            assert server.transport is not None
            server.transport.abort()
        return planned or "250 2.0.0 taken"
