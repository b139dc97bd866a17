"""Who asks: the actor of an order, and the doors through which orders come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

ActorKind = Literal["requester", "technician", "rule", "system", "vendor"]


class Door(StrEnum):
    """A way an order comes in."""

    CONSOLE = "console"
    CLI = "cli"
    MAIL = "mail"
    RULE = "rule"
    TIMER = "timer"


@dataclass(frozen=True, slots=True)
class Actor:
    """`who` is a login for technicians, an address for requesters and vendors, a name for the rest."""

    kind: ActorKind
    who: str


SYSTEM = Actor("system", "desk")


def technician(login: str) -> Actor:
    """The technician with this login; whether there is one is asked when the order is carried out."""
    return Actor("technician", login)
