"""kill -9 between any two steps: what was answered is filed once, letters repeat only as the same mail."""

from __future__ import annotations

import os
import random
import signal
import smtplib
from collections.abc import Callable

import pytest

from tests.real.clients import Crowd
from tests.real.oracle import (
    assert_every_ticket_is_acknowledged_once,
    assert_nothing_is_lost_or_doubled,
    assert_store_is_whole,
)
from tests.real.servers.desk_home import Home, to_smarthost
from tests.real.servers.desk_process import DeskProcess
from tests.real.servers.loopback import wait_until
from tests.real.servers.postgresql import PostgreSQL
from tests.real.servers.sink import Sink

RunDesk = Callable[..., DeskProcess]
# Each kills the daemon when that point is reached for the n-th time.
POINTS = {
    "smtp.cmd": 17,  # between two commands
    "smtp.data": 9,  # while a mail comes in
    "store.before_commit": 14,  # the mail is written but not committed
    "store.after_commit": 15,
    "smtp.before_reply": 7,  # between COMMIT and 250
    "smtp.after_reply": 7,
    "worker.after_read": 5,  # read, not yet filed
    "ingest.begin": 6,
    "ingest.before_commit": 6,  # ticket and letter are written but not committed
    "ingest.after_commit": 6,
    "out.after_250": 4,  # between the smarthost's 250 and its mark
}
AT_RANDOM = 9 if os.environ.get("CI") == "true" else 1
MAILS_A_ROUND = 12  # of each client
PATIENCE_S = 20.0


@pytest.mark.timeout(300)
def test_kill_minus_nine_loses_nothing_and_doubles_nothing(
    new_home: Callable[..., Home], run_desk: RunDesk, sink: Sink
) -> None:
    home, crowd = new_home(smarthost=to_smarthost(sink.port)), Crowd()

    for point, count in POINTS.items():
        kill_at(point, count, run_desk, home, crowd)
    for _ in range(AT_RANDOM):
        kill_at_random(run_desk, home, crowd)

    assert_all_came_through(run_desk, home, crowd, sink)


@pytest.mark.timeout(300)
def test_kill_minus_nine_on_postgresql(
    new_home: Callable[..., Home], run_desk: RunDesk, sink: Sink, postgresql_url: str
) -> None:
    home, crowd = new_home(postgresql_url, smarthost=to_smarthost(sink.port)), Crowd()

    for point in ("store.before_commit", "smtp.before_reply", "ingest.after_commit", "out.after_250"):
        kill_at(point, POINTS[point], run_desk, home, crowd)

    assert_all_came_through(run_desk, home, crowd, sink)


@pytest.mark.timeout(300)
def test_crash_of_postgresql_loses_nothing_and_doubles_nothing(
    new_home: Callable[..., Home], run_desk: RunDesk, sink: Sink, own_postgresql: PostgreSQL
) -> None:
    home = new_home(own_postgresql.fresh_database(), smarthost=to_smarthost(sink.port))
    crowd = Crowd()
    desk = run_desk(home.path)

    for how in (signal.SIGINT, signal.SIGQUIT):  # a fast restart, a crash
        answered = len(crowd.answered)
        crowd.begin(desk.smtp, 100)
        wait_until(lambda seen=answered: len(crowd.answered) >= seen + 20, "20 answers")  # type: ignore[misc]
        own_postgresql.restart(how)
        crowd.end()
    went_on = desk.process.poll() is None
    wait_until(lambda: resent(crowd, desk), "the desk to find its database again")
    desk.stop()

    assert went_on
    assert_all_came_through(run_desk, home, crowd, sink)


def resent(crowd: Crowd, desk: DeskProcess) -> bool:
    """Whether what was not answered is answered now."""
    try:
        crowd.resend(desk.smtp)
    except smtplib.SMTPResponseException:
        return False
    return True


def assert_all_came_through(run_desk: RunDesk, home: Home, crowd: Crowd, sink: Sink) -> None:
    """After a last life without faults."""
    desk = run_desk(home.path)
    crowd.resend(desk.smtp)
    home.wait_until_idle(timeout_s=60)
    assert desk.stop() == 0
    assert_nothing_is_lost_or_doubled(home, crowd)
    assert_every_ticket_is_acknowledged_once(home, sink.taken)
    assert_store_is_whole(home)


def kill_at(point: str, count: int, run_desk: RunDesk, home: Home, crowd: Crowd) -> None:
    """One life of the daemon, which ends at a fault point."""
    desk = run_desk(home.path, environment={"DESK_FAULTS": f"{point}:kill:{count}"})
    crowd.begin(desk.smtp, MAILS_A_ROUND)
    wait_until(lambda: desk.process.poll() is not None, f"the daemon to die at {point}", timeout_s=PATIENCE_S)
    crowd.end()
    assert desk.process.returncode == -9


def kill_at_random(run_desk: RunDesk, home: Home, crowd: Crowd) -> None:
    """One life of the daemon, which ends somewhere within the first mails."""
    answered, wanted = len(crowd.answered), random.randrange(4 * MAILS_A_ROUND)
    desk = run_desk(home.path)
    crowd.begin(desk.smtp, MAILS_A_ROUND)
    wait_until(lambda: len(crowd.answered) >= answered + wanted, f"{wanted} answers", timeout_s=PATIENCE_S)
    desk.kill()
    crowd.end()
