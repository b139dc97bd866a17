"""An incoming letter as the reader understood it: plain data, safe to pass between processes.

Trust: every field was written by a stranger. Texts hold no NUL and no lone surrogate; control
characters are still in them and must be made safe before a terminal sees them.
Standards: RFC 5322 (fields), RFC 2045-2049 (parts), RFC 3464 (bounces), RFC 3834 (automatic mail).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

Role = Literal["new", "quote", "signature", "disclaimer", "forward"]
LetterKind = Literal["human", "auto-reply", "bounce", "report", "list", "monitor", "own"]
# Written by a machine: filed silently, wakes nothing, is never acknowledged. "own" never gets so far.
MACHINE_KINDS: frozenset[LetterKind] = frozenset({"auto-reply", "bounce", "report", "monitor"})


class Mailbox(msgspec.Struct, frozen=True):
    """A name and an address; the name is free text of the sender and proves nothing."""

    name: str
    address: str


class Span(msgspec.Struct, frozen=True):
    """A stretch `[start, end)` of the text, in code points."""

    role: Role
    start: int
    end: int


class Attachment(msgspec.Struct, frozen=True):
    """A part that is not the text. `size`, `sha256` and `content` are of the decoded bytes.

    For message/rfc822 they are of the part's own bytes. `name` is cleaned: no path, no control
    character, never empty.
    """

    name: str
    type: str
    size: int
    sha256: str
    inline: bool
    content: bytes = b""
    content_id: str | None = None


class BouncedRecipient(msgspec.Struct, frozen=True):
    """One recipient of a delivery report. `hard`: the address is permanently wrong."""

    address: str
    action: str
    status: str | None
    hard: bool


class Bounce(msgspec.Struct, frozen=True):
    """What a delivery report says, as far as it could be read."""

    recipients: list[BouncedRecipient]
    original_message_id: str | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One mail, read. Message ids keep their angle brackets; lists keep the order of the mail.

    Attributes:
        subject: decoded, unfolded, at most 998 characters; prefixes (Re:) are still in it.
        sender: the one mailbox of From; None when no address can be read or there are several.
        sender_doubts: reasons not to believe From at all (trust level 0); empty for honest mail.
        recipients_seen: addresses in Delivered-To, X-Original-To, Envelope-To, for doors without envelope.
        text: the whole readable text; HTML turned to text when there is no plain part. `\\n` ends lines.
        spans: in order, without gaps; joined they are the text.
        date: of the Date field, aware; None when absent or invalid. Never used as arrival time.
        hops: how many servers on the way say that they took the mail in (Received).
        is_marked_spam: a filter on the way has marked it; it is never acknowledged.
        auto_submitted: value of Auto-Submitted (RFC 3834), lower case, "" when absent.
        headers: decoded fields in the order of the mail, trace fields left out; at most 200 of 2 KiB.
        guessed: the character set was guessed; such text never closes a ticket or runs a command.
        degraded: only the emergency reader could read it.
        defects: names of what was wrong with the mail, for people.
    """

    sha256: str
    size: int
    subject: str = ""
    sender: Mailbox | None = None
    to: list[Mailbox] = []
    cc: list[Mailbox] = []
    reply_to: list[Mailbox] = []
    message_id: str | None = None
    in_reply_to: list[str] = []
    references: list[str] = []
    date: datetime | None = None
    text: str = ""
    spans: list[Span] = []
    html: bool = False
    attachments: list[Attachment] = []
    kind: LetterKind = "human"
    bounce: Bounce | None = None
    language: str | None = None
    charset: str | None = None
    guessed: bool = False
    degraded: bool = False
    defects: list[str] = []
    sender_doubts: list[str] = []
    recipients_seen: list[str] = []
    hops: int = 0
    is_marked_spam: bool = False
    auto_submitted: str = ""
    headers: list[tuple[str, str]] = []

    def new_text(self) -> str:
        """What this letter adds: the spans of roles new and forward, joined."""
        return "".join(self.text[s.start : s.end] for s in self.spans if s.role in ("new", "forward"))


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """How a mail came in; written by the door, not by the sender.

    Attributes:
        door: smtp, lmtp, imap, maildir, mbox, pipe or import.
        sender: MAIL FROM; "" is the null sender, None when the door has no envelope.
        recipients: the addresses of ours for which the door took the mail, lower case.
        peer: address of the host that handed it over.
        is_trusted: the peer is one of `trusted_mtas`, or the door is pipe, lmtp or a file of the admin.
        key: what makes this delivery the same one when it is fetched again (IMAP uid); "" when none.
    """

    door: str
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    peer: str = ""
    helo: str = ""
    is_trusted: bool = False
    key: str = ""


def inspect_view(letter: Letter, *, file: str) -> dict[str, Any]:
    """The JSON of `desk mail inspect` for one mail (its contract: no field is ever absent)."""
    return {
        "file": file,
        "sha256": letter.sha256,
        "subject": letter.subject,
        "from": _mailbox(letter.sender) if letter.sender else None,
        "to": [_mailbox(m) for m in letter.to],
        "cc": [_mailbox(m) for m in letter.cc],
        "reply_to": [_mailbox(m) for m in letter.reply_to],
        "message_id": letter.message_id,
        "in_reply_to": letter.in_reply_to,
        "references": letter.references,
        "date": letter.date.strftime("%Y-%m-%dT%H:%M:%SZ") if letter.date else None,
        "text": letter.text,
        "spans": [{"role": s.role, "start": s.start, "end": s.end} for s in letter.spans],
        "html": letter.html,
        "attachments": [
            {"name": a.name, "type": a.type, "size": a.size, "sha256": a.sha256, "inline": a.inline}
            for a in letter.attachments
        ],
        "kind": letter.kind,
        "bounce": msgspec.to_builtins(letter.bounce),
        "language": letter.language,
        "charset": letter.charset,
        "guessed": letter.guessed,
        "degraded": letter.degraded,
        "defects": letter.defects,
    }


def _mailbox(mailbox: Mailbox) -> dict[str, str]:
    return {"name": mailbox.name, "address": mailbox.address}
