"""What a letter says about its ticket: tokens, known Message-IDs, the subject tag. Gathered, not judged.

Reads: message_identity, outbox, ticket, participant, address. Trust: a token counts when `verify` accepts it;
all else is a hint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from desk.filing import identities_of
from desk.letter import Envelope, Letter
from desk.letters.subjects import ticket_tag
from desk.letters.tokens import Refusal, Token, find_in_address, find_in_message_id, verify
from desk.states import Status
from desk.store.writer import Store

MOST_CLUES = 40
IN_ADDRESS, IN_MESSAGE_ID = "recipient address", "Message-ID of our letter"


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """A ticket as placing needs it."""

    number: int
    version: int
    status: Status
    subject: str
    requester: int
    requester_address: str
    queue: str


@dataclass(frozen=True, slots=True)
class Clues:
    """All that was found.

    Attributes:
        tokens: valid reply tokens with where they stood, strongest place first.
        letter: the id of our letter that this answers as machine mail (its envelope sender was used).
        is_forged: something had the form of a token but a wrong signature.
        is_forged_address: that stood in a recipient address, and no valid token beside it.
        known: (Message-ID, ticket) of ids that belong to a ticket, in order of strength.
        identities: the tickets that the ids say, sorted; what `FileLetter` checks again.
        has_equal_id: this letter's own Message-ID was seen before, with other bytes.
        tag: the ticket number that the subject claims.
        contact: the person behind From, when the desk knows the address.
    """

    tokens: tuple[tuple[Token, str], ...] = ()
    letter: int | None = None
    is_forged: bool = False
    is_forged_address: bool = False
    known: tuple[tuple[str, int], ...] = ()
    identities: tuple[int, ...] = ()
    has_equal_id: bool = False
    tag: int | None = None
    contact: int | None = None
    technician: str | None = None


def addressed_to(letter: Letter, envelope: Envelope) -> list[str]:
    """The addresses that this letter was sent to: the envelope's first, then those of the fields."""
    fields = [mailbox.address for mailbox in (*letter.to, *letter.cc)]
    found = [*envelope.recipients, *letter.recipients_seen, *fields]
    return list(dict.fromkeys(address.lower() for address in found))[:200]


class Gatherer:
    """Looks clues up in one store. Called from many threads, each inside `store.reading()`."""

    def __init__(self, store: Store, *, addresses: tuple[str, ...], domain: str) -> None:
        self._store, self._addresses, self._domain = store, addresses, domain

    def gather(self, letter: Letter, envelope: Envelope, keys: Mapping[int, bytes]) -> Clues:
        """All clues of one letter."""
        tokens, letters, forged = self._tokens(letter, envelope, keys)
        has_address = any(place == IN_ADDRESS for _, place in tokens)
        known, equal = self._known(letter)
        contact, technician = self._sender(letter)
        return Clues(
            tokens=tuple(tokens[:MOST_CLUES]),
            letter=letters[0] if letters else self._bounced_letter(letter, keys),
            is_forged=bool(forged),
            is_forged_address=IN_ADDRESS in forged and not has_address,
            known=known,
            identities=tuple(sorted({ticket for _, ticket in known})),
            has_equal_id=equal,
            tag=ticket_tag(letter.subject),
            contact=contact,
            technician=technician,
        )

    def _tokens(
        self, letter: Letter, envelope: Envelope, keys: Mapping[int, bytes]
    ) -> tuple[list[tuple[Token, str]], list[int], set[str]]:
        """Reply tokens with their places, letters whose envelope sender was used, places of forged tokens."""
        places = [(find_in_address(a, self._addresses), IN_ADDRESS) for a in addressed_to(letter, envelope)]
        replied = [*letter.in_reply_to, *reversed(letter.references)]
        places += [(find_in_message_id(i, self._domain), IN_MESSAGE_ID) for i in replied]
        tokens: list[tuple[Token, str]] = []
        letters: list[int] = []
        forged: set[str] = set()
        for text, place in places:
            verdict = verify(keys, text) if text else Refusal.NOT_A_TOKEN
            if verdict is Refusal.FORGED:
                forged.add(place)
            if not isinstance(verdict, Token):
                continue
            if verdict.kind == "r":
                tokens.append((verdict, place))
            elif verdict.kind == "b" and place == IN_ADDRESS:
                letters.append(verdict.participant)
        return tokens, letters, forged

    def _known(self, letter: Letter) -> tuple[tuple[tuple[str, int], ...], bool]:
        identities = identities_of(letter)
        if not identities:
            return (), False
        rows = self._rows(
            f"SELECT message_id, ticket, message FROM message_identity WHERE message_id IN ({_marks(identities)})",
            identities,
        )
        found = {identity: ticket for identity, ticket, _ in rows if ticket}
        held = {identity: message for identity, ticket, message in rows if not ticket and message is not None}
        order = [*letter.in_reply_to, *reversed(letter.references), letter.message_id or ""]
        known = tuple((i, found[i]) for i in dict.fromkeys(order) if i in found)
        own = letter.message_id
        return known, (own in found and self._is_message(own)) or (
            own in held and self._is_id_of(own, held[own])
        )

    def _is_id_of(self, identity: str | None, message: int) -> bool:
        """Whether a held mail has this id itself (and does not only refer to it)."""
        return bool(self._rows("SELECT 1 FROM message WHERE id = ? AND message_id = ?", [message, identity]))

    def _is_message(self, identity: str | None) -> bool:
        """Whether a mail with this id was filed (not only referred to)."""
        rows = self._rows("SELECT ticket FROM message_identity WHERE message_id = ?", [identity])
        return bool(rows) and bool(
            self._rows(
                "SELECT 1 FROM message WHERE ticket = ? AND message_id = ? AND direction = 0 LIMIT 1",
                [rows[0][0], identity],
            )
        )

    def _bounced_letter(self, letter: Letter, keys: Mapping[int, bytes]) -> int | None:
        """For reports that came to another address: the letter whose Message-ID they name."""
        if letter.kind not in ("bounce", "report", "auto-reply"):
            return None
        original = letter.bounce.original_message_id if letter.bounce else None
        for identity in filter(None, [original, *letter.in_reply_to, *reversed(letter.references)]):
            text = find_in_message_id(identity, self._domain)
            if text and isinstance(verify(keys, text), Token):
                rows = self._rows("SELECT id FROM outbox WHERE message_id = ?", [identity])
                if rows:
                    return int(rows[0][0])
        return None

    def _sender(self, letter: Letter) -> tuple[int | None, str | None]:
        if letter.sender is None:
            return None, None
        address = letter.sender.address.lower()
        rows = self._rows("SELECT contact FROM address WHERE address = ?", [address])
        staff = self._rows("SELECT login FROM technician WHERE address = ? AND active", [address])
        return (rows[0][0] if rows else None), (staff[0][0] if staff else None)

    def ticket(self, number: int) -> TicketFacts | None:
        """A ticket, or the one that it was merged into."""
        for _ in range(20):
            rows = self._rows(
                "SELECT number, version, status, subject, requester, requester_address, queue, merged_into"
                " FROM ticket WHERE number = ?",
                [number],
            )
            if not rows:
                return None
            number, version, status, subject, requester, address, queue, merged_into = rows[0]
            if merged_into is None:
                return TicketFacts(number, version, Status(status), subject, requester, address, queue)
            number = merged_into
        return None

    def roles(self, ticket: int, contact: int | None) -> str | None:
        """The role of a person on a ticket, None for strangers."""
        if contact is None:
            return None
        rows = self._rows("SELECT role FROM participant WHERE ticket = ? AND contact = ?", [ticket, contact])
        return rows[0][0] if rows else None

    def addresses_of(self, ticket: int) -> frozenset[str]:
        """The addresses of all who take part in a ticket."""
        rows = self._rows("SELECT address FROM participant WHERE ticket = ?", [ticket])
        return frozenset(row[0] for row in rows)

    def same_person(self, participant: int, contact: int | None) -> bool:
        """Whether a token's contact and the sender are one, also after two contacts were merged."""
        if contact is None:
            return False
        if participant == contact:
            return True
        rows = self._rows("SELECT merged_into FROM contact WHERE id = ?", [participant])
        return bool(rows) and rows[0][0] == contact

    def ticket_of_letter(self, letter: int) -> int | None:
        """The ticket that one of our letters belongs to."""
        rows = self._rows("SELECT ticket FROM outbox WHERE id = ?", [letter])
        return rows[0][0] if rows else None

    def _rows(self, sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        text = sql.replace("?", "%s") if self._store.engine == "postgresql" else sql
        return self._store.database.execute_sql(text, parameters).fetchall()


def _marks(values: list[str]) -> str:
    return ", ".join("?" * len(values))
