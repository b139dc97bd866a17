"""The desk's half of a benchmark: a throw-away home, `desk up` on it, and how far it has come.

Only the public command and two row counts are used, so that what is measured is what a site runs.
"""

from __future__ import annotations

import json
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from figures import BenchFailed

_DESK = Path(sys.executable).with_name("desk")
_SETTINGS = {
    "smtp": {"listen": '"127.0.0.1:0"'},
    # Strangers' limits: the mails come from as many new senders as there are mails, within seconds.
    "limits": {"new_tickets_per_sender": "0", "acks_to_new_addresses": "0"},
}
_READY = re.compile(r"ready .*?smtp=([0-9.]+):([0-9]+)")


def make_home(folder: Path) -> Path:
    """A home for desk.example in `folder` as `desk init` makes it, on a free port and without limits."""
    home = folder / "home"
    _run(home, "init", "--domain", "desk.example", "--address", "support@desk.example")
    settings = home / "desk.toml"
    text = settings.read_text(encoding="utf-8")
    for section, values in _SETTINGS.items():
        text = with_values(text, section, values)
    settings.write_text(text, encoding="utf-8")
    return home


def with_values(text: str, section: str, values: dict[str, str]) -> str:
    """TOML `text` with these values in `[section]`, whether the section or the keys are there or not."""
    head = f"[{section}]"
    lines = text.splitlines()
    if head not in lines:
        lines += ["", head]
    start = lines.index(head) + 1
    end = next((n for n in range(start, len(lines)) if lines[n].startswith("[")), len(lines))
    kept = [line for line in lines[start:end] if line.partition("=")[0].strip() not in values]
    wanted = [f"{name} = {value}" for name, value in values.items()]
    return "\n".join([*lines[:start], *wanted, *kept, *lines[end:]]) + "\n"


@contextmanager
def running(home: Path, *, start_timeout_s: float = 60.0) -> Iterator[tuple[str, int]]:
    """`desk up` for the length of the block; gives host and port of its SMTP door, ends it by SIGTERM."""
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [_DESK, "--home", home, "up"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        )
        try:
            yield _ready(process, home / "up.log", start_timeout_s)
        finally:
            _end(process)


def wait_for_tickets(home: Path, count: int, *, timeout_s: float = 120.0) -> None:
    """Return as soon as the store holds `count` tickets and as many letters out (the acknowledgements).

    Looks every 2 ms through one read-only connection; ticket and letter come in one transaction.
    """
    deadline = time.monotonic() + timeout_s
    with closing(sqlite3.connect(f"file:{home / 'desk.db'}?mode=ro", uri=True)) as store:
        while (seen := _counts(store)) < (count, count):
            if time.monotonic() > deadline:
                raise BenchFailed(f"after {timeout_s} s: {seen[0]} tickets and {seen[1]} letters of {count}")
            time.sleep(0.002)
    if seen != (count, count):
        raise BenchFailed(f"{seen[0]} tickets and {seen[1]} letters where {count} mails came in")


def assert_idle(home: Path, tickets: int) -> None:
    """Let the command line confirm what the row counts said: inbox empty, none parked, all listed."""
    status = json.loads(_run(home, "status", "--json"))
    listed = len(json.loads(_run(home, "ticket", "list", "--json", "--limit", "0")))
    if (status["inbox"], status["parked"], listed) != (0, 0, tickets):
        raise BenchFailed(
            f"inbox {status['inbox']}, parked {status['parked']}, {listed} tickets of {tickets}"
        )


def _counts(store: sqlite3.Connection) -> tuple[int, int]:
    row = store.execute("SELECT (SELECT count(*) FROM ticket), (SELECT count(*) FROM outbox)").fetchone()
    return int(row[0]), int(row[1])


def _run(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        [_DESK, "--home", home, *arguments], check=False, capture_output=True, text=True, timeout=120
    )
    if done.returncode != 0:
        raise BenchFailed(f"desk {arguments[0]}: exit {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def _ready(process: subprocess.Popen[bytes], log: Path, timeout_s: float) -> tuple[str, int]:
    assert process.stdout is not None
    if not select.select([process.stdout], [], [], timeout_s)[0]:
        raise BenchFailed(f"desk up was not ready after {timeout_s} s")
    line = process.stdout.readline().decode("utf-8", "replace")
    found = _READY.search(line)
    if found is None:
        raise BenchFailed(f"desk up said {line!r}: {log.read_text(errors='replace')[-500:]}")
    return found[1], int(found[2])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.wait()
        raise BenchFailed("desk up did not drain within 20 s of SIGTERM") from error
