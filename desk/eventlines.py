"""One line of `desk export events`: from a row of the history to JSON, and back, without loss.

Values of the data are carried as they were written (numbers, spacing, escapes), so that a line that was
imported is exported with the same bytes. Fields and events that nobody knows are kept.
Trust: lines to import are the admin's own, but may come from another program.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from msgspec import Raw

from desk.clock import iso, parse_iso
from desk.errors import Invalid
from desk.events import BY_NAME
from desk.history import PERSONAL_ACTORS

# The field that names other events of the history by their place in it.
REFERENCES = {"undo.done": "of", "order.given": "undo_of"}
MOST = 1 << 62  # above every id, number and instant
_KNOWN = frozenset({"seq", "at", "ticket", "actor", "rule", "message", "event", "data"})
_EXTRAS = ""  # under this key of the erasable text lies what else stood in the line
_encode = msgspec.json.Encoder().encode
_values = msgspec.json.Decoder(dict[str, Raw]).decode
Values = dict[str, Raw]


class Entry(msgspec.Struct, kw_only=True, frozen=True):
    """One event, its data in two parts: what lasts, and what may be erased (with `who`, where that names a
    person from outside)."""

    seq: int | None
    at_us: int
    ticket: int | None
    actor_kind: str
    who: str
    rule: str | None
    message: int | None
    event: str
    lasting: Values
    erasable: Values

    def data(self) -> dict[str, Any]:
        """The data as plain values."""
        parts = {
            **self.lasting,
            **{key: raw for key, raw in self.erasable.items() if key not in ("who", _EXTRAS)},
        }
        return {key: msgspec.json.decode(raw) for key, raw in parts.items()}

    def sayer(self) -> str:
        """Who did it, whichever part that lies in."""
        return str(msgspec.json.decode(self.erasable["who"])) if "who" in self.erasable else self.who


def values(text: str) -> Values:
    """A JSON object of the store, its values untouched."""
    return _values(text)


def to_line(entry: Entry) -> bytes:
    """The event as one line of JSON, with its end of line."""
    erasable = dict(entry.erasable)
    extras = _values(erasable.pop(_EXTRAS, Raw(b"{}")))
    who = erasable.pop("who", None) or Raw(_encode(entry.who))
    line: dict[str, Any] = {} if entry.seq is None else {"seq": entry.seq}
    line |= {"at": iso(entry.at_us), "ticket": entry.ticket, "actor": {"kind": entry.actor_kind, "who": who}}
    if entry.rule is not None:
        line["rule"] = entry.rule
    if entry.message is not None:
        line["message"] = entry.message
    line |= {"event": entry.event, "data": {**entry.lasting, **erasable}}
    return _encode({**line, **extras}) + b"\n"


def from_line(text: bytes, number: int) -> Entry:
    """Read a line; `number` is its place in the file, for messages.

    Raises:
        Invalid: it is no event.
    """
    try:
        return _from_line(text)
    except (msgspec.DecodeError, ValueError, KeyError, RecursionError, UnicodeDecodeError) as error:
        missing = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise Invalid(f"line {number} is not an event: {missing}") from error


def _from_line(text: bytes) -> Entry:
    line = _values(text)
    event = _text(line["event"])
    data = _values(line.get("data", Raw(b"{}")))
    personal = _personal_keys(event)
    lasting = {key: raw for key, raw in data.items() if key not in personal}
    erasable = {key: raw for key, raw in data.items() if key in personal}
    extras = {key: raw for key, raw in line.items() if key not in _KNOWN}
    actor = _values(line["actor"])
    kind = _text(actor["kind"])
    who = _optional(actor.get("who"), str) or ""
    if set(actor) != {"kind", "who"} or bytes(actor["who"]) == b"null":
        extras["actor"] = line["actor"]
    rule = line.get("rule", Raw(b"null"))
    if not bytes(rule).startswith((b'"', b"null")):
        extras["rule"], rule = rule, Raw(b"null")
    if kind in PERSONAL_ACTORS:
        erasable["who"], who = Raw(_encode(who)), ""
    if extras:
        erasable[_EXTRAS] = Raw(_encode(extras))
    return Entry(
        seq=_optional(line.get("seq"), int),
        at_us=parse_iso(_text(line["at"])),
        ticket=_optional(line.get("ticket"), int),
        actor_kind=kind,
        who=who,
        rule=_optional(rule, str),
        message=_optional(line.get("message"), int),
        event=event,
        lasting=lasting,
        erasable=erasable,
    )


def _text(raw: Raw) -> str:
    text = msgspec.json.decode(raw, type=str)
    if "\0" in text:  # PostgreSQL keeps none, and no name has one
        raise ValueError("a name holds a zero byte")
    return text


def _optional(raw: Raw | None, kind: type[Any]) -> Any:
    if raw is None:
        return None
    value = msgspec.json.decode(raw, type=kind | None)
    if isinstance(value, int) and not 0 <= value < MOST:
        raise ValueError(f"{value} is no number of this kind")
    return value if value is None or kind is int else _text(raw)


@cache
def _personal_keys(event: str) -> frozenset[str]:
    """The keys of the data that hold texts of people; none for an event that nobody knows."""
    kind = BY_NAME.get(event)
    if kind is None:
        return frozenset()
    return frozenset(
        field.encode_name for field in msgspec.structs.fields(kind) if field.name in kind.personal
    )
