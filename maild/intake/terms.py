"""What a network door and its host agree on: settings, verdicts on recipients, and taking a mail in."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Protocol

from desk.letter import Envelope


class Verdict(enum.Enum):
    """What the host thinks of a recipient.

    FORGED is an address with the form of a reply token whose seal is wrong: refused to strangers in the
    same words as UNKNOWN, taken from trusted peers, where a refusal would become a bounce to a third party.
    """

    ACCEPT = "accept"
    UNKNOWN = "unknown"
    FORGED = "forged"
    RELAY = "relay"


class Recipients(Protocol):
    """Who we take mail for."""

    def verdict(self, address: str) -> Verdict:
        """Judge a lower-case address. Called on the event loop: pure, fast, never raises.

        The address is syntactically possible but hostile: it may have no domain, hold slashes or be
        internationalised (RFC 6531).
        """


Accept = Callable[[bytes, Envelope], Awaitable[None]]
"""Store a mail; return only after COMMIT. NoSpace is answered 452, any other DeskError 451.

The bytes are the mail as sent, without dot-stuffing, lines ended by CRLF.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpDoorSettings:
    """How a door listens and what it allows; seconds and bytes.

    Attributes:
        port: 0 picks a free one.
        hostname: our name in the banner.
        max_message: bytes on the wire, announced as SIZE (RFC 1870).
        max_overrun: bytes of a mail too large that are read on, for its sender to learn why; none are kept.
        trusted_mtas: peers for whom limits per peer do not hold.
        rate_per_peer: messages a minute, 0 for no limit.
        allow_bare_newlines: take CR and LF that stand alone; end of data stays CRLF.CRLF.
        max_sessions: in all; a tenth of it is kept free for `trusted_mtas` when there are any.
        max_unknown_per_session: refused recipients after which a stranger is shut out.
        max_unknown_per_peer: the same for all sessions of a peer within an hour.
        idle_s: how long a command may take to come.
        data_window_s: within each such time DATA must bring `data_min_rate` bytes a second.
        session_s: the longest life of a session.
        has_space: asked before a mail is begun; False is answered 452. Must not block.
    """

    host: str
    port: int
    hostname: str
    max_message: int = 36_000_000
    max_overrun: int = 100_000_000
    trusted_mtas: tuple[IPv4Network | IPv6Network, ...] = ()
    rate_per_peer: int = 0
    allow_bare_newlines: bool = False
    max_recipients: int = 100
    max_sessions: int = 200
    max_sessions_per_peer: int = 20
    max_unknown_per_session: int = 10
    max_unknown_per_peer: int = 100
    idle_s: float = 60.0
    data_window_s: float = 60.0
    data_min_rate: int = 256
    session_s: float = 1800.0
    has_space: Callable[[], bool] | None = None
