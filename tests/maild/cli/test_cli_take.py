"""`desk mail take`, alone and beside a running desk."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from desk import spool
from desk.letter import Envelope
from tests.command_line import Run, invoke, loaded
from tests.real.servers.desk_process import start_desk

FROM = b"From MAILER-DAEMON Fri Nov 20 12:00:00 2026\n"


def mail(number: int, *, sender: str = "a@example.com", more: str = "") -> bytes:
    text = (
        f"From: {sender}\r\nTo: support@example.org\r\nSubject: Thing {number}\r\n"
        f"Message-ID: <{number}@example.com>\r\n{more}\r\nIt is broken.\r\n"
    )
    return text.encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_mails_of_all_forms_are_taken_in_order(run: Run, tmp_path: Path) -> None:
    one = write(tmp_path / "one.eml", mail(1))
    write(tmp_path / "folder" / "two.eml", mail(2))
    write(tmp_path / "maildir" / "new" / "3.x", mail(3))
    write(tmp_path / "box", FROM + mail(4) + b"\n" + FROM + mail(5) + b"\n")

    result = run("mail", "take", one, tmp_path / "folder", tmp_path / "maildir", tmp_path / "box")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{sha256(mail(1))} new 1 {one}",
        f"{sha256(mail(2))} new 2 {tmp_path}/folder/two.eml",
        f"{sha256(mail(3))} new 3 {tmp_path}/maildir/new/3.x",
        f"{sha256(mail(4))} new 4 {tmp_path}/box#1",
        f"{sha256(mail(5))} new 5 {tmp_path}/box#2",
    ]


def test_outcomes_are_told_as_json_lines(run: Run, tmp_path: Path) -> None:
    first = mail(1)
    reply = mail(2, more="In-Reply-To: <1@example.com>\r\n")
    forged = mail(3, sender="support@example.org")
    ours = mail(4, more="X-Desk-Loop: example.org\r\n")
    paths = [
        write(tmp_path / f"{n}.eml", content) for n, content in enumerate([first, reply, forged, ours, first])
    ]

    lines = run("mail", "take", "--json", *paths).stdout.splitlines()

    assert [json.loads(line) for line in lines] == [
        {"path": str(paths[0]), "sha256": sha256(first), "outcome": "new", "ticket": 1},
        {"path": str(paths[1]), "sha256": sha256(reply), "outcome": "joined", "ticket": 1},
        {"path": str(paths[2]), "sha256": sha256(forged), "outcome": "held", "ticket": None},
        {"path": str(paths[3]), "sha256": sha256(ours), "outcome": "dropped", "ticket": None},
        {"path": str(paths[4]), "sha256": sha256(first), "outcome": "known", "ticket": 1},
    ]


def test_same_bytes_again_are_known_and_change_nothing(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "a.eml", mail(1))
    run("mail", "take", path)
    before = run("export", "events").stdout

    again = run("mail", "take", path)

    assert again.stdout == f"{sha256(mail(1))} known 1 {path}\n"
    assert run("export", "events").stdout == before


def test_stored_bytes_come_out_again_exactly(run: Run, tmp_path: Path) -> None:
    content = mail(1) + b"bare\nlf and \xff\x00 and no end"
    run("mail", "take", write(tmp_path / "a.eml", content))

    assert run("mail", "raw", sha256(content)).stdout_bytes == content


def test_import_is_silent(run: Run, tmp_path: Path) -> None:
    run("mail", "take", "--import", write(tmp_path / "a.eml", mail(1)))

    (created,) = [
        event
        for event in map(json.loads, run("export", "events").stdout.splitlines())
        if event["event"] == "ticket.created"
    ]
    assert created["data"]["channel"] == "import"
    assert loaded(run("mail", "outbox", "--json")) == []


def test_mail_that_is_missing_does_not_stop_the_others(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "a.eml", mail(1))

    result = run("mail", "take", tmp_path / "missing", path)

    assert result.exit_code == 1
    assert result.stdout == f"{sha256(mail(1))} new 1 {path}\n"
    assert result.stderr == f"desk: {tmp_path}/missing does not exist\n"


def test_pipe_takes_one_mail(run: Run) -> None:
    result = run("mail", "take", "-", stdin=FROM + mail(1))

    assert (result.exit_code, result.stdout) == (0, f"{sha256(mail(1))} new 1 -\n")


def test_no_wait_stores_and_leaves_the_rest(run: Run) -> None:
    result = run("mail", "take", "--no-wait", "-", stdin=mail(1))

    assert (result.exit_code, result.stdout) == (0, f"{sha256(mail(1))} waiting - -\n")
    assert loaded(run("status", "--json"))["inbox"] == 1


@pytest.mark.parametrize("fault", ["no home", "broken settings", "no mail"])
def test_pipe_exits_75_when_nothing_was_stored(run: Run, home: Path, tmp_path: Path, fault: str) -> None:
    if fault == "broken settings":
        (home / "desk.toml").write_text("[desk]\nname = ")
    where = tmp_path / "nowhere" if fault == "no home" else home

    result = invoke("--home", where, "mail", "take", "-", stdin=b"" if fault == "no mail" else mail(1))

    assert (result.exit_code, result.stdout) == (75, "")
    assert result.stderr.count("\n") == 1


def test_envelope_says_the_door_and_that_files_are_trusted(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Envelope] = []
    accept = spool.accept
    monkeypatch.setattr(spool, "accept", lambda store, raw, by: seen.append(by) or accept(store, raw, by))
    write(tmp_path / "maildir" / "cur" / "3.x", mail(3))
    write(tmp_path / "box", FROM + mail(4) + b"\n")

    run(
        "mail",
        "take",
        "--no-wait",
        write(tmp_path / "a.eml", mail(1)),
        tmp_path / "maildir",
        tmp_path / "box",
    )

    assert seen == [Envelope(door=door, is_trusted=True) for door in ("pipe", "maildir", "mbox")]


def test_beside_a_running_desk_the_daemon_does_the_work(run: Run, home: Path, tmp_path: Path) -> None:
    settings = (home / "desk.toml").read_text().replace("127.0.0.1:2525", "127.0.0.1:0")
    (home / "desk.toml").write_text(settings)
    running = start_desk(home, tmp_path)
    try:
        assert loaded(run("status", "--json"))["running"]

        result = run("mail", "take", "-", stdin=mail(1))

        assert result.stdout == f"{sha256(mail(1))} new 1 -\n"
        assert "mail filed inbox=1" in running.errors.read_text()
    finally:
        running.stop(signal.SIGTERM)


def test_taking_process_that_is_killed_leaves_the_mail_for_the_next(run: Run, home: Path) -> None:
    run("mail", "take", "--no-wait", "-", stdin=mail(1))

    result = run("mail", "take", "-", stdin=mail(2))

    assert result.stdout == f"{sha256(mail(2))} new 2 -\n"
    assert [row["number"] for row in loaded(run("ticket", "list", "--json"))] == [2, 1]


def test_two_commands_at_once_take_each_mail_once(run: Run, home: Path, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("desk")
    paths = [write(tmp_path / f"{n}.eml", mail(n)) for n in range(6)]
    command = [program, "--home", home, "mail", "take", *paths]

    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    outputs = [process.communicate()[0].decode() for process in both]

    words = [line.split()[1:3] for output in outputs for line in output.splitlines()]
    assert {outcome for outcome, _ in words} <= {"new", "known"}
    assert len(loaded(run("ticket", "list", "--json"))) == 6
