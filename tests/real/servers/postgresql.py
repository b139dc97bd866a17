"""A PostgreSQL cluster of our own: made by initdb, without fsync unless asked, gone afterwards."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from tests.real.servers.loopback import HOST, free_port, server_folder, wait_until
from tests.real.servers.programs import require_postgresql_program

# What a crash of the machine would lose does not matter to a cluster that lives for one test run.
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_SETTINGS = {
    "listen_addresses": HOST,
    "shared_buffers": "32MB",
    "max_connections": "100",
    "autovacuum_naptime": "1h",
}


@dataclass
class PostgreSQL:
    """One running cluster. `folder` holds `data/`, the socket and `postgresql.log`."""

    folder: Path
    port: int
    is_durable: bool
    _process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, database: str = "postgres") -> str:
        """The URL of a database of this cluster, for its superuser, over TCP."""
        return f"postgresql://postgres@{HOST}:{self.port}/{database}"

    def fresh_database(self) -> str:
        """Make an empty database and return its URL."""
        name = f"desk_{next(self._numbers)}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database made by `fresh_database`, whoever is still connected to it."""
        self._administer(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def start(self) -> None:
        """Start the server and wait until it answers; also after `stop`."""
        settings = _SETTINGS | ({} if self.is_durable else _NOT_DURABLE)
        settings |= {"port": str(self.port), "unix_socket_directories": str(self.folder)}
        command = [str(require_postgresql_program("postgres")), "-D", str(self.folder / "data")]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "postgresql.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True, **_unprivileged()
            )
        wait_until(self._answers, f"PostgreSQL, see {self.folder}/postgresql.log", timeout_s=30)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server by its process id: SIGINT is a fast shutdown, SIGQUIT as good as a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop and start on the same port; every connection is lost."""
        self.stop(how)
        self.start()

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError((self.folder / "postgresql.log").read_text(errors="replace")[-2000:])
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running_postgresql(*, is_durable: bool = False) -> Iterator[PostgreSQL]:
    """Make a cluster, run it, remove it. Skips the test where PostgreSQL is not installed."""
    initdb = require_postgresql_program("initdb")
    with server_folder("postgresql") as folder:
        user = _unprivileged()
        if user:
            os.chown(folder, user["user"], user["group"])
        command = [str(initdb), "--pgdata", str(folder / "data"), "--username", "postgres"]
        command += ["--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C.UTF-8"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **user)
        server = PostgreSQL(folder, free_port(), is_durable)
        try:
            server.start()
            yield server
        finally:
            server.stop(signal.SIGINT if is_durable else signal.SIGQUIT)


def _unprivileged() -> dict[str, Any]:
    """As whom to run: PostgreSQL refuses root; everybody else runs it as himself."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
