"""Tell a requester that his ticket is open: once, within the limits, with nothing of his mail in it.

Trust: an acknowledgement goes to an address that nobody has proven; a subject or name that the sender chose
would make us a relay for spam, so below trust level 2 the subject is fixed text and the number.
"""

from __future__ import annotations

from desk.actors import SYSTEM
from desk.events import MessageOut
from desk.filing import Placement
from desk.letters.headers import can_carry
from desk.people import Person
from desk.postroom import Outgoing, Recipient
from desk.service import Run

HOUR_US = 3_600_000_000
PROVEN = 2
_INSERT = (
    "INSERT INTO message (ticket, origin, direction, kind, audience, state, author_kind, author, author_name, at,"
    " subject, text, spans, language, marks, evidence)"
    " VALUES (?, ?, 1, 'ack', 'public', 0, 'system', '', '', ?, ?, ?, '[]', ?, '[]', '[]')"
)


def acknowledge(
    run: Run,
    number: int,
    subject: str,
    placement: Placement,
    person: Person,
    *,
    language: str,
    answers: str | None,
) -> int | None:
    """Write the acknowledgement of a new ticket; the letter's id, None when a limit forbids it.

    `answers` is the Message-ID of the mail that opened the ticket.
    """
    queue = run.desk.postroom.queue(placement.queue)
    if queue is not None and not queue.acknowledge:
        return None
    if not can_carry(person.address) or not _is_within_limits(run, placement, person):
        return None
    variables: dict[str, object] = {
        "number": number,
        "subject": subject if placement.trust >= PROVEN else None,
        "name": person.name or None,
        "expected": None,
    }
    rendered = run.desk.postroom.render("acknowledgement", language, variables)
    message = run.tx.insert(
        _INSERT, number, number, run.tx.now_us, rendered.subject, rendered.plain, rendered.language
    )
    letter = run.desk.postroom.send(
        run.tx,
        Outgoing(
            ticket=number,
            queue=placement.queue,
            message=message,
            kind="ack",
            subject=rendered.subject,
            text=rendered.body,
            language=rendered.language,
            is_automatic=True,
            with_quote=False,
            answers=(answers,) if answers else (),
        ),
        [Recipient(person.contact, person.address, person.name)],
        to_new=person.is_new,
    )[0]
    run.record(
        MessageOut(
            message=message,
            letter=letter,
            to=person.address,
            public=True,
            author="system",
            kind="ack",
            audience="public",
        ),
        ticket=number,
        message=message,
        by=SYSTEM,
    )
    return letter


def _is_within_limits(run: Run, placement: Placement, person: Person) -> bool:
    limits, since = run.desk.settings.limits, run.tx.now_us - HOUR_US
    if placement.trust < PROVEN and limits.acks_per_address:
        sql = "SELECT 1 FROM outbox WHERE kind = 'ack' AND recipient = ? AND created > ? LIMIT ?"
        if len(run.tx.rows(sql, person.address, since, limits.acks_per_address)) >= limits.acks_per_address:
            return False
    if person.is_new and limits.acks_to_new_addresses:
        sql = "SELECT 1 FROM outbox WHERE to_new AND created > ? LIMIT ?"
        most = limits.acks_to_new_addresses
        if len(run.tx.rows(sql, since, most)) >= most:
            return False
    return True
