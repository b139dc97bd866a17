"""Composes letters and writes them into the outbox, inside the transaction that causes them.

Privacy: a letter to an audience is made from messages of that audience only; the queries here name it.
Trust: names and subjects that strangers chose never stand in an automatic letter (acknowledgements).
"""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import msgspec

from desk import clock, outbox
from desk.commands import File
from desk.errors import Invalid
from desk.hometypes import HomeFiles, Queue
from desk.letter import Mailbox
from desk.letters.compose import Draft, compose
from desk.letters.parts import Enclosure
from desk.letters.quotes import Quoted
from desk.letters.templates import Rendered, Templates
from desk.letters.tokens import Kind, make, message_id, reply_address
from desk.settings import Settings
from desk.spans import new_text
from desk.store.writer import Store, Transaction

LOOP_FIELD = "X-Desk-Loop"
_LAST_PUBLIC = (
    "SELECT direction, author_name, author, at, text, spans FROM message WHERE ticket = ? AND state = 0"
    " AND audience = 'public' AND kind NOT IN ('ack', 'notice', 'auto-reply', 'bounce', 'report')"
    " AND direction IN (0, 1) AND id < ? ORDER BY id DESC LIMIT 1"
)
_INCOMING_IDS = (
    "SELECT at, message_id FROM message WHERE ticket = ? AND direction = 0 AND audience = 'public'"
    " AND state = 0 AND message_id IS NOT NULL AND id < ? ORDER BY id DESC LIMIT 20"
)
_LETTER_IDS = (
    "SELECT created, message_id FROM outbox WHERE ticket = ? AND recipient = ? AND state <> 4"
    " ORDER BY id DESC LIMIT 20"
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody of a ticket who is written to."""

    contact: int
    address: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message that goes out to the public participants of a ticket.

    `answers` are the Message-IDs that it follows, oldest first; None lets the conversation say.
    """

    ticket: int
    queue: str
    message: int
    kind: str
    subject: str
    text: str
    language: str
    author_name: str | None = None
    signature: str | None = None
    files: tuple[File, ...] = ()
    is_automatic: bool = False
    with_quote: bool = True
    answers: tuple[str, ...] | None = None
    hold: timedelta = timedelta(0)


class Postroom:
    """Knows the desk's keys, names and templates; stateless otherwise."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self._store = store
        self._keys: dict[int, bytes] = {}
        self._files: HomeFiles | None = None
        self._templates = Templates()

    def use(self, files: HomeFiles) -> None:
        """Take a new snapshot of the home's files."""
        self._files = files
        self._templates = Templates(
            {(name, language): text for name, by in files.templates.items() for language, text in by.items()}
        )

    def keys(self, tx: Transaction) -> dict[int, bytes]:
        """The token keys by epoch; the first one is made when there is none."""
        if not self._keys:
            rows = tx.rows("SELECT epoch, key FROM keyring")
            if not rows:
                tx.run(
                    "INSERT INTO keyring (epoch, key, made) VALUES (1, ?, ?) ON CONFLICT (epoch) DO NOTHING",
                    secrets.token_hex(32),
                    tx.now_us,
                )
                rows = tx.rows("SELECT epoch, key FROM keyring")
            found = {epoch: bytes.fromhex(key) for epoch, key in rows}
            tx.after_commit(lambda: self._keys.update(found))
            return found
        return self._keys

    def known_keys(self) -> dict[int, bytes]:
        """The token keys, for those who only verify; asks the store once."""
        return self._keys or self._store.write_tx(self.keys)

    def token(self, tx: Transaction, kind: Kind, ticket: int, participant: int) -> str:
        """A token signed by the newest key."""
        keys = self.keys(tx)
        return make(keys, max(keys), kind, ticket, participant)

    def letter_token(self, keys: Mapping[int, bytes], letter: int, ticket: int) -> str:
        """The token in a letter's own envelope sender: what comes back to it is machine mail."""
        return make(keys, max(keys), "b", ticket, letter)

    def queue(self, name: str) -> Queue | None:
        """The queue's file, if there is one."""
        return self._queues().get(name)

    def queue_of_addresses(self, addresses: Sequence[str]) -> str:
        """The queue of the first address that has one; tags after a plus do not count."""
        by_address = {a: name for name, queue in self._queues().items() for a in queue.addresses}
        for address in addresses:
            local, _, domain = address.rpartition("@")
            found = by_address.get(f"{local.partition('+')[0]}@{domain}")
            if found is not None:
                return found
        return self.settings.desk.queue

    def _queues(self) -> dict[str, Queue]:
        return self._files.queues if self._files else {}

    def matrix(self) -> tuple[tuple[int, ...], ...]:
        """Priority by impact (rows) and urgency (columns); empty when the admin gives none."""
        return self._files.matrix if self._files else ()

    def check_queue(self, name: str) -> None:
        """Refuse a queue without a file.

        Raises:
            Invalid: with the nearest one there is.
        """
        known = {*self._queues(), self.settings.desk.queue}
        _check_known("queue", name, known)

    def check_category(self, key: str) -> None:
        """Refuse a category that categories.toml does not have; "" takes the category away.

        Raises:
            Invalid: with the nearest one there is.
        """
        if key:
            _check_known("category", key, self._files.categories if self._files else ())

    def sender_address(self, queue: str) -> str:
        """The address that letters of a queue come from."""
        found = self.queue(queue)
        own = self.settings.desk.addresses
        return next((a for a in found.addresses if a in own), own[0]) if found else own[0]

    def render(self, name: str, language: str, variables: dict[str, object]) -> Rendered:
        """A template of the home, or the shipped one."""
        return self._templates.render(name, language, variables)

    def send(
        self, tx: Transaction, out: Outgoing, to: Sequence[Recipient], *, to_new: bool = False
    ) -> list[int]:
        """Write one letter per recipient into the outbox; their ids.

        To holds the one recipient, Cc names the others, Reply-To carries the recipient's own token.
        """
        quote = self._quote(tx, out) if out.with_quote else None
        return [self._send_one(tx, out, each, to, quote, to_new=to_new) for each in to]

    def _send_one(
        self,
        tx: Transaction,
        out: Outgoing,
        recipient: Recipient,
        everyone: Sequence[Recipient],
        quote: Quoted | None,
        *,
        to_new: bool,
    ) -> int:
        token = self.token(tx, "r", out.ticket, recipient.contact)
        own = self.sender_address(out.queue)
        thread = self._thread(tx, out, recipient)
        identity = message_id(token, out.message, self.settings.desk.domain)
        draft = Draft(
            sender=Mailbox(self._sender_name(out), own),
            to=Mailbox(recipient.name, recipient.address),
            cc=tuple(Mailbox(r.name, r.address) for r in everyone if r.contact != recipient.contact),
            reply_to=Mailbox(self.desk_name(out.queue), reply_address(own, token)),
            subject=out.subject,
            message_id=identity,
            in_reply_to=thread[-1] if thread else None,
            references=tuple(thread),
            date=clock.from_us(tx.now_us).astimezone(ZoneInfo(self.settings.desk.timezone)),
            text=out.text,
            signature=out.signature,
            quote=quote,
            language=out.language,
            automatic=out.is_automatic,
            loop_mark=self.settings.desk.domain,
            attachments=tuple(Enclosure(f.name, f.type, f.content) for f in out.files),
        )
        return outbox.enqueue(
            tx,
            compose(draft),
            ticket=out.ticket,
            message=out.message,
            kind=out.kind,
            message_id=identity,
            recipient=recipient.address,
            contact=recipient.contact,
            to_new=to_new,
            hold=out.hold,
        )

    def desk_name(self, queue: str) -> str:
        """The name that a queue writes under."""
        found = self.queue(queue)
        return (found.sender_name if found else None) or self.settings.desk.name

    def _sender_name(self, out: Outgoing) -> str:
        desk_name = self.desk_name(out.queue)
        return f"{out.author_name} ({desk_name})" if out.author_name else desk_name

    def _thread(self, tx: Transaction, out: Outgoing, recipient: Recipient) -> list[str]:
        """Message-IDs that the recipient may have seen, oldest first."""
        if out.answers is not None:
            return list(out.answers)
        seen = tx.rows(_INCOMING_IDS, out.ticket, out.message)
        seen += tx.rows(_LETTER_IDS, out.ticket, recipient.address)
        return [identity for _, identity in sorted(seen)]

    def _quote(self, tx: Transaction, out: Outgoing) -> Quoted | None:
        rows = tx.rows(_LAST_PUBLIC, out.ticket, out.message)
        if not rows:
            return None
        _, name, author, at, text, spans = rows[0]
        moment = clock.from_us(at).astimezone(ZoneInfo(self.settings.desk.timezone))
        return Quoted(name or author, moment, new_text(text, msgspec.json.decode(spans)))


def _check_known(what: str, name: str, known: Collection[str]) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(sorted(known)) or 'none'}"
    raise Invalid(f'{what} "{name}" does not exist; {hint}')
