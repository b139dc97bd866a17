"""Put letters into a Maildir instead of sending them: trials and demonstrations; any mail reader opens it.

Written as the format wants it: into tmp/, synced, renamed into new/. The same letter put twice is two files
with one Message-ID. Reference: maildir(5).
"""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

from desk import clock
from maild.deliver.routes import Answer, Refused


class MaildirRoute:
    """A folder that letters end in; made when it is missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, raw: bytes, *, sender: str, recipient: str) -> Answer:
        """Write one letter as a file, with the envelope in two fields before it.

        Raises:
            Refused: the file could not be written.
        """
        name = (
            f"{clock.now_us() // 1_000_000}.{secrets.token_hex(8)}.{socket.gethostname().replace('/', '_')}"
        )
        head = f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n".encode()
        try:
            for part in ("tmp", "new", "cur"):
                (self._folder / part).mkdir(parents=True, exist_ok=True)
            self._put((head + raw).replace(b"\r\n", b"\n"), name)
        except OSError as error:
            raise Refused(
                None, f"cannot write into {self._folder}: {error.strerror}", is_final=False
            ) from error
        return Answer(None, f"put into {self._folder.name}")

    def _put(self, content: bytes, name: str) -> None:
        path = self._folder / "tmp" / name
        try:
            with path.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            path.rename(self._folder / "new" / name)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        _sync_folder(self._folder / "new")  # without it a power cut may take the name back

    def rest(self) -> None:
        """Nothing is kept open."""

    def abandon(self) -> None:
        """A file is written in no time."""

    def close(self) -> None:
        """Nothing is kept open."""


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
