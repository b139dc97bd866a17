"""Man pages from the same help that `--help` prints. Standards: man(7)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from desk.cli.command import Command
from desk.cli.session import DISTRIBUTION, Session, pass_session

SECTION = 1


@click.command(cls=Command, hidden=True)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@pass_session
def man(session: Session, folder: Path) -> None:
    """Write the man pages of all commands into a folder."""
    root = click.get_current_context().find_root()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(root.command, root).items():
        (folder / f"{name}.{SECTION}").write_text(text, encoding="utf-8")


def pages(program: click.Command, root: click.Context) -> dict[str, str]:
    """The man page of the program and of each of its commands, by name (`desk-ticket-reply`)."""
    return {
        context.command_path.replace(" ", "-"): _page(context)
        for context in _contexts(program, root.info_name)
    }


def _contexts(command: click.Command, name: str | None) -> Iterator[click.Context]:
    """The contexts of a command and all below it, those that help does not show left out."""
    waiting = [_context(command, name, None)]
    while waiting:
        context = waiting.pop(0)
        yield context
        for below, name in _below(context):
            if not below.hidden:
                waiting.append(_context(below, name, context))


def _context(command: click.Command, name: str | None, parent: click.Context | None) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, **command.context_settings)


def _below(context: click.Context) -> list[tuple[click.Command, str]]:
    if not isinstance(context.command, click.Group):
        return []
    found = [(context.command.get_command(context, name), name) for name in _names(context)]
    return [(command, name) for command, name in found if command is not None]


def _names(context: click.Context) -> list[str]:
    assert isinstance(context.command, click.Group)
    return context.command.list_commands(context)


def _page(context: click.Context) -> str:
    from importlib.metadata import version

    name = context.command_path.replace(" ", "-")
    command = context.command
    lines = [
        f'.TH "{name.upper()}" "{SECTION}" "" "desk {version(DISTRIBUTION)}" "desk"',
        ".SH NAME",
        f"{_escaped(name)} \\- {_escaped(command.get_short_help_str(200))}",
        ".SH SYNOPSIS",
        f".B {_escaped(context.command_path)}",
        _escaped(" ".join(command.collect_usage_pieces(context))),
        ".SH DESCRIPTION",
        *_paragraphs(command.help or ""),
        *_options(context),
        *_commands(context),
    ]
    return "\n".join(lines) + "\n"


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ".PP"
        yield _escaped(" ".join(paragraph.split()))


def _options(context: click.Context) -> Iterator[str]:
    records = [
        record
        for parameter in context.command.get_params(context)
        if (record := parameter.get_help_record(context)) is not None and record[1]
    ]
    if records:
        yield ".SH OPTIONS"
    for names, text in records:
        yield from (".TP", f"\\fB{_escaped(names)}\\fR", _escaped(text))


def _commands(context: click.Context) -> Iterator[str]:
    below = [(command, name) for command, name in _below(context) if not command.hidden]
    if below:
        yield ".SH COMMANDS"
    for command, name in below:
        yield from (".TP", f"\\fB{_escaped(name)}\\fR", _escaped(command.get_short_help_str(200)))
        yield f"See {_escaped(context.command_path.replace(' ', '-'))}\\-{_escaped(name)}({SECTION})."


def _escaped(text: str) -> str:
    """Text that troff takes as it stands."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
