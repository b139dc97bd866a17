"""What the daemon has concluded about a mail, and the commands by which it is filed.

The conclusions were drawn outside of the transaction; `FileLetter` says what they rest on, so that the
handler can look again and refuse with Conflict when the desk has moved on in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from desk.blobs import Packed
from desk.letter import Letter, Mailbox

Author = Literal["requester", "participant", "vendor", "technician", "stranger"]
Way = Literal["new", "join", "hold", "drop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a letter goes, and why.

    Attributes:
        way: new ticket, joins a ticket, is held (beside `ticket` or alone), or is dropped.
        ticket, version: what it joins or is held beside, as it was when this was decided.
        identities: what the letter's ids said then: ticket numbers, sorted; looked up again when filed.
        audience: who may see it; internal when nothing proves the author.
        trust: level 0 to 5 (docs/trust).
        evidence: one line per finding, strongest first, for people.
        reason: why it is held or dropped.
        wakes: it may reopen a resolved ticket or end a waiting one.
        newcomers: addresses from Cc that may join the ticket.
        linked: a new ticket is linked to this one.
        letter: the letter out that a bounce or automatic answer belongs to.
        takes_own_id: its own Message-ID, which another ticket only refers to, is from now on of the new ticket.
        acknowledge: an acknowledgement may go out, within the limits.
    """

    way: Way
    ticket: int | None = None
    version: int | None = None
    identities: tuple[int, ...] = ()
    audience: str = "public"
    trust: int = 1
    author: Author = "requester"
    evidence: tuple[str, ...] = ()
    reason: str = ""
    wakes: bool = False
    newcomers: tuple[Mailbox, ...] = ()
    linked: int | None = None
    letter: int | None = None
    takes_own_id: bool = False
    acknowledge: bool = False
    queue: str = ""
    gratitude: bool = False


@dataclass(frozen=True, slots=True)
class FileLetter:
    """File one mail of the spool. Its inbox id makes this idempotent: filed once, it is filed.

    `files` are the letter's attachments as they are stored, made ready outside of the transaction, which packs
    those that are missing.
    """

    inbox: int
    arrived_us: int
    letter: Letter
    placement: Placement
    channel: Literal["email", "alert", "import"] = "email"
    silent: bool = False  # nothing is sent (old archives)
    files: tuple[Packed, ...] = ()


@dataclass(frozen=True, slots=True)
class ParkMail:
    """Set a mail aside that cannot be read or filed."""

    inbox: int
    reason: str


def identities_of(letter: Letter) -> list[str]:
    """All Message-IDs that a letter names, its own among them, each once, sorted (the order of locking)."""
    own = [letter.message_id] if letter.message_id else []
    return sorted({*own, *letter.in_reply_to, *letter.references})
