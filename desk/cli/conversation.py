"""A ticket for people: its head, then messages and what happened in between, in the order of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from desk.safetext import safe_line, safe_text

# Messages speak for these themselves; an order is seen in what it caused.
_NOT_SHOWN = frozenset(
    {
        "ticket.created",
        "message.in",
        "message.out",
        "message.held",
        "note.added",
        "order.given",
        "letter.sent",
    }
)
_ARROWS = {"in": "->", "out": "<-", "note": "##"}
_INDENT = "    "
_FOLDED = frozenset({"quote", "signature", "disclaimer", "forward"})


def print_ticket(ticket: dict[str, Any], *, timezone: str, is_full: bool) -> None:
    """Print what `ticket_show` gave; quotes and the like are folded unless `is_full`."""
    zone = ZoneInfo(timezone)
    for line in _head(ticket, zone):
        click.echo(safe_line(line))
    for _, lines in sorted(_timeline(ticket, zone, is_full=is_full), key=lambda entry: entry[0]):
        click.echo()
        for line in lines:
            click.echo(line)


def _head(ticket: dict[str, Any], zone: ZoneInfo) -> Iterator[str]:
    yield f"#{ticket['number']}  {ticket['subject']}"
    facts = {
        "status": ticket["status"] + (f" into {ticket['merged_into']}" if ticket["merged_into"] else ""),
        "priority": ticket["priority"],
        "tier": ticket["tier"],
        "kind": ticket["kind"],
        "queue": ticket["queue"],
        "owner": ticket["owner"] or "nobody",
        "category": ticket["category"],
        "tags": " ".join(ticket["tags"]),
        "due": local_time(ticket["due"], zone) if ticket["due"] else "",
    }
    yield "  ".join(f"{name} {value}" for name, value in facts.items() if value not in ("", None))
    for person in ticket["participants"]:
        name = f"{person['name']} " if person["name"] else ""
        yield f"{person['role']}: {name}<{person['address']}>"
    for link in ticket["links"]:
        yield f"{link['source']} is {link['relation']} of {link['target']}"


def _timeline(ticket: dict[str, Any], zone: ZoneInfo, *, is_full: bool) -> Iterator[tuple[str, list[str]]]:
    for message in ticket["messages"]:
        yield message["at"], list(_message(message, zone, is_full=is_full))
    for event in ticket["events"]:
        if event["event"] not in _NOT_SHOWN:
            yield event["at"], [safe_line(_event(event, zone))]


def _message(message: dict[str, Any], zone: ZoneInfo, *, is_full: bool) -> Iterator[str]:
    name = f"{message['from_name']} " if message["from_name"] else ""
    words = [
        _ARROWS[message["direction"]],
        message["direction"],
        local_time(message["at"], zone),
        f"{name}<{message['from']}>" if message["from"] else "the desk",
        message["audience"],
        message["state"],
    ]
    if message["kind"] not in ("human", "reply", "note"):
        words.append(message["kind"])
    if message["trust"] is not None:
        words.append(f"trust {message['trust']}")
    yield safe_line("  ".join(words))
    for evidence in message["evidence"]:
        yield safe_line(f"   why: {evidence}")
    for role, text in _spans(message, is_full=is_full):
        yield from _block(role, text, is_full=is_full)
    for file in message["attachments"]:
        yield safe_line(f"   file {file['id']}: {file['name']} ({file['type']}, {file['size']} bytes)")


def _spans(message: dict[str, Any], *, is_full: bool) -> list[tuple[str, str]]:
    spans = message["spans"]
    if is_full or not spans:
        return [("new", message["text"])]
    return [(span["role"], message["text"][span["start"] : span["end"]]) for span in spans]


def _block(role: str, text: str, *, is_full: bool) -> Iterator[str]:
    lines = safe_text(text).strip("\n").split("\n")
    if lines == [""]:
        return
    if role in _FOLDED and not is_full:
        yield f"{_INDENT}[{role}, {len(lines)} line{'s' if len(lines) > 1 else ''}; --full shows it]"
        return
    for line in lines:
        yield f"{_INDENT}{line}".rstrip()


def _event(event: dict[str, Any], zone: ZoneInfo) -> str:
    data = {name: value for name, value in event["data"].items() if value not in (None, "", [])}
    change = ""
    if "from" in data or "to" in data:
        change = f"{data.pop('from', '-')} -> {data.pop('to', '-')}"
    rest = " ".join(f"{name}={value}" for name, value in data.items() if name not in ("by", "of"))
    words = ["--", local_time(event["at"], zone), event["event"], change, rest, f"by {event['actor']['who']}"]
    return "  ".join(word for word in words if word)


def local_time(instant: str, zone: ZoneInfo) -> str:
    """An instant of JSON as people of that zone read it, to the minute."""
    return datetime.fromisoformat(instant).astimezone(zone).strftime("%Y-%m-%d %H:%M")
