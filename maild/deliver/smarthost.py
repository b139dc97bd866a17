"""Hand letters to the smarthost over a kept connection.

Each worker thread has one client with an event loop of its own: two to four kept connections in all.
Trust: the server's certificate is checked; without TLS nothing leaves this machine but to loopback, unless the
admin says `tls = "off"`. Standards: RFC 5321, RFC 1870 (SIZE), RFC 3207 (STARTTLS), RFC 4954 (AUTH).
On failure: 4xx and network are temporary, 5xx to MAIL, RCPT or DATA is final, and the client is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import time
from dataclasses import dataclass

import aiosmtplib

from desk.errors import Unavailable
from desk.faults import fault_point
from desk.letters.headers import can_carry, carried
from desk.settings import Smarthost, is_loopback
from maild.deliver.passwords import secret_of
from maild.deliver.routes import Abandoned, Answer, Refused, said

log = logging.getLogger(__name__)

# What a server says when it wants a login or TLS first: a fault of our settings, not of the letter (RFC 4954 §6).
_WANTS_LOGIN = frozenset({530, 534, 535, 538})
_CLOSING = 421


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds: for a connection, for an answer, for a whole letter, with an idle one.

    Answers may be slow while a server checks a mail, and giving up there sends it twice (RFC 5321 §4.5.3.2).
    """

    connect_s: float = 60.0
    answer_s: float = 300.0
    letter_s: float = 600.0
    idle_s: float = 60.0


class SmarthostRoute:
    """One connection to the smarthost, opened when a letter needs it."""

    def __init__(
        self, settings: Smarthost, *, hostname: str | None, patience: Patience | None = None
    ) -> None:
        self._settings, self._hostname = settings, hostname
        self._patience = patience or Patience()
        self._turn = threading.Lock()
        self._runner = asyncio.Runner()
        self._client: aiosmtplib.SMTP | None = None
        self._used_at = 0.0
        self._is_abandoned = threading.Event()
        self._under_way: asyncio.Task[Answer] | None = None

    def send(self, raw: bytes, *, sender: str, recipient: str) -> Answer:
        """Hand one letter over.

        Raises:
            Refused: the server refused it, or could not be reached. Abandoned: the desk stops.
        """
        if not can_carry(recipient):
            raise Refused(None, f"{said(recipient)!r} is no address that a mail can carry", is_final=True)
        with self._turn:
            try:
                return self._runner.run(self._send(raw, sender, carried(recipient)))
            except asyncio.CancelledError as error:
                self._drop()
                raise Abandoned("the desk stops while a letter is under way") from error
            except aiosmtplib.SMTPResponseException as error:
                raise self._refusal(error) from error
            except (aiosmtplib.SMTPException, OSError, TimeoutError, Unavailable) as error:
                self._drop()
                raise Refused(None, self._trouble(error), is_final=False) from error

    def rest(self) -> None:
        """Let go of a connection that has been idle; does nothing while a letter is under way."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            if self._client is not None and self._is_idle():
                self._part()
        finally:
            self._turn.release()

    def abandon(self) -> None:
        """Give up the letter under way at once, and every later one; from any thread."""
        self._is_abandoned.set()
        task = self._under_way
        if task is not None:
            task.get_loop().call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        """Say QUIT if the server still listens, and end the loop."""
        with self._turn:
            self._part()
            self._runner.close()

    # One letter

    async def _send(self, raw: bytes, sender: str, recipient: str) -> Answer:
        self._under_way = asyncio.current_task()
        try:
            if self._is_abandoned.is_set():
                raise asyncio.CancelledError
            async with asyncio.timeout(self._patience.letter_s):
                return await self._hand_over(raw, sender, recipient)
        finally:
            self._under_way = None
            self._used_at = time.monotonic()

    async def _hand_over(self, raw: bytes, sender: str, recipient: str) -> Answer:
        client = await self._begun(sender, len(raw))
        try:
            await client.rcpt(recipient)
        except aiosmtplib.SMTPRecipientRefused as error:
            if error.code != _CLOSING:  # the next letter may go over this connection
                await client.rset()
            raise
        code, text = await client.data(raw)
        fault_point("out.after_250")
        return Answer(code, said(text))

    async def _begun(self, sender: str, size: int) -> aiosmtplib.SMTP:
        """A client that has taken MAIL. A kept connection that has ended meanwhile is not the letter's trouble."""
        kept = self._client
        if kept is not None and kept.is_connected and not self._is_idle():
            try:
                await _mail(kept, sender, size)
                return kept
            except (aiosmtplib.SMTPServerDisconnected, OSError) as error:
                log.debug("kept connection has ended reason=%s", error)
            except aiosmtplib.SMTPSenderRefused as error:
                if error.code != _CLOSING:
                    raise
        self._drop()
        self._client = client = await self._connected()
        await _mail(client, sender, size)
        return client

    def _is_idle(self) -> bool:
        return time.monotonic() - self._used_at >= self._patience.idle_s

    # The connection

    async def _connected(self) -> aiosmtplib.SMTP:
        client = aiosmtplib.SMTP(
            hostname=self._settings.host,
            port=self._settings.port,
            local_hostname=self._hostname,
            timeout=self._patience.answer_s,
            use_tls=self._settings.tls == "implicit",
            start_tls=False,
        )
        is_ready = False
        try:
            await client.connect(timeout=self._patience.connect_s)
            await self._secure(client)
            await self._log_in(client)
            is_ready = True
        except aiosmtplib.SMTPResponseException as error:
            # a greeting, EHLO or login that fails is the desk's trouble, not this letter's
            raise Unavailable(f"smarthost {self._where} said {error.code} {said(error.message)}") from error
        finally:
            if not is_ready:
                client.close()
        return client

    async def _secure(self, client: aiosmtplib.SMTP) -> None:
        """EHLO, and STARTTLS where the settings want it."""
        settings = self._settings
        await _greet(client)
        is_plain = settings.tls == "off" or (settings.tls == "auto" and is_loopback(settings.host or ""))
        if settings.tls == "implicit" or is_plain:
            return
        if not client.supports_extension("starttls"):
            raise Unavailable(
                f"smarthost {self._where} offers no STARTTLS; letters wait"
                ' (tls = "off" in [smarthost] would send them unencrypted)'
            )
        await client.starttls()
        await _greet(client)

    async def _log_in(self, client: aiosmtplib.SMTP) -> None:
        settings = self._settings
        if settings.user is None:
            return
        if settings.token_command is not None:
            token = await asyncio.to_thread(secret_of, settings.token_command)
            await client.auth_xoauth2(settings.user, token)
        elif settings.password_command is not None:
            password = await asyncio.to_thread(secret_of, settings.password_command)
            await client.login(settings.user, password)

    def _part(self) -> None:
        """Say QUIT if the server still listens, and drop the client."""
        client = self._client
        if client is not None and client.is_connected and not self._is_abandoned.is_set():
            try:
                self._runner.run(asyncio.wait_for(client.quit(), 5))
            except (aiosmtplib.SMTPException, OSError, TimeoutError):
                log.debug("quit failed")
        self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    # What went wrong

    def _refusal(self, error: aiosmtplib.SMTPResponseException) -> Refused:
        """Whose fault the answer is: 5xx is final, unless the server only wants to know us first."""
        if not (isinstance(error, aiosmtplib.SMTPRecipientRefused) and error.code != _CLOSING):
            self._drop()
        is_ours = isinstance(error, aiosmtplib.SMTPSenderRefused) and error.code in _WANTS_LOGIN
        is_answer = 200 <= error.code < 600
        is_final = 500 <= error.code < 600 and not is_ours
        return Refused(error.code if is_answer else None, said(error.message), is_final=is_final)

    def _trouble(self, error: Exception) -> str:
        if isinstance(error, Unavailable):
            return str(error)
        if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
            return f"TLS with smarthost {self._where} failed: {said(str(error.__cause__ or error))}"
        what = said(str(error)) or type(error).__name__
        return f"smarthost {self._where} does not answer: {what}"

    @property
    def _where(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"


async def _greet(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        await client.helo()  # RFC 5321 §3.2: old servers know no EHLO


async def _mail(client: aiosmtplib.SMTP, sender: str, size: int) -> None:
    options = [f"SIZE={size}"] if client.supports_extension("size") else []
    await client.mail(sender, options=options)
