"""Erase a person: texts, raw mail, files, letters and search entries; hashes and counts stay.

Erased is all of the person's own tickets, technicians' notes on them included, and what the person wrote or
was written elsewhere. What others wrote on their own tickets stays, also where it quotes the person; only the
letters made of it go, since they carry the person's address and words. A letter to others that still waits
there keeps its bytes until it has left: it must not be lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from desk import blobs, search_index
from desk.errors import NotFound
from desk.states import InboxState, OutboxState
from desk.store.database import translated
from desk.store.schema import (
    Address,
    Attachment,
    Blob,
    Contact,
    Event,
    EventText,
    Inbox,
    Message,
    MessageIdentity,
    Outbox,
    Participant,
    Ticket,
)
from desk.store.writer import Store, Transaction

ERASED = "(erased)"
_ENVELOPE = {"door": "erased"}
_CHUNK = 500
_ASIDE = [InboxState.HELD, InboxState.PARKED, InboxState.WAITING]
_UNFILED = [InboxState.PARKED, InboxState.DROPPED, InboxState.REJECTED]
_SETTLED = [OutboxState.SENT, OutboxState.FAILED, OutboxState.WITHDRAWN]


@dataclass(frozen=True, slots=True)
class _Traces:
    """Where a person stands in the store: conditions on tables, which hold until the end of the erasure."""

    contacts: list[int]
    addresses: set[str]
    tickets: Any  # the person's own
    messages: Any  # on them, moved from them, or by the person elsewhere

    def of_letters(self) -> Any:
        mine = Outbox.contact.in_(self.contacts) | Outbox.ticket.in_(self.tickets)
        return mine | Outbox.message.in_(Message.select(Message.id).where(self.messages))


def erase(tx: Transaction, contact: int) -> None:
    """Erase all that one contact wrote, was written, and is known by. Not to be undone.

    The bytes stay in free pages of the database file until `scrub`.
    """
    traces = _traces(contact)
    erased = Message.select(Message.id).where(traces.messages)
    shared = _shared_tickets(traces)
    gone = _bytes_of(traces, erased)
    gone |= _erase_spool(traces, erased, gone)
    gone |= _erase_letters(traces, shared)
    _erase_history(traces, erased)
    _erase_messages(tx, traces, erased)
    _drop_blobs(gone)
    _erase_contact(traces)


def scrub(store: Store) -> None:
    """Take what was erased out of free pages and logs as well. Rewrites the whole file: minutes for a large one.

    On PostgreSQL this is the work of VACUUM, which the server does by itself.
    """
    if store.engine != "sqlite":
        return
    # the index keeps removed words in its older segments until they are merged
    store.write_tx(lambda tx: tx.run("INSERT INTO message_fts (message_fts) VALUES ('optimize')"))
    with translated(), store.reading():
        store.database.execute_sql("VACUUM")
        store.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _traces(contact: int) -> _Traces:
    merged = Contact.select(Contact.id).where(Contact.merged_into == contact)
    contacts = [contact, *(row.id for row in merged)]
    tickets = Ticket.select(Ticket.number).where(Ticket.requester.in_(contacts))
    places: list[Any] = [
        Address.select(Address.address).where(Address.contact.in_(contacts)),
        Participant.select(Participant.address).where(Participant.contact.in_(contacts)),
        Ticket.select(Ticket.requester_address).where(Ticket.requester.in_(contacts)),
        Outbox.select(Outbox.recipient).where(Outbox.contact.in_(contacts)),
        Message.select(Message.author).where(Message.contact.in_(contacts)),
    ]
    addresses = {address for rows in places for address in _values(rows.distinct())} - {ERASED, ""}
    messages = Message.contact.in_(contacts) | Message.ticket.in_(tickets) | Message.origin.in_(tickets)
    return _Traces(contacts, addresses, tickets, messages)


def _shared_tickets(traces: _Traces) -> list[int]:
    """Tickets of others on which the person took part: letters there may quote the person."""
    took_part = Participant.select(Participant.ticket).where(Participant.contact.in_(traces.contacts))
    wrote = Message.select(Message.ticket).where(
        Message.contact.in_(traces.contacts), Message.ticket.is_null(False)
    )
    return sorted(_values(took_part) | _values(wrote))


def _bytes_of(traces: _Traces, erased: Any) -> set[str]:
    mails = Message.select(Message.blob).where(traces.messages, Message.blob.is_null(False))
    files = Attachment.select(Attachment.sha256).where(Attachment.message.in_(erased))
    return _values(mails) | _values(files)


def _erase_spool(traces: _Traces, erased: Any, mails: set[str]) -> set[str]:
    """Forget how the mails came in, also those that nobody could file; the bytes of the latter."""
    unfiled = [
        row
        for row in Inbox.select(Inbox.id, Inbox.sha256, Inbox.envelope).where(
            Inbox.message.is_null(), Inbox.state.in_(_UNFILED)
        )
        if _is_from(row, traces.addresses)
    ]
    ids = {row.id for row in unfiled}
    ids |= _values(Inbox.select(Inbox.id).where(Inbox.message.in_(erased)))
    for part in _parts(mails):
        ids |= _values(Inbox.select(Inbox.id).where(Inbox.sha256.in_(part)))
    for part in _parts(ids):
        Inbox.update(envelope=_ENVELOPE, reason="erased").where(Inbox.id.in_(part)).execute()
        Inbox.update(state=int(InboxState.REJECTED)).where(
            Inbox.id.in_(part), Inbox.state.in_(_ASIDE)
        ).execute()
    return {row.sha256 for row in unfiled}


def _is_from(row: Inbox, addresses: set[str]) -> bool:
    """Whether a mail that was never read names the person in its envelope or header."""
    sender = str(row.envelope.get("sender") or "").lower()
    if sender in addresses:
        return True
    try:
        head = blobs.content(row.sha256).partition(b"\r\n\r\n")[0].lower()
    except NotFound:
        return False
    return any(_whole(address).search(head.decode("utf-8", "replace")) for address in addresses)


def _erase_letters(traces: _Traces, shared: list[int]) -> set[str]:
    """Letters to the person lose recipient and bytes, waiting ones stay at home; the bytes."""
    mine = traces.of_letters()
    gone = _values(Outbox.select(Outbox.blob).where(mine))
    waiting = [OutboxState.WAITING, OutboxState.SENDING]
    Outbox.update(state=int(OutboxState.WITHDRAWN)).where(mine, Outbox.state.in_(waiting)).execute()
    Outbox.update(recipient=ERASED, answer="", blob="").where(mine).execute()
    for part in _parts(shared):
        beside = Outbox.ticket.in_(part) & Outbox.state.in_(_SETTLED)
        gone |= _values(Outbox.select(Outbox.blob).where(beside))
        Outbox.update(blob="").where(beside).execute()
    return gone - {""}


def _erase_history(traces: _Traces, erased: Any) -> None:
    """Texts of events on the person's tickets and messages, and of all others that name the person."""
    about = Event.ticket.in_(traces.tickets) | Event.message.in_(erased)
    EventText.delete().where(EventText.event.in_(Event.select(Event.id).where(about))).execute()
    naming = {event for address in traces.addresses for event in _events_naming(address)}
    for part in _parts(naming):
        EventText.delete().where(EventText.event.in_(part)).execute()


def _events_naming(address: str) -> Iterator[int]:
    written = msgspec.json.encode(address).decode()[1:-1]  # as JSON escapes it
    whole = _whole(written)
    rows: Any = (
        EventText.select(EventText.event, EventText.text, Event.event)
        .join(Event, on=(Event.id == EventText.event))
        .where(EventText.text.contains(written))
    )
    for number, text, name in rows.tuples():
        if name == "message.in":  # somebody else's mail may quote the address
            data = msgspec.json.decode(text)
            if address in (str(data.get("from")).lower(), str(data.get("who")).lower()):
                yield number
        elif whole.search(text.lower()):
            yield number


def _whole(address: str) -> re.Pattern[str]:
    """The address, not as a part of a longer one."""
    return re.compile(rf"(?<![\w.+-]){re.escape(address.lower())}(?![\w-]|\.\w)")


def _erase_messages(tx: Transaction, traces: _Traces, erased: Any) -> None:
    for number in sorted(_values(erased)):
        search_index.remove(tx, number)
    ids = Message.select(Message.message_id).where(traces.messages, Message.message_id.is_null(False))
    named = MessageIdentity.message_id.in_(ids) | MessageIdentity.ticket.in_(traces.tickets)
    MessageIdentity.delete().where(named).execute()
    Attachment.delete().where(Attachment.message.in_(erased)).execute()
    Message.update(author=ERASED, author_name="").where(
        traces.messages, Message.author_kind.not_in(["technician", "system"]) | Message.contact.is_null(False)
    ).execute()
    Message.update(
        text=ERASED, spans=[], subject=ERASED, blob=None, message_id=None, evidence=[], marks=[]
    ).where(traces.messages).execute()


def _erase_contact(traces: _Traces) -> None:
    Ticket.update(subject=ERASED, requester_address=ERASED).where(
        Ticket.requester.in_(traces.contacts)
    ).execute()
    Participant.delete().where(Participant.contact.in_(traces.contacts)).execute()
    Address.delete().where(Address.contact.in_(traces.contacts)).execute()
    Contact.update(name=ERASED, said_name="", organisation="", language=None, vip=False).where(
        Contact.id.in_(traces.contacts)
    ).execute()


def _drop_blobs(candidates: set[str]) -> None:
    """Delete the bytes that nothing else refers to."""
    for part in _parts(candidates):
        kept: set[str] = set()
        for column in (Message.blob, Outbox.blob, Attachment.sha256):
            kept |= _values(column.model.select(column).where(column.in_(part)))
        others = Inbox.select(Inbox.sha256).where(Inbox.sha256.in_(part), Inbox.envelope != _ENVELOPE)
        kept |= _values(others)
        Blob.delete().where(Blob.sha256.in_(set(part) - kept)).execute()


def _values(rows: Any) -> set[Any]:
    """What a query of one column finds."""
    return {row[0] for row in rows.tuples()}


def _parts(values: Iterable[Any]) -> Iterator[list[Any]]:
    """The values in lists that an engine takes as parameters of one statement."""
    ordered = sorted(values)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]
