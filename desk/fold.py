"""What the events say: the state of tickets and messages as a pure fold over the history.

Events that an `undo.done` names do not count. Unknown events and fields change nothing. Events of a ticket
that was never created are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from desk.clock import parse_iso
from desk.errors import Invalid
from desk.eventlines import MOST, REFERENCES, Entry
from desk.states import MessageState, Priority, Status, by_word
from desk.store.schema.tickets import NO_DUE


class Promise(msgspec.Struct, frozen=True):
    """A clock of a ticket: when it falls due, or None while it stands still or is over."""

    clock: str
    due_us: int | None


class TicketState(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as its events tell it. `participants` are (address, role, since), `links` (ticket, relation)."""

    number: int
    created_us: int
    updated_us: int
    arrived_us: int
    subject: str = ""
    status: Status = Status.NEW
    priority: int = int(Priority.NORMAL)
    impact: int | None = None
    urgency: int | None = None
    tier: int = 1
    kind: str = "incident"
    category: str = ""
    queue: str = ""
    owner: str | None = None
    requester: str = ""
    language: str = "en"
    channel: str = "email"
    resolved_us: int | None = None
    merged_into: int | None = None
    messages: int = 0
    reopens: int = 0
    tags: tuple[str, ...] = ()
    participants: tuple[tuple[str, str, int], ...] = ()
    links: tuple[tuple[int, str], ...] = ()
    promises: tuple[Promise, ...] = ()

    @property
    def due_us(self) -> int:
        """When the nearest running clock falls due; far in the future when none runs."""
        return min((p.due_us for p in self.promises if p.due_us is not None), default=NO_DUE)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A message: where it was filed first, where it stands now, and whether its ticket counts it."""

    ticket: int
    origin: int
    counts: bool
    state: MessageState = MessageState.STANDS


_LEVELS = 100  # tiers, impacts and urgencies are small; the store gives them two bytes
Data = dict[str, Any]
Reducer = Callable[[TicketState, Data, Entry], TicketState]
with_ = msgspec.structs.replace


def undone(entries: Iterable[tuple[int, Entry]]) -> frozenset[int]:
    """The places of all events that do not count. `entries` come with their places, oldest first."""
    field = REFERENCES["undo.done"]
    orders = [(place, entry.data().get(field)) for place, entry in entries if entry.event == "undo.done"]
    gone: set[int] = set()
    for place, named in reversed(orders):  # an undo may have been undone itself
        if place not in gone and isinstance(named, list):
            gone.update(n for n in named if isinstance(n, int))
    return frozenset(gone)


class Fold:
    """The state after the events so far."""

    def __init__(self) -> None:
        self.tickets: dict[int, TicketState] = {}
        self.messages: dict[int, Said] = {}
        self._lying_in: dict[int, dict[int, None]] = {}  # messages by ticket, in order
        self._absorbed: dict[int, list[int]] = {}  # tickets by the one they were merged into

    def add(self, entry: Entry) -> None:
        """Take one event that counts."""
        number = entry.ticket
        if number is None or entry.event not in _KNOWN:
            return
        data = entry.data()
        if entry.event == "ticket.created":
            self.tickets.setdefault(number, _created(number, data, entry))
        ticket = self.tickets.get(number)
        if ticket is None:
            return
        reduce = REDUCERS.get(entry.event)
        if reduce is not None:
            ticket = reduce(ticket, data, entry)
        if entry.event not in _JUDGING:
            ticket = with_(ticket, updated_us=entry.at_us)
        self.tickets[number] = ticket
        moving = _MOVING.get(entry.event)
        if moving is not None:
            moving(self, number, data)

    def _say(self, number: int, data: Data, *, counts: bool = True) -> None:
        message = _maybe_number(data, "message")
        if message is None:
            self._count(number, counts)
        elif message not in self.messages:
            self.messages[message] = Said(ticket=number, origin=number, counts=counts)
            self._lying_in.setdefault(number, {})[message] = None
            self._count(number, counts)

    def _out(self, number: int, data: Data) -> None:
        self._say(number, data, counts=data.get("kind") == "reply")  # one event a recipient, one message

    def _move(self, number: int, data: Data) -> None:
        self._put(_number(data, "message", 0), _number(data, "to", number))

    def _merge(self, number: int, data: Data) -> None:
        into = _number(data, "into", number)
        if into not in self.tickets or into == number:
            return
        moved = self.tickets[number].messages
        for message in tuple(self._lying_in.get(number, ())):
            self._lay(message, into)
        self._count(into, moved)
        absorbed = [number, *self._absorbed.pop(number, [])]
        self._absorbed.setdefault(into, []).extend(absorbed)
        for other in absorbed:
            self.tickets[other] = with_(self.tickets[other], merged_into=into)
        self.tickets[number] = with_(self.tickets[number], messages=0, status=Status.MERGED)

    def _unmerge(self, number: int, data: Data) -> None:
        target = _number(data, "from", number)
        self._absorbed[target] = [other for other in self._absorbed.get(target, []) if other != number]
        self.tickets[number] = with_(self.tickets[number], merged_into=None)
        for message in tuple(self._lying_in.get(target, ())):
            if self.messages[message].origin == number:
                self._put(message, number)

    def _judge(self, state: MessageState, data: Data) -> None:
        message = data.get("message")
        if message in self.messages:
            self.messages[message] = with_(self.messages[message], state=state)

    def _put(self, message: int, to: int) -> None:
        said = self.messages.get(message)
        if said is not None and to in self.tickets:
            self._count(said.ticket, -said.counts)
            self._lay(message, to)
            self._count(to, said.counts)

    def _lay(self, message: int, to: int) -> None:
        said = self.messages[message]
        del self._lying_in[said.ticket][message]
        self._lying_in.setdefault(to, {})[message] = None
        self.messages[message] = with_(said, ticket=to)

    def _count(self, number: int, more: int) -> None:
        ticket = self.tickets[number]
        self.tickets[number] = with_(ticket, messages=max(0, ticket.messages + more))


def fold(entries: Iterable[tuple[int, Entry]], gone: frozenset[int] = frozenset()) -> Fold:
    """The state after all events but those `gone`; `entries` come with their places, oldest first."""
    state = Fold()
    for place, entry in entries:
        if place not in gone:
            state.add(entry)
    return state


def _created(number: int, data: Data, entry: Entry) -> TicketState:
    requester = _text(data, "requester", "")
    return TicketState(
        number=number,
        created_us=entry.at_us,
        updated_us=entry.at_us,
        arrived_us=_instant(data.get("arrived")) or entry.at_us,
        subject=_text(data, "subject", ""),
        priority=_priority(data, "priority", int(Priority.NORMAL)),
        impact=_maybe_number(data, "impact", _LEVELS),
        urgency=_maybe_number(data, "urgency", _LEVELS),
        tier=_number(data, "tier", 1, _LEVELS),
        kind=_text(data, "kind", "incident"),
        category=_text(data, "category", ""),
        queue=_text(data, "queue", ""),
        requester=requester,
        language=_text(data, "language", "en"),
        channel=_text(data, "channel", "email"),
        participants=((requester, "requester", entry.at_us),) if requester else (),
    )


def _state_changed(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
    try:
        to = by_word(Status, _text(data, "to", ""))
    except Invalid:  # of a newer version
        return ticket
    if to is Status.RESOLVED:
        return with_(ticket, status=to, resolved_us=entry.at_us)
    if to is Status.OPEN:
        reopened = ticket.status in (Status.RESOLVED, Status.CLOSED)
        return with_(ticket, status=to, resolved_us=None, reopens=ticket.reopens + reopened)
    return with_(ticket, status=to)


def _changed(field: str) -> Reducer:
    def reduce(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
        return with_(ticket, **{field: _text(data, "to", getattr(ticket, field))})

    return reduce


def _owner_changed(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
    return with_(ticket, owner=_text(data, "to", "") or None)


def _priority_changed(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
    return with_(
        ticket,
        priority=_priority(data, "to", ticket.priority),
        impact=_maybe_number(data, "impact", _LEVELS),
        urgency=_maybe_number(data, "urgency", _LEVELS),
    )


def _tier_changed(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
    return with_(ticket, tier=_number(data, "to", ticket.tier, _LEVELS))


def _tag_added(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
    tag = _text(data, "tag", "")
    return ticket if not tag or tag in ticket.tags else with_(ticket, tags=(*ticket.tags, tag))


def _tag_removed(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
    return with_(ticket, tags=tuple(tag for tag in ticket.tags if tag != data.get("tag")))


def _participant_added(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
    address = _text(data, "address", "")
    if not address or any(known == address for known, _, _ in ticket.participants):
        return ticket
    return with_(
        ticket, participants=(*ticket.participants, (address, _text(data, "role", "cc"), entry.at_us))
    )


def _participant_removed(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
    gone = data.get("address")
    return with_(ticket, participants=tuple(person for person in ticket.participants if person[0] != gone))


def _linked(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
    link = (_number(data, "ticket", 0), _text(data, "rel", "related"))
    return ticket if not link[0] or link in ticket.links else with_(ticket, links=(*ticket.links, link))


def _unlinked(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
    gone = (data.get("ticket"), data.get("rel"))
    return with_(ticket, links=tuple(link for link in ticket.links if link != gone))


def _promise(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
    name = _text(data, "clock", "")
    is_running = entry.event in ("clock.started", "clock.resumed", "clock.breached")  # late is not over
    promise = Promise(name, _instant(data.get("due")) if is_running else None)
    return with_(ticket, promises=(*(p for p in ticket.promises if p.clock != name), promise))


def _unchanged(ticket: TicketState, data: Data, entry: Entry) -> TicketState:
    return ticket


REDUCERS: dict[str, Reducer] = {
    "ticket.created": _unchanged,
    "state.changed": _state_changed,
    "owner.changed": _owner_changed,
    "queue.changed": _changed("queue"),
    "category.changed": _changed("category"),
    "kind.changed": _changed("kind"),
    "language.changed": _changed("language"),
    "priority.changed": _priority_changed,
    "tier.changed": _tier_changed,
    "tag.added": _tag_added,
    "tag.removed": _tag_removed,
    "participant.added": _participant_added,
    "participant.removed": _participant_removed,
    "ticket.linked": _linked,
    "ticket.split": _linked,
    "ticket.unlinked": _unlinked,
    **dict.fromkeys(
        (f"clock.{what}" for what in ("started", "paused", "resumed", "met", "breached", "cancelled")),
        _promise,
    ),
}
# Events that touch messages, and with them more than one ticket.
_MOVING: dict[str, Callable[[Fold, int, Data], None]] = {
    "message.in": Fold._say,
    "message.out": Fold._out,
    "note.added": Fold._say,
    "message.moved": Fold._move,
    "message.held": lambda state, _, data: state._judge(MessageState.HELD, data),
    "message.released": lambda state, _, data: state._judge(MessageState.STANDS, data),
    "message.rejected": lambda state, _, data: state._judge(MessageState.REJECTED, data),
    "ticket.merged": Fold._merge,
    "ticket.unmerged": Fold._unmerge,
}
# A mail set aside, or put away for good, leaves its ticket as it was; only a release changes it.
_JUDGING = frozenset({"message.held", "message.rejected"})
_KNOWN = REDUCERS.keys() | _MOVING.keys()


def _text(data: Data, key: str, default: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else default


def _number(data: Data, key: str, default: int, below: int = MOST) -> int:
    value = _maybe_number(data, key, below)
    return default if value is None else value


def _maybe_number(data: Data, key: str, below: int = MOST) -> int | None:
    value = data.get(key)
    return value if type(value) is int and 0 <= value < below else None  # a bool is no number


def _priority(data: Data, key: str, default: int) -> int:
    """By number or name: other programs write either."""
    try:
        return int(by_word(Priority, str(data.get(key))))
    except Invalid:
        return default


def _instant(value: object) -> int | None:
    try:
        return parse_iso(value) if isinstance(value, str) else None
    except ValueError:
        return None
