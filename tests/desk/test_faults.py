"""Fault points: nothing until armed, then exactly what was asked, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from desk.errors import Unavailable
from desk.faults import arm, fault_point

PASS_THREE_TIMES = (
    "from desk.faults import fault_point\nfor n in range(3): print(n, flush=True); fault_point('a.b')"
)


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    arm("")


def test_a_point_that_is_not_armed_does_nothing() -> None:
    arm("other.point:error")

    fault_point("a.b")


def test_an_error_comes_at_the_count_and_only_once() -> None:
    arm("a.b:error:3")
    fault_point("a.b")
    fault_point("a.b")

    with pytest.raises(Unavailable, match=r"fault point a\.b"):
        fault_point("a.b")
    fault_point("a.b")


def test_several_points_are_armed_together() -> None:
    arm("a.b:error,c.d:error:2")
    fault_point("c.d")

    for name in ("a.b", "c.d"):
        with pytest.raises(Unavailable):
            fault_point(name)


def test_an_empty_text_disarms() -> None:
    arm("a.b:error")
    arm("")

    fault_point("a.b")


@pytest.mark.parametrize("text", ["a.b:explode", "a.b", "a.b:kill:often"])
def test_a_specification_that_is_wrong_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        arm(text)


def test_kill_ends_the_process_without_clean_up() -> None:
    child = subprocess.run(
        [sys.executable, "-c", PASS_THREE_TIMES],
        env={**os.environ, "DESK_FAULTS": "a.b:kill:2"},
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert (child.returncode, child.stdout.split()) == (-signal.SIGKILL, ["0", "1"])


def test_stop_halts_the_process_until_it_is_continued() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", PASS_THREE_TIMES],
        env={**os.environ, "DESK_FAULTS": "a.b:stop"},
        stdout=subprocess.PIPE,
        text=True,
    )
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    was_stopped = os.WIFSTOPPED(status)
    child.send_signal(signal.SIGCONT)
    output, _ = child.communicate(timeout=30)

    assert (was_stopped, child.returncode, output.split()) == (True, 0, ["0", "1", "2"])
