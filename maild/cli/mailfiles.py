"""Mails in files: single ones, folders of .eml, Maildirs and mboxes, one after the other.

Trust: the files are the admin's choice, what is in them is not. Each mail is held in memory alone, and the
work is linear in the size of a file. Standards: RFC 4155 and mboxrd (`>From ` loses one `>`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from desk.errors import Invalid, NotFound

MAX_BYTES = 200_000_000  # of one mail; the store keeps up to 256 MiB
_FROM = b"From "
_QUOTED = re.compile(rb">+From ")
_TIME = re.compile(rb"\d:\d\d")  # a line of text that begins with "From " seldom tells the time


@dataclass(frozen=True, slots=True)
class MailFile:
    """One mail. `path` names it for people; `form` is pipe, maildir or mbox."""

    path: str
    form: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """A file with one or more mails; `size` in bytes, for progress."""

    path: Path
    form: str
    size: int


def places(path: Path) -> list[Place]:
    """The files behind an argument, sorted by name: itself, those of a Maildir, or all .eml below a folder.

    Raises:
        NotFound: there is no such file, or no mail in the folder. OSError: it cannot be read.
    """
    if not path.exists():
        raise NotFound(f"{path} does not exist")
    if not path.is_dir():
        return [place_of(path)]
    if (path / "cur").is_dir() or (path / "new").is_dir():
        files = [file for name in ("new", "cur") for file in (path / name).glob("[!.]*") if file.is_file()]
        return [Place(file, "maildir", file.stat().st_size) for file in sorted(files, key=_by_name)]
    files = sorted(file for file in path.rglob("*.eml") if file.is_file())
    if not files:
        raise NotFound(f"{path} holds no .eml file and is no Maildir (no new/ and cur/ in it)")
    return [Place(file, "pipe", file.stat().st_size) for file in files]


def place_of(path: Path) -> Place:
    """A single file, whether it holds one mail or an mbox.

    Raises:
        OSError: it cannot be read.
    """
    return Place(path, _form_of(path), path.stat().st_size)


def _by_name(file: Path) -> tuple[str, str]:
    return file.name, file.parent.name


def _form_of(path: Path) -> str:
    """An mbox begins with a From_ line; a file named .eml is one mail whatever it begins with."""
    if path.suffix.lower() == ".eml":
        return "pipe"
    with path.open("rb") as file:
        return "mbox" if file.read(len(_FROM)) == _FROM else "pipe"


def mails_in(place: Place) -> Iterator[MailFile]:
    """The mails of a file, in order; for an mbox with several their paths end in #1, #2 ...

    Raises:
        Invalid: a mail is larger than can be kept. OSError: the file cannot be read.
    """
    if place.form != "mbox":
        if place.size > MAX_BYTES:
            raise Invalid(f"{place.path} has {place.size} bytes; a mail may have {MAX_BYTES}")
        yield MailFile(str(place.path), place.form, place.path.read_bytes())
        return
    with place.path.open("rb") as file:
        yield from _numbered(str(place.path), split_mbox(file))


def _numbered(path: str, contents: Iterator[bytes]) -> Iterator[MailFile]:
    first, second = next(contents, None), next(contents, None)
    if first is not None:
        yield MailFile(path if second is None else f"{path}#1", "mbox", first)
    if second is not None:
        yield MailFile(f"{path}#2", "mbox", second)
    for number, content in enumerate(contents, 3):
        yield MailFile(f"{path}#{number}", "mbox", content)


def split_mbox(file: BinaryIO) -> Iterator[bytes]:
    """The mails of an mbox without their From_ lines and without the blank line behind each.

    A mail begins at a line `From ` with a time of day, at the start or behind a blank line.

    Raises:
        Invalid: a mail is larger than can be kept.
    """
    lines: list[bytes] = []
    size = 0
    has_begun = False
    was_blank = True
    for line in iter(lambda: file.readline(MAX_BYTES), b""):
        if was_blank and line.startswith(_FROM) and (not has_begun or _TIME.search(line[:1000])):
            if has_begun:
                yield _without_last_blank(lines)
            lines, size, has_begun = [], 0, True
        else:
            lines.append(line[1:] if _QUOTED.match(line) else line)
            size += len(line)
            if size > MAX_BYTES:
                raise Invalid(f"a mail in the mbox has more than {MAX_BYTES} bytes")
        was_blank = line in (b"\n", b"\r\n")
    if has_begun:
        yield _without_last_blank(lines)


def _without_last_blank(lines: list[bytes]) -> bytes:
    if len(lines) > 1 and lines[-1] in (b"\n", b"\r\n"):
        lines = lines[:-1]
    return b"".join(lines)


def from_pipe(file: BinaryIO) -> MailFile:
    """The one mail on stdin; the From_ line that an MTA may put before it is no part of it.

    Raises:
        Invalid: it is empty, or larger than can be kept.
    """
    content = file.read(MAX_BYTES + 1)
    if content.startswith(_FROM):
        content = content.partition(b"\n")[2]
    if not content:
        raise Invalid("there is no mail on stdin")
    if len(content) > MAX_BYTES:
        raise Invalid(f"the mail on stdin has more than {MAX_BYTES} bytes")
    return MailFile("-", "pipe", content)
