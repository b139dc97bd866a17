"""What strangers try on an SMTP port: it fails, stores nothing false, and leaves the door open to others."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from smtp_peer import FORGED, LOOPBACK, MAIL, PATIENCE_S, Peer, play

MIB = 1024 * 1024
TOO_LARGE = "552 5.3.4 mail too large"


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def pour(peer, size, chunk=b"A" * 65_536):
    """Send `size` bytes as fast as they are taken; how far the resident memory rose meanwhile."""
    before = most = resident_bytes()
    for _ in range(size // len(chunk)):
        peer.send(chunk)
        await peer.writer.drain()
        most = max(most, resident_bytes())
    return most - before


# Lines and mails without end


def test_an_endless_line_in_data_is_refused_with_flat_memory():
    async def scene(site):
        peer = await site.greeted()
        await peer.begin_data()
        growth = await pour(peer, 64 * MIB)
        reply = await peer.ask(b"\r\n.\r\n")
        return reply, growth, (await peer.mail())[:3], site.host.contents

    reply, growth, next_reply, contents = play(scene, max_message=MIB)
    assert (reply, next_reply, contents) == (TOO_LARGE, "250", [MAIL])
    assert growth < 24 * MIB


def test_an_endless_line_in_data_is_cut_off_at_last():
    async def scene(site):
        peer = await site.greeted()
        await peer.begin_data()
        with pytest.raises(ConnectionError):
            await pour(peer, 64 * MIB)
        return site.host.contents

    assert play(scene, max_message=MIB, max_overrun=MIB) == []


def test_an_endless_command_is_cut_off_with_flat_memory():
    async def scene(site):
        peer = await site.greeted()
        growth = 0
        with pytest.raises(ConnectionError):
            growth = await pour(peer, 64 * MIB)
        return growth, (await (await site.greeted()).mail())[:3]

    growth, next_reply = play(scene)
    assert growth < 24 * MIB
    assert next_reply == "250"


def test_a_mail_larger_than_it_said_is_refused():
    async def scene(site):
        peer = await site.greeted()
        peer.send(b"MAIL FROM:<a@example.net> SIZE=10\r\nRCPT TO:<support@example.org>\r\nDATA\r\n")
        assert await peer.codes(3) == ["250", "250", "354"]
        growth = await pour(peer, 40 * MIB, (b"A" * 1022 + b"\r\n") * 64)
        return await peer.ask(b".\r\n"), growth, site.host.contents

    reply, growth, contents = play(scene, max_message=MIB)
    assert (reply, contents) == (TOO_LARGE, [])
    assert growth < 24 * MIB


def test_a_mail_that_says_it_is_too_large_is_not_begun():
    async def scene(site):
        peer = await site.greeted()
        return [await peer.ask(b"MAIL FROM:<a@example.net> SIZE=%d\r\n" % size) for size in (101, 100)]

    assert play(scene, max_message=100) == [TOO_LARGE, "250 2.1.0 sender ok"]


def test_three_overlong_commands_end_the_session():
    async def scene(site):
        peer = await site.greeted()
        command = b"EHLO " + b"a" * MIB + b"\r\n"
        replies = [await peer.ask(command) for _ in range(3)]
        return replies, await peer.is_closed()

    assert play(scene) == (["500 5.5.2 line too long"] * 3, True)


# Smuggling and pipelining


@pytest.mark.parametrize(
    "false_end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n\0.\r\n", b"\r.\r\n", b"\n.\r"]
)
def test_a_second_mail_cannot_be_smuggled_in(false_end):
    smuggled = b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<support@example.org>\r\nDATA\r\nevil\r\n"
    is_bare = b"\0" not in false_end

    async def scene(site):
        peer = await site.greeted()
        await peer.begin_data()
        reply = await peer.ask(b"a" + false_end + smuggled + b".\r\n")
        return reply[:9], (await peer.ask(b"NOOP\r\n"))[:3], site.host.contents

    whole = b"a" + false_end + smuggled
    assert play(scene) == ("550 5.6.0" if is_bare else "250 2.0.0", "250", [] if is_bare else [whole])


@pytest.mark.parametrize("content", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\r\n", b"\n\r\n"])
def test_bare_newlines_are_taken_when_the_admin_allows_them(content):
    async def scene(site):
        peer = await site.greeted()
        return (await peer.mail(content))[:3], site.host.contents

    assert play(scene) == ("550", [])
    assert play(scene, allow_bare_newlines=True) == ("250", [content])


def test_bare_line_feeds_end_no_command():
    async def scene(site):
        peer = await site.connect()
        await peer.reply()
        peer.send(b"EHLO x\nMAIL FROM:<a@example.net>\n")
        return await peer.reply(), await peer.is_closed()

    assert play(scene) == ("500 5.5.2 bare newline", True)


def test_a_bare_carriage_return_is_no_command_either():
    async def scene(site):
        peer = await site.greeted()
        return await peer.ask(b"NOOP\rMAIL FROM:<a@example.net>\r\n")

    assert play(scene) == "502 5.5.1 command not known here"


WHOLE_SESSION = (
    b"EHLO x\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<support@example.org>\r\nDATA\r\n"
    + MAIL
    + b".\r\nQUIT\r\n"
)


def test_a_whole_session_before_the_banner_is_not_obeyed():
    async def scene(site):
        # The loop that the door runs in sees the connection and what was sent at the same time.
        early = socket.create_connection(("127.0.0.1", site.port))
        early.sendall(WHOLE_SESSION)
        peer = Peer(*await asyncio.open_connection(sock=early))
        site.peers.append(peer)
        return await peer.reply(), await peer.is_closed(), site.host.contents

    assert play(scene) == ("554 5.5.1 wait for the banner", True, [])


def test_a_whole_session_after_the_banner_is_not_obeyed():
    async def scene(site):
        peer = await site.connect()
        await peer.reply()
        return await peer.ask(WHOLE_SESSION), await peer.is_closed(), site.host.contents

    assert play(scene) == ("503 5.5.0 wait for the answer", True, [])


@pytest.mark.parametrize(
    "glued",
    [
        b"EHLO x\r\nMAIL FROM:<a@example.net>\r\n",
        b"HELO x\r\nMAIL FROM:<a@example.net>\r\n",
        b"MAIL FROM:<a@example.net>\r\nRCPT TO:<support@example.org>\r\nDATA\r\nSubject: x\r\n\r\n.\r\n",
    ],
)
def test_nothing_is_obeyed_that_comes_before_its_question(glued):
    async def scene(site):
        peer = await site.greeted()
        peer.send(glued)
        replies = [await peer.reply() for _ in range(glued.count(b"\r\n") - 1)]
        return [reply for reply in replies if reply.startswith(("354", "503"))], site.host.contents

    assert play(scene) == (["503 5.5.0 wait for the answer"], [])


def test_without_ehlo_nothing_may_be_glued():
    async def scene(site):
        peer = await site.connect()
        await peer.reply()
        await peer.ask(b"HELO x\r\n")
        peer.send(b"MAIL FROM:<a@example.net>\r\nRCPT TO:<support@example.org>\r\n")
        return await peer.reply(), await peer.is_closed()

    assert play(scene) == ("503 5.5.0 wait for the answer", True)


@pytest.mark.parametrize(
    "line",
    [b"POST / HTTP/1.1", b"GET / HTTP/1.1", b"CONNECT a:25 HTTP/1.1", b"PROXY TCP4 1 2 3 4", b"\x16\x03\x01"],
)
def test_other_protocols_are_cut_off_at_once(line):
    async def scene(site):
        peer = await site.connect()
        await peer.reply()
        peer.send(line + b"\r\n" + WHOLE_SESSION)
        return await peer.reply(), await peer.is_closed(), site.host.contents

    assert play(scene) == ("500 5.5.2 this is SMTP", True, [])


# Envelopes


@pytest.mark.parametrize(
    "argument",
    [
        b'FROM:<"a\x1b[2J"@b>',
        b"FROM:<a\0@b>",
        b"FROM:<a\x7f@b>",
        b"FROM:\t<a@b>",
        "FROM:<a\u202e@b> SMTPUTF8".encode(),
    ],
)
def test_control_characters_in_the_envelope_are_refused(argument):
    async def scene(site):
        peer = await site.greeted()
        return await peer.ask(b"MAIL " + argument + b"\r\n")

    assert play(scene) == "501 5.5.2 control characters"


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("MAIL FROM:<用戶@example.net>".encode(), "553 5.6.7 address needs SMTPUTF8"),
        (b"MAIL FROM:<\xe4@example.net>", "553 5.6.7 neither ASCII nor UTF-8"),
        (b"MAIL FROM:<\xe4@example.net> SMTPUTF8", "553 5.6.7 neither ASCII nor UTF-8"),
    ],
)
def test_8_bit_senders_need_smtputf8(command, reply):
    async def scene(site):
        peer = await site.greeted()
        return await peer.ask(command + b"\r\n")

    assert play(scene) == reply


def test_8_bit_recipients_need_smtputf8():
    async def scene(site):
        peer = await site.greeted()
        peer.send(b"MAIL FROM:<a@example.net>\r\n" + "RCPT TO:<用户@example.org>\r\n".encode())
        return await peer.codes(2)

    assert play(scene) == ["250", "553"]


@pytest.mark.parametrize(
    ("recipient", "reply"),
    [
        (b"../../etc/x@desk", "550 5.1.1 no such address here"),
        (b"nobody@example.org", "550 5.1.1 no such address here"),
        (FORGED.encode(), "550 5.1.1 no such address here"),
        (b"x@elsewhere.example", "550 5.7.1 we do not relay"),
        (b"@example.org:x@elsewhere.example", "550 5.7.1 we do not relay"),
    ],
)
def test_recipients_that_are_not_ours_are_refused(recipient, reply):
    async def scene(site):
        peer = await site.greeted()
        assert (await peer.ask(b"MAIL FROM:<a@example.net>\r\n"))[:3] == "250"
        return await peer.ask(b"RCPT TO:<" + recipient + b">\r\n")

    assert play(scene) == reply


def test_a_flood_of_recipients_is_stopped_at_the_limit():
    async def scene(site):
        peer = await site.greeted()
        peer.send(b"MAIL FROM:<a@example.net>\r\n")
        assert await peer.codes(1) == ["250"]
        peer.send(b"".join(b"RCPT TO:<many%d@example.org>\r\n" % number for number in range(1000)))
        return await peer.codes(1000)

    assert play(scene) == ["250"] * 100 + ["452"] * 900


def test_vrfy_tells_nothing_and_expn_is_not_there():
    async def scene(site):
        peer = await site.greeted()
        return [
            await peer.ask(b"%s\r\n" % line) for line in (b"VRFY root", b"VRFY support", b"VRFY", b"EXPN all")
        ]

    assert play(scene) == ["252 2.5.0 send a mail, we will see"] * 3 + ["502 5.5.1 command not known here"]


def guess(count):
    """Ask for so many unknown recipients in one session; the codes, "" where the door had closed."""

    async def scene(site):
        peer = await site.greeted()
        peer.send(b"MAIL FROM:<a@example.net>\r\n" + b"RCPT TO:<guess@example.org>\r\n" * count)
        return await peer.codes(count + 1)

    return scene


def test_guessing_recipients_ends_the_session():
    assert play(guess(12)) == ["250"] + ["550"] * 10 + ["421", ""]


def test_trusted_peers_may_ask_for_any_number_of_unknown_recipients():
    assert play(guess(200), trusted_mtas=LOOPBACK) == ["250"] + ["550"] * 200


def test_guessing_in_many_sessions_shuts_the_peer_out():
    async def scene(site):
        codes = []
        for _ in range(4):
            peer = await site.connect()
            codes.append((await peer.reply())[:3])
            if codes[-1] == "220":
                await peer.ask(b"EHLO x\r\n")
                peer.send(
                    b"MAIL FROM:<a@example.net>\r\n" + b"RCPT TO:<guess@example.org>\r\n" * 2 + b"QUIT\r\n"
                )
                codes += await peer.codes(4)
        return codes, (await (await site.greeted("127.0.0.2")).mail())[:3]

    assert play(scene, max_unknown_per_peer=4) == (
        ["220", "250", "550", "550", "221"] * 2 + ["220", "250", "421", "", ""] + ["421"],
        "250",
    )


# Too many, too slow


def test_a_stranger_has_a_rate_and_a_trusted_peer_has_none():
    async def scene(site):
        peer = await site.greeted()
        peer.send(b"MAIL FROM:<a@example.net>\r\nRSET\r\n" * 3)
        return (await peer.codes(6))[::2]

    assert play(scene, rate_per_peer=2) == ["250", "250", "450"]
    assert play(scene, rate_per_peer=2, trusted_mtas=LOOPBACK) == ["250", "250", "250"]


def test_a_stranger_has_so_many_sessions_and_others_are_served():
    async def scene(site):
        banners = [(await (await site.connect()).reply())[:3] for _ in range(5)]
        other = (await (await site.greeted("127.0.0.2")).mail())[:3]
        assert (await site.peers[0].ask(b"QUIT\r\n"))[:3] == "221"
        assert await site.peers[0].is_closed()
        return banners, other, (await (await site.connect()).reply())[:3]

    assert play(scene, max_sessions_per_peer=3) == (["220"] * 3 + ["421"] * 2, "250", "220")
    assert play(scene, max_sessions_per_peer=3, trusted_mtas=LOOPBACK) == (["220"] * 5, "250", "220")


def test_the_door_holds_so_many_sessions_and_keeps_some_for_trusted_peers():
    async def scene(site):
        sources = ["127.0.0.1", "127.0.0.2"] * 6
        peers = [await site.connect(source) for source in sources]
        return [(await peer.reply())[:3] for peer in peers]

    assert play(scene, max_sessions=10) == ["220"] * 10 + ["421"] * 2
    assert play(scene, max_sessions=10, trusted_mtas=LOOPBACK) == ["220"] * 9 + ["421", "220", "421"]


def test_a_flood_of_connections_leaves_others_served():
    async def knock(site):
        peer = await site.connect()
        return (await peer.reply())[:3]

    async def scene(site):
        banners = await asyncio.gather(*(knock(site) for _ in range(120)))
        return sorted(banners), (await (await site.greeted("127.0.0.2")).mail())[:3]

    assert play(scene) == (["220"] * 20 + ["421"] * 100, "250")


async def trickle(peer, byte=b"x"):
    """Send byte after byte until the door answers; the answer."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_S
    answer = asyncio.create_task(peer.reader.readline())
    while loop.time() < end and not answer.done():
        peer.send(byte)
        await asyncio.wait([answer], timeout=0.02)
    return answer.result()


SLOW = b"421 4.4.2 too slow, closing\r\n"


def test_a_command_that_comes_byte_by_byte_takes_too_long():
    async def scene(site):
        peer = await site.greeted()
        return await trickle(peer), await peer.is_closed()

    assert play(scene, idle_s=0.3) == (SLOW, True)


def test_data_that_comes_byte_by_byte_takes_too_long():
    async def scene(site):
        peer = await site.greeted()
        await peer.begin_data()
        return await trickle(peer), await peer.is_closed(), site.host.contents

    assert play(scene, data_window_s=0.3, idle_s=5.0) == (SLOW, True, [])


def test_data_that_comes_fast_enough_outlives_many_windows():
    async def scene(site):
        loop = asyncio.get_running_loop()
        peer = await site.greeted()
        await peer.begin_data()
        end = loop.time() + 0.5
        while loop.time() < end:
            peer.send(b"x" * 100 + b"\r\n")
            await asyncio.wait([asyncio.create_task(peer.writer.drain())], timeout=0.02)
            await asyncio.sleep(0)
        return (await peer.ask(b".\r\n"))[:3]

    assert play(scene, data_window_s=0.1, idle_s=0.1) == "250"


def test_noop_does_not_keep_a_session_for_ever():
    async def scene(site):
        peer = await site.greeted()
        answers = []
        while not answers or answers[-1] == "250":
            answers.append((await peer.ask(b"NOOP\r\n"))[:3])
        return len(answers), answers[-1]

    assert play(scene) == (100, "421")


def test_no_session_outlives_its_time_however_busy_it_is():
    async def scene(site):
        peer = await site.greeted()
        reply = await peer.ask(b"MAIL FROM:<a@example.net>\r\n")
        while reply[:3] in ("250", "550"):
            reply = await peer.ask(b"RCPT TO:<nobody@example.org>\r\n")
        return reply, await peer.is_closed()

    assert play(scene, session_s=0.3, trusted_mtas=LOOPBACK) == ("421 4.4.2 too slow, closing", True)


async def shout(peer):
    """Send commands until the door hangs up, and read no answer."""
    peer.writer.transport.pause_reading()
    while True:
        peer.send(b"MAIL FROM:<a@example.net> SIZE=999999999\r\n" * 1000)
        await asyncio.wait_for(peer.writer.drain(), PATIENCE_S)


def test_a_peer_that_reads_no_answers_is_dropped():
    async def scene(site):
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", site.port))
        peer = Peer(*await asyncio.open_connection(sock=deaf))
        site.peers.append(peer)
        await peer.hello()
        with pytest.raises(ConnectionError):
            await shout(peer)
        return (await (await site.greeted()).mail())[:3]

    assert play(scene, idle_s=0.3) == "250"


def test_idle_commands_do_not_keep_a_session_for_ever():
    async def scene(site):
        peer = await site.greeted()
        peer.send(b"VRFY a\r\n" * 50 + b"RSET\r\n" * 50)
        return (await peer.codes(100))[-2:]

    assert play(scene) == ["250", "421"]


@pytest.mark.parametrize("name", [b"", b"a" * 300, "例え.example".encode()])
def test_a_hello_needs_a_possible_name(name):
    async def scene(site):
        peer = await site.connect()
        await peer.reply()
        return await peer.ask(b"EHLO " + name + b"\r\n"), await peer.ask(b"MAIL FROM:<a@example.net>\r\n")

    assert play(scene) == ("501 5.5.4 say hello with your name", "503 5.5.1 say hello first")


def test_ten_faults_end_the_session():
    async def scene(site):
        peer = await site.greeted()
        replies = [(await peer.ask(b"AUTH PLAIN AGEAYg==\r\n"))[:3] for _ in range(10)]
        return replies, await peer.reply()

    assert play(scene) == (["502"] * 10, "421 4.7.0 too many errors")


# Connections that break


def test_a_peer_that_leaves_within_data_leaves_nothing_behind():
    async def scene(site):
        peer = await site.greeted()
        await peer.begin_data()
        peer.send(MAIL + b".")
        peer.writer.close()
        await site.door.drain(5)
        return site.host.contents

    assert play(scene) == []


@pytest.mark.parametrize("is_rude", [False, True])
def test_a_mail_is_stored_once_though_its_sender_left_before_the_answer(is_rude):
    async def leave_early(site):
        peer = await site.greeted()
        await peer.begin_data()
        site.host.may_store.clear()
        site.host.is_asked.clear()
        peer.send(MAIL + b".\r\n")
        await asyncio.wait_for(site.host.is_asked.wait(), PATIENCE_S)
        if is_rude:
            peer.writer.transport.abort()
        peer.writer.close()
        await peer.writer.wait_closed()
        assert (await (await site.greeted()).ask(b"NOOP\r\n"))[:3] == "250"
        site.host.may_store.set()

    async def scene(site):
        await leave_early(site)
        await leave_early(site)
        await site.door.drain(5)
        return site.host.contents

    assert play(scene) == [MAIL, MAIL]


def test_a_peer_that_closes_its_half_still_reads_the_answer():
    async def scene(site):
        peer = await site.greeted()
        await peer.begin_data()
        peer.send(MAIL + b".\r\n")
        peer.writer.write_eof()
        return (await peer.reply())[:3], await peer.is_closed(), site.host.contents

    assert play(scene) == ("250", True, [MAIL])
