"""The daemon under trouble that an admin knows: signals, dead readers, a wrong start."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.clients import Crowd, greets
from tests.real.oracle import (
    column,
)
from tests.real.servers.desk_home import Home, to_smarthost
from tests.real.servers.desk_process import DeskProcess
from tests.real.servers.loopback import HOST, free_port, wait_until
from tests.real.servers.sink import Sink
from tests.real.trouble import assert_all_is_well, children, open_files, stop

RunDesk = Callable[..., DeskProcess]
NewHome = Callable[..., Home]


# Signals


def test_sigterm_under_load_drains_in_time_and_loses_nothing(
    new_home: NewHome, run_desk: RunDesk, sink: Sink
) -> None:
    home, crowd = new_home(smarthost=to_smarthost(sink.port)), Crowd()
    desk = run_desk(home.path)
    crowd.begin(desk.smtp, 500)
    wait_until(lambda: len(crowd.answered) >= 40, "40 answers")

    ended = stop(desk)
    crowd.end()
    desk = run_desk(home.path)
    crowd.resend(desk.smtp)
    home.wait_until_idle()

    assert (ended, stop(desk)) == ((0, True), (0, True))
    assert_all_is_well(home, crowd, sink)


def test_sigterm_does_not_wait_for_a_smarthost_that_sleeps(
    new_home: NewHome, run_desk: RunDesk, sink: Sink
) -> None:
    home, crowd = new_home(smarthost=to_smarthost(sink.port)), Crowd(1)
    sink.sleep(times=3)
    desk = run_desk(home.path)
    crowd.begin(desk.smtp, 8)
    crowd.wait()
    wait_until(lambda: sink.open_sessions == 3, "three letters under way")

    ended = stop(desk)
    desk = run_desk(home.path)
    home.wait_until_idle()
    desk.stop()

    assert ended == (0, True)
    assert_all_is_well(home, crowd, sink)
    assert column(home, "SELECT count(*) FROM event WHERE event = 'letter.deferred'") == [0]


def test_sigterm_does_not_wait_for_readers_that_hang(
    new_home: NewHome, run_desk: RunDesk, sink: Sink
) -> None:
    home, crowd = new_home(smarthost=to_smarthost(sink.port)), Crowd(1)
    desk = run_desk(home.path)
    for reader in children(desk.process.pid):
        os.kill(reader, signal.SIGSTOP)
    crowd.begin(desk.smtp, 5)
    crowd.wait()

    ended = stop(desk)
    desk = run_desk(home.path)
    home.wait_until_idle()
    desk.stop()

    assert ended == (0, True)
    assert_all_is_well(home, crowd, sink)


def test_hundred_reloads_under_load_refuse_nobody_and_leak_nothing(
    new_home: NewHome, run_desk: RunDesk, sink: Sink
) -> None:
    home, crowd = new_home(smarthost=to_smarthost(sink.port)), Crowd()
    desk = run_desk(home.path)
    crowd.begin(desk.smtp, 25)
    crowd.wait()
    home.wait_until_idle()
    before = open_files(desk.process.pid)

    crowd.begin(desk.smtp, 25)
    for _ in range(100):
        desk.process.send_signal(signal.SIGHUP)
        assert greets(desk.smtp)
    crowd.wait()
    home.wait_until_idle()

    assert (crowd.refusals, len(crowd.answered)) == ([], 4 * 50)
    wait_until(lambda: open_files(desk.process.pid) <= before, "the files to be closed")
    assert "reloaded" in desk.errors.read_text()
    desk.stop()
    assert_all_is_well(home, crowd, sink)


def test_reload_takes_a_new_smarthost_and_keeps_the_old_settings_when_the_file_is_wrong(
    new_home: NewHome, run_desk: RunDesk, sink: Sink
) -> None:
    home, crowd = new_home(), Crowd(1)
    desk = run_desk(home.path)
    crowd.begin(desk.smtp, 1)
    crowd.wait()
    home.wait_until_idle(letters=False)

    (home.path / "desk.toml").write_text("[smarthost]\nhots = 'x'\n")
    desk.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "settings refused" in desk.errors.read_text(), "the wrong file to be refused")
    still_there = greets(desk.smtp)
    home.configure(smarthost=to_smarthost(sink.port))
    desk.process.send_signal(signal.SIGHUP)

    assert still_there
    assert len(sink.wait_for(1)) == 1


# Readers


def test_mail_is_filed_though_its_reader_is_killed(new_home: NewHome, run_desk: RunDesk, sink: Sink) -> None:
    home, crowd = new_home(smarthost=to_smarthost(sink.port)), Crowd(1)
    desk = run_desk(home.path)
    readers = children(desk.process.pid)
    for reader in readers:
        os.kill(reader, signal.SIGSTOP)
    crowd.begin(desk.smtp, 6)
    crowd.wait()
    wait_until(lambda: home.status()["inbox"] == 6, "mails at stopped readers")

    for reader in readers:
        os.kill(reader, signal.SIGKILL)
    home.wait_until_idle()
    desk.stop()

    assert len(readers) == 2
    assert_all_is_well(home, crowd, sink)


@pytest.mark.slow
def test_watchdog_replaces_a_reader_that_hangs(new_home: NewHome, run_desk: RunDesk, sink: Sink) -> None:
    home, crowd = new_home(smarthost=to_smarthost(sink.port)), Crowd()
    desk = run_desk(home.path)
    crowd.begin(desk.smtp, 5)  # until then the readers may still be starting, which has a limit of its own
    crowd.wait()
    home.wait_until_idle()
    readers = children(desk.process.pid)
    for reader in readers:
        os.kill(reader, signal.SIGSTOP)
    crowd.begin(desk.smtp, 1)
    crowd.wait()

    home.wait_until_idle(timeout_s=60)

    assert set(children(desk.process.pid)).isdisjoint(readers)
    desk.stop()
    assert_all_is_well(home, crowd, sink)


def test_readers_end_with_their_daemon(new_home: NewHome, run_desk: RunDesk) -> None:
    desk = run_desk(new_home().path)
    readers = children(desk.process.pid)

    desk.kill()

    wait_until(lambda: not any(Path(f"/proc/{reader}").exists() for reader in readers), "the readers to end")
    assert len(readers) == 2


# The start


def test_second_daemon_on_a_home_is_refused_in_one_line(new_home: NewHome, run_desk: RunDesk) -> None:
    home = new_home()
    first = run_desk(home.path)

    second = home.attempt("up")

    line = f"desk: a desk runs on {home.path} already; stop that one first\n"
    assert (second.returncode, second.stdout, last_line(second.stderr)) == (1, b"", line)
    assert greets(first.smtp)


def test_busy_port_is_refused_in_one_line_with_the_remedy(new_home: NewHome) -> None:
    with socket.socket() as other:
        other.bind((HOST, free_port()))
        other.listen()
        where = f"{HOST}:{other.getsockname()[1]}"
        home = new_home(smtp={"listen": where})

        ended = home.attempt("up")

    line = (
        f"desk: smtp: cannot listen on {where} (address already in use); set [smtp] listen in desk.toml to"
        " another address, or port 0 for any free one\n"
    )
    assert (ended.returncode, ended.stdout, last_line(ended.stderr)) == (1, b"", line)
    assert b"Traceback" not in ended.stderr


def test_misspelt_key_is_refused_with_its_place_and_what_was_meant(new_home: NewHome) -> None:
    home = new_home()
    path = home.path / "desk.toml"
    path.write_text(path.read_text().replace("hostname =", "hostnam ="))
    line = path.read_text().splitlines().index('hostnam = "desk.example.org"') + 1

    ended = home.attempt("up")

    assert (ended.returncode, ended.stdout) == (1, b"")
    (said,) = ended.stderr.decode().splitlines()
    assert said.startswith(f"desk: {path}:{line}:1: ")
    assert 'did you mean "hostname"?' in said


def last_line(text: bytes) -> str:
    return text.decode().splitlines(keepends=True)[-1]
