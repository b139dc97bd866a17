"""The one door: every change of the desk is an order given to `Desk.do`.

One call is one transaction: tickets, history and outgoing letters change together or not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from desk import sealing
from desk.actors import Actor, Door
from desk.commands import SPECS
from desk.errors import NotAllowed
from desk.events import Happening, OrderGiven
from desk.history import Recorded, record
from desk.live.bell import Bell
from desk.people import grants_of
from desk.permissions import Action, may, refusal
from desk.postroom import Postroom
from desk.settings import Settings, load_settings
from desk.store.database import connect, engine_of
from desk.store.migrate import migrate
from desk.store.writer import Store, Transaction

log = logging.getLogger(__name__)
Command = TypeVar("Command")


@dataclass(frozen=True, slots=True)
class Order:
    """A command with the one who asks and the door it came through."""

    command: Any
    by: Actor
    door: Door


@dataclass(frozen=True, slots=True)
class About:
    """What an order is about where the command itself does not say it: a ticket, the order that it takes back."""

    ticket: int | None = None
    undo_of: int | None = None


@dataclass(slots=True)
class Run:
    """One order being carried out, inside its transaction. What handlers work with."""

    desk: Desk
    tx: Transaction
    order: Order
    cause: int | None = None
    about: About = About()
    events: list[Recorded] = field(default_factory=list)

    @property
    def by(self) -> Actor:
        return self.order.by

    def record(
        self,
        happening: Happening,
        *,
        ticket: int | None = None,
        message: int | None = None,
        by: Actor | None = None,
        at_us: int | None = None,
    ) -> Recorded:
        """Append an event that this order caused."""
        recorded = record(
            self.tx,
            happening,
            by=by or self.by,
            ticket=ticket,
            message=message,
            cause=self.cause,
            at_us=at_us,
        )
        self.events.append(recorded)
        return recorded

    def authorise(self, action: Action, queue: str | None) -> None:
        """Refuse what the actor's roles do not hold. The desk itself may do all.

        Raises:
            NotAllowed: with the roles that could.
        """
        if self.by.kind in ("system", "rule"):
            return
        grants = grants_of(self.by)
        if not may(grants, action, queue):
            raise NotAllowed(refusal(self.by.who, action, queue))


Handler = Callable[[Any, Run], None]
HANDLERS: dict[type, Handler] = {}
Finder = Callable[[Any, Run], About]
FINDERS: dict[type, Finder] = {}


def handles(
    command: type[Command],
) -> Callable[[Callable[[Command, Run], None]], Callable[[Command, Run], None]]:
    """Register the one handler of a command."""

    def register(handler: Callable[[Command, Run], None]) -> Callable[[Command, Run], None]:
        if command in HANDLERS:
            raise RuntimeError(f"{command.__name__} has two handlers")
        HANDLERS[command] = handler
        return handler

    return register


def finds(*commands: type) -> Callable[[Finder], Finder]:
    """Register what finds out what such orders are about. It only reads, and runs before they are recorded,
    because the history is written once."""

    def register(finder: Finder) -> Finder:
        FINDERS.update(dict.fromkeys(commands, finder))
        return finder

    return register


class Desk:
    """An open desk: its settings, its store, and the door for orders."""

    def __init__(self, home: Path, settings: Settings, store: Store) -> None:
        self.home, self.settings, self.store = home, settings, store
        self.bell = Bell(home / "run")
        self.postroom = Postroom(settings, store)

    def use(self, settings: Settings) -> None:
        """Take changed settings. The store stays the one that was opened."""
        self.settings = self.postroom.settings = settings

    def do(self, *orders: Order) -> list[Recorded]:
        """Carry out orders in one transaction and return the events they caused, oldest first.

        Raises:
            DeskError: an order was refused; nothing of any of them was changed.
        """
        return self.submit(*orders).result()

    def submit(self, *orders: Order) -> Future[list[Recorded]]:
        """As `do`, without waiting for the commit."""
        return self.store.submit(lambda tx: self._carry_out(tx, orders))

    def reading(self) -> AbstractContextManager[None]:
        """The block in which reads may be made from this thread."""
        return self.store.reading()

    def close(self) -> None:
        """Finish what is being written and let go of the store."""
        self.store.close()

    def seal(self) -> int:
        """Seal what has been committed since; the number of events sealed. Cheap when there is nothing."""
        return sealing.seal(self.store)

    def _carry_out(self, tx: Transaction, orders: tuple[Order, ...]) -> list[Recorded]:
        events: list[Recorded] = []
        for order in orders:
            run = Run(self, tx, order)
            _note_order(run)
            HANDLERS[type(order.command)](order.command, run)
            events += run.events
        tx.after_commit(self.bell.ring)
        return events


def _note_order(run: Run) -> None:
    """Record the order itself, where a person or a rule gave it; mail and deliveries speak for themselves."""
    spec = SPECS.get(type(run.order.command))
    if spec is None:
        return
    if run.order.door not in spec.doors:
        raise NotAllowed(f"{spec.verb} is not possible through the door {run.order.door}")
    command = run.order.command
    finder = FINDERS.get(type(command))
    run.about = finder(command, run) if finder else About(ticket=getattr(command, "ticket", None))
    given = run.record(
        OrderGiven(door=run.order.door, verb=spec.verb, args=_arguments(command), undo_of=run.about.undo_of),
        ticket=run.about.ticket,
    )
    run.cause = given.id


_NOT_IN_HISTORY = frozenset({"text", "files", "version", "public_key"})


def _arguments(command: Any) -> dict[str, object]:
    """The order's arguments without texts, files and keys, which lie elsewhere."""
    names = [name for name in command.__dataclass_fields__ if name not in _NOT_IN_HISTORY]
    values = {name: getattr(command, name) for name in names}
    return {name: value for name, value in values.items() if value not in (None, "", False, ())}


def open_desk(home: Path, *, settings: Settings | None = None) -> Desk:
    """Open the desk of a home; the schema is brought up to date on the way.

    Raises:
        FileError: a setting is wrong. Unavailable: the store does not answer.
    """
    import desk.handlers  # noqa: F401  # slow import: the handlers register themselves

    settings = settings or load_settings(home)
    url = settings.store.url
    database = connect(url, home)
    migrate(database, engine_of(url), home)
    return Desk(home, settings, Store(database, engine_of(url)))
