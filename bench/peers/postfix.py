"""A throw-away Postfix on loopback that accepts into its own queue.

Two ways. Holding: every mail goes to the hold queue; the queue file is written and synced by cleanup before
the 250, as always, but no queue manager and no delivery agent works beside it, so that all of the machine is
left to acceptance. Delivering: the queue manager hands every mail to Postfix's own `discard`, which is the
fair peer of a desk that goes on working at what it took.
Kind to it in both: no DNS, no TLS, no chroot, no milter, no rate limits, in_flow_delay off, an smtpd for
every connection.
Reads: the machine's Postfix (its daemons, not its configuration). Writes: one folder with configuration,
queue and data. Needs root, as Postfix's master does. Ended by the pid of its master.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_MAIN = {
    "compatibility_level": "3.6",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "myhostname": "peer.desk.example",
    "mydestination": "",
    "mynetworks": "127.0.0.0/8",
    "local_recipient_maps": "",
    "alias_maps": "",
    "alias_database": "",
    "default_transport": "discard",
    "relay_transport": "discard",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtpd_peername_lookup": "no",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_client_connection_rate_limit": "0",
    "smtpd_client_message_rate_limit": "0",
    "in_flow_delay": "0",
    "maillog_file": "/dev/stdout",
}
_QUEUES = [
    "active",
    "bounce",
    "corrupt",
    "defer",
    "deferred",
    "flush",
    "hold",
    "incoming",
    "private",
    "saved",
    "trace",
]
_SERVICES = """\
{port} inet n - n - {processes} smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class PeerMissing(Exception):
    """This peer cannot be run here, and why."""


@contextmanager
def running(
    folder: Path, *, hold: bool, connections: int = 20, start_timeout_s: float = 20.0
) -> Iterator[tuple[str, int]]:
    """Run Postfix in `folder` (made, must not exist) for the length of the block; gives host and port.

    Raises:
        PeerMissing: no Postfix on this machine, not root, or it does not come up.
    """
    if os.geteuid() != 0:
        raise PeerMissing("Postfix's master process must be started as root")
    daemons, port = Path(_setting("daemon_directory")), _free_port()
    _configure(folder, port, hold=hold, processes=connections + 5)
    with (folder / "log").open("wb") as log:
        master = subprocess.Popen([daemons / "master", "-c", folder / "etc", "-s"], stdout=log, stderr=log)
        try:
            _wait_for(port, master, folder / "log", start_timeout_s)
            yield "127.0.0.1", port
        finally:
            _end(master)


def held(folder: Path) -> int:
    """How many mails lie in the hold queue of `folder`: the proof that what got a 250 was kept."""
    return sum(1 for path in (folder / "queue" / "hold").rglob("*") if path.is_file())


def _setting(name: str) -> str:
    command = shutil.which("postconf", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if command is None:
        raise PeerMissing("Postfix is not installed (apt-get install postfix)")
    return subprocess.run([command, "-dh", name], check=True, capture_output=True, text=True).stdout.strip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _configure(folder: Path, port: int, *, hold: bool, processes: int) -> None:
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)  # Postfix's own user passes through it, whatever the umask
    for name in ("etc", "queue", "data"):
        (folder / name).mkdir(mode=0o755)
    settings = _MAIN | {"queue_directory": str(folder / "queue"), "data_directory": str(folder / "data")}
    if hold:
        settings["smtpd_sender_restrictions"] = "static:HOLD"
    lines = [f"{name} = {value}\n" for name, value in settings.items()]
    services = _SERVICES.format(port=f"127.0.0.1:{port}", processes=processes)
    for name, text in (("main.cf", "".join(lines)), ("master.cf", services)):
        (folder / "etc" / name).write_text(text)
        os.utime(folder / "etc" / name, (0, 0))  # Postfix waits two seconds for a file changed just now
    shutil.chown(folder / "data", "postfix")
    (folder / "queue" / "pid").mkdir(mode=0o755)
    for name in _QUEUES:
        (folder / "queue" / name).mkdir(mode=0o700)
        shutil.chown(folder / "queue" / name, "postfix")
    for name, mode in (("public", 0o710), ("maildrop", 0o1730)):
        (folder / "queue" / name).mkdir()
        shutil.chown(folder / "queue" / name, "postfix", "postdrop")
        (folder / "queue" / name).chmod(mode)


def _end(master: subprocess.Popen[bytes], *, timeout_s: float = 20.0) -> None:
    """End the master by its pid; it tells the daemons of its own process group, which are waited for."""
    master.send_signal(signal.SIGTERM)
    master.wait(timeout=timeout_s)
    deadline = time.monotonic() + timeout_s
    with suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(master.pid, 0)
            time.sleep(0.02)


def _wait_for(port: int, master: subprocess.Popen[bytes], log: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and master.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
                if probe.recv(512).startswith(b"220"):
                    probe.sendall(b"QUIT\r\n")
                    return
        except OSError:
            time.sleep(0.05)
    raise PeerMissing(f"Postfix did not come up: {log.read_text(errors='replace')[-500:]}")
