"""The daemon while its store is locked, cannot grow or has a full disk, and when no file can be opened."""

from __future__ import annotations

import base64
import os
import resource
import shutil
import smtplib
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.real.clients import PATIENCE_S, Client, Crowd, greets
from tests.real.servers.desk_home import ADDRESS, Home, make_home, to_smarthost
from tests.real.servers.desk_process import DeskProcess
from tests.real.servers.loopback import wait_until
from tests.real.servers.programs import require_root
from tests.real.servers.sink import Sink
from tests.real.trouble import assert_all_is_well, open_files, set_limit, stop

RunDesk = Callable[..., DeskProcess]
NewHome = Callable[..., Home]


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
