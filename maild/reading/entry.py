"""The first code of a reader process: it loads the rest, and says so when that fails.

A process that dies while loading leaves no more than an exit code, so this module imports next to nothing.
On failure: tells the kind of the exception through the pipe and ends; the pool starts a fresh one.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection

READY, LETTER, FAILED = b"R", b"L", b"F"

# What code or a library with a fault can raise; anything else ends the process.
FAULTS = (ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, MemoryError, NameError,
          OSError, RuntimeError, SyntaxError, TypeError, ValueError)  # fmt: skip


def enter(connection: Connection, memory_bytes: int, cpu_s: int) -> None:
    """Load the worker and let it serve until the other side closes the pipe."""
    try:
        worker = import_module("maild.reading.worker")
    except FAULTS as fault:
        with suppress(OSError):  # the daemon is gone, or does not wait for us
            connection.send_bytes(FAILED + _reason(fault).encode("utf-8", "replace"))
        return
    worker.serve(connection, memory_bytes, cpu_s)


def _reason(fault: BaseException) -> str:
    """No mail has been seen yet, so the text of the exception may be told."""
    return f"reader did not start: {type(fault).__name__}: {str(fault)[:200]}"
