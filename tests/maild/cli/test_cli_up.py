"""`desk up`: what it refuses to start with, and what it only warns of."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from desk import clock
from tests.command_line import Run, loaded
from tests.real.servers.desk_process import start_desk
from tests.real.servers.loopback import wait_until

IMAP = '[[imap]]\nhost = "127.0.0.1"\nuser = "support"\npassword_command = "true"\n'


def add(home: Path, more: str) -> None:
    with (home / "desk.toml").open("a") as settings:
        settings.write(more)


@pytest.mark.parametrize(
    ("more", "name"), [(IMAP, "[[imap]]"), ('[lmtp]\nlisten = "unix:x"\n', "[lmtp] listen")]
)
def test_desk_with_a_way_in_that_nobody_reads_does_not_start(
    run: Run, home: Path, more: str, name: str
) -> None:
    add(home, more)

    result = run("up")

    last = result.stderr.splitlines()[-1]
    assert (result.exit_code, result.stdout) == (1, "")
    assert last.startswith(f"desk: {home}/desk.toml:")
    assert f": {name} is not available yet; " in last


def test_desk_with_runbooks_starts_with_a_warning_and_its_door_beats(
    run: Run, home: Path, tmp_path: Path
) -> None:
    settings = home / "desk.toml"
    settings.write_text(settings.read_text().replace("127.0.0.1:2525", "127.0.0.1:0"))
    add(home, '[runbooks.x]\nargv = ["/bin/true"]\n')
    started = clock.iso(clock.now_us())
    running = start_desk(home, tmp_path)
    try:
        wait_until(lambda: intake(run)["heartbeat"] is not None, "the first heartbeat")

        found = intake(run)
    finally:
        running.stop(signal.SIGTERM)

    assert "[runbooks.*] is not available yet; " in running.errors.read_text()
    assert (found["intake"], found["listen"], found["newest"]) == ("smtp", "127.0.0.1:0", None)
    assert started <= found["heartbeat"] <= clock.iso(clock.now_us())


def intake(run: Run) -> dict[str, Any]:
    (found,) = loaded(run("status", "--json"))["intakes"]
    return dict(found)
