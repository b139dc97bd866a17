"""The daemon under trouble that an admin knows: signals, dead readers, a locked or full store, no more files."""

from __future__ import annotations

import base64
import os
import resource
import shutil
import signal
import smtplib
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.real.clients import PATIENCE_S, Client, Crowd, greets
from tests.real.oracle import (
    assert_every_ticket_is_acknowledged_once,
    assert_nothing_is_lost_or_doubled,
    assert_store_is_whole,
    column,
)
from tests.real.servers.desk_home import ADDRESS, Home, make_home, to_smarthost
from tests.real.servers.desk_process import DeskProcess
from tests.real.servers.loopback import HOST, free_port, wait_until
from tests.real.servers.programs import require_root
from tests.real.servers.sink import Sink

RunDesk = Callable[..., DeskProcess]
NewHome = Callable[..., Home]
DRAINED_S = 10.0


def children(process: int) -> list[int]:
    """The ids of the reader processes of a daemon."""
    found = []
    for child in Path(f"/proc/{process}/task").glob("*/children"):
        found += [int(word) for word in child.read_text().split()]
    return [child for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def open_files(process: int) -> int:
    """How many files and sockets the daemon has open, without the connections that its pool keeps."""
    names = [str(file.readlink()) for file in Path(f"/proc/{process}/fd").iterdir()]
    return len([name for name in names if "desk.db" not in name])


def stop(desk: DeskProcess) -> tuple[int, bool]:
    """SIGTERM: the exit status, and whether it was in time."""
    began = time.monotonic()
    status = desk.stop(timeout_s=30)
    return status, time.monotonic() - began <= DRAINED_S


def assert_all_is_well(home: Home, crowd: Crowd, sink: Sink) -> None:
    assert_nothing_is_lost_or_doubled(home, crowd)
    assert_every_ticket_is_acknowledged_once(home, sink.taken)
    assert_store_is_whole(home)


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


# The store


@contextmanager
def locked(home: Home) -> Iterator[sqlite3.Connection]:
    """Another program has the database for itself until it says ROLLBACK."""
    with closing(sqlite3.connect(home.path / "desk.db", timeout=20, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield other


def test_mail_waits_for_its_answer_while_another_program_locks_the_database(
    new_home: NewHome, run_desk: RunDesk, sink: Sink
) -> None:
    home, crowd = new_home(smarthost=to_smarthost(sink.port)), Crowd()
    desk = run_desk(home.path)

    with locked(home) as other:
        crowd.begin(desk.smtp, 5)
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > 3, "three seconds to pass")
        while_locked = len(crowd.answered)
        other.execute("ROLLBACK")
    crowd.wait()
    home.wait_until_idle()
    desk.stop()

    assert (while_locked, len(crowd.answered), crowd.refusals) == (0, 20, [])
    assert_all_is_well(home, crowd, sink)


def test_sigterm_does_not_wait_for_a_locked_database(
    new_home: NewHome, run_desk: RunDesk, sink: Sink
) -> None:
    home, crowd = new_home(smarthost=to_smarthost(sink.port)), Crowd(2)
    desk = run_desk(home.path)
    crowd.begin(desk.smtp, 5)
    crowd.wait()

    with locked(home) as other:
        crowd.begin(desk.smtp, 5)
        ended = stop(desk)
        other.execute("ROLLBACK")
    crowd.wait()
    desk = run_desk(home.path)
    crowd.resend(desk.smtp)
    home.wait_until_idle()
    desk.stop()

    assert ended == (0, True)
    assert_all_is_well(home, crowd, sink)


def set_limit(desk: DeskProcess, which: int, soft: int) -> int:
    """Change a limit of the running daemon; the one before."""
    before, hard = resource.prlimit(desk.process.pid, which)
    resource.prlimit(desk.process.pid, which, (soft, hard))
    return before


def test_store_that_cannot_grow_is_answered_451_and_goes_on_without_a_restart(
    new_home: NewHome, run_desk: RunDesk, sink: Sink
) -> None:
    home, crowd = new_home(smarthost=to_smarthost(sink.port)), Crowd(1)
    desk = run_desk(home.path)
    crowd.begin(desk.smtp, 5)
    crowd.wait()
    home.wait_until_idle()

    # the write-ahead log may have been begun anew, so the limit is below what either file has
    before = set_limit(desk, resource.RLIMIT_FSIZE, 4096)
    answered = len(crowd.answered)
    crowd.begin(desk.smtp, 5)
    crowd.wait()
    while_full = len(crowd.answered) - answered, crowd.refusals
    set_limit(desk, resource.RLIMIT_FSIZE, before)
    crowd.begin(desk.smtp, 5)
    crowd.wait()
    home.wait_until_idle()
    desk.stop()

    assert while_full == (0, [451])
    assert len(crowd.answered) == 10
    assert_all_is_well(home, crowd, sink)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of this size. Skips the test where none may be mounted."""
    require_root()
    folder.mkdir()
    options = f"size={megabytes}m,mode=755"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no disk may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path, *, leave_bytes: int) -> Path:
    """A file that takes all but so many bytes of the disk."""
    filler, block = disk / "filler", b"x" * 4096
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while shutil.disk_usage(disk).free > leave_bytes:
            if not file.write(block):
                break
    return filler


def test_full_disk_is_answered_452_and_mail_is_taken_again_when_there_is_room(
    tmp_path: Path, run_desk: RunDesk, sink: Sink
) -> None:
    with small_disk(tmp_path / "disk", 120) as disk:
        home = make_home(disk / "home", smarthost=to_smarthost(sink.port), smtp={"max_message": "12MB"})
        crowd = Crowd(1)
        (client,) = crowd.clients
        desk = run_desk(home.path)
        client.send(desk.smtp, 2)
        home.wait_until_idle()

        filler = fill(disk, leave_bytes=40_000_000)
        wait_until(lambda: not client.send(desk.smtp, 1), "a refusal")
        before_data = client.refusals[-1]
        filler.unlink()
        wait_until(lambda: client.send(desk.smtp, 1), "an answer")
        within_data = fill_within_data(desk, disk)
        wait_until(lambda: client.send(desk.smtp, 1), "an answer")
        home.wait_until_idle()
        desk.stop()

        assert (before_data, within_data) == (452, 452)
        assert_all_is_well(home, crowd, sink)


def fill_within_data(desk: DeskProcess, disk: Path) -> int:
    """Fill the disk to its last byte after MAIL was taken, make room again, and return the answer to DATA.

    The mail is larger than what the write-ahead log may still have room for (4 MB).
    """
    body = base64.encodebytes(os.urandom(6_000_000)).replace(b"\n", b"\r\n")
    with smtplib.SMTP(*desk.smtp, timeout=PATIENCE_S) as client:
        client.ehlo()
        client.mail("a@example.net")
        client.rcpt(ADDRESS)
        filler = fill(disk, leave_bytes=0)
        code, _ = client.data(b"Subject: too much\r\n\r\n" + body)
        filler.unlink()
    return int(code)


def test_daemon_out_of_files_recovers(new_home: NewHome, run_desk: RunDesk, sink: Sink) -> None:
    home, crowd = new_home(smarthost=to_smarthost(sink.port)), Crowd()
    desk = run_desk(home.path)
    crowd.begin(desk.smtp, 5)
    crowd.wait()
    home.wait_until_idle()

    before = set_limit(desk, resource.RLIMIT_NOFILE, open_files(desk.process.pid))
    starved = Client("starved")
    went = starved.send(desk.smtp, 1) if greets(desk.smtp) else False
    set_limit(desk, resource.RLIMIT_NOFILE, before)
    wait_until(lambda: greets(desk.smtp), "the door to open again")
    crowd.begin(desk.smtp, 5)
    crowd.wait()
    home.wait_until_idle()
    desk.stop()

    assert (went, len(crowd.answered)) == (False, 40)
    assert desk.errors.read_text().count("no file can be opened") == 1
    assert "Traceback" not in desk.errors.read_text()
    assert_all_is_well(home, crowd, sink)
