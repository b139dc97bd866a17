"""One SMTP conversation: which command may come when, and what is answered.

Trust: every word was sent by a stranger, and what strangers read says nothing internal. Recipients are not
logged: a reply token may stand in them.
Standards: RFC 5321; RFC 1870 (SIZE), 2034 (codes), 2920 (PIPELINING), 6152 (8BITMIME), 6531 (SMTPUTF8).
On failure: 4xx, and the sending server keeps the mail. A mail cut off before its end is dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import ClassVar

from desk.errors import DeskError, NoSpace
from desk.faults import fault_point
from desk.letter import Envelope
from maild.intake.data import DataReader
from maild.intake.limits import Bucket, PeerTable
from maild.intake.paths import Refusal, read_parameters, read_path
from maild.intake.terms import Accept, Recipients, SmtpDoorSettings, Verdict
from maild.intake.wire import Phase, Wire

log = logging.getLogger(__name__)

_MAX_FAULTS = 10
_MAX_IDLE_COMMANDS = 100
_EXTENSIONS = ("8BITMIME", "PIPELINING", "ENHANCEDSTATUSCODES", "SMTPUTF8")

# RFC 2920 §3.1: these stand last in a group, for the client must see the answer before it goes on.
_LAST_IN_GROUP = frozenset({"EHLO", "HELO", "LHLO", "DATA", "STARTTLS"})
_NOT_SMTP = frozenset(
    {"GET", "POST", "PUT", "HEAD", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PRI", "PROXY"}
)
_RECIPIENT_REFUSED = {
    Verdict.UNKNOWN: "550 5.1.1 no such address here",
    Verdict.FORGED: "550 5.1.1 no such address here",
    Verdict.RELAY: "550 5.7.1 we do not relay",
}


@dataclass(slots=True, kw_only=True)
class Lobby:
    """What all sessions of a door share."""

    settings: SmtpDoorSettings
    recipients: Recipients
    accept: Accept
    peers: PeerTable
    log_lines: Bucket
    sessions: set[SmtpSession] = field(default_factory=set)
    all_left: asyncio.Event = field(default_factory=asyncio.Event)
    is_open: bool = True

    def log_refusal(self, peer: str, reply: str) -> None:
        """One line for a refusal; in a flood most lines are left out."""
        if self.log_lines.take(asyncio.get_running_loop().time()):
            log.info("mail refused peer=%s reply=%s", peer, reply)


class SmtpSession(Wire):
    """A conversation with one peer. LMTP would differ in `door`, `commands` and `_answers`.

    Args:
        peer: its address as text.
        peer_key: its row in the table of peers, which it has entered; None for a trusted peer.
    """

    door: ClassVar[str] = "smtp"
    commands: ClassVar[dict[str, Callable[[SmtpSession, str], Awaitable[None] | None]]]
    _sender: str | None
    _recipients: dict[str, None]  # a set in the order told

    def __init__(self, lobby: Lobby, *, peer: str, peer_key: str | None) -> None:
        settings = lobby.settings
        super().__init__(
            hostname=settings.hostname,
            idle_s=settings.idle_s,
            data_window_s=settings.data_window_s,
            session_s=settings.session_s,
        )
        self._lobby, self._settings = lobby, settings
        self._peer, self._peer_key = peer, peer_key
        self._faults = self._unknown = self._idle_commands = 0
        self._data: DataReader | None = None
        self._data_seen = 0
        self._set_rset_state()
        lobby.sessions.add(self)
        lobby.all_left.clear()

    async def _handle_client(self) -> None:
        try:
            await self._converse()
            await self._flush()
        except OSError as error:
            log.debug("connection lost peer=%s reason=%s", self._peer, error)
        finally:
            self._close()
            self._leave()

    def _leave(self) -> None:
        if self._peer_key is not None:
            self._lobby.peers.leave(self._peer_key)
        self._lobby.sessions.discard(self)
        if not self._lobby.sessions:
            self._lobby.all_left.set()

    async def _converse(self) -> None:
        await asyncio.sleep(0)  # the loop reads once meanwhile: mail servers wait for the banner
        if self._has_spoken:
            self._refuse(Refusal("554 5.5.1 wait for the banner", closes=True))
        else:
            self._say(f"220 {self._settings.hostname} ESMTP")
        while not self._is_leaving:
            try:
                line = await self._next_line()
                if line is None:
                    return
                unfinished = self._obey(line)
                if unfinished is not None:
                    await unfinished
            except Refusal as refusal:
                self._refuse(refusal)
            except DeskError as error:
                log.warning("session broken off peer=%s reason=%s", self._peer, error)
                self._refuse(Refusal("421 4.3.0 try again later", closes=True))
        if self._goodbye:
            self._say(self._goodbye)

    def _refuse(self, refusal: Refusal) -> None:
        self._say(refusal.reply)
        self._lobby.log_refusal(self._peer, refusal.reply)
        self._is_leaving = self._is_leaving or refusal.closes
        if refusal.reply.startswith(("50", "553", "555")):
            self._faults += 1
            if self._faults >= _MAX_FAULTS and not self._is_leaving:
                self._say("421 4.7.0 too many errors")
                self._is_leaving = True

    def _obey(self, line: bytes) -> Awaitable[None] | None:
        fault_point("smtp.cmd")
        self._deadline = self.loop.time() + self._settings.idle_s
        verb_bytes, _, argument = line.partition(b" ")
        verb = verb_bytes.upper().decode("ascii", "replace")
        if verb in _NOT_SMTP or not line[:1].isalpha():
            raise Refusal("500 5.5.2 this is SMTP", closes=True)
        if self._pending and not (self.session.extended_smtp and verb not in _LAST_IN_GROUP):
            raise Refusal("503 5.5.0 wait for the answer", closes=True)
        command = self.commands.get(verb)
        if command is None:
            raise Refusal("502 5.5.1 command not known here")
        return command(self, _read_argument(argument))

    # Commands

    def _on_helo(self, argument: str) -> None:
        self._greet(argument)
        self.session.extended_smtp = False
        self._say(f"250 {self._settings.hostname}")

    def _on_ehlo(self, argument: str) -> None:
        self._greet(argument)
        self.session.extended_smtp = True
        words = (self._settings.hostname, *_EXTENSIONS, f"SIZE {self._settings.max_message}")
        for word in words[:-1]:
            self._say(f"250-{word}")
        self._say(f"250 {words[-1]}")

    def _greet(self, argument: str) -> None:
        name = argument.partition(" ")[0]
        if not name or len(name) > 255 or not name.isascii():
            raise Refusal("501 5.5.4 say hello with your name")
        self._count_idle_command()
        self._set_rset_state()
        self.session.host_name = name

    def _on_mail(self, argument: str) -> None:
        if not self.session.host_name:
            raise Refusal("503 5.5.1 say hello first")
        if self._sender is not None:
            raise Refusal("503 5.5.1 one sender is enough")
        sender, parameters = self._read_path("FROM:", argument, "501 5.1.7 wrong sender address")
        told = read_parameters(parameters)
        if told.size > self._settings.max_message:
            raise Refusal("552 5.3.4 mail too large")
        if not told.is_utf8 and not argument.isascii():
            raise Refusal("553 5.6.7 address needs SMTPUTF8")
        if self._settings.has_space is not None and not self._settings.has_space():
            raise Refusal("452 4.3.1 no space, try again later")
        if self._peer_key is not None and not self._lobby.peers.may_send(self._peer_key):
            raise Refusal("450 4.7.1 too many mails, try again later")
        self._sender, self._is_utf8 = sender, told.is_utf8
        self._out += b"250 2.1.0 sender ok\r\n"

    def _on_rcpt(self, argument: str) -> None:
        if self._sender is None:
            raise Refusal("503 5.5.1 tell the sender first")
        address, parameters = self._read_path("TO:", argument, "501 5.1.3 wrong recipient address")
        if not address:
            raise Refusal("501 5.1.3 wrong recipient address")
        if parameters:
            raise Refusal("555 5.5.4 unknown parameter")
        if not self._is_utf8 and not argument.isascii():
            raise Refusal("553 5.6.7 address needs SMTPUTF8")
        if self._taken >= self._settings.max_recipients:
            raise Refusal("452 4.5.3 too many recipients")
        self._judge(address.lower())
        self._taken += 1
        self._out += b"250 2.1.5 recipient ok\r\n"

    def _judge(self, address: str) -> None:
        verdict = self._lobby.recipients.verdict(address)
        is_trusted = self._peer_key is None
        if verdict is Verdict.ACCEPT or (verdict is Verdict.FORGED and is_trusted):
            self._recipients[address] = None
            return
        if self._peer_key is not None:
            self._unknown += 1
            may_go_on = self._lobby.peers.may_miss(self._peer_key)
            if not may_go_on or self._unknown > self._settings.max_unknown_per_session:
                raise Refusal("421 4.7.0 too many unknown recipients", closes=True)
        raise Refusal(_RECIPIENT_REFUSED[verdict])

    def _read_path(self, keyword: str, argument: str, fault: str) -> tuple[str, str]:
        if argument[: len(keyword)].upper() != keyword:
            raise Refusal(fault)
        found = read_path(argument[len(keyword) :], self._getaddr)
        if found is None:
            raise Refusal(fault)
        return found

    def _on_rset(self, argument: str) -> None:
        self._count_idle_command()
        self._set_rset_state()
        self._out += b"250 2.0.0 ok\r\n"

    def _on_noop(self, argument: str) -> None:
        self._count_idle_command()
        self._out += b"250 2.0.0 ok\r\n"

    def _on_vrfy(self, argument: str) -> None:
        self._count_idle_command()
        self._out += b"252 2.5.0 send a mail, we will see\r\n"

    def _on_quit(self, argument: str) -> None:
        self._out += b"221 2.0.0 bye\r\n"
        self._is_leaving = True

    def _count_idle_command(self) -> None:
        """Commands that bring no mail; nobody needs many of them between two mails."""
        self._idle_commands += 1
        if self._idle_commands > _MAX_IDLE_COMMANDS:
            raise Refusal("421 4.7.0 too many idle commands", closes=True)

    def _set_rset_state(self) -> None:
        """Forget the mail that was begun; aiosmtpd calls it too, when a connection is made."""
        self._sender = None
        self._recipients = {}
        self._taken = 0
        self._is_utf8 = False

    # Data

    async def _on_data(self, argument: str) -> None:
        if argument:
            raise Refusal("501 5.5.4 DATA takes no argument")
        if self._sender is None or not self._recipients:
            raise Refusal("503 5.5.1 no valid recipients")
        envelope = Envelope(
            door=self.door,
            sender=self._sender,
            recipients=tuple(self._recipients),
            peer=self._peer,
            helo=self.session.host_name,
            is_trusted=self._peer_key is None,
        )
        self._say("354 end with CRLF.CRLF")
        try:
            data = await self._read_data()
            self._enter(Phase.STORING)
            self._say(self._answers(await self._store(data, envelope), envelope))
            await self._flush()
            fault_point("smtp.after_reply")
        except Refusal as refusal:
            raise Refusal(self._answers(refusal.reply, envelope), closes=refusal.closes) from refusal
        finally:
            self._data = None
            self._set_rset_state()
            self._enter(Phase.COMMAND)

    def _answers(self, reply: str, envelope: Envelope) -> str:
        """The answer to a mail; a protocol that answers for each recipient (RFC 2033) repeats it."""
        return reply

    async def _read_data(self) -> DataReader:
        self._data, self._data_seen = DataReader(self._settings.max_message), 0
        self._enter(Phase.DATA)
        most = self._settings.max_message + self._settings.max_overrun
        is_complete = False
        while not is_complete:
            chunk = await self._more()
            if not chunk:
                raise ConnectionResetError("closed within DATA")
            fault_point("smtp.data")
            is_complete = self._data.feed(chunk)
            if not is_complete and self._data.received > most:
                raise Refusal("552 5.3.4 mail too large", closes=True)
        self._pending += self._data.rest
        if self._data.is_too_large:
            raise Refusal("552 5.3.4 mail too large")
        if self._data.has_bare_newlines and not self._settings.allow_bare_newlines:
            raise Refusal("550 5.6.0 CR and LF must come together")
        return self._data

    def _is_progressing(self) -> bool:
        if self._data is None:
            return False
        brought, self._data_seen = self._data.received - self._data_seen, self._data.received
        self._deadline = self.loop.time() + self._settings.data_window_s
        return brought >= self._settings.data_min_rate * self._settings.data_window_s

    async def _store(self, data: DataReader, envelope: Envelope) -> str:
        """Hand the mail over; the reply says yes only when the host has it for good."""
        content = data.content()
        # gathered, so that an error nobody foresaw is an answer too: temporary, and the sender keeps the mail
        error = (await asyncio.gather(self._kept(content, envelope), return_exceptions=True))[0]
        if isinstance(error, NoSpace):
            log.error("mail not stored peer=%s reason=%s", self._peer, error)
            raise Refusal("452 4.3.1 no space, try again later") from error
        if error is not None:
            unforeseen = None if isinstance(error, DeskError) else error
            log.warning("mail not stored peer=%s reason=%s", self._peer, error, exc_info=unforeseen)
            raise Refusal("451 4.3.0 not stored, try again later") from error
        self._idle_commands = 0
        digest = data.sha256()[:16]
        log.info("mail accepted peer=%s sha256=%s size=%d", self._peer, digest, len(content))
        return f"250 2.0.0 stored as {digest}"

    async def _kept(self, content: bytes, envelope: Envelope) -> None:
        await self._lobby.accept(content, envelope)
        fault_point("smtp.before_reply")


SmtpSession.commands = {
    "EHLO": SmtpSession._on_ehlo,
    "HELO": SmtpSession._on_helo,
    "MAIL": SmtpSession._on_mail,
    "RCPT": SmtpSession._on_rcpt,
    "DATA": SmtpSession._on_data,
    "RSET": SmtpSession._on_rset,
    "NOOP": SmtpSession._on_noop,
    "VRFY": SmtpSession._on_vrfy,
    "QUIT": SmtpSession._on_quit,
}


def _read_argument(argument: bytes) -> str:
    """Decode what follows the verb; only printable text gets through."""
    try:
        text = argument.decode()
    except UnicodeDecodeError as error:
        raise Refusal("553 5.6.7 neither ASCII nor UTF-8") from error
    if not text.isprintable():
        raise Refusal("501 5.5.2 control characters")
    return text.strip()
