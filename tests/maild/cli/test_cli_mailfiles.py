"""Mails in files, Maildirs and mboxes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from desk.errors import DeskError, Invalid, NotFound
from maild.cli import mailfiles
from maild.cli.mailfiles import MailFile, from_pipe, mails_in, places, split_mbox

FROM = b"From MAILER-DAEMON Fri Nov 20 12:00:00 2026\n"


@pytest.mark.parametrize(
    ("mbox", "mails"),
    [
        (b"", []),
        (FROM + b"A: 1\n\nx\n\n", [b"A: 1\n\nx\n"]),
        (FROM + b"A: 1\n\nx\n\n" + FROM + b"A: 2\n\ny\n\n", [b"A: 1\n\nx\n", b"A: 2\n\ny\n"]),
        (FROM + b"A: 1\n\nx\n\n" + FROM + b"A: 2\n\ny", [b"A: 1\n\nx\n", b"A: 2\n\ny"]),
        (FROM + b"A: 1\n\n>From me\n>>From you\n> From us\n\n", [b"A: 1\n\nFrom me\n>From you\n> From us\n"]),
        (FROM + b"A: 1\n\nx\n\nFrom now on all is well\n\n", [b"A: 1\n\nx\n\nFrom now on all is well\n"]),
        (FROM + b"A: 1\n\nx\n" + FROM + b"\n", [b"A: 1\n\nx\n" + FROM]),
        (b"From a@example.com\r\nA: 1\r\n\r\nx\r\n\r\n", [b"A: 1\r\n\r\nx\r\n"]),
    ],
)  # fmt: skip
def test_mbox_is_split_into_the_mails_as_they_were(mbox: bytes, mails: list[bytes]) -> None:
    assert list(split_mbox(io.BytesIO(mbox))) == mails


def test_mail_in_an_mbox_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailfiles, "MAX_BYTES", 1000)

    with pytest.raises(Invalid, match="more than 1000 bytes"):
        list(split_mbox(io.BytesIO(FROM + b"x" * 2000)))


def _all(path: Path) -> list[MailFile]:
    return [mail for place in places(path) for mail in mails_in(place)]


def test_maildir_gives_new_and_read_mail_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("cur/1.a:2,S", "new/2.b", "tmp/3.c", "new/.hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())

    assert _all(tmp_path) == [
        MailFile(f"{tmp_path}/cur/1.a:2,S", "maildir", b"cur/1.a:2,S"),
        MailFile(f"{tmp_path}/new/2.b", "maildir", b"new/2.b"),
    ]


def test_folder_gives_its_eml_files_by_name(tmp_path: Path) -> None:
    for name in ("b.eml", "a.eml", "sub/c.eml", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")

    assert [Path(mail.path).name for mail in _all(tmp_path)] == ["a.eml", "b.eml", "c.eml"]


def test_empty_maildir_is_no_fault(tmp_path: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()

    assert _all(tmp_path) == []


def test_file_named_eml_is_one_mail_whatever_it_begins_with(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(FROM + b"A: 1\n\n" + FROM)

    assert [mail.content for mail in _all(tmp_path / "a.eml")] == [FROM + b"A: 1\n\n" + FROM]


def test_mails_of_an_mbox_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(FROM + b"A: 1\n\n" + FROM + b"A: 2\n\n")

    assert [(mail.path, mail.form) for mail in _all(tmp_path / "box")] == [
        (f"{tmp_path}/box#1", "mbox"),
        (f"{tmp_path}/box#2", "mbox"),
    ]


def test_only_mail_of_an_mbox_has_no_number(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(FROM + b"A: 1\n\n")

    assert _all(tmp_path / "box") == [MailFile(f"{tmp_path}/box", "mbox", b"A: 1\n")]


def test_folder_without_mail_and_missing_file_are_named(tmp_path: Path) -> None:
    said = []
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(NotFound) as refusal:
            places(path)
        said.append(str(refusal.value))

    assert said == [
        f"{tmp_path} holds no .eml file and is no Maildir (no new/ and cur/ in it)",
        f"{tmp_path}/missing does not exist",
    ]


@pytest.mark.parametrize(
    ("given", "content"), [(b"A: 1\n\nx", b"A: 1\n\nx"), (FROM + b"A: 1\n\nFrom x\n", b"A: 1\n\nFrom x\n")]
)
def test_line_that_an_mta_puts_before_a_piped_mail_is_no_part_of_it(given: bytes, content: bytes) -> None:
    assert from_pipe(io.BytesIO(given)) == MailFile("-", "pipe", content)


@pytest.mark.parametrize("given", [b"", FROM])
def test_empty_pipe_is_refused(given: bytes) -> None:
    with pytest.raises(DeskError, match="no mail on stdin"):
        from_pipe(io.BytesIO(given))
