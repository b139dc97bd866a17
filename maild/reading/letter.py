"""Bytes of a mail to a Letter: pure, deterministic, and to be run again on stored bytes at any time.

Order: limits on the bytes, structure, mail-parser's view, text, spans, kind, bounce, language.
Trust: every byte is a stranger's. Nothing is fetched, nothing is run, nothing is serialised again.
On failure: a mail beyond the limits is read degraded; whatever else goes wrong is a defect of the letter.
"""

from __future__ import annotations

import hashlib

from desk.letter import Attachment, Bounce, Letter, Mailbox
from maild.reading import guard
from maild.reading.addresses import read_mailboxes, sender_of
from maild.reading.bodies import Body, Selection, read_body, select
from maild.reading.bounces import bounce_of
from maild.reading.degraded import first_text, raw_attachment, read_degraded
from maild.reading.filenames import filename_of
from maild.reading.headers import (
    MAX_SUBJECT_CHARACTERS,
    Field,
    bounded_references,
    decode_header,
    first_value,
    message_ids,
    values_of,
)
from maild.reading.kinds import Signs, auto_submitted, is_bounce_like, kind_of
from maild.reading.language import language_of
from maild.reading.mailparser_view import View, view_of
from maild.reading.quoting import spans_of
from maild.reading.structure import Part, Tree, content_of, read_structure
from maild.reading.traces import hops, is_marked_spam

__all__ = ["read_degraded", "read_letter"]

MAX_HEADERS = 200
MAX_HEADER_CHARACTERS = 2048
MAX_DEFECTS = 50

_FORWARD_PREFIXES = (
    "fw:",
    "fwd:",
    "wg:",
    "tr:",
    "rv:",
    "转发:",
    "转发：",
    "轉寄:",
    "轉寄：",
    "fw：",
    "fwd：",
    "転送:",
)
_ONCE = (
    "from",
    "subject",
    "message-id",
    "date",
    "to",
    "cc",
    "in-reply-to",
    "references",
    "reply-to",
    "sender",
)
_TRACE = ("received", "return-path", "dkim-signature", "domainkey-signature", "received-spf")
_TRACE_PREFIXES = ("arc-", "x-google-", "x-gm-", "x-ms-exchange-", "x-received", "x-spam-", "x-forefront-")
_SEEN_RECIPIENTS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to")
_STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
_RETURNED_TYPES = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")


def read_letter(raw: bytes) -> Letter:
    """Read one mail as it was received."""
    refused = guard.refusal(raw)
    if refused is not None:
        return read_degraded(raw, reason=refused)
    digest, size = hashlib.sha256(raw).hexdigest(), len(raw)
    raw = guard.legible(raw)
    tree = read_structure(raw)
    selection = select(raw, tree.root)
    view = view_of(tree.root.fields, selection.attachments)
    return _letter(raw, tree, selection, view, sha256=digest, size=size)


def _letter(raw: bytes, tree: Tree, selection: Selection, view: View, *, sha256: str, size: int) -> Letter:
    fields = tree.root.fields
    body = read_body(raw, selection.texts) if not tree.is_too_deep() else _first_text(raw, tree)
    hint = body.charset if body.charset not in ("us-ascii", "utf-8") else None
    subject = decode_header(first_value(fields, "subject"), hint=hint)
    subject_text = subject.text.strip()[:MAX_SUBJECT_CHARACTERS]
    sender, doubts = sender_of(
        values_of(fields, "from"), hint=hint, other=[address for _, address in view.addresses.get("from", [])]
    )
    attachments, attachment_defects = _attachments(raw, tree, selection, view)
    is_forward = subject_text.lower().startswith(_FORWARD_PREFIXES)
    spans = spans_of(body.text, body.flags, is_forward=is_forward)
    new_text = "".join(body.text[span.start : span.end] for span in spans if span.role == "new")
    signs = _signs(tree, selection, sender, subject_text)
    if is_bounce_like(signs):
        signs.bounce = _bounce(raw, fields, selection, body)
    kind = kind_of(signs)
    defects = [*tree.defects, *_repeated(fields), *view.defects, *body.defects, *attachment_defects]
    return Letter(
        sha256=sha256,
        size=size,
        subject=subject_text,
        sender=sender,
        to=_mailboxes(fields, "to", hint, view),
        cc=_mailboxes(fields, "cc", hint, view),
        reply_to=_mailboxes(fields, "reply-to", hint, view),
        message_id=next(iter(_ids(fields, "message-id")), None),
        in_reply_to=_ids(fields, "in-reply-to")[:20],
        references=bounded_references(_ids(fields, "references")),
        date=view.date,
        text=body.text,
        spans=spans,
        html=selection.has_html,
        attachments=attachments,
        kind=kind,
        bounce=signs.bounce if kind == "bounce" else None,
        language=language_of(new_text, subject_text) or language_of(body.text),
        charset=body.charset,
        guessed=body.is_guessed or subject.is_guessed,
        defects=list(dict.fromkeys(defects))[:MAX_DEFECTS],
        sender_doubts=doubts,
        recipients_seen=_recipients_seen(fields),
        hops=hops(fields),
        is_marked_spam=is_marked_spam(fields),
        auto_submitted=auto_submitted(fields),
        headers=_headers(fields, hint),
    )


def _first_text(raw: bytes, tree: Tree) -> Body:
    text, charset = first_text(raw, tree.root.body_start)
    return Body(text, [], charset, is_guessed=True)


def _signs(tree: Tree, selection: Selection, sender: Mailbox | None, subject: str) -> Signs:
    return Signs(
        tree.root.fields,
        tree.root.type,
        tree.root.parameters.get("report-type", "").lower(),
        sender.address if sender else "",
        subject,
        None,
        frozenset(part.type for part in selection.attachments),
    )


def _bounce(raw: bytes, fields: list[Field], selection: Selection, body: Body) -> Bounce:
    parts = selection.attachments
    return bounce_of(
        fields,
        status_parts=[content_of(raw, part)[0] for part in parts if part.type in _STATUS_TYPES],
        returned_parts=[content_of(raw, part)[0] for part in parts if part.type in _RETURNED_TYPES],
        text=body.text,
    )


def _attachments(
    raw: bytes, tree: Tree, selection: Selection, view: View
) -> tuple[list[Attachment], list[str]]:
    """The attachments, and the raw mail as a last one when parts were left inside it."""
    defects = []
    parts = selection.attachments
    taken: set[str] = set()
    kept = [
        _attachment(raw, part, view.names.get(number), number + 1, taken)
        for number, part in enumerate(parts[: guard.MAX_ATTACHMENTS])
    ]
    if len(parts) > guard.MAX_ATTACHMENTS:
        defects.append("too many attachments")
    if tree.is_beyond or defects:
        kept.append(raw_attachment(raw))
    return kept, defects


def _attachment(raw: bytes, part: Part, name: str | None, number: int, taken: set[str]) -> Attachment:
    content, _ = content_of(raw, part)
    ids = message_ids(first_value(part.fields, "content-id"))
    content_id = ids[0].strip("<>") if ids else None
    return Attachment(
        name=filename_of(part, name, number=number, taken=taken, content=content),
        type=part.type,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        inline=part.disposition == "inline" or (content_id is not None and part.disposition != "attachment"),
        content=content,
        content_id=content_id,
    )


def _mailboxes(fields: list[Field], key: str, hint: str | None, view: View) -> list[Mailbox]:
    """The mailboxes of all fields of that name; mail-parser's where ours are none."""
    own = [
        mailbox for value in values_of(fields, key)[:20] for mailbox in read_mailboxes(value, hint=hint).found
    ]
    return own or [
        Mailbox(name[:200], address) for name, address in view.addresses.get(key, []) if "@" in address
    ]


def _ids(fields: list[Field], key: str) -> list[str]:
    return message_ids(first_value(fields, key))


def _repeated(fields: list[Field]) -> list[str]:
    keys = [field.key for field in fields]
    return [f"repeated field: {key}" for key in _ONCE if keys.count(key) > 1]


def _recipients_seen(fields: list[Field]) -> list[str]:
    found = [
        mailbox.address.lower()
        for field in fields
        if field.key in _SEEN_RECIPIENTS
        for mailbox in read_mailboxes(field.value[:2000]).found
    ]
    return list(dict.fromkeys(found))[:100]


def _headers(fields: list[Field], hint: str | None) -> list[tuple[str, str]]:
    kept = []
    for field in fields:
        if field.key in _TRACE or field.key.startswith(_TRACE_PREFIXES):
            continue
        text = decode_header(field.value[: MAX_HEADER_CHARACTERS * 4], hint=hint).text
        kept.append((field.name[:200], text[:MAX_HEADER_CHARACTERS]))
        if len(kept) >= MAX_HEADERS:
            break
    return kept
