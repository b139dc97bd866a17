"""Shell completion for bash, zsh and fish: click's scripts, which ask the program itself what is possible."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import get_completion_class

from desk.cli.command import Command

FILES = {"bash": "desk.bash", "zsh": "_desk", "fish": "desk.fish"}


@click.command(cls=Command, hidden=True)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
def completions(folder: Path) -> None:
    """Write the completion scripts into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in scripts(click.get_current_context().find_root().command).items():
        (folder / name).write_text(text, encoding="utf-8")


def scripts(program: click.Command) -> dict[str, str]:
    """The completion script of each shell, by its file name."""
    found = {}
    for shell, name in FILES.items():
        kind = get_completion_class(shell)
        assert kind is not None
        complete = kind(program, {}, "desk", "_DESK_COMPLETE")
        found[name] = complete.source_template % complete.source_vars()
    return found
