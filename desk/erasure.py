"""Erase a person: texts, raw mail, files, letters and search entries; hashes and counts stay.

What other people wrote stays; of them, only what quotes the person remains readable to technicians.
"""

from __future__ import annotations

from desk import search_index
from desk.store.schema import (
    Address,
    Attachment,
    Blob,
    Contact,
    Event,
    EventText,
    Inbox,
    Message,
    Outbox,
    Participant,
    Ticket,
)
from desk.store.writer import Transaction

ERASED = "(erased)"


def erase(tx: Transaction, contact: int) -> None:
    """Erase all that one contact wrote, was written, and is known by. Not to be undone."""
    tickets = [row.number for row in Ticket.select(Ticket.number).where(Ticket.requester == contact)]
    addresses = [row.address for row in Address.select().where(Address.contact == contact)]
    written = list(
        Message.select(Message.id, Message.blob).where(
            (Message.contact == contact) | Message.ticket.in_(tickets)
        )
    )
    letters = list(
        Outbox.select(Outbox.id, Outbox.blob).where((Outbox.contact == contact) | Outbox.ticket.in_(tickets))
    )
    ids = [row.id for row in written]
    files = [row.sha256 for row in Attachment.select().where(Attachment.message.in_(ids))]
    for message in ids:
        search_index.remove(tx, message)
    _erase_messages(ids, tickets)
    _erase_letters(letters)
    Inbox.update(envelope={"door": "erased"}).where(Inbox.message.in_(ids)).execute()
    _drop_blobs({row.blob for row in written if row.blob} | {row.blob for row in letters} | set(files))
    events = Event.select(Event.id).where(Event.ticket.in_(tickets) | Event.message.in_(ids))
    EventText.delete().where(EventText.event.in_(events)).execute()
    Participant.delete().where(Participant.contact == contact, Participant.ticket.not_in(tickets)).execute()
    Participant.update(address=ERASED).where(Participant.contact == contact).execute()
    Address.delete().where(Address.address.in_(addresses)).execute()
    Contact.update(name=ERASED, said_name="", organisation="", language=None, vip=False).where(
        Contact.id == contact
    ).execute()


def _erase_messages(ids: list[int], tickets: list[int]) -> None:
    Message.update(
        text=ERASED,
        spans=[],
        subject=ERASED,
        author=ERASED,
        author_name="",
        blob=None,
        message_id=None,
        evidence=[],
    ).where(Message.id.in_(ids)).execute()
    Attachment.delete().where(Attachment.message.in_(ids)).execute()
    Ticket.update(subject=ERASED, requester_address=ERASED).where(Ticket.number.in_(tickets)).execute()


def _erase_letters(letters: list[Outbox]) -> None:
    Outbox.update(recipient=ERASED, answer="", blob="").where(
        Outbox.id.in_([row.id for row in letters])
    ).execute()


def _drop_blobs(candidates: set[str]) -> None:
    """Delete the bytes that nothing else refers to."""
    kept: set[str] = set()
    for column in (Message.blob, Outbox.blob, Attachment.sha256):
        kept |= {row[0] for row in column.model.select(column).where(column.in_(candidates)).tuples()}
    kept |= {
        row.sha256
        for row in Inbox.select(Inbox.sha256).where(Inbox.sha256.in_(candidates), Inbox.state.in_([0, 2, 3]))
    }
    Blob.delete().where(Blob.sha256.in_(candidates - kept)).execute()
