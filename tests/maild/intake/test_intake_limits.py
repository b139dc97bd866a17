"""The bounded table of peers."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from maild.intake.limits import PeerTable, peer_address, peer_key


class _Watch:
    now = 1000.0

    def __call__(self):
        return self.now


def table(watch, **changes):
    values = {"max_sessions": 2, "rate_per_minute": 2, "max_refused": 2, "capacity": 3, **changes}
    return PeerTable(now=watch, **values)


def test_a_peer_has_so_many_sessions_and_no_more():
    peers = table(_Watch())

    assert [peers.enter("a"), peers.enter("a"), peers.enter("a"), peers.enter("b")] == [
        True,
        True,
        False,
        True,
    ]
    peers.leave("a")
    assert peers.enter("a")


def test_messages_come_back_with_the_minute():
    watch = _Watch()
    peers = table(watch)

    assert [peers.may_send("a") for _ in range(3)] == [True, True, False]
    watch.now += 30.0
    assert [peers.may_send("a") for _ in range(2)] == [True, False]


def test_without_a_rate_every_message_may_come():
    peers = table(_Watch(), rate_per_minute=0)

    assert all(peers.may_send("a") for _ in range(100))


def test_refused_recipients_shut_a_peer_out_for_an_hour():
    watch = _Watch()
    peers = table(watch)

    assert [peers.may_miss("a") for _ in range(3)] == [True, True, False]
    assert (peers.enter("a"), peers.enter("b")) == (False, True)
    watch.now += 3601.0
    assert peers.enter("a")


def test_the_table_does_not_grow_and_forgets_no_open_session():
    peers = table(_Watch(), rate_per_minute=1)
    peers.enter("open")

    for number in range(50):
        peers.may_send(str(number))

    assert len(peers) == 3
    assert [peers.enter("open"), peers.enter("open")] == [True, False]


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_one_peer_is_an_address_or_a_network_of_64_bits(host, key):
    assert peer_key(peer_address(host)) == key


def test_mapped_addresses_are_ipv4():
    assert peer_address("::ffff:192.0.2.1") == ip_address("192.0.2.1")
