"""`desk doctor`: each fault is named with its remedy."""

from __future__ import annotations

import json
import signal
import smtplib
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from desk import clock
from tests.command_line import Run, loaded, open_ticket
from tests.real.servers.desk_process import start_desk


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def change(home: Path, before: str, after: str) -> None:
    settings = home / "desk.toml"
    text = settings.read_text()
    assert before in text
    settings.write_text(text.replace(before, after))


def listen_on(home: Path, port: int) -> None:
    change(home, "127.0.0.1:2525", f"127.0.0.1:{port}")


def faults(run: Run, *arguments: str) -> list[tuple[str, str]]:
    result = run("doctor", "--json", *arguments)
    found = json.loads(result.stdout)
    assert (result.exit_code, found["ok"]) == ((1, False) if found["faults"] else (0, True))
    return [(fault["check"], fault["text"]) for fault in found["faults"]]


def test_new_home_has_no_fault_and_says_that_letters_will_wait(run: Run, home: Path) -> None:
    listen_on(home, free_port())

    found = loaded(run("doctor", "--json"))

    assert (found["ok"], found["faults"]) == (True, [])
    assert [fact["check"] for fact in found["facts"]] == ["daemon", "letters"]


def test_missing_home_is_a_fault(run: Run, tmp_path: Path) -> None:
    ((check, text),) = faults(run, "--home", str(tmp_path / "none"))

    assert check == "files"
    assert "make a home with `desk init`" in text


def test_broken_file_is_named_with_its_place(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    (home / "queues" / "help-desk.toml").write_text('title = "x"\nnonsense = 1\n')

    found = faults(run)

    assert any(f"{home}/queues/help-desk.toml:2:1: unknown key" in text for _, text in found)


def test_template_with_a_wrong_name_is_named_with_its_place(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    path = home / "templates" / "acknowledgement.en.md"
    path.write_text("Subject: Hello\n\nNumber {{ numbr }}\n")

    ((check, text),) = faults(run)

    assert check == "templates"
    assert text.startswith(f"{path}:3:")


def test_port_of_another_program_is_a_fault(run: Run, home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        listen_on(home, port)

        found = faults(run)

    assert found == [
        (
            "doors",
            f"[smtp] listen = '127.0.0.1:{port}': another program listens there; stop it, or choose another port",
        )
    ]


def test_desk_without_a_way_in_is_a_fault(run: Run, home: Path) -> None:
    change(home, 'listen = "127.0.0.1:2525"', "")

    ((check, text),) = faults(run)

    assert (check, text) == (
        "doors",
        f"no way in is open; write listen in [smtp] of {home}/desk.toml",
    )


def test_smarthost_that_does_not_resolve_is_a_fault(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    smarthost(home, "no-such-host.invalid", 25)

    ((check, text),) = faults(run)

    assert check == "names"
    assert text.startswith("[smarthost] host = 'no-such-host.invalid' does not resolve (")


def smarthost(home: Path, host: str, port: int, more: str = "") -> None:
    with (home / "desk.toml").open("a") as settings:
        settings.write(f'[smarthost]\nhost = "{host}"\nport = {port}\ntls = "off"\n{more}')


def test_smarthost_where_nobody_listens_is_a_fault(run: Run, home: Path) -> None:
    port = free_port()
    listen_on(home, free_port())
    smarthost(home, "127.0.0.1", port)

    assert faults(run) == [
        (
            "smarthost",
            (
                f"[smarthost] 127.0.0.1:{port} does not answer (Connection refused);"
                " start that server, or correct host, port and tls"
            ),
        )
    ]


def greet_wrongly(server: socket.socket) -> None:
    with server.accept()[0] as peer:
        peer.sendall(b"SSH-2.0-x\r\n")


def test_smarthost_that_does_not_speak_smtp_is_a_fault(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        smarthost(home, "127.0.0.1", port)
        threading.Thread(target=greet_wrongly, args=(server,), daemon=True).start()

        ((check, text),) = faults(run)

    assert check == "smarthost"
    assert text.startswith(f"[smarthost] 127.0.0.1:{port} does not greet as SMTP does, but by b'SSH-2.0-x")


@pytest.mark.parametrize("key", ["password_command", "token_command"])
def test_command_without_a_password_is_a_fault(run: Run, home: Path, key: str) -> None:
    listen_on(home, free_port())
    with relaying() as (_, port):
        smarthost(home, "127.0.0.1", port, f'user = "desk"\n{key} = "false"\n')

        found = faults(run)

    assert found == [
        (
            "smarthost",
            (
                "the command 'false' of [smarthost] gave no password (exit 1);"
                " try it as the user that runs the desk"
            ),
        )
    ]


def test_smarthost_that_greets_is_no_fault(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    with relaying() as (_, port):
        smarthost(home, "127.0.0.1", port, 'user = "desk"\npassword_command = "echo secret"\n')

        assert faults(run) == []


def test_reached_cap_on_acknowledgements_is_shown_for_an_hour(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    change(home, "acks_to_new_addresses = 100", "acks_to_new_addresses = 1")
    run("mail", "take", "-", stdin=b"From: a@example.com\nTo: support@example.org\n\nx\n")
    with relaying() as (_, port):
        smarthost(home, "127.0.0.1", port)

        now = [(check, text.split(" was ")[0]) for check, text in faults(run)]
        with clock.frozen(clock.now() + timedelta(hours=1, minutes=1)):
            later = [text for _, text in faults(run) if "acks_to_new_addresses" in text]

    assert (now, later) == ([("letters", "acks_to_new_addresses = 1")], [])


IMAP = '[[imap]]\nhost = "127.0.0.1"\nuser = "support"\npassword_command = "true"\n'


def test_mailbox_that_nobody_fetches_is_a_fault_and_no_way_in(run: Run, home: Path) -> None:
    change(home, 'listen = "127.0.0.1:2525"', "")
    with (home / "desk.toml").open("a") as settings:
        settings.write(IMAP)

    found = faults(run)

    assert [(check, text.split("; ")[0].removeprefix(f"{home}/")) for check, text in found] == [
        (
            "files",
            f"desk.toml:{len((home / 'desk.toml').read_text().splitlines()) - 3}:3: [[imap]] is not available yet",
        ),
        ("doors", "no way in is open"),
    ]


def test_letters_without_smarthost_are_a_fault(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    open_ticket(run)

    found = faults(run)

    assert found == [
        (
            "letters",
            f"1 letters wait and there is no smarthost; name a host in [smarthost] of {home}/desk.toml",
        )
    ]


def test_letter_that_waits_for_long_is_a_fault(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    open_ticket(run)

    with relaying() as (_, port), clock.frozen(clock.now() + timedelta(hours=3, minutes=1)):
        smarthost(home, "127.0.0.1", port)
        found = faults(run)

    assert [text.split(";")[0] for _, text in found] == ["1 letters wait, the oldest for 3 h"]


def test_mail_that_nobody_reads_is_a_fault(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    run("mail", "take", "--no-wait", "-", stdin=b"From: a@example.com\n\nx\n")

    assert faults(run) == [("mail", "1 mails wait to be read and no desk runs; start `desk up`")]


def test_clock_before_the_newest_event_is_a_fault(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    with clock.frozen(datetime(2001, 1, 1, tzinfo=UTC)):
        found = faults(run)

    assert [check for check, _ in found] == ["clock", "clock"]
    assert found[0][1] == "the clock says 2001-01-01; set it, and keep it right by NTP"


def test_home_that_everybody_can_write_is_a_fault(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    home.chmod(0o777)

    assert faults(run) == [("modes", f"{home} can be written by everybody; run: chmod o-w {home}")]


def test_history_that_was_changed_is_a_fault(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    run("audit", "verify")
    with closing(sqlite3.connect(home / "desk.db")) as store:
        for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f"DROP TRIGGER {name}")
        store.execute("UPDATE event SET who = 'mallory' WHERE id = 1")
        store.commit()

    ((check, text),) = faults(run)

    assert check == "store"
    assert text.startswith("the history is broken at seq 1: ")


def test_damaged_store_is_a_fault(run: Run, home: Path) -> None:
    listen_on(home, free_port())
    (home / "desk.db").write_bytes(b"this is no database" * 1000)

    ((check, _),) = faults(run)

    assert check == "store"


def test_probe_needs_a_running_desk(run: Run, home: Path) -> None:
    listen_on(home, free_port())

    assert faults(run, "--probe") == [("probe", "a probe needs a running desk; start `desk up` first")]


class _Relay:
    """A smarthost that hands every letter to one SMTP door, with a trace field as real ones write it."""

    def __init__(self) -> None:
        self.door: tuple[str, int] | None = None

    async def handle_DATA(  # noqa: N802 - the name is aiosmtpd's
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        if self.door is None:
            return "250 taken and kept"
        with smtplib.SMTP(*self.door) as client:
            raw = b"Received: from relay\r\n" + envelope.original_content
            client.sendmail(envelope.mail_from, envelope.rcpt_tos, raw)
        return "250 relayed"


@contextmanager
def relaying() -> Iterator[tuple[_Relay, int]]:
    relay = _Relay()
    controller = Controller(relay, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield relay, controller.port
    finally:
        controller.stop()


def test_probe_goes_the_whole_round(run: Run, home: Path, tmp_path: Path) -> None:
    with relaying() as (relay, port):
        smarthost(home, "127.0.0.1", port)
        change(home, "127.0.0.1:2525", "127.0.0.1:0")
        running = start_desk(home, tmp_path)
        try:
            relay.door = running.smtp

            found = loaded(run("doctor", "--probe", "--wait", "20", "--json"))
        finally:
            running.stop(signal.SIGTERM)

    assert [fact["text"][:24] for fact in found["facts"] if fact["check"] == "probe"] == [
        "the probe was back after"
    ]


def test_probe_that_does_not_come_back_says_where_it_is(run: Run, home: Path, tmp_path: Path) -> None:
    with relaying() as (_, port):
        smarthost(home, "127.0.0.1", port)
        change(home, "127.0.0.1:2525", "127.0.0.1:0")
        running = start_desk(home, tmp_path)
        try:
            found = faults(run, "--probe", "--wait", "2")
        finally:
            running.stop(signal.SIGTERM)

    ((check, text),) = found
    assert check == "probe"
    assert text.startswith("the probe was not back within 2 s: the smarthost took it (")
