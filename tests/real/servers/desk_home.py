"""A throw-away home for example.org, and the `desk` command on it, as an admin and a technician use it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.servers.desk_process import DESK
from tests.real.servers.loopback import HOST, wait_until

ADDRESS = "support@example.org"


@dataclass(frozen=True)
class Home:
    """An initialised home. `store_url` names its database server; None is the file desk.db."""

    path: Path
    store_url: str | None = None

    def run(self, *arguments: str | Path, given: bytes | None = None) -> bytes:
        """What the command prints.

        Raises:
            AssertionError: it was refused; the text is what it said.
        """
        done = self.attempt(*arguments, given=given)
        assert done.returncode == 0, f"desk {arguments}: {done.stderr.decode(errors='replace')}"
        return done.stdout

    def attempt(
        self, *arguments: str | Path, given: bytes | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the command and say how it ended."""
        command = [str(DESK), "--home", str(self.path), *map(str, arguments)]
        return subprocess.run(command, input=given or b"", capture_output=True, timeout=60, check=False)

    def json(self, *arguments: str | Path) -> Any:
        """What the command prints with --json."""
        return json.loads(self.run(*arguments, "--json"))

    def tickets(self) -> list[dict[str, Any]]:
        """All tickets by number."""
        return sorted(self.json("ticket", "list", "--limit", "0"), key=lambda ticket: int(ticket["number"]))

    def ticket(self, number: int) -> Any:
        """A ticket with its messages and events."""
        return self.json("ticket", "show", str(number))

    def status(self) -> Any:
        """The depths of the queues."""
        return self.json("status")

    def wait_until_idle(self, *, timeout_s: float = 30.0, letters: bool = True) -> None:
        """Return when no mail waits to be read and, unless told otherwise, no letter to be sent."""
        wait_until(lambda: self._is_idle(letters=letters), "an idle desk", timeout_s=timeout_s)

    def _is_idle(self, *, letters: bool) -> bool:
        status = self.status()
        return status["inbox"] == 0 and (not letters or status["outbox"]["waiting"] == 0)

    def configure(self, **sections: Mapping[str, Any]) -> None:
        """Write desk.toml anew: the usual one with these sections."""
        every: dict[str, Mapping[str, Any]] = {
            "desk": {"domain": "example.org", "addresses": [ADDRESS], "timezone": "Asia/Taipei"},
            "smtp": {"listen": f"{HOST}:0", "hostname": "desk.example.org"},
            "store": {"url": self.store_url or "sqlite:desk.db"},
            "limits": {"acks_to_new_addresses": 0, "new_tickets_per_sender": 0, "acks_per_address": 0},
        }
        every |= {name: {**every.get(name, {}), **section} for name, section in sections.items()}
        lines = []
        for name, section in every.items():
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in section.items()), ""]
        new = self.path / "desk.toml.new"
        new.write_text("\n".join(lines), encoding="utf-8")
        new.replace(self.path / "desk.toml")


def make_home(path: Path, store_url: str | None = None, **sections: Mapping[str, Any]) -> Home:
    """`desk init`, then these sections in desk.toml beside a free port; t1 is a technician."""
    home = Home(path, store_url)
    home.run("init", "--domain", "example.org", "--timezone", "Asia/Taipei")
    home.configure(**sections)
    home.run("people", "add", "t1", "--email", "t1@example.org", "--name", "T One", "--role", "technician")
    return home


def to_smarthost(port: int, **more: Any) -> dict[str, Any]:
    """The section [smarthost] for a server on loopback."""
    return {"host": HOST, "port": port, **more}
