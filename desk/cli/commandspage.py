"""The page docs/commands.md: every command with its help, from the same click tree that `--help` prints.

Write it anew by `python -m desk.cli.commandspage > docs/commands.md`.
"""

from __future__ import annotations

from collections.abc import Iterator

import click

from desk.cli.main import desk
from desk.cli.manpages import contexts

_HEAD = """\
# Commands

Made from the help of the program by `python -m desk.cli.commandspage > docs/commands.md`; a test compares.
`--home`, `--json` and `--debug` stand before or after any command and are told once, at `desk`.
The exit status is 0 for done, 1 for refused or findings, 2 for a command that was not understood.
"""
_SHARED = frozenset({"home", "json", "debug"})


def page() -> str:
    """The page as Markdown."""
    return "\n".join([_HEAD, *(_section(context) for context in contexts(desk, "desk"))])


def _section(context: click.Context) -> str:
    usage = " ".join([context.command_path, *context.command.collect_usage_pieces(context)])
    paragraphs = [" ".join(part.split()) for part in (context.command.help or "").strip().split("\n\n")]
    lines = [f"## {context.command_path}", "", f"`{usage}`", "", *_spaced(paragraphs), *_options(context)]
    return "\n".join(lines)


def _spaced(paragraphs: list[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        yield from (paragraph, "")


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        if parameter.name == "help" or (parameter.name in _SHARED and context.parent is not None):
            continue
        record = parameter.get_help_record(context)
        if record is not None:
            yield f"- `{record[0]}` – {record[1]}"
    yield ""


if __name__ == "__main__":
    click.echo(page(), nl=False)
