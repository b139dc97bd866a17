"""The `desk` command itself: its sub-commands come from all rooms and are loaded when they are needed.

Each room names its commands in pyproject.toml under the entry-point group `desk.commands`, as
`name = "module:command"`; only those of our own distribution count.
"""

from __future__ import annotations

from importlib import metadata

import click

from desk.cli.command import Program
from desk.cli.session import DISTRIBUTION, log_to_stderr

GROUP = "desk.commands"
ORDER = (  # of the help: how a desk begins, daily work, keeping it
    "init", "up", "demo", "console", "doctor", "status", "ticket", "mail", "rules", "people", "kb", "kpi",
    "calendar", "export", "import", "backup", "restore", "audit", "move", "ssh-keys", "man",
)  # fmt: skip


class Desk(Program):
    """The program, with sub-commands that are imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All sub-commands in the order of the help."""
        names = _entries().names
        return sorted(names, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The sub-command of that name, imported now."""
        for entry in _entries().select(name=cmd_name):
            command: click.Command = entry.load()
            return command
        return None


def _entries() -> metadata.EntryPoints:
    return metadata.distribution(DISTRIBUTION).entry_points.select(group=GROUP)


@click.group(cls=Desk)
@click.version_option(package_name=DISTRIBUTION, prog_name="desk")
def desk() -> None:
    """An email-driven service desk with a terminal console.

    Requesters write mail and need nothing else; this command is for those who work and keep the desk.
    """
    log_to_stderr()


def main() -> None:
    """The console script."""
    desk.main()
