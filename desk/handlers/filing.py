"""File a mail: one transaction claims its ids, looks again, and writes ticket, message, history, answer.

This is the hot path; its SQL is prepared text. Order of locking: Message-IDs (sorted), addresses, ticket.
Trust: what a letter may do was decided in its placement; nothing here asks the letter itself.
On failure: Conflict when the desk has moved on since the placement was made; nothing was written.
"""

from __future__ import annotations

from dataclasses import replace

from desk import spool
from desk.actors import SYSTEM, Actor
from desk.errors import Conflict, Invalid
from desk.events import (
    LetterBounced,
    MessageHeld,
    ParticipantAdded,
    TicketLinked,
)
from desk.faults import fault_point
from desk.filing import FileLetter, ParkMail, Placement, identities_of
from desk.handlers.acknowledging import acknowledge
from desk.handlers.incoming import NO_SUBJECT, insert_letter, message_in
from desk.handlers.opening import Opening, opened, wake
from desk.languages.choose import choose
from desk.letter import Letter, Mailbox
from desk.letters.subjects import base_subject
from desk.people import Person, requester
from desk.service import Run, handles
from desk.states import InboxState, MessageState, Status
from desk.store.writer import Transaction

HOUR_US = 3_600_000_000
_WEEK_US = 7 * 24 * HOUR_US
_MOST_RECENT = 50  # of one requester's tickets that are compared by subject


@handles(ParkMail)
def park(command: ParkMail, run: Run) -> None:
    """Set a mail aside with its reason; its bytes stay and it can be tried again."""
    if _is_settled(run.tx, command.inbox):
        return  # somebody else filed it while this worker was at its wits' end
    spool.settle(run.tx, command.inbox, InboxState.PARKED, reason=command.reason)


@handles(FileLetter)
def file_letter(command: FileLetter, run: Run) -> None:
    """File a letter as its placement says; a mail that was filed already is left alone."""
    fault_point("ingest.begin")
    if _is_settled(run.tx, command.inbox):
        return
    letter, placement = command.letter, command.placement
    if placement.way == "drop":
        spool.settle(run.tx, command.inbox, InboxState.DROPPED, reason=placement.reason)
        return
    if duplicate := _filed_before(run.tx, letter):
        ticket, message = duplicate
        spool.settle(
            run.tx, command.inbox, InboxState.DROPPED, reason="duplicate", ticket=ticket, message=message
        )
        return
    _check_unmoved(run.tx, letter, placement)
    WAYS[placement.way](command, run)
    fault_point("ingest.before_commit")


def _is_settled(tx: Transaction, inbox: int) -> bool:
    rows = tx.rows("SELECT state FROM inbox WHERE id = ?", inbox)
    return not rows or rows[0][0] != InboxState.WAITING


def _filed_before(tx: Transaction, letter: Letter) -> tuple[int, int] | None:
    rows = tx.rows("SELECT ticket, id FROM message WHERE blob = ?", letter.sha256)
    return rows[0] if rows else None


def _check_unmoved(tx: Transaction, letter: Letter, placement: Placement) -> None:
    """Claim the ids first, then look up: on PostgreSQL a sibling on another node waits here for our commit.

    Raises:
        Conflict: the ids or the ticket say something else than when the placement was made.
    """
    identities = identities_of(letter)
    for identity in identities:
        tx.run(
            "INSERT INTO message_identity (message_id, ticket) VALUES (?, 0) ON CONFLICT (message_id) DO NOTHING",
            identity,
        )
    if said(tx, identities) != placement.identities:
        raise Conflict("another mail of the same thread was filed meanwhile")
    if placement.ticket is not None and placement.version is not None:
        rows = tx.rows("SELECT version FROM ticket WHERE number = ?", placement.ticket)
        if not rows or rows[0][0] != placement.version:
            raise Conflict(f"ticket {placement.ticket} has changed meanwhile")


def said(tx: Transaction, identities: list[str]) -> tuple[int, ...]:
    """The tickets that these Message-IDs belong to, sorted."""
    if not identities:
        return ()
    marks = ", ".join("?" * len(identities))
    rows = tx.rows(
        f"SELECT DISTINCT ticket FROM message_identity WHERE message_id IN ({marks}) AND ticket > 0",
        *identities,
    )
    return tuple(sorted(row[0] for row in rows))


def _new(command: FileLetter, run: Run) -> None:
    letter, placement = command.letter, command.placement
    person = _sender(run, letter)
    desk = run.desk.settings.desk
    text = letter.new_text()
    language = choose(
        person=person.language,
        thread=None,
        text=text if text.strip() else letter.subject,
        queue=desk.language,
    )
    collecting, into = _over_limit(command, run, person)
    if into is not None:
        _append(command, run, into, person)
        return
    subject = base_subject(letter.subject)[:998] or NO_SUBJECT[language]
    related = _related(command, run, person)
    if related is not None:
        said = f"the same requester wrote about the same subject in ticket {related}; possibly related"
        command = replace(command, placement=replace(placement, evidence=(*placement.evidence, said)))
    linked = placement.linked if placement.linked is not None else related
    number = opened(
        run,
        Opening(
            subject=subject,
            queue=placement.queue or desk.queue,
            contact=person.contact,
            address=person.address,
            language=language,
            channel=command.channel,
            arrived_us=command.arrived_us,
            is_collecting=collecting,
        ),
        by=Actor("requester", person.address),
    )
    _add_message(command, run, number, person)
    _add_newcomers(run, number, placement.newcomers)
    if linked is not None:
        _link(run, number, linked)
    if placement.acknowledge and not collecting and not command.silent:
        acknowledge(run, number, subject, placement, person, language=language, answers=letter.message_id)


def _over_limit(command: FileLetter, run: Run, person: Person) -> tuple[bool, int | None]:
    """Above the hourly limit of one sender: whether to open the collecting ticket, or the one to use."""
    limit = run.desk.settings.limits.new_tickets_per_sender
    if not limit or person.is_new or command.silent:
        return False, None
    since = run.tx.now_us - HOUR_US
    rows = run.tx.rows(
        "SELECT number, collecting, status FROM ticket WHERE requester = ? AND created > ? ORDER BY created DESC"
        " LIMIT ?",
        person.contact,
        since,
        limit,
    )
    if len(rows) < limit:
        return False, None
    for number, collecting, status in rows:
        if collecting and status < Status.RESOLVED:
            return False, number
    return True, None


def _related(command: FileLetter, run: Run, person: Person) -> int | None:
    """The newest ticket of the same requester about the same subject within a week."""
    subject = base_subject(command.letter.subject)[:998].casefold()
    if not subject or person.is_new or command.silent or command.placement.linked is not None:
        return None
    rows = run.tx.rows(
        "SELECT number, subject FROM ticket WHERE requester = ? AND created > ? AND status < 7"
        " ORDER BY created DESC, number DESC LIMIT ?",
        person.contact,
        run.tx.now_us - _WEEK_US,
        _MOST_RECENT,
    )
    return next((number for number, known in rows if known.casefold() == subject), None)


def _join(command: FileLetter, run: Run) -> None:
    ticket = command.placement.ticket
    assert ticket is not None
    _append(command, run, ticket, _sender(run, command.letter))


def _append(command: FileLetter, run: Run, number: int, person: Person) -> None:
    letter, placement = command.letter, command.placement
    _add_message(command, run, number, person)
    _add_newcomers(run, number, placement.newcomers)
    run.tx.run(
        "UPDATE ticket SET messages = messages + 1, updated = ?, version = version + 1 WHERE number = ?",
        run.tx.now_us,
        number,
    )
    if placement.letter is not None and letter.kind == "bounce":
        _note_bounce(run, number, letter, placement.letter)
    if placement.wakes:
        wake(run, number, reason="mail", by=Actor("requester", person.address))


def _hold(command: FileLetter, run: Run) -> None:
    """Beside its ticket, or alone; what it may become is a technician's decision."""
    letter, placement = command.letter, command.placement
    person = _sender(run, letter)
    message = insert_letter(command, run, placement.ticket, person, MessageState.HELD)
    _claim_identities(run, letter, "message = ?", message)
    run.record(
        MessageHeld(message=message, reason=placement.reason),
        ticket=placement.ticket,
        message=message,
        by=SYSTEM,
    )
    spool.settle(
        run.tx,
        command.inbox,
        InboxState.HELD,
        reason=placement.reason,
        ticket=placement.ticket,
        message=message,
    )


WAYS = {"new": _new, "join": _join, "hold": _hold}


def _sender(run: Run, letter: Letter) -> Person:
    """The person behind From; a letter without a usable sender belongs to nobody in particular."""
    if letter.sender is not None:
        try:
            return requester(run.tx, letter.sender.address, said_name=letter.sender.name)
        except Invalid:  # a lawful address may still be one that nobody can keep or answer
            pass
    return requester(run.tx, f"unknown-sender@{run.desk.settings.desk.domain}")


def _add_message(command: FileLetter, run: Run, number: int, person: Person) -> int:
    """The message with its history, its ids and its place in the search queue; settles the spool."""
    letter, placement = command.letter, command.placement
    message = insert_letter(command, run, number, person, MessageState.STANDS)
    _claim_identities(run, letter, "ticket = ?", number)
    if placement.takes_own_id:
        run.tx.run("UPDATE message_identity SET ticket = ? WHERE message_id = ?", number, letter.message_id)
    run.record(
        message_in(message, letter, placement, person),
        ticket=number,
        message=message,
        by=_speaker(placement, person),
    )
    spool.settle(run.tx, command.inbox, InboxState.DONE, ticket=number, message=message)
    return message


def _claim_identities(run: Run, letter: Letter, assignment: str, value: int) -> None:
    """Say whose the ids are that belong to no ticket yet: a ticket's, or (held) a message's until its release."""
    identities = identities_of(letter)
    if identities:
        marks = ", ".join("?" * len(identities))
        run.tx.run(
            f"UPDATE message_identity SET {assignment} WHERE message_id IN ({marks}) AND ticket = 0",
            value,
            *identities,
        )


def _speaker(placement: Placement, person: Person) -> Actor:
    if placement.author == "vendor":
        return Actor("vendor", person.address)
    return Actor("requester", person.address)


def _add_newcomers(run: Run, number: int, newcomers: tuple[Mailbox, ...]) -> None:
    for mailbox in newcomers:
        person = requester(run.tx, mailbox.address, said_name=mailbox.name)
        added = run.tx.run(
            "INSERT INTO participant (ticket, contact, address, role, since) VALUES (?, ?, ?, 'cc', ?)"
            " ON CONFLICT (ticket, contact) DO NOTHING",
            number,
            person.contact,
            person.address,
            run.tx.now_us,
        )
        if added:
            run.record(ParticipantAdded(address=person.address, role="cc"), ticket=number, by=SYSTEM)


def _link(run: Run, number: int, other: int) -> None:
    run.tx.run(
        "INSERT INTO link (source, target, relation) VALUES (?, ?, 'related') ON CONFLICT DO NOTHING",
        number,
        other,
    )
    run.record(TicketLinked(ticket=other, rel="related"), ticket=number, by=SYSTEM)


def _note_bounce(run: Run, number: int, letter: Letter, outgoing: int) -> None:
    """Say on the ticket that an answer did not arrive, and mark an address that is permanently wrong."""
    recipients = letter.bounce.recipients if letter.bounce else []
    failed = [(r.status, r.address) for r in recipients[:100] if r.action in ("failed", "delayed", "")]
    for status, address in failed or ([] if recipients else [(None, "")]):
        run.record(
            LetterBounced(letter=outgoing, code=status, text=address, attempt=1), ticket=number, by=SYSTEM
        )
    if any(recipient.hard for recipient in recipients):
        # the address that we wrote to, not what the report claims
        run.tx.run(
            "UPDATE address SET failing_since = ? WHERE failing_since IS NULL AND address ="
            " (SELECT recipient FROM outbox WHERE id = ?)",
            run.tx.now_us,
            outgoing,
        )
