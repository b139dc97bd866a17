"""Tables of tickets and their conversation."""

from __future__ import annotations

from peewee import (
    SQL,
    BigAutoField,
    BigIntegerField,
    BooleanField,
    CompositeKey,
    IntegerField,
    SmallIntegerField,
    TextField,
)

from desk.store.current import JsonField, Table

NO_DUE = 1 << 62  # sorts behind every instant, so that keyset pages need no NULL handling


class Ticket(Table):
    """One request. `version` is the optimistic lock; it grows with every change that people can see."""

    number = BigIntegerField(primary_key=True)
    subject = TextField()
    status = SmallIntegerField()
    priority = SmallIntegerField(default=3)
    impact = SmallIntegerField(null=True)
    urgency = SmallIntegerField(null=True)
    tier = SmallIntegerField(default=1)
    kind = TextField(default="incident")
    category = TextField(default="")
    queue = TextField()
    team = TextField(null=True)
    owner = TextField(null=True)
    requester = BigIntegerField()
    requester_address = TextField()
    language = TextField()
    channel = TextField()
    arrived = BigIntegerField()
    created = BigIntegerField()
    updated = BigIntegerField()
    resolved = BigIntegerField(null=True)
    due = BigIntegerField(default=NO_DUE)
    merged_into = BigIntegerField(null=True)
    messages = IntegerField(default=0)
    reopens = IntegerField(default=0)
    collecting = BooleanField(default=False)
    version = IntegerField(default=1)


# Live tickets are a few per cent of all: every partial index over them is tiny. `status < 5` must be
# a literal, here and in queries: a bound parameter keeps PostgreSQL from using a partial index.
LIVE_SQL = '"t1"."status" < 5'
Ticket.add_index(Ticket.index(Ticket.updated, Ticket.number, name="ticket_updated"))
Ticket.add_index(Ticket.index(Ticket.requester, Ticket.created, name="ticket_requester"))
Ticket.add_index(Ticket.index(Ticket.merged_into, name="ticket_merged", where=SQL("merged_into IS NOT NULL")))
Ticket.add_index(Ticket.index(Ticket.due, Ticket.number, name="ticket_live_due", where=SQL("status < 5")))
Ticket.add_index(
    Ticket.index(Ticket.queue, Ticket.due, Ticket.number, name="ticket_live_queue", where=SQL("status < 5"))
)
Ticket.add_index(
    Ticket.index(Ticket.owner, Ticket.due, Ticket.number, name="ticket_live_owner", where=SQL("status < 5"))
)
Ticket.add_index(
    Ticket.index(Ticket.updated, Ticket.number, name="ticket_live_updated", where=SQL("status < 5"))
)


class TicketTag(Table):
    ticket = BigIntegerField()
    tag = TextField()

    class Meta:
        primary_key = CompositeKey("ticket", "tag")
        indexes = ((("tag", "ticket"), False),)


class Link(Table):
    """`source` is `relation` of `target`: duplicate, parent, caused-by, related, problem, change."""

    source = BigIntegerField()
    target = BigIntegerField(index=True)
    relation = TextField()

    class Meta:
        primary_key = CompositeKey("source", "target", "relation")


class Participant(Table):
    """A person of a ticket: requester, cc, vendor or follower, under one address."""

    ticket = BigIntegerField()
    contact = BigIntegerField(index=True)
    address = TextField()
    role = TextField()
    since = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("ticket", "contact")


class Message(Table):
    """One entry of a conversation. `ticket` is where it stands now, `origin` where it was filed first."""

    id = BigAutoField()
    ticket = BigIntegerField(null=True)
    origin = BigIntegerField(null=True)
    direction = SmallIntegerField()
    kind = TextField()  # in: as Letter.kind; out: reply, ack, copy, notice; note
    audience = TextField()  # public, internal, vendor:<id>
    state = SmallIntegerField(default=0)
    author_kind = TextField()  # requester, participant, technician, vendor, stranger, system
    author = TextField()  # an address, or a login
    author_name = TextField(default="")
    contact = BigIntegerField(null=True)
    at = BigIntegerField()
    subject = TextField(default="")
    text = TextField(default="")
    spans = JsonField(default=list)  # [role, start, end]
    language = TextField(null=True)
    marks = JsonField(default=list)  # html, guessed, degraded, gratitude, defects, for people
    message_id = TextField(null=True)
    blob = TextField(null=True)  # sha256 of the exact bytes, for mail in
    trust = SmallIntegerField(null=True)
    evidence = JsonField(default=list)
    inbox = BigIntegerField(null=True)
    reply_to_letter = BigIntegerField(null=True)  # the letter that a bounce or automatic answer hit


Message.add_index(Message.index(Message.ticket, Message.id, name="message_ticket"))
Message.add_index(
    Message.index(Message.blob, name="message_blob", unique=True, where=SQL("blob IS NOT NULL"))
)
