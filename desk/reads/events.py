"""Events as JSON: what `desk export events` writes in a line, for one ticket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from peewee import JOIN

from desk.eventlines import REFERENCES, Entry, to_line, values
from desk.export import renumbered
from desk.store.current import CURRENT
from desk.store.schema import Event, EventText, Seal


def event_rows(ticket: int) -> list[dict[str, Any]]:
    """The history of a ticket, oldest first, each event as its line of the export; `seq` is null until sealed.

    Two queries, however many events there are. Call it inside `store.reading()`.
    """
    entries = [_entry(row) for row in _read(ticket)]
    places = _places(entries)
    return [_as_json(entry, places) for entry in entries]


@dataclass(frozen=True, slots=True)
class GivenOrder:
    """An order as its words: `verb` is that of the command line, `ticket` None when it was about none."""

    id: int
    verb: str
    ticket: int | None


def order_given(event: int) -> GivenOrder:
    """The order behind an order.given event. Call it inside `store.reading()`."""
    row = Event.get_by_id(event)
    return GivenOrder(row.id, row.data["verb"], row.ticket)


def _read(ticket: int) -> Iterable[tuple[Any, ...]]:
    # data is read as text: its values go out as they were written
    query, parameters = (
        Event.select(
            Seal.seq,
            Event.at,
            Event.ticket,
            Event.actor_kind,
            Event.who,
            Event.rule,
            Event.message,
            Event.event,
            Event.data,
            EventText.text,
        )
        .join(Seal, JOIN.LEFT_OUTER, on=(Seal.event == Event.id))
        .switch(Event)
        .join(EventText, JOIN.LEFT_OUTER, on=(EventText.event == Event.id))
        .where(Event.ticket == ticket)
        .order_by(Event.id)
        .sql()
    )
    rows: list[tuple[Any, ...]] = CURRENT.execute_sql(query, parameters).fetchall()
    return rows


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, at_us, ticket, actor_kind, who, rule, message, event, data, text = row
    return Entry(
        seq=seq,
        at_us=at_us,
        ticket=ticket,
        actor_kind=actor_kind,
        who=who,
        rule=rule,
        message=message,
        event=event,
        lasting=values(data),
        erasable=values(text) if text is not None else {},
    )


def _places(entries: list[Entry]) -> dict[int, int]:
    """The seq of every event that one of these names."""
    named: set[int] = set()
    for entry in entries:
        if entry.event in REFERENCES and REFERENCES[entry.event] in entry.lasting:
            value = msgspec.json.decode(entry.lasting[REFERENCES[entry.event]])
            named.update(
                one for one in (value if isinstance(value, list) else [value]) if isinstance(one, int)
            )
    found: Any = Seal.select(Seal.event, Seal.seq).where(Seal.event.in_(sorted(named))).tuples()
    return dict(found)


def _as_json(entry: Entry, places: dict[int, int]) -> dict[str, Any]:
    if entry.event in REFERENCES:
        lasting = renumbered(entry.lasting, REFERENCES[entry.event], lambda event: places.get(event, 0))
        entry = msgspec.structs.replace(entry, lasting=lasting)
    line: dict[str, Any] = msgspec.json.decode(to_line(entry))
    return {"seq": None, **line}
