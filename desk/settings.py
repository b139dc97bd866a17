"""desk.toml as frozen settings.

Reads: HOME/desk.toml. Trust: the admin's own file; what it may not say is refused with its place.
The sentence beside each key is also its entry in docs/settings.md.
"""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from desk import tomlfile
from desk.errors import FileError, NotFound
from desk.forms import (
    ARGV,
    PATH,
    STORE_URL,
    Command,
    DeskAddress,
    Domain,
    Host,
    Language,
    Line,
    Listen,
    Name,
    Size,
    TrustedNetwork,
    whole,
)
from desk.timeforms import BUDGET, Duration, Zone
from desk.tomlfile import about

FILE_NAME = "desk.toml"
_COUNT = whole(0, 1_000_000_000)
_PORT = whole(1, 65535)


def is_loopback(host: str) -> bool:
    """Whether a host as written is this machine; no name is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_login(user: str | None, password: tuple[str, ...] | None, token: tuple[str, ...] | None) -> None:
    if password and token:
        raise tomlfile.Misfit('has "password_command" and "token_command"; keep one of them', "token_command")
    if user and not (password or token):
        raise tomlfile.Misfit('has "user" but no password; add password_command = "pass show desk"', "user")
    if (password or token) and not user:
        raise tomlfile.Misfit('has a password but no "user"; add user = "desk"')


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Who the desk is."""

    name: Annotated[Line, about("The desk's name, in the From of its letters.")] = "Service desk"
    domain: Annotated[
        Domain,
        about("The domain of the desk, in the ids of its letters.", '"example.org"'),
    ]
    addresses: Annotated[
        tuple[DeskAddress, ...],
        about(
            "The addresses that the doors accept; the queue files say which queue each feeds. "
            "The part before the @ has up to 31 characters and no +.",
            '["support@example.org"]',
        ),
    ]
    timezone: Annotated[Zone, about("The zone in which people read times.", '"Asia/Taipei"')] = "UTC"
    language: Annotated[Language, about("The language for people whose own is not known.")] = "en"
    queue: Annotated[Name, about("The queue of letters to addresses without a queue of their own.")] = (
        "help-desk"
    )

    def __post_init__(self) -> None:
        if not self.addresses:
            raise tomlfile.Misfit(
                'has no address; add one, like addresses = ["support@example.org"]', "addresses"
            )


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """Where the data lives."""

    url: Annotated[
        str,
        STORE_URL,
        about(
            "The database: `sqlite:PATH`, from the home if relative, or `postgresql://USER@HOST/DATABASE`.",
        ),
    ] = "sqlite:desk.db"

    @property
    def has_password(self) -> bool:
        """Whether the address holds a secret, so that the file must be hidden from others."""
        return self.shown != self.url

    @property
    def shown(self) -> str:
        """The address for people and logs: a password is replaced by stars."""
        if self.url.startswith("sqlite:"):
            return self.url
        scheme, _, rest = self.url.partition("://")
        login, at, place = rest.rpartition("@")
        user, colon, _ = login.partition(":")
        place, mark, query = place.partition("?")
        hidden = "***" if "password" in query.lower() else query
        return f"{scheme}://{user}{':***' if colon else ''}{at}{place}{mark}{hidden}"

    def sqlite_path(self, home: Path) -> Path | None:
        """The database file, or None when the store is elsewhere."""
        kind, _, path = self.url.partition(":")
        return home / path if kind == "sqlite" else None

    def __repr__(self) -> str:  # logs and tracebacks must not tell the password
        return f"Store(url={self.shown!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("url", self.shown)]


class Smtp(msgspec.Struct, frozen=True, kw_only=True):
    """The SMTP door. Without `listen` it stays closed."""

    listen: Annotated[
        Listen | None,
        about(
            "Where the SMTP door listens; port 0 picks a free one. Without it the door is closed.",
            '"127.0.0.1:2525"',
        ),
    ] = None
    hostname: Annotated[
        Host | None,
        about("The name in the greeting; without it the machine's own.", '"desk.example.org"'),
    ] = None
    max_message: Annotated[Size, about("The largest mail, in bytes on the wire.")] = 36_000_000
    rate_per_peer: Annotated[int, _COUNT, about("Messages a minute from one peer; 0 sets no limit.")] = 0

    def __post_init__(self) -> None:
        if self.listen is not None and self.listen.path:
            raise tomlfile.Misfit('is a socket path; SMTP needs listen = "127.0.0.1:2525"', "listen")


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """Whose word about a mail counts."""

    authserv_ids: Annotated[
        tuple[Line, ...],
        about("The servers whose Authentication-Results count, by the id they write.", '["mx.example.org"]'),
    ] = ()
    trusted_mtas: Annotated[
        tuple[TrustedNetwork, ...],
        about("Peers that are our own mail servers: their trace fields count, no limit holds for them."),
    ] = (ipaddress.IPv4Network("127.0.0.1/32"),)
    own_check: Annotated[
        timedelta | None,
        BUDGET,
        about("SPF, DKIM and DMARC by the desk itself: `off`, or the time that DNS may take."),
    ] = None


class Lmtp(msgspec.Struct, frozen=True, kw_only=True):
    """The LMTP door. Without `listen` it stays closed."""

    listen: Annotated[
        Listen | None,
        about("Where the LMTP door listens. Without it the door is closed.", '"unix:run/lmtp.sock"'),
    ] = None


class Smarthost(msgspec.Struct, frozen=True, kw_only=True):
    """The server that takes our letters out. Without `host` and `maildir` the letters wait."""

    host: Annotated[
        Host | None,
        about("The server that takes our letters out.", '"mail.example.org"'),
    ] = None
    port: Annotated[int, _PORT, about("Its port.")] = 25
    tls: Annotated[
        Literal["auto", "require", "implicit", "off"],
        about(
            "`auto` uses STARTTLS when offered and plain text only to loopback, `require` insists on "
            "STARTTLS, `implicit` is TLS from the first byte, `off` never encrypts."
        ),
    ] = "auto"
    user: Annotated[Line | None, about("The login, if the server asks for one.", '"desk"')] = None
    password_command: Annotated[
        Command | None,
        about("A command that prints the password; run without a shell.", '"pass show desk"'),
    ] = None
    token_command: Annotated[
        Command | None,
        about(
            "Instead of `password_command`: a command that prints an XOAUTH2 token.",
            '"/usr/local/bin/mail-token"',
        ),
    ] = None
    envelope: Annotated[
        Literal["verp", "fixed"],
        about(
            "`verp` gives each letter a sender of its own, so that every bounce is known; `fixed` is for "
            "servers that take only the mailbox as sender."
        ),
    ] = "verp"
    maildir: Annotated[
        Path | None,
        PATH,
        about("Instead of `host`: a folder that letters are put into.", '"outgoing"'),
    ] = None

    @property
    def is_set(self) -> bool:
        """Whether letters have a way out."""
        return self.host is not None or self.maildir is not None

    def __post_init__(self) -> None:
        if self.host and self.maildir:
            raise tomlfile.Misfit('has "host" and "maildir"; keep one of them', "maildir")
        _check_login(self.user, self.password_command, self.token_command)
        if self.user and self.tls == "off" and not (self.host and is_loopback(self.host)):
            raise tomlfile.Misfit('would send the login unencrypted; write tls = "require"', "tls")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one sender, and the whole desk, may cause in an hour."""

    new_tickets_per_sender: Annotated[
        int,
        _COUNT,
        about(
            "New tickets an hour from one sender; what comes above is collected in one ticket and not "
            "acknowledged. 0 sets no limit."
        ),
    ] = 100
    acks_per_address: Annotated[
        int, _COUNT, about("Acknowledgements an hour to one address below trust level 2.")
    ] = 4
    acks_to_new_addresses: Annotated[
        int,
        _COUNT,
        about(
            "Acknowledgements an hour to addresses never seen before, over the whole desk; 0 sets no limit."
        ),
    ] = 100


class Imap(msgspec.Struct, frozen=True, kw_only=True):
    """A mailbox that is watched. There may be several."""

    host: Annotated[Host, about("The IMAP server.", '"imap.example.org"')]
    user: Annotated[Line, about("The login.", '"support"')]
    password_command: Annotated[
        Command | None,
        about("A command that prints the password; run without a shell.", '"pass show support"'),
    ] = None
    token_command: Annotated[
        Command | None,
        about(
            "Instead of `password_command`: a command that prints an XOAUTH2 token.",
            '"/usr/local/bin/mail-token"',
        ),
    ] = None
    folder: Annotated[Line, about("The folder that is watched.")] = "INBOX"
    port: Annotated[int, _PORT, about("The server's port.")] = 993
    tls: Annotated[
        Literal["implicit", "starttls", "none"],
        about("How it is encrypted; `none` only to loopback."),
    ] = "implicit"
    move_to: Annotated[Line, about("Where taken mail goes; the folder is made if missing.")] = "Desk"
    mode: Annotated[
        Literal["live", "observe"],
        about(
            "`observe` moves and flags nothing and puts the letters into a Maildir: a trial beside "
            "another desk."
        ),
    ] = "live"
    border: Annotated[bool, about("Whether the server is ours, so that its evidence counts.")] = False

    def __post_init__(self) -> None:
        if self.password_command is None and self.token_command is None:
            raise tomlfile.Misfit('has no "password_command"; add password_command = "pass show support"')
        _check_login(self.user, self.password_command, self.token_command)
        if self.tls == "none" and not is_loopback(self.host):
            raise tomlfile.Misfit('would send the password unencrypted; write tls = "starttls"', "tls")
        if self.folder == self.move_to:
            raise tomlfile.Misfit(
                "would move mail to the folder it watches; choose another folder", "move_to"
            )


class Readers(msgspec.Struct, frozen=True, kw_only=True):
    """The processes that read mail under limits."""

    workers: Annotated[int, whole(1, 64), about("How many processes read mail.")] = 2


class Runbook(msgspec.Struct, frozen=True, kw_only=True):
    """A script that a rule or a technician may run. It gets the ticket as JSON on stdin."""

    argv: Annotated[
        tuple[str, ...],
        ARGV,
        about(
            "The program by its whole path, and its arguments; no shell, nothing of a mail among them.",
            '["/usr/bin/clamdscan", "--no-summary", "-"]',
        ),
    ]
    timeout: Annotated[Duration, about("How long it may run.")] = timedelta(seconds=60)
    retry_safe: Annotated[bool, about("Whether it may run again when the desk stopped while it ran.")] = False


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of desk.toml."""

    desk: Desk
    store: Store = Store()
    smtp: Smtp = Smtp()
    trust: Trust = Trust()
    lmtp: Lmtp = Lmtp()
    smarthost: Smarthost = Smarthost()
    limits: Limits = Limits()
    imap: tuple[Imap, ...] = ()
    readers: Readers = Readers()
    runbooks: dict[str, Runbook] = msgspec.field(default_factory=dict)


def load_settings(home: Path) -> Settings:
    """The settings of a home.

    Raises:
        NotFound: there is no desk.toml; the text says how to make one.
        FileError: the first fault of the file.
    """
    path = home / FILE_NAME
    try:
        return tomlfile.load(path, Settings)
    except NotFound as missing:
        raise NotFound(_no_home(path)) from missing


def settings_problems(home: Path) -> list[FileError]:
    """All faults of desk.toml, in order."""
    path = home / FILE_NAME
    if not path.exists():
        return [FileError(str(path), 1, 1, _no_home(path))]
    return tomlfile.problems(path, Settings)


def _no_home(path: Path) -> str:
    return f"{path} does not exist; make a home with `desk init`, or name one by --home or DESK_HOME"
