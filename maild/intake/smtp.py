"""The SMTP door: listens, turns away whom it has no room for, and drains.

Trust: an open port for strangers; TLS and logins are not its business.
On failure: 421 to the peer, which comes again.
Standards: RFC 5321 §3.8 (421 at any time).
"""

from __future__ import annotations

import asyncio
import logging
import os
from ipaddress import IPv4Address, IPv6Address

from desk.errors import Unavailable
from maild.intake.limits import Bucket, PeerTable, peer_address, peer_key
from maild.intake.session import Lobby, SmtpSession
from maild.intake.terms import Accept, Recipients, SmtpDoorSettings, Verdict

__all__ = ["Accept", "Recipients", "SmtpDoor", "SmtpDoorSettings", "Verdict"]

log = logging.getLogger(__name__)

_BACKLOG = 128
_LOG_LINES_PER_S = 20.0
_LOG_LINES_AT_ONCE = 500.0
_BUSY = b"421 4.7.0 too many connections, come again\r\n"
_GOODBYE = "421 4.3.2 shutting down, come again"

# aiosmtpd reports each connection twice at this level; what an admin counts is in our own log.
logging.getLogger("mail.log").setLevel(logging.WARNING)


class SmtpDoor:
    """Takes mail by SMTP and hands it to the host.

    Args:
        recipients: judges each address; called on the event loop.
        accept: stores a mail; 250 is said only after it has returned.
    """

    def __init__(self, settings: SmtpDoorSettings, *, recipients: Recipients, accept: Accept) -> None:
        self._settings, self._recipients, self._accept = settings, recipients, accept
        self._server: asyncio.Server | None = None
        self._lobby: Lobby | None = None

    async def start(self) -> tuple[str, int]:
        """Listen; the host and port bound.

        Raises:
            Unavailable: the port is taken, or not ours to take.
        """
        settings, loop = self._settings, asyncio.get_running_loop()
        peers = PeerTable(
            max_sessions=settings.max_sessions_per_peer,
            rate_per_minute=settings.rate_per_peer,
            max_refused=settings.max_unknown_per_peer,
            now=loop.time,
        )
        lobby = Lobby(
            settings=settings,
            recipients=self._recipients,
            accept=self._accept,
            peers=peers,
            log_lines=Bucket(_LOG_LINES_PER_S, _LOG_LINES_AT_ONCE, _LOG_LINES_AT_ONCE, loop.time()),
        )
        try:
            self._server = await loop.create_server(
                lambda: _Doorkeeper(lobby), settings.host, settings.port, backlog=_BACKLOG
            )
        except OSError as error:
            raise Unavailable(
                f"smtp: cannot listen on {settings.host}:{settings.port} ({_reason(error)}); "
                "set [smtp] listen in desk.toml to another address, or port 0 for any free one"
            ) from error
        self._lobby = lobby
        host, port = self._server.sockets[0].getsockname()[:2]
        log.info("smtp door open host=%s port=%d", host, port)
        return host, port

    async def drain(self, within_s: float) -> None:
        """Stop listening, send idle peers away, and let mails under way come to their end.

        What is not done after `within_s` seconds is cut off without an answer: its sender keeps it.
        """
        if self._server is None or self._lobby is None:
            return
        self._server.close()
        lobby = self._lobby
        lobby.is_open = False
        for session in tuple(lobby.sessions):
            session.dismiss(_GOODBYE)
        if lobby.sessions:
            try:
                async with asyncio.timeout(within_s):
                    await lobby.all_left.wait()
            except TimeoutError:
                log.warning("smtp sessions cut off count=%d", len(lobby.sessions))
        for session in tuple(lobby.sessions):
            session.abort()
        log.info("smtp door closed")


def _reason(error: OSError) -> str:
    """Short: asyncio's own text repeats the address, and resolver errors have negative numbers."""
    number = error.errno or 0
    return os.strerror(number).lower() if number > 0 else str(error.strerror or error)


class _Doorkeeper(asyncio.Protocol):
    """Lets a peer in or turns it away; turning away costs next to nothing."""

    def __init__(self, lobby: Lobby) -> None:
        self._lobby = lobby

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # create_server makes no other
        peername = transport.get_extra_info("peername")
        if not peername:  # gone already
            transport.abort()
            return
        address = peer_address(peername[0])
        key = None if self._is_trusted(address) else peer_key(address)
        if not self._has_room(key):
            self._lobby.log_refusal(str(address), "421 4.7.0 too many connections")
            transport.write(_BUSY)
            transport.close()
            return
        session = SmtpSession(self._lobby, peer=str(address), peer_key=key)
        transport.set_protocol(session)
        session.connection_made(transport)

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._lobby.settings.trusted_mtas)

    def _has_room(self, key: str | None) -> bool:
        """Whether one more session may begin; counts it for its peer when it may."""
        settings, count = self._lobby.settings, len(self._lobby.sessions)
        if not self._lobby.is_open or count >= settings.max_sessions:
            return False
        if key is None:
            return True
        reserve = settings.max_sessions // 10 if settings.trusted_mtas else 0
        return count < settings.max_sessions - reserve and self._lobby.peers.enter(key)
