"""Whether a desk runs on a home."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from desk.errors import Unavailable
from desk.live import running
from desk.live.running import hold, is_running

_HOLDER = """
import sys, pathlib
from desk.live.running import hold
with hold(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_desk_runs_as_long_as_its_lock_is_held(tmp_path: Path) -> None:
    before = is_running(tmp_path)
    with hold(tmp_path):
        during = is_running(tmp_path)
    after = is_running(tmp_path)

    assert (before, during, after) == (False, True, False)


def test_second_desk_on_a_home_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_PATIENCE_S", 0.05)

    with hold(tmp_path), pytest.raises(Unavailable, match=r"runs on .* already"), hold(tmp_path):
        pass


def test_killed_desk_does_not_run(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        during = is_running(tmp_path)
        process.kill()
        process.wait()

    assert (during, is_running(tmp_path)) == (True, False)
