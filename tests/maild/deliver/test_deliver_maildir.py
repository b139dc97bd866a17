"""Letters into a Maildir: whole files that any mail reader opens."""

from __future__ import annotations

import mailbox
from datetime import timedelta
from pathlib import Path

import pytest

from desk import clock
from desk.states import OutboxState
from maild.deliver.maildir import MaildirRoute
from maild.deliver.routes import Refused
from tests.maild.deliver.delivery import Office, letter_bytes

ENVELOPE = {"sender": "support@example.org", "recipient": "a@example.net"}


def test_letters_are_files_that_a_mail_reader_opens(office: Office) -> None:
    office.sends_to(maildir=Path("outgoing"))
    letters = [office.write(n) for n in (1, 2)]

    office.run()

    folder = mailbox.Maildir(office.desk.home / "outgoing", create=False)
    assert sorted(mail["Message-ID"] for mail in folder) == ["<1@example.org>", "<2@example.org>"]
    assert {mail["Delivered-To"] for mail in folder} == {"a@example.net"}
    assert [office.state(letter).state for letter in letters] == [OutboxState.SENT] * 2


def test_file_holds_the_letter_with_newlines_of_this_system(tmp_path: Path) -> None:
    MaildirRoute(tmp_path / "out").send(letter_bytes(1), **ENVELOPE)

    (file,) = (tmp_path / "out" / "new").iterdir()
    head = b"Return-Path: <support@example.org>\nDelivered-To: a@example.net\n"
    assert file.read_bytes() == head + letter_bytes(1).replace(b"\r\n", b"\n")
    assert list((tmp_path / "out" / "tmp").iterdir()) == []


def test_same_letter_twice_is_two_files_with_one_message_id(tmp_path: Path) -> None:
    route = MaildirRoute(tmp_path / "out")

    for _ in range(2):
        route.send(letter_bytes(1), **ENVELOPE)

    folder = mailbox.Maildir(tmp_path / "out", create=False)
    assert [mail["Message-ID"] for mail in folder] == ["<1@example.org>"] * 2


def test_folder_that_cannot_be_written_is_a_refusal_for_now(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file in its place")

    with pytest.raises(Refused) as refusal:
        MaildirRoute(tmp_path / "out").send(letter_bytes(1), **ENVELOPE)

    assert refusal.value.is_final is False
    assert refusal.value.text.startswith(f"cannot write into {tmp_path / 'out'}: ")


def test_file_that_could_not_be_finished_is_taken_away(tmp_path: Path) -> None:
    route = MaildirRoute(tmp_path / "out")
    route.send(letter_bytes(1), **ENVELOPE)
    (tmp_path / "out" / "new").rename(tmp_path / "elsewhere")
    (tmp_path / "out" / "new").symlink_to(tmp_path / "full" / "disk")

    with pytest.raises(Refused):
        route.send(letter_bytes(2), **ENVELOPE)

    assert list((tmp_path / "out" / "tmp").iterdir()) == []


def test_letter_goes_once_the_folder_can_be_written(office: Office) -> None:
    office.sends_to(maildir=Path("outgoing"))
    blocker = office.desk.home / "outgoing"
    blocker.write_text("a file in its place")
    letter = office.write(1)

    office.run()
    waiting = office.state(letter).state
    blocker.unlink()
    clock.advance(timedelta(minutes=2))
    office.run()

    assert (waiting, office.state(letter).state) == (OutboxState.WAITING, OutboxState.SENT)
