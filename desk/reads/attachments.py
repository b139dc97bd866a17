"""The files of a ticket's messages, one at a time."""

from __future__ import annotations

from desk import blobs
from desk.errors import NotFound
from desk.store.schema import Attachment, Message


def attachment_of(ticket: int, attachment: int) -> tuple[str, bytes]:
    """Name and content of a ticket's attachment. Call it inside `store.reading()`.

    Raises:
        NotFound: the ticket has no such attachment, or its bytes were erased.
    """
    found = (
        Attachment.select(Attachment.name, Attachment.sha256)
        .join(Message, on=(Message.id == Attachment.message))
        .where(Attachment.id == attachment, Message.ticket == ticket)
        .first()
    )
    if found is None:
        raise NotFound(
            f"ticket {ticket} has no attachment {attachment}; `desk ticket show {ticket}` lists them"
        )
    return str(found.name), blobs.content(found.sha256)
