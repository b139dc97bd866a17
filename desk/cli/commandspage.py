"""The page docs/commands.md: every command with its help, from the same click tree that `--help` prints.

Write it anew by `python -m desk.cli.commandspage > docs/commands.md`.
"""

from __future__ import annotations

from collections.abc import Iterator

import click

from desk.cli.main import desk

_HEAD = """\
# Commands

This page is made from the help of the program by `python -m desk.cli.commandspage`; do not edit it.

`--home`, `--json` and `--debug` stand before or after any command and are told once, at `desk`.
`--help` explains each command.
The exit status is 0 for done, 1 for refused or findings, 2 for a command that was not understood.
"""
_SHARED = frozenset({"home", "json", "debug"})


def page() -> str:
    """The page as Markdown."""
    return "\n".join([_HEAD, *(_section(context) for context in _contexts())])


def _contexts() -> Iterator[click.Context]:
    """The program and all commands below it, each group followed by its own; hidden ones are left out."""
    waiting = [click.Context(desk, info_name="desk", **desk.context_settings)]
    while waiting:
        context = waiting.pop()
        yield context
        if isinstance(context.command, click.Group):
            names = context.command.list_commands(context)
            found = [(name, context.command.get_command(context, name)) for name in reversed(names)]
            waiting += [
                click.Context(command, info_name=name, parent=context, **command.context_settings)
                for name, command in found
                if command is not None and not command.hidden
            ]


def _section(context: click.Context) -> str:
    usage = " ".join([context.command_path, *context.command.collect_usage_pieces(context)])
    paragraphs = [" ".join(part.split()) for part in (context.command.help or "").strip().split("\n\n")]
    lines = [f"## {context.command_path}", "", f"`{usage}`", "", *_spaced(paragraphs), *_options(context)]
    return "\n".join(lines)


def _spaced(paragraphs: list[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        yield from (paragraph, "")


def _options(context: click.Context) -> Iterator[str]:
    asks_for_help = context.command.get_help_option(context)
    for parameter in context.command.get_params(context):
        if parameter is asks_for_help or (parameter.name in _SHARED and context.parent is not None):
            continue
        record = parameter.get_help_record(context)
        if record is not None:
            yield f"- `{record[0]}` – {record[1]}"
    yield ""


if __name__ == "__main__":
    click.echo(page(), nl=False)
