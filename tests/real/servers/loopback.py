"""What every throw-away server needs: a port, a folder, and waiting for a condition."""

from __future__ import annotations

import random
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
# Below the range from which the kernel takes the ports of outgoing connections: while a server is being
# restarted nobody else gets its port by chance.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A loopback port on which nobody listens."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port


def accepts(port: int) -> bool:
    """Whether something listens on this loopback port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], bool], what: str, *, timeout_s: float = 10.0) -> None:
    """Return as soon as the condition holds.

    Raises:
        TimeoutError: it did not hold in time; the text names `what`.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout_s:g} s still waiting for {what}")
        time.sleep(0.01)


@contextmanager
def server_folder(name: str) -> Iterator[Path]:
    """A new folder, removed afterwards.

    Its path is short, because a socket's path may have 107 bytes, and other users may walk through it,
    because the servers do not run as root.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"desk-{name}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
