"""The SMTP door among honest peers, and what it says when the host cannot store."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import smtplib
import socket

import pytest
from smtp_peer import FORGED, LOOPBACK, MAIL, Host, open_site, play

from desk.errors import NoSpace, Unavailable
from desk.faults import arm
from desk.letter import Envelope
from maild.intake.smtp import SmtpDoor, SmtpDoorSettings


def send(port, *, sender="a@example.net", to=("support@example.org",), content=MAIL, options=()):
    with smtplib.SMTP("127.0.0.1", port, local_hostname="peer.example", timeout=10) as client:
        return client.sendmail(sender, to, content, mail_options=options)


def test_mail_by_smtplib_arrives_with_its_envelope():
    async def scene(site):
        await asyncio.to_thread(send, site.port, to=["Support@Example.org", "support@example.org"])
        return site.host.taken

    assert play(scene) == [
        (
            MAIL,
            Envelope(
                door="smtp",
                sender="a@example.net",
                recipients=("support@example.org",),
                peer="127.0.0.1",
                helo="peer.example",
                is_trusted=False,
            ),
        )
    ]


def test_8_bit_mail_arrives_as_it_was_sent():
    content = "Subject: 印表機\r\n\r\nÄrger\r\n.\r\n..\r\n".encode() + b"\xff\x00\r\n"

    async def scene(site):
        await asyncio.to_thread(send, site.port, content=content, options=["BODY=8BITMIME"])
        return site.host.contents

    assert play(scene) == [content]


def test_internationalised_addresses_arrive_by_smtputf8():
    def send_utf8(port):
        with smtplib.SMTP("127.0.0.1", port, local_hostname="peer.example", timeout=10) as client:
            client.ehlo()
            client.sendmail("用戶@例え.example", ["用户@Example.org"], MAIL, mail_options=["SMTPUTF8"])

    async def scene(site):
        await asyncio.to_thread(send_utf8, site.port)
        return [(envelope.sender, envelope.recipients) for _, envelope in site.host.taken]

    assert play(scene) == [("用戶@例え.example", ("用户@example.org",))]


def test_the_null_sender_is_empty_text():
    async def scene(site):
        await asyncio.to_thread(send, site.port, sender="<>")
        return [envelope.sender for _, envelope in site.host.taken]

    assert play(scene) == [""]


def test_a_trusted_peer_is_marked_and_may_send_to_forged_tokens():
    async def scene(site):
        await asyncio.to_thread(send, site.port, to=[FORGED])
        return [(envelope.is_trusted, envelope.recipients) for _, envelope in site.host.taken]

    assert play(scene, trusted_mtas=LOOPBACK) == [(True, (FORGED,))]


def test_hello_offers_what_we_can_and_nothing_else():
    async def scene(site):
        peer = await site.connect()
        await peer.reply()
        return await peer.ask(b"EHLO peer.example\r\n")

    assert play(scene, max_message=1234).split("\n") == [
        "250-desk.example.org",
        "250-8BITMIME",
        "250-PIPELINING",
        "250-ENHANCEDSTATUSCODES",
        "250-SMTPUTF8",
        "250 SIZE 1234",
    ]


def test_several_mails_in_one_session_and_in_groups():
    async def scene(site):
        peer = await site.greeted()
        await peer.begin_data()
        peer.send(MAIL + b".\r\nMAIL FROM:<b@example.net>\r\nRCPT TO:<support@example.org>\r\nDATA\r\n")
        codes = await peer.codes(4)
        reply = await peer.ask(b"2\r\n.\r\nQUIT\r\n")
        return codes, reply, await peer.reply(), site.host.contents

    digest = hashlib.sha256(b"2\r\n").hexdigest()[:16]
    assert play(scene) == (
        ["250", "250", "250", "354"],
        f"250 2.0.0 stored as {digest}",
        "221 2.0.0 bye",
        [MAIL, b"2\r\n"],
    )


def test_rset_forgets_the_mail_begun():
    async def scene(site):
        peer = await site.greeted()
        peer.send(b"MAIL FROM:<a@example.net>\r\nRCPT TO:<support@example.org>\r\nRSET\r\nDATA\r\n")
        return await peer.codes(4)

    assert play(scene) == ["250", "250", "250", "503"]


@pytest.mark.parametrize(
    ("commands", "reply"),
    [
        (b"MAIL FROM:<a@example.net>\r\nMAIL FROM:<b@example.net>\r\n", "503 5.5.1 one sender is enough"),
        (b"NOOP\r\nRCPT TO:<support@example.org>\r\n", "503 5.5.1 tell the sender first"),
        (b"MAIL FROM:<a@example.net>\r\nDATA\r\n", "503 5.5.1 no valid recipients"),
        (b"MAIL FROM:<a@example.net>\r\nRCPT TO:<>\r\n", "501 5.1.3 wrong recipient address"),
        (b"NOOP\r\nMAIL TO:<a@example.net>\r\n", "501 5.1.7 wrong sender address"),
        (b"NOOP\r\nMAIL FROM:<a@example.net> RET=FULL\r\n", "555 5.5.4 unknown parameter"),
        (b"NOOP\r\nSTARTTLS\r\n", "502 5.5.1 command not known here"),
        (b"NOOP\r\nAUTH PLAIN AGEAYg==\r\n", "502 5.5.1 command not known here"),
        (b"NOOP\r\nHELP\r\n", "502 5.5.1 command not known here"),
    ],
)
def test_commands_out_of_order_are_refused(commands, reply):
    async def scene(site):
        peer = await site.greeted()
        peer.send(commands)
        return await peer.reply(), await peer.reply()

    first, second = play(scene)
    assert (first[:3], second) == ("250", reply)


def test_yes_is_said_only_after_the_host_has_stored():
    async def scene(site):
        site.host.may_store.clear()
        slow, other = await site.greeted(), await site.greeted()
        await slow.begin_data()
        slow.send(MAIL + b".\r\n")
        await site.host.is_asked.wait()
        assert (await other.ask(b"NOOP\r\n"))[:3] == "250"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(slow.reader.read(1), 0.1)
        site.host.may_store.set()
        return (await slow.reply())[:3], site.host.contents

    assert play(scene, idle_s=1.0) == ("250", [MAIL])


@pytest.mark.parametrize(
    ("failure", "reply"),
    [
        (Unavailable("database is locked: /srv/desk.db"), "451 4.3.0 not stored, try again later"),
        (NoSpace("disk full: /srv"), "452 4.3.1 no space, try again later"),
    ],
)
def test_mail_that_cannot_be_stored_stays_with_its_sender(failure, reply):
    async def scene(site):
        peer = await site.greeted()
        site.host.failure = failure
        first = await peer.mail()
        site.host.failure = None
        return first, (await peer.mail())[:3], site.host.contents

    assert play(scene) == (reply, "250", [MAIL])


def test_without_space_no_mail_is_begun_and_later_it_is():
    space = [False, True]

    async def scene(site):
        peer = await site.greeted()
        refused = await peer.ask(b"MAIL FROM:<a@example.net>\r\n")
        return refused, (await peer.mail())[:3]

    assert play(scene, has_space=lambda: space.pop(0)) == ("452 4.3.1 no space, try again later", "250")


@pytest.fixture
def armed():
    yield arm
    arm("")


def test_a_mail_stored_but_not_answered_comes_again(armed):
    async def scene(site):
        peer = await site.greeted()
        armed("smtp.before_reply:error")
        return (await peer.mail())[:3], (await peer.mail())[:3], site.host.contents

    assert play(scene) == ("451", "250", [MAIL, MAIL])


@pytest.mark.parametrize("point", ["smtp.cmd", "smtp.data"])
def test_a_part_that_fails_within_a_session_breaks_it_off(armed, point):
    async def scene(site):
        peer = await site.greeted()
        await peer.begin_data()
        armed(f"{point}:error")
        peer.send(MAIL + b".\r\nNOOP\r\n")
        replies = [await peer.reply(), await peer.reply()]
        return replies, len(site.host.contents)

    broken_off = "421 4.3.0 try again later"
    stored = f"250 2.0.0 stored as {hashlib.sha256(MAIL).hexdigest()[:16]}"
    assert play(scene) == (([stored, broken_off], 1) if point == "smtp.cmd" else ([broken_off, ""], 0))


def test_a_busy_port_is_named_with_the_remedy():
    async def start(port):
        host = Host()
        settings = SmtpDoorSettings(host="127.0.0.1", port=port, hostname="desk.example.org")
        await SmtpDoor(settings, recipients=host, accept=host.accept).start()

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(Unavailable) as refused:
            asyncio.run(start(port))

    assert str(refused.value) == (
        f"smtp: cannot listen on 127.0.0.1:{port} (address already in use); "
        "set [smtp] listen in desk.toml to another address, or port 0 for any free one"
    )


def test_draining_sends_idle_peers_away_and_finishes_mails():
    async def scene(site):
        idle, busy = await site.greeted(), await site.greeted()
        await busy.begin_data()
        draining = asyncio.create_task(site.door.drain(10))
        goodbye = await idle.reply()
        with pytest.raises(OSError):
            await site.connect()
        stored = await busy.ask(MAIL + b".\r\n")
        farewell = await busy.reply()
        await draining
        return goodbye, stored[:3], farewell, site.host.contents

    goodbye = "421 4.3.2 shutting down, come again"
    assert play(scene) == (goodbye, "250", goodbye, [MAIL])


def test_draining_cuts_off_what_takes_too_long():
    async def scene(site):
        peer = await site.greeted()
        await peer.begin_data()
        await asyncio.wait_for(site.door.drain(0.1), 5)
        return await peer.is_closed(), site.host.contents

    assert play(scene) == (True, [])


def test_the_log_counts_mails_and_refusals_and_holds_no_address(caplog):
    caplog.set_level(logging.DEBUG, logger="maild")

    async def scene(site):
        peer = await site.greeted()
        peer.send(b"MAIL FROM:<a@example.net>\r\nRCPT TO:<" + FORGED.encode() + b">\r\nRSET\r\n")
        await peer.codes(3)
        await peer.mail()

    play(scene)

    digest = hashlib.sha256(MAIL).hexdigest()[:16]
    lines = [record.getMessage() for record in caplog.records if record.name == "maild.intake.session"]
    assert lines == [
        "mail refused peer=127.0.0.1 reply=550 5.1.1 no such address here",
        f"mail accepted peer=127.0.0.1 sha256={digest} size={len(MAIL)}",
    ]


def test_a_door_that_was_never_opened_can_be_drained():
    async def drain():
        host = Host()
        settings = SmtpDoorSettings(host="127.0.0.1", port=0, hostname="desk.example.org")
        await SmtpDoor(settings, recipients=host, accept=host.accept).drain(1)
        async with open_site() as site:
            await site.door.drain(1)

    asyncio.run(drain())
