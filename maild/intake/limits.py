"""Count what each peer does, in a table that cannot grow: sessions, messages a minute, refused recipients."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

_REFUSALS_FORGOTTEN_S = 3600.0


@dataclass(slots=True)
class Bucket:
    """A token bucket: `capacity` at once, `per_second` in the long run. It begins full."""

    per_second: float
    capacity: float
    level: float
    filled_at: float

    def take(self, now: float) -> bool:
        """Take one; False when there is none. `now` is monotonic, in seconds."""
        self.level = min(self.capacity, self.level + (now - self.filled_at) * self.per_second)
        self.filled_at = now
        if self.level < 1.0:
            return False
        self.level -= 1.0
        return True


@dataclass(slots=True)
class _Peer:
    bucket: Bucket
    sessions: int = 0
    refused: int = 0
    refused_since: float = 0.0


class PeerTable:
    """The peers seen last. Whoever has a session open is never forgotten; of the others the oldest go first.

    Args:
        rate_per_minute: messages, 0 for no limit.
        max_refused: recipients refused to a peer within an hour before it is shut out.
        capacity: rows kept; more only when so many peers have sessions open.
        now: a monotonic clock in seconds.
    """

    def __init__(
        self,
        *,
        max_sessions: int,
        rate_per_minute: int,
        max_refused: int,
        now: Callable[[], float],
        capacity: int = 4096,
    ) -> None:
        self._max_sessions = max_sessions
        self._rate_per_minute = rate_per_minute
        self._max_refused = max_refused
        self._now = now
        self._capacity = capacity
        self._peers: OrderedDict[str, _Peer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._peers)

    def enter(self, key: str) -> bool:
        """Count a new session; False, and nothing counted, when the peer may not have one."""
        peer = self._peer(key)
        if peer.sessions >= self._max_sessions or self._is_shut_out(peer):
            return False
        peer.sessions += 1
        return True

    def leave(self, key: str) -> None:
        """A session that entered has ended."""
        self._peers[key].sessions -= 1

    def may_send(self, key: str) -> bool:
        """Count a message; False when the peer sends more a minute than it may."""
        return not self._rate_per_minute or self._peer(key).bucket.take(self._now())

    def may_miss(self, key: str) -> bool:
        """Count a refused recipient; False when the peer has had too many of them."""
        peer = self._peer(key)
        peer.refused += 1
        return not self._is_shut_out(peer)

    def _is_shut_out(self, peer: _Peer) -> bool:
        now = self._now()
        if now - peer.refused_since > _REFUSALS_FORGOTTEN_S:
            peer.refused_since = now
            peer.refused = min(peer.refused, 1)
        return peer.refused > self._max_refused

    def _peer(self, key: str) -> _Peer:
        peer = self._peers.get(key)
        if peer is None:
            rate = float(self._rate_per_minute)
            peer = self._peers[key] = _Peer(Bucket(rate / 60.0, rate, rate, self._now()))
            self._forget_oldest()
        else:
            self._peers.move_to_end(key)
        return peer

    def _forget_oldest(self) -> None:
        if len(self._peers) <= self._capacity:
            return
        newest = next(reversed(self._peers))
        oldest = next((k for k, peer in self._peers.items() if not peer.sessions and k != newest), None)
        if oldest is not None:
            del self._peers[oldest]


def peer_address(host: str) -> IPv4Address | IPv6Address:
    """The address of a socket's peer; IPv4 within IPv6 comes out as IPv4, and the zone is dropped."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def peer_key(address: IPv4Address | IPv6Address) -> str:
    """What counts as one peer: an IPv4 address, or the /64 an IPv6 host can choose its addresses from."""
    if isinstance(address, IPv6Address):
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)
