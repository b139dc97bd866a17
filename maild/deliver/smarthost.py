"""Hand letters to the smarthost over a kept connection.

Each worker thread has one client with an event loop of its own: two to four kept connections in all.
Trust: the server's certificate is checked; without TLS nothing leaves this machine but to loopback, unless the
admin says `tls = "off"`. Standards: RFC 5321, RFC 3207 (STARTTLS), RFC 4954 (AUTH).
On failure: 4xx and network are temporary, 5xx to MAIL, RCPT or DATA is final; the client is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import time

import aiosmtplib

from desk.errors import Unavailable
from desk.faults import fault_point
from desk.settings import Smarthost, is_loopback
from maild.deliver.routes import Answer, Refused

log = logging.getLogger(__name__)
KEPT_IDLE_S = 60.0
TIMEOUT_S = 60.0
WHOLE_LETTER_S = 600.0
_COMMAND_S = 30


class SmarthostRoute:
    """One connection to the smarthost, opened when a letter needs it."""

    def __init__(self, settings: Smarthost, *, hostname: str | None) -> None:
        self._settings, self._hostname = settings, hostname
        self._runner = asyncio.Runner()
        self._client: aiosmtplib.SMTP | None = None
        self._used_at = 0.0

    def send(self, raw: bytes, *, sender: str, recipient: str) -> Answer:
        """Hand one letter over.

        Raises:
            Refused: the server refused it, or could not be reached.
        """
        try:
            return self._runner.run(self._send(raw, sender, recipient))
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            raise _refused(first.code, first.message) from error
        except aiosmtplib.SMTPResponseException as error:
            self._drop()
            if isinstance(error, (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPDataError)):
                raise _refused(error.code, error.message) from error
            # a greeting, EHLO or login that fails is the desk's trouble, not this letter's
            raise Refused(error.code, f"smarthost: {error.message}", is_final=False) from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError, Unavailable) as error:
            self._drop()
            raise Refused(None, self._unreachable(error), is_final=False) from error

    def close(self) -> None:
        """Say QUIT if the server still listens, and end the loop."""
        if self._client is not None and self._client.is_connected:
            try:
                self._runner.run(asyncio.wait_for(self._client.quit(), 5))
            except (aiosmtplib.SMTPException, OSError, TimeoutError):
                log.debug("quit failed")
        self._drop()
        self._runner.close()

    async def _send(self, raw: bytes, sender: str, recipient: str) -> Answer:
        async with asyncio.timeout(WHOLE_LETTER_S):
            client = await self._connected()
            _, text = await client.sendmail(sender, [recipient], raw)
        fault_point("out.after_250")
        self._used_at = time.monotonic()
        return Answer(250, text)

    async def _connected(self) -> aiosmtplib.SMTP:
        client = self._client
        if client is not None and client.is_connected:
            if time.monotonic() - self._used_at < KEPT_IDLE_S:
                return client
            client.close()
        self._client = await self._connect()
        return self._client

    async def _connect(self) -> aiosmtplib.SMTP:
        settings = self._settings
        host = settings.host or ""
        is_plain = settings.tls == "off" or (settings.tls == "auto" and is_loopback(host))
        client = aiosmtplib.SMTP(
            hostname=host,
            port=settings.port,
            local_hostname=self._hostname,
            timeout=TIMEOUT_S,
            use_tls=settings.tls == "implicit",
            start_tls=False,
        )
        await client.connect()
        if settings.tls in ("auto", "require") and not is_plain:
            await self._start_tls(client)
        if settings.user:
            await self._log_in(client, settings.user)
        return client

    async def _start_tls(self, client: aiosmtplib.SMTP) -> None:
        await client.ehlo()
        if not client.supports_extension("starttls"):
            client.close()
            raise Unavailable(
                f"smarthost {self._settings.host} offers no STARTTLS; letters wait"
                ' (tls = "off" in [smarthost] would send them unencrypted)'
            )
        await client.starttls()

    async def _log_in(self, client: aiosmtplib.SMTP, user: str) -> None:
        if self._settings.token_command is not None:
            await client.auth_xoauth2(user, secret_of(self._settings.token_command))
        elif self._settings.password_command is not None:
            await client.login(user, secret_of(self._settings.password_command))

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _unreachable(self, error: Exception) -> str:
        if isinstance(error, Unavailable):
            return str(error)
        what = str(error).strip() or type(error).__name__
        return f"smarthost {self._settings.host}:{self._settings.port} does not answer: {what}"


def secret_of(command: tuple[str, ...]) -> str:
    """What the admin's command prints on its first line; run without a shell.

    Raises:
        Unavailable: it failed, took too long, or printed nothing.
    """
    try:
        done = subprocess.run(command, capture_output=True, timeout=_COMMAND_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"the command {command[0]!r} of [smarthost] could not be run: {error}") from error
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    if done.returncode != 0 or not lines or not lines[0]:
        raise Unavailable(f"the command {command[0]!r} of [smarthost] gave no password (exit {done.returncode})")
    return lines[0]


def _refused(code: int, message: str) -> Refused:
    return Refused(code, message, is_final=500 <= code < 600)
