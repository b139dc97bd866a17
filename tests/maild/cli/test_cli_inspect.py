"""`desk mail inspect`: the JSON of the contract, without any home."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.command_line import invoke

MAIL = b"""From: "A" <a@example.com>
To: support@example.org
Cc: b@example.com
Subject: Printer
Message-ID: <1@example.com>
Date: Fri, 20 Nov 2026 12:00:00 +0000
Content-Type: text/plain; charset=utf-8

It burns.

> Does it?
"""


@pytest.fixture(autouse=True)
def without_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DESK_HOME", str(tmp_path / "no-home"))


def test_mail_is_shown_with_every_field_of_the_contract(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(MAIL)

    result = invoke("mail", "inspect", tmp_path / "a.eml")

    text = "It burns.\n\n> Does it?"
    (line,) = result.stdout.splitlines()
    shown = json.loads(line)
    assert text == shown["text"].rstrip("\n")
    assert {**shown, "text": "", "spans": [], "language": None, "charset": None} == {
        "file": f"{tmp_path}/a.eml",
        "sha256": hashlib.sha256(MAIL).hexdigest(),
        "subject": "Printer",
        "from": {"name": "A", "address": "a@example.com"},
        "to": [{"name": "", "address": "support@example.org"}],
        "cc": [{"name": "", "address": "b@example.com"}],
        "reply_to": [],
        "message_id": "<1@example.com>",
        "in_reply_to": [],
        "references": [],
        "date": "2026-11-20T12:00:00Z",
        "text": "",
        "spans": [],
        "html": False,
        "attachments": [],
        "kind": "human",
        "bounce": None,
        "language": None,
        "charset": None,
        "guessed": False,
        "degraded": False,
        "defects": [],
    }
    assert [span["role"] for span in shown["spans"]] == ["new", "quote"]
    assert not (tmp_path / "no-home").exists()


def test_many_files_keep_their_order_and_a_missing_one_is_told_at_the_end(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.eml" for number in range(12)]
    for path in paths:
        path.write_bytes(MAIL + path.name.encode())
    paths.insert(3, tmp_path / "missing.eml")

    result = invoke("mail", "inspect", *paths)

    shown = [json.loads(line)["file"] for line in result.stdout.splitlines()]
    assert shown == [str(path) for path in paths if path.name != "missing.eml"]
    assert result.stderr == f"desk: {tmp_path}/missing.eml: No such file or directory\n"
    assert result.exit_code == 1


def test_mbox_is_read_as_it_is_taken(tmp_path: Path) -> None:
    begin = b"From a@example.com Fri Nov 20 12:00:00 2026\n"
    (tmp_path / "one").write_bytes(begin + MAIL + b"\n")
    (tmp_path / "two").write_bytes((begin + MAIL + b"\n") * 2)

    result = invoke("mail", "inspect", tmp_path / "one", tmp_path / "two")
    piped = invoke("mail", "inspect", "-", stdin=begin + MAIL)

    shown = [json.loads(line) for line in (result.stdout + piped.stdout).splitlines()]
    assert [one["file"] for one in shown] == [
        f"{tmp_path}/one",
        f"{tmp_path}/two#1",
        f"{tmp_path}/two#2",
        "-",
    ]
    assert {one["sha256"] for one in shown} == {hashlib.sha256(MAIL).hexdigest()}


def test_file_that_is_no_mail_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "empty").write_bytes(b"")

    result = invoke("mail", "inspect", tmp_path / "noise", tmp_path / "empty")

    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert [(one["from"], one["message_id"]) for one in shown] == [(None, None), (None, None)]
