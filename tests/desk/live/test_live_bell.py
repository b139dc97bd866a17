"""The doorbell between processes: it rings, it never hurts, and it cleans up after the dead."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from desk.live.bell import Bell, Listener
from tests.real.servers.loopback import server_folder, wait_until


def test_every_listener_hears_one_ring() -> None:
    with server_folder("bell") as home:
        bell = Bell(home / "run")
        with bell.listen() as first, bell.listen() as second:
            bell.ring()

            assert (first.wait(5), second.wait(5)) == (True, True)


def test_a_new_listener_is_rung_at_once() -> None:
    with server_folder("bell") as home:
        bell = Bell(home / "run")
        heard = []
        with bell.listen():
            for _ in range(100):
                bell.ring()
                with bell.listen() as new:
                    bell.ring()
                    heard.append(new.wait(0))

        assert heard == [True] * 100


def test_the_list_of_listeners_is_used_again_for_a_moment_only() -> None:
    with server_folder("bell") as home:
        run = home / "run"
        bell = Bell(run)
        with bell.listen() as known, ExitStack() as late:

            def is_overlooked() -> bool:
                """Come so that the folder does not show it: only who lists it anew will know."""
                bell.ring()
                known.drain()
                known.wait(0.05)  # a tick of the kernel's clock
                bell.ring()
                hidden.append(late.enter_context(_unseen(bell, run)))
                bell.ring()
                return not hidden[-1].wait(0)

            hidden: list[Listener] = []
            wait_until(is_overlooked, "a ring from the list that was kept")

            def is_rung() -> bool:
                bell.ring()
                return hidden[-1].wait(0)

            wait_until(is_rung, "a ring for the one who came unseen")
            assert known.wait(0) is True


@contextmanager
def _unseen(bell: Bell, folder: Path) -> Iterator[Listener]:
    before = folder.stat()
    with bell.listen() as listener:
        os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))
        yield listener


def test_rings_before_the_wait_are_heard_as_one() -> None:
    with server_folder("bell") as home:
        bell = Bell(home / "run")
        with bell.listen() as listener:
            for _ in range(5):
                bell.ring()

            heard = [listener.wait(0), listener.wait(0)]

            assert heard == [True, False]


def test_silence_is_false() -> None:
    with server_folder("bell") as home, Bell(home / "run").listen() as listener:
        assert (listener.wait(0.01), listener.drain()) == (False, False)


def test_a_full_queue_neither_blocks_nor_raises() -> None:
    with server_folder("bell") as home:
        bell = Bell(home / "run")
        with bell.listen() as listener:
            for _ in range(2000):
                bell.ring()

            assert listener.wait(0) is True


def test_an_event_loop_hears_it() -> None:
    async def heard(bell: Bell) -> bool:
        with bell.listen() as listener:
            rang = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(listener, rang.set)
            bell.ring()
            await asyncio.wait_for(rang.wait(), 5)
            loop.remove_reader(listener)
            return listener.drain()

    with server_folder("bell") as home:
        assert asyncio.run(heard(Bell(home / "run"))) is True


def test_another_process_hears_it() -> None:
    with server_folder("bell") as home:
        ready, heard = multiprocessing.Event(), multiprocessing.Event()
        other = multiprocessing.get_context("fork").Process(target=_listen, args=(home / "run", ready, heard))
        other.start()
        assert ready.wait(10)

        Bell(home / "run").ring()

        assert heard.wait(10)
        other.join(10)
        assert list((home / "run").iterdir()) == []


def test_the_socket_of_a_dead_process_is_removed() -> None:
    with server_folder("bell") as home:
        folder = home / "run"
        folder.mkdir()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
            dead.bind(str(folder / "bell-4000000-0.sock"))
        bell = Bell(folder)

        with bell.listen() as listener:
            bell.ring()

            assert listener.wait(5) is True
            assert [path.name for path in folder.iterdir() if "4000000" in path.name] == []


def test_only_the_owner_can_ring() -> None:
    with server_folder("bell") as home, Bell(home / "run").listen():
        [listener] = (home / "run").iterdir()

        modes = [stat.S_IMODE(path.stat().st_mode) for path in (home / "run", listener)]

        assert modes == [0o700, 0o600]


def test_a_path_that_is_too_long_means_no_bell(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / "run"
    folder.mkdir(parents=True)
    bell = Bell(folder)

    with bell.listen() as listener:
        bell.ring()

        assert (listener.is_rung, listener.wait(0.01), listener.fileno() >= 0) == (False, False, True)


def test_a_home_that_is_missing_means_no_bell(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "gone" / "run")

    with bell.listen() as listener:
        bell.ring()

        assert (listener.is_rung, listener.wait(0.01)) == (False, False)


def _listen(
    folder: Path, ready: multiprocessing.synchronize.Event, heard: multiprocessing.synchronize.Event
) -> None:
    with Bell(folder).listen() as listener:
        ready.set()
        if listener.wait(10):
            heard.set()
