"""What `desk doctor` looks at: each check yields what it found, a fault always with its remedy.

Reads: the home, the store, the machine's clock, disk, ports and resolver. Writes nothing.
"""

from __future__ import annotations

import errno
import shutil
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from desk import clock, sealing
from desk.errors import DeskError
from desk.forms import ListenAddress
from desk.homefiles import check_home, read_home
from desk.homemodes import warnings
from desk.letters import templates
from desk.live.running import is_running
from desk.notyet import unread_settings
from desk.reads import health
from desk.service import Desk
from desk.settings import FILE_NAME, Settings, Smarthost, load_settings, settings_problems
from maild.deliver.passwords import secret_of

EARLIEST_YEAR = 2026  # no desk is older than its program
STUCK = timedelta(hours=1)
_RESOLVE_S = 5.0
_CONNECT_S = 3.0
_BANNER_S = 5.0
_SPARE_BYTES = 64_000_000
_LAST_SEALS = 10_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check says: a fault (`is_fault`), or a fact that an admin wants to know."""

    check: str
    text: str
    is_fault: bool = True


Findings = Iterator[Finding]


def check_files(home: Path) -> Findings:
    """Settings and the home's files, each fault with its file, line and column."""
    for fault in check_home(home):
        yield Finding("files", str(fault))


def check_unread(home: Path) -> Findings:
    """Keys of desk.toml that nothing obeys yet."""
    try:
        found = unread_settings(home)
    except DeskError:
        return  # check_files has named it
    for unread in found:
        yield Finding("files", str(unread.fault))


def check_modes(home: Path) -> Findings:
    """Who else could write the home or read its password."""
    for text in warnings(home):
        yield Finding("modes", text)


def check_templates(home: Path) -> Findings:
    """Letters: the home's own templates, tried with all that they may be given."""
    try:
        found = read_home(home)
    except DeskError:
        return  # check_files has named it
    for name, texts in found.templates.items():
        variables = templates.VARIABLES.get(name)
        if variables is None:
            continue
        for language, text in texts.items():
            path = home / "templates" / f"{name}.{language}.md"
            for problem in templates.check(name, language, text, variables):
                yield Finding("templates", str(problem.at(str(path))))


def check_clock(desk: Desk) -> Findings:
    """The clock must not stand before this program, nor before what has happened already."""
    now = clock.now()
    if now.year < EARLIEST_YEAR:
        yield Finding("clock", f"the clock says {now:%Y-%m-%d}; set it, and keep it right by NTP")
    with desk.reading():
        newest = health.newest_event_us()
    if newest > clock.to_us(now):
        yield Finding(
            "clock",
            f"the clock says {clock.iso(clock.to_us(now))}, but the newest event is of {clock.iso(newest)};"
            " set the clock, or wait until that instant",
        )


def check_disk(home: Path, settings: Settings) -> Findings:
    """Room for two of the largest mails, as the doors ask before they take one."""
    needed = settings.smtp.max_message * 2 + _SPARE_BYTES
    free = shutil.disk_usage(home).free
    if free < needed:
        yield Finding(
            "disk",
            f"{home} has {free} bytes free, less than {needed}; mail is refused until there is more room",
        )


def check_doors(home: Path, settings: Settings) -> Findings:
    """Ports: free when no desk runs, answering when one does."""
    listen = settings.smtp.listen
    if listen is None:
        yield Finding("doors", f"no way in is open; write listen in [smtp] of {home / FILE_NAME}")
        return
    if listen.port == 0 and not listen.path:
        return
    fault = _refuses(home, listen) if is_running(home) else _taken(listen)
    if fault:
        yield Finding("doors", f"[smtp] listen = {str(listen)!r}: {fault}")


def _refuses(home: Path, place: ListenAddress) -> str | None:
    """Why nobody answers at a door of the running desk."""
    try:
        if place.path:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
                peer.settimeout(_CONNECT_S)
                peer.connect(str(home / place.path))
        else:
            host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(place.host, place.host)
            socket.create_connection((host, place.port), _CONNECT_S).close()
    except OSError as error:
        return f"the running desk does not answer there ({error.strerror or error}); restart it"
    return None


def _taken(place: ListenAddress) -> str | None:
    """Why a desk that starts now could not listen there."""
    if place.path:
        return None
    try:
        found = socket.getaddrinfo(
            place.host or None, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
    except OSError as error:
        return _WHY_TAKEN.get(error.errno or 0, f"cannot be opened ({error.strerror or error})")
    return None


_WHY_TAKEN = {
    errno.EADDRINUSE: "another program listens there; stop it, or choose another port",
    errno.EACCES: "ports below 1024 are not ours to open; choose a higher one, or let systemd give"
    " AmbientCapabilities=CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "this machine does not have that address; write one that it has",
}


def check_names(settings: Settings) -> Findings:
    """Names of servers that must resolve."""
    hosts = [("smarthost", settings.smarthost.host), *(("imap", account.host) for account in settings.imap)]
    with ThreadPoolExecutor(4) as pool:
        asked = [(what, host, pool.submit(socket.getaddrinfo, host, None)) for what, host in hosts if host]
        for what, host, answer in asked:
            try:
                answer.result(_RESOLVE_S)
            except (OSError, TooLate) as error:
                reason = getattr(error, "strerror", None) or f"no answer within {_RESOLVE_S:g} s"
                yield Finding(
                    "names", f"[{what}] host = {host!r} does not resolve ({reason}); correct the name, or DNS"
                )


def check_smarthost(settings: Settings) -> Findings:
    """The server that takes our letters answers, and the command for its password prints one."""
    smarthost = settings.smarthost
    place = f"[smarthost] {smarthost.host}:{smarthost.port}"
    fault = _no_greeting(smarthost) if smarthost.host else None
    if fault:
        yield Finding("smarthost", f"{place} {fault}; start that server, or correct host, port and tls")
    command = smarthost.token_command or smarthost.password_command
    if command:
        try:
            secret_of(command)
        except DeskError as error:
            yield Finding("smarthost", f"{error}; try it as the user that runs the desk")


def _no_greeting(smarthost: Smarthost) -> str | None:
    """Why there is no SMTP greeting; with TLS from the first byte a connection is all that is asked."""
    try:
        with socket.create_connection((smarthost.host, smarthost.port), _BANNER_S) as server:
            banner = b"220" if smarthost.tls == "implicit" else server.recv(512)
    except socket.gaierror:
        return None  # check_names has named it
    except TimeoutError:
        return f"does not answer within {_BANNER_S:g} s"
    except OSError as error:
        return f"does not answer ({error.strerror or error})"
    return None if banner.startswith(b"220") else f"does not greet as SMTP does, but by {banner[:60]!r}"


def check_store(desk: Desk) -> Findings:
    """The store's file is whole, its schema the newest (it was opened), and its history unbroken."""
    for text in health.faults_of_store(desk.store):
        yield Finding("store", f"{desk.settings.store.shown} is damaged: {text}; restore the newest backup")
    verdict = sealing.verify(desk.store, last=_LAST_SEALS)
    if verdict.broken is not None:
        yield Finding(
            "store",
            f"the history is broken at seq {verdict.broken}: {verdict.reason}; see `desk audit verify`",
        )


def check_mail(desk: Desk) -> Findings:
    """Mail that nobody reads, and when each way in brought its last mail."""
    with desk.reading():
        waiting, arrivals = health.mail_waiting(), health.arrivals()
    if waiting.count and not is_running(desk.home):
        yield Finding("mail", f"{waiting.count} mails wait to be read and no desk runs; start `desk up`")
    elif waiting.since_us is not None and _age(waiting.since_us) > STUCK:
        yield Finding(
            "mail",
            f"{waiting.count} mails wait, the oldest for {_shown(waiting.since_us)}; see the log of `desk up`",
        )
    for arrival in arrivals:
        age = _shown(clock.parse_iso(arrival["newest"]))
        yield Finding("mail", f"{arrival['intake']}: newest mail {age} ago", is_fault=False)


def check_letters(desk: Desk) -> Findings:
    """Letters that do not leave."""
    settings = desk.settings
    with desk.reading():
        waiting = health.letters_waiting()
    if not settings.smarthost.is_set:
        remedy = f"name a host in [smarthost] of {desk.home / FILE_NAME}"
        if waiting.count:
            yield Finding("letters", f"{waiting.count} letters wait and there is no smarthost; {remedy}")
        else:
            yield Finding("letters", f"there is no smarthost, letters will wait; {remedy}", is_fault=False)
    elif waiting.since_us is not None and _age(waiting.since_us) > STUCK:
        yield Finding(
            "letters",
            f"{waiting.count} letters wait, the oldest for {_shown(waiting.since_us)};"
            " `desk mail outbox --state waiting` says what the smarthost answered",
        )


def check_cap(desk: Desk) -> Findings:
    """The cap on acknowledgements to addresses never seen before: a flood, or a cap that is too low."""
    cap = desk.settings.limits.acks_to_new_addresses
    with desk.reading():
        sent = health.letters_to_new_addresses(clock.to_us(clock.now() - timedelta(hours=1)))
    if cap and sent >= cap:
        yield Finding(
            "letters",
            f"acks_to_new_addresses = {cap} was reached within the last hour, new people got no"
            " acknowledgement; look at the newest tickets, and raise it in [limits] if they are no flood",
        )


def check_running(home: Path) -> Findings:
    """Whether a desk runs is a fact, not a fault."""
    text = (
        "a desk runs on this home" if is_running(home) else "no desk runs on this home; `desk up` starts it"
    )
    yield Finding("daemon", text, is_fault=False)


def _age(since_us: int) -> timedelta:
    return clock.now() - clock.from_us(since_us)


def _shown(since_us: int) -> str:
    seconds = max(0, int(_age(since_us).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def examine(home: Path, open_desk: Callable[[], Desk]) -> Findings:
    """All checks; those of the store only when the settings allow to open it."""
    if not (home / FILE_NAME).exists():
        yield from (Finding("files", str(fault)) for fault in settings_problems(home))
        return
    for of_home in (check_files, check_unread, check_modes, check_templates, check_running):
        yield from of_home(home)
    try:
        settings = load_settings(home)
    except DeskError:
        return  # check_files has named it
    for of_settings in (check_disk, check_doors):
        yield from of_settings(home, settings)
    yield from check_names(settings)
    yield from check_smarthost(settings)
    try:
        desk = open_desk()
    except DeskError as error:
        yield Finding("store", f"{settings.store.shown}: {error}")
        return
    for of_desk in (check_clock, check_store, check_mail, check_letters, check_cap):
        yield from of_desk(desk)
