"""Tables of the history: insert-only events, their erasable texts, and the seals over them."""

from __future__ import annotations

from peewee import SQL, BigAutoField, BigIntegerField, TextField

from desk.store.current import JsonField, Table


class Event(Table):
    """What has happened. A trigger refuses UPDATE and DELETE.

    `who` is empty where it names a requester; that and all other text of people lies in EventText,
    and `text_hash` (salted) stands for it in the chain, so that erasing a person leaves the chain whole.
    """

    id = BigAutoField()
    at = BigIntegerField()
    ticket = BigIntegerField(null=True)
    actor_kind = TextField()
    who = TextField(default="")
    rule = TextField(null=True)
    message = BigIntegerField(null=True)
    cause = BigIntegerField(null=True)  # the order.given event that asked for it
    event = TextField()
    data = JsonField()
    text_hash = TextField(null=True)

    class Meta:
        indexes = ((("ticket", "id"), False),)


# What one person has ordered, newest first: the journal behind undo.
Event.add_index(
    Event.index(Event.who, Event.id, name="event_orders", where=SQL("event IN ('order.given', 'undo.done')"))
)


class EventText(Table):
    """The erasable fields of an event."""

    event = BigIntegerField(primary_key=True)
    salt = TextField()
    text = TextField()


class Seal(Table):
    """The place of an event in the chain: written once, after commit, by the holder of the lease."""

    seq = BigIntegerField(primary_key=True)
    event = BigIntegerField(unique=True)
    hash = TextField()
