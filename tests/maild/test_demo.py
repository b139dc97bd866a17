"""`desk demo`: its mails are what they claim to be, and the whole play leaves a desk that one can try things on."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maild.demo.script import Letter, Script
from maild.reading.letter import read_letter

DESK = Path(sys.executable).with_name("desk")
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LETTER = Letter(
    7, "<t@demo.example>", "support+x@demo.example", "support+v@demo.example", "Re: VPN [#7]", "Hello"
)


def script(seed: int = 1) -> Script:
    return Script(seed=seed, address="support@demo.example", now=NOW)


def test_same_seed_tells_the_same_story() -> None:
    first, again, other = ([opening.mail.raw for opening in script(seed).openings(30)] for seed in (1, 1, 2))

    assert first == again
    assert first != other
    assert len(set(first)) == 30


def test_every_opening_is_read_as_it_was_written() -> None:
    for opening in script().openings(60):
        letter = read_letter(opening.mail.raw)

        assert letter.sender is not None
        assert (letter.sender.address, letter.subject) == (opening.tale.teller.address, opening.tale.subject)
        assert letter.kind == ("monitor" if opening.is_machine else "human")
        assert [line for line in letter.text.split("\n") if line.strip()] == [
            line for line in opening.tale.text.split("\n") if line.strip()
        ]
        assert letter.defects == []


def test_first_openings_show_each_form() -> None:
    letters = [read_letter(opening.mail.raw) for opening in script().openings(8)]

    assert [letter.charset for letter in letters[2:4]] == ["cp950", "gb18030"]
    assert letters[1].html
    assert [attachment.name for attachment in letters[4].attachments] == ["screenshot.png", "spooler.log"]
    assert [letter.kind for letter in letters].count("monitor") == 1


@pytest.mark.parametrize(
    ("make", "kind", "sender", "recipient"),
    [
        ("bounce", "bounce", "", LETTER.return_path),
        ("away", "auto-reply", "", LETTER.return_path),
        ("stranger", "human", "somebody@elsewhere.example", "support@demo.example"),
    ],
)
def test_machines_and_strangers_answer_as_they_do(make: str, kind: str, sender: str, recipient: str) -> None:
    play = script()
    told = play.openings(1)[0].tale

    mail = getattr(play, make)(told, LETTER)

    assert (read_letter(mail.raw).kind, mail.sender, mail.recipient) == (kind, sender, recipient)


def test_requester_answers_to_the_token_with_the_letters_id() -> None:
    play = script()
    told = play.openings(1)[0].tale

    mail = play.answer(told, LETTER, "It works.")
    letter = read_letter(mail.raw)

    assert mail.recipient == LETTER.reply_to
    assert letter.in_reply_to == [LETTER.identity]
    assert letter.new_text().strip() == "It works."


def test_demo_leaves_a_desk_with_threads_answers_and_a_held_letter(tmp_path: Path) -> None:
    home = tmp_path / "demo"

    run = subprocess.run(
        [DESK, "demo", "--home", home, "--tickets", "12"], capture_output=True, text=True, check=False
    )

    assert (run.returncode, run.stdout.splitlines()[0]) == (
        0,
        "16 mails came in over SMTP, 15 letters went out.",
    ), run.stderr
    tickets = _json(home, "ticket", "list", "--limit", "0")
    assert sorted(ticket["number"] for ticket in tickets) == list(range(1, 13))
    assert {ticket["owner"] for ticket in tickets} == {None, "t1", "lead"}
    assert "resolved" in {ticket["status"] for ticket in tickets}
    assert [held["reason"].split()[0] for held in _json(home, "mail", "held")] == [
        "somebody@elsewhere.example"
    ]
    status = _json(home, "status")
    assert (status["inbox"], status["parked"], status["outbox"]["waiting"], status["running"]) == (
        0,
        0,
        0,
        False,
    )
    kinds = [
        message["kind"]
        for ticket in tickets
        for message in _json(home, "ticket", "show", str(ticket["number"]))["messages"]
    ]
    assert (kinds.count("bounce"), kinds.count("auto-reply"), kinds.count("note")) == (1, 1, 1)


def test_demo_does_not_touch_a_home_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text("# mine\n", encoding="utf-8")

    run = subprocess.run([DESK, "demo", "--home", tmp_path], capture_output=True, text=True, check=False)

    assert (run.returncode, run.stdout) == (1, "")
    assert "desk.toml exists" in run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["desk.toml"]


def test_demo_never_uses_the_home_of_the_environment(tmp_path: Path) -> None:
    run = subprocess.run(
        [DESK, "demo", "--tickets", "12"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "DESK_HOME": str(tmp_path / "real"), "TMPDIR": str(tmp_path)},
    )

    assert run.returncode == 0, run.stderr
    assert list(tmp_path.iterdir()) == []


def _json(home: Path, *arguments: str) -> object:
    run = subprocess.run(
        [DESK, "--home", home, "--json", *arguments], capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)
