"""The click classes that every command is made of: shared options before and after, one form of errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from desk.cli.session import Session
from desk.errors import DeskError
from desk.safetext import safe_line
from desk.work import Outcome, attempt


def _set(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keep a shared option in the session; the innermost place where it is given wins."""
    session = ctx.find_object(Session)
    if session is not None and value not in (None, False):
        session.set(str(param.name), value)


def _shared_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--home"],
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            expose_value=False,
            callback=_set,
            help="The home of the desk; else $DESK_HOME, /etc/desk or the user's data folder.",
        ),
        click.Option(
            ["--json"], is_flag=True, expose_value=False, callback=_set, help="Print JSON for programs."
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            callback=_set,
            help="Log every step and show where an error came from.",
        ),
    ]


class Command(click.Command):
    """A command that understands --json, --home and --debug."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params += _shared_options()
        self.context_settings = {"help_option_names": ["-h", "--help"], **self.context_settings}


class Group(click.Group):
    """A group of commands that understands the shared options too."""

    command_class = Command
    group_class = type

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params += _shared_options()
        self.context_settings = {"help_option_names": ["-h", "--help"], **self.context_settings}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they were added, which tells a story."""
        return list(self.commands)


class Program(Group):
    """The outermost group: runs a command, closes what it opened, and says in one line what went wrong."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = "desk",
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and exit with 0 done, 1 refused or findings, 2 usage.

        When nobody reads stdout any more, click ends quietly with 1.
        """
        session = Session()

        def run() -> Any:
            try:
                return click.Group.main(self, args, "desk", complete_var, False, obj=session)
            finally:
                session.close()

        sys.exit(_status(attempt(run), session))


def _status(outcome: Outcome[Any], session: Session) -> int:
    error = outcome.error
    if error is None:
        return outcome.value if isinstance(outcome.value, int) else 0
    if session.is_debug and not isinstance(error, click.ClickException):
        import traceback  # slow import

        click.echo("".join(traceback.format_exception(error)), err=True)
    text, status = told(error)
    if text:
        click.echo(text, err=True)
    return status


def told(error: Exception) -> tuple[str, int]:
    """The line that says to people what went wrong, and the exit status."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message(), error.exit_code
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "desk"
        return _line(f"{error.format_message()} See `{path} --help`."), error.exit_code
    if isinstance(error, click.ClickException):
        return _line(error.format_message()), error.exit_code
    if isinstance(error, click.Abort):
        return _line("stopped"), 1
    if isinstance(error, DeskError):
        return _line(str(error)), 1
    if isinstance(error, OSError):
        return _line(f"{error.filename or 'system'}: {error.strerror or error}"), 1
    return _line(f"unexpected {type(error).__name__}: {error}; run again with --debug"), 1


def _line(text: str) -> str:
    return f"desk: {safe_line(text)}"
