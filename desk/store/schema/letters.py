"""Tables of letters: the spool, the outbox, exact bytes, attachments and known Message-IDs."""

from __future__ import annotations

from peewee import (
    SQL,
    BigAutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    IntegerField,
    SmallIntegerField,
    TextField,
)

from desk.store.current import JsonField, Table


class Blob(Table):
    """Bytes by their sha256 (hex): mails as received, letters as sent, attachments. Stored once."""

    sha256 = TextField(primary_key=True)
    size = BigIntegerField()
    codec = SmallIntegerField()  # 0 plain, 2 zstd
    data = BlobField()


class Attachment(Table):
    """A file of a message."""

    id = BigAutoField()
    message = BigIntegerField(index=True)
    name = TextField()
    type = TextField()
    size = BigIntegerField()
    sha256 = TextField(index=True)
    inline = BooleanField(default=False)


class MessageIdentity(Table):
    """Every Message-ID ever seen, also those only referred to: which ticket it belongs to (0: none yet)."""

    message_id = TextField(primary_key=True)
    ticket = BigIntegerField(default=0)
    message = BigIntegerField(null=True)


MessageIdentity.add_index(
    MessageIdentity.index(MessageIdentity.ticket, name="message_identity_ticket", where=SQL("ticket > 0"))
)
# ids that a held letter referred to, which nobody has claimed yet
MessageIdentity.add_index(
    MessageIdentity.index(
        MessageIdentity.message,
        name="message_identity_held",
        where=SQL("message IS NOT NULL AND ticket = 0"),
    )
)


class Inbox(Table):
    """The spool: mail taken in. Written before the sender is told 250."""

    id = BigAutoField()
    sha256 = TextField(index=True)
    size = BigIntegerField()
    door = TextField()
    door_key = TextField(null=True)
    envelope = JsonField()
    at = BigIntegerField()
    state = SmallIntegerField(default=0)
    run_at = BigIntegerField()
    tries = IntegerField(default=0)
    lease = BigIntegerField(default=0)
    holder = TextField(default="")
    reason = TextField(default="")
    ticket = BigIntegerField(null=True)
    message = BigIntegerField(null=True)


Inbox.add_index(Inbox.index(Inbox.run_at, Inbox.id, name="inbox_waiting", where=SQL("state = 0")))
Inbox.add_index(Inbox.index(Inbox.state, Inbox.id, name="inbox_aside", where=SQL("state IN (2, 3, 4)")))
Inbox.add_index(
    Inbox.index(Inbox.door, Inbox.door_key, name="inbox_door", unique=True, where=SQL("door_key IS NOT NULL"))
)


class Outbox(Table):
    """Letters out, one recipient a row, written with the change that caused them; the bytes are fixed."""

    id = BigAutoField()
    ticket = BigIntegerField(null=True, index=True)
    message = BigIntegerField(null=True, index=True)
    kind = TextField()
    message_id = TextField(unique=True)
    recipient = TextField()
    contact = BigIntegerField(null=True)
    to_new = BooleanField(default=False)
    blob = TextField()
    state = SmallIntegerField(default=0)
    created = BigIntegerField()
    run_at = BigIntegerField()
    tries = IntegerField(default=0)
    lease = BigIntegerField(default=0)
    holder = TextField(default="")
    code = IntegerField(null=True)
    answer = TextField(default="")
    done = BigIntegerField(null=True)


Outbox.add_index(Outbox.index(Outbox.run_at, Outbox.id, name="outbox_waiting", where=SQL("state = 0")))
Outbox.add_index(Outbox.index(Outbox.lease, name="outbox_sending", where=SQL("state = 1")))
Outbox.add_index(
    Outbox.index(Outbox.recipient, Outbox.created, name="outbox_acks", where=SQL("kind = 'ack'"))
)
Outbox.add_index(Outbox.index(Outbox.created, name="outbox_new", where=SQL("to_new")))


class SearchWaiting(Table):
    """Messages that the full-text index does not hold yet."""

    message = BigIntegerField(primary_key=True)
