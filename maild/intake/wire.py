"""The wire of an SMTP session: lines in, replies out, deadlines, and an orderly end.

From aiosmtpd come the protocol, its task, STARTTLS and the parser of odd paths. Its command loop is not used:
it takes bare line feeds, input before the banner and lines without end, and logs every command.
Trust: every byte was sent by a stranger. Memory a session: one mail, and about 0.5 MiB.
Standards: RFC 5321 §2.3.8 (line ends), §4.5.3.2 (timeouts); RFC 2920 §3.2 (replies leave together).
"""

from __future__ import annotations

import asyncio
import enum
from typing import cast

from aiosmtpd.smtp import SMTP

from maild.intake.paths import Refusal

_CHUNK = 262_144
_MAX_LINE = 2_048
_MAX_SKIPPED = 4_194_304  # an overlong line is read to its end, but not for ever
_MAX_OVERLONG = 3
_CLOSING_S = 5.0  # how long a peer may take to read our last words


class Phase(enum.Enum):
    """What a session waits for: the next command, the content of a mail, or the store."""

    COMMAND = enum.auto()
    DATA = enum.auto()
    STORING = enum.auto()


class Wire(SMTP):
    """One connection. Subclasses hold the conversation in `_handle_client`, which aiosmtpd starts.

    Times are seconds of the loop's monotonic clock.
    """

    # aiosmtpd gives this to its stream as the limit from which the peer is told to wait.
    line_length_limit = 65_536
    transport: asyncio.BaseTransport | None  # None when the connection is lost
    _timeout_handle: asyncio.TimerHandle | None

    def __init__(self, *, hostname: str, idle_s: float, data_window_s: float, session_s: float) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(None, hostname=hostname, enable_SMTPUTF8=True, loop=loop)
        self._idle_s, self._data_window_s = idle_s, data_window_s
        self._pending, self._out = bytearray(), bytearray()
        self._phase = Phase.COMMAND
        self._has_spoken = self._is_leaving = False
        self._goodbye = ""
        self._overlong = 0
        self._deadline = self._ends_at = loop.time() + session_s

    def __dir__(self) -> tuple[str, ...]:
        """Nothing: aiosmtpd looks here, a third of a short connection's time, for commands and AUTH."""
        return ()

    # The connection, as asyncio sees it

    def data_received(self, data: bytes) -> None:
        self._has_spoken = True
        super().data_received(data)

    def eof_received(self) -> bool:
        """Let the conversation find the end itself; aiosmtpd would cancel it, even within a commit."""
        self._reader.feed_eof()
        return self.session.ssl is None

    def connection_lost(self, error: Exception | None) -> None:
        """As aiosmtpd's, but a mail on its way into the store is not torn off."""
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        if self._original_transport is not None:
            self._original_transport.close()
        super(SMTP, self).connection_lost(error)
        self.transport = None

    def dismiss(self, goodbye: str) -> None:
        """Say goodbye: at once when idle, otherwise after the mail that is under way."""
        self._is_leaving = True
        if self._phase is Phase.COMMAND:
            self._say(goodbye)
            self._close()
        else:
            self._goodbye = goodbye

    def abort(self) -> None:
        """Drop the connection without a word."""
        self._writer.transport.abort()

    # Time: one timer a session, which fires at a deadline of the past and moves on to the present one

    def _reset_timeout(self, duration: float | None = None) -> None:
        """Called by aiosmtpd when a connection is made."""
        self._deadline = self.loop.time() + self._idle_s
        self._arm()

    def _arm(self) -> None:
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        self._timeout_handle = self.loop.call_at(min(self._deadline, self._ends_at), self._timeout_cb)

    def _enter(self, phase: Phase) -> None:
        wait_s = self._data_window_s if phase is Phase.DATA else self._idle_s
        self._phase, self._deadline = phase, self.loop.time() + wait_s
        timer = self._timeout_handle
        if self.transport is not None and timer is not None and timer.when() > self._deadline:
            self._arm()

    def _timeout_cb(self) -> None:
        now = self.loop.time()
        if self._writer.transport.is_closing():
            self.abort()
        elif self._phase is Phase.STORING:  # a slow disk is not the peer's fault
            self._timeout_handle = self.loop.call_at(now + self._idle_s, self._timeout_cb)
        elif now >= self._ends_at or (now >= self._deadline and not self._is_progressing()):
            self._refuse(Refusal("421 4.4.2 too slow, closing", closes=True))
            self._close()
        else:
            self._arm()

    def _is_progressing(self) -> bool:
        """Asked at a deadline: whether DATA brought enough to be given a new one, which it sets."""
        raise NotImplementedError

    # Lines in, replies out

    def _refuse(self, refusal: Refusal) -> None:
        """Say it, count it, and be leaving when it closes."""
        raise NotImplementedError

    def _say(self, reply: str) -> None:
        self._out += reply.encode() + b"\r\n"

    async def _flush(self) -> None:
        if self._out:
            replies = bytes(self._out)
            self._out.clear()
            self._writer.write(replies)
            await self._writer.drain()

    def _close(self) -> None:
        """Send what is left to say and close; a peer that is late, or does not read it soon, is dropped."""
        self._is_leaving = True
        transport = self._writer.transport
        if transport.is_closing():
            return
        if self._out:
            transport.write(bytes(self._out))
            self._out.clear()
        self._ends_at = self.loop.time() + _CLOSING_S
        self._arm()
        transport.close()

    async def _more(self) -> bytes:
        """Whatever comes next; empty at the end. What we have to say is sent before we wait."""
        await self._flush()
        return cast(bytes, await self._reader.read(_CHUNK))

    async def _next_line(self) -> bytes | None:
        """The next command without its line end; None when there will be none.

        Raises:
            Refusal: it is too long, or not ended by CRLF.
        """
        while not self._is_leaving:
            end = self._pending.find(b"\n", 0, _MAX_LINE)
            if end >= 0:
                line = bytes(self._pending[: end + 1])
                del self._pending[: end + 1]
                if not line.endswith(b"\r\n"):
                    raise Refusal("500 5.5.2 bare newline", closes=True)
                return line[:-2]
            if len(self._pending) >= _MAX_LINE:
                await self._skip_line()
            chunk = await self._more()
            if not chunk:
                return None
            self._pending += chunk
        return None

    async def _skip_line(self) -> None:
        """Read an overlong line to its end, keep nothing of it, and refuse it."""
        skipped = 0
        while (end := self._pending.find(b"\n")) < 0:
            skipped += len(self._pending)
            self._pending.clear()
            chunk = await self._more() if skipped < _MAX_SKIPPED else b""
            if not chunk:
                raise Refusal("500 5.5.2 line too long", closes=True)
            self._pending += chunk
        del self._pending[: end + 1]
        self._overlong += 1
        raise Refusal("500 5.5.2 line too long", closes=self._overlong >= _MAX_OVERLONG)
