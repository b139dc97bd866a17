"""Clients that send mail and keep their own log of what was answered: the oracle of the tests that kill."""

from __future__ import annotations

import hashlib
import smtplib
import socket
import threading
from dataclasses import dataclass, field

from tests.real.servers.desk_home import ADDRESS

PATIENCE_S = 30.0


@dataclass
class Client:
    """Sends its own mails one after the other; what was not answered by 250 is sent again, the same bytes.

    Attributes:
        answered: sha256 of every mail that was answered by 250.
        threads: how many conversations it has begun; every third mail refers to the one before.
    """

    name: str
    answered: set[str] = field(default_factory=set)
    threads: int = 0
    refusals: list[int] = field(default_factory=list)
    _count: int = 0
    _waiting: bytes | None = None

    @property
    def sender(self) -> str:
        return f"{self.name}@example.net"

    def send(self, door: tuple[str, int], count: int, stop: threading.Event | None = None) -> bool:
        """Send so many mails over one connection; False when it broke or was refused on the way."""
        stop = stop or threading.Event()
        try:
            with smtplib.SMTP(*door, timeout=PATIENCE_S) as client:
                for _ in range(count):
                    if stop.is_set():
                        break
                    self.send_next(client)
        except smtplib.SMTPResponseException as refused:
            self.refusals.append(refused.smtp_code)
            return False
        except (smtplib.SMTPException, OSError):
            return False
        return True

    def resend(self, door: tuple[str, int]) -> None:
        """Send once more what was not answered."""
        if self._waiting is not None:
            with smtplib.SMTP(*door, timeout=PATIENCE_S) as client:
                self.send_next(client)

    def send_next(self, client: smtplib.SMTP) -> None:
        """Send the mail that was not answered, or else a new one."""
        if self._waiting is None:
            self._waiting = self._mail()
        client.sendmail(self.sender, [ADDRESS], self._waiting)
        self.answered.add(hashlib.sha256(self._waiting).hexdigest())
        self._waiting = None

    def _mail(self) -> bytes:
        self._count += 1
        number, own = self._count, f"<{self.name}.{self._count}@example.net>"
        lines = [
            f"From: {self.sender}",
            f"To: {ADDRESS}",
            f"Message-ID: {own}",
            f"Subject: {self.name} {number}",
        ]
        if number % 3 == 0:
            lines.append(f"In-Reply-To: <{self.name}.{number - 1}@example.net>")
        else:
            self.threads += 1
        size = 300_000 if number % 10 == 9 else 2_000  # large ones take another way through the door
        text = f"This is mail {number} of {self.name}.\r\n" + ("x" * 70 + "\r\n") * (size // 72)
        return ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


class Crowd:
    """Several clients that send at the same time."""

    def __init__(self, number: int = 4) -> None:
        self.clients = [Client(f"client-{n}") for n in range(number)]
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def answered(self) -> set[str]:
        """What was answered by 250, of all clients."""
        return set().union(*(client.answered for client in self.clients))

    @property
    def threads(self) -> int:
        """How many conversations there are."""
        return sum(client.threads for client in self.clients)

    @property
    def refusals(self) -> list[int]:
        """The codes of the refusals, of all clients."""
        return [code for client in self.clients for code in client.refusals]

    def begin(self, door: tuple[str, int], count: int) -> None:
        """Let each client send so many mails, or fewer when its connection breaks."""
        self._stop.clear()
        self._threads = [
            threading.Thread(target=client.send, args=(door, count, self._stop)) for client in self.clients
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Return when no client sends any more; each finishes the mail it is at."""
        self._stop.set()
        self.wait()

    def wait(self) -> None:
        """Return when all clients are through."""
        for thread in self._threads:
            thread.join()

    def resend(self, door: tuple[str, int]) -> None:
        """Send once more what was not answered, as a mail server does."""
        for client in self.clients:
            client.resend(door)


def greets(door: tuple[str, int]) -> bool:
    """Whether the door answers."""
    try:
        with socket.create_connection(door, timeout=2) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False
