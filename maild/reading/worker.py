"""The body of a reader process: a mail in, a Letter out, until the pipe ends.

A reader imports only what reading needs, has hard limits, and holds nothing that outlives a mail.
Reads and writes: one pipe. Frames in: one byte of mode, then the raw mail. Frames out: one byte of outcome,
then the Letter as msgpack or a reason as UTF-8.
On failure: tells the reason if it still can and ends; the pool starts a fresh one.
"""

from __future__ import annotations

import resource
import signal
import time
from contextlib import suppress
from multiprocessing.connection import Connection

import msgspec

from maild.reading.entry import FAILED, FAULTS, LETTER, READY
from maild.reading.letter import read_degraded, read_letter

NORMAL, DEGRADED = b"N", b"D"

_ENCODER = msgspec.msgpack.Encoder()


def serve(connection: Connection, memory_bytes: int, cpu_s: int) -> None:
    """Read mails until the other side closes the pipe (so a reader dies with its daemon)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which drains first
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(EOFError, ConnectionError):  # the daemon is gone, or has no more mail for us
        connection.send_bytes(READY)
        while _serve_one(connection, cpu_s):
            pass


def _serve_one(connection: Connection, cpu_s: int) -> bool:
    """Read one mail; False when this process is not to be trusted with another."""
    try:
        frame = connection.recv_bytes()
        _allow_cpu(cpu_s)
        answer = LETTER + _ENCODER.encode(_read(frame))
    except FAULTS as fault:
        connection.send_bytes(FAILED + _reason(fault).encode())
        return False
    connection.send_bytes(answer)
    return True


def _read(frame: bytes) -> object:
    mode, raw = frame[:1], frame[1:]
    if mode == DEGRADED:
        return read_degraded(raw)
    return read_letter(raw)


def _allow_cpu(cpu_s: int) -> None:
    """The limit is of the whole life of a process, so each mail raises it by its share."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + cpu_s + 1, hard))


def _reason(fault: BaseException) -> str:
    """Kind and place of a fault; never its text, which may hold words of the mail."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" in {trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace is not None else ""
    return f"{type(fault).__name__}{place}"
