"""What one run of the `desk` command shares: its home, its form of output, and the desk it opened."""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Callable
from functools import update_wrapper
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from desk.actors import Actor
from desk.safetext import safe_line

if TYPE_CHECKING:
    from desk.permissions import Action
    from desk.service import Desk

DISTRIBUTION = "maild"
SYSTEM_HOME = Path("/etc/desk")
ROOMS = ("console", "desk", "maild", "rules")
Function = TypeVar("Function", bound=Callable[..., Any])


class Session:
    """The context object of all commands. Nothing is opened before a command asks."""

    def __init__(self) -> None:
        self.is_json = False
        self.is_debug = False
        self._home: Path | None = None
        self._desk: Desk | None = None

    def set(self, name: str, value: Any) -> None:
        """Take over a shared option by its name."""
        if name == "home":
            self._home = value
        elif name == "json":
            self.is_json = True
        else:
            self.is_debug = True
            log_to_stderr(is_debug=True)

    @property
    def home(self) -> Path:
        """The home that this run is about; whether there is one is found when it is opened."""
        return find_home(self._home)

    def open(self) -> Desk:
        """The desk of the home, opened once; files of the home that have changed are read first.

        Raises:
            DeskError: there is no home, a setting is wrong, or the store does not answer.
        """
        if self._desk is None:
            from desk.service import open_desk  # slow import

            self._desk = open_desk(self.home)
            prepare(self._desk)
        return self._desk

    def close(self) -> None:
        """Let go of the desk, if it was opened."""
        if self._desk is not None:
            self._desk.close()
            self._desk = None

    def technician(self, login: str | None) -> Actor:
        """Who orders: the technician named by --as, else the one whose login is the unix user.

        Raises:
            NotFound: there is no such technician.
        """
        from desk.errors import NotFound
        from desk.people import technician  # slow import

        name = login or unix_user()
        with self.open().reading():
            try:
                return Actor("technician", technician(name).login)
            except NotFound as error:
                if login is not None:
                    raise
                raise NotFound(
                    f"the unix user {name!r} is no technician; say who you are by --as LOGIN"
                ) from error

    def keeper(self, login: str | None) -> Actor:
        """Who keeps the desk: the technician named by --as with his roles; else the unix user, who may
        do all, because whoever can write the home is admin.

        Raises:
            NotFound: there is no such technician.
        """
        return Actor("system", unix_user()) if login is None else self.technician(login)

    def authorise(self, login: str | None, action: Action) -> Actor:
        """The keeper, after asking whether he may do this.

        Raises:
            NotAllowed: his roles do not hold it.
        """
        from desk.errors import NotAllowed
        from desk.people import grants_of  # slow import
        from desk.permissions import may, refusal

        actor = self.keeper(login)
        with self.open().reading():
            grants = grants_of(actor)
        if actor.kind != "system" and not may(grants, action, None):
            raise NotAllowed(refusal(actor.who, action))
        return actor


def find_home(given: Path | None) -> Path:
    """--home, else $DESK_HOME, else /etc/desk when it is a home, else the user's data folder."""
    if given is not None:
        return given.absolute()
    if named := os.environ.get("DESK_HOME"):
        return Path(named).absolute()
    if (SYSTEM_HOME / "desk.toml").exists():
        return SYSTEM_HOME
    import platformdirs  # slow import

    return platformdirs.user_data_path("desk")


def unix_user() -> str:
    """The login of the user who runs this process, by its user id and not by the environment."""
    try:
        import pwd  # optional

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return getpass.getuser()


def prepare(desk: Desk) -> None:
    """Run what other rooms want done before a command: changed files of the home are read into the store.

    A hook logs what is wrong with them; the version before stays in force.
    """
    for hook in metadata.distribution(DISTRIBUTION).entry_points.select(group="desk.prepare"):
        hook.load()(desk)


def pass_session(function: Function) -> Function:
    """Hand the session to a command as its first argument."""

    def call(*arguments: Any, **options: Any) -> Any:
        session = click.get_current_context().find_object(Session)
        return function(session, *arguments, **options)

    wrapped: Any = update_wrapper(call, function)
    return wrapped


class SafeFormatter(logging.Formatter):
    """Log lines for a terminal: what strangers wrote in them cannot steer it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        return safe_line(super().formatMessage(record))


def log_to_stderr(*, is_debug: bool = False) -> None:
    """Warnings as lines for people, or every step of our own with its place; both on stderr."""
    handler = logging.StreamHandler()
    form = "%(levelname)s %(name)s: %(message)s" if is_debug else "desk: %(message)s"
    handler.setFormatter(SafeFormatter(form))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=is_debug)
    for room in ROOMS:  # the steps of libraries show what people wrote
        logging.getLogger(room).setLevel(logging.DEBUG if is_debug else logging.NOTSET)
