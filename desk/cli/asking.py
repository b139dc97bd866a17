"""What many commands ask alike: who orders, a text from the command line or stdin, NAME=VALUE pairs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from desk.actors import Actor, Door
from desk.cli.session import Session

if TYPE_CHECKING:
    from desk.history import Recorded

Function = TypeVar("Function", bound=Callable[..., Any])

as_option = click.option("--as", "as_login", metavar="LOGIN", help="Who orders; else the unix user.")
text_option = click.option("--text", metavar="TEXT|-", help="The text; - reads it from stdin.")


def needed_text(text: str | None) -> str:
    """The text of an order, from stdin for `-`.

    Raises:
        UsageError: there is none.
    """
    if text is None:
        raise click.UsageError("a text is needed; write it behind --text, or --text - to read it from stdin.")
    if text != "-":
        return text
    if sys.stdin.isatty():
        click.echo("desk: write the text, then press Ctrl-D", err=True)
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def pairs(words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """`NAME=VALUE` words as pairs.

    Raises:
        UsageError: a word has no `=`.
    """
    for word in words:
        if "=" not in word:
            raise click.UsageError(f"{word!r} is not NAME=VALUE, like priority=high.")
    return tuple((name.strip(), value) for name, _, value in (word.partition("=") for word in words))


def carry_out(session: Session, actor: Actor, *commands: Any) -> list[Recorded]:
    """Give orders through the door of the command line, in one transaction."""
    from desk.service import Order  # slow import

    return session.open().do(*(Order(command, actor, Door.CLI) for command in commands))
