"""What technicians write: replies, notes, and tickets that they open for others."""

from __future__ import annotations

import mimetypes
from datetime import timedelta

from desk import blobs
from desk.commands import AddNote, File, OpenTicket, Reply
from desk.errors import IllegalMove, Invalid
from desk.events import CategoryChanged, MessageIn, MessageOut, NoteAdded
from desk.handlers.changes import change, give_to, move, public_participants, ticket_for
from desk.handlers.opening import Opening, opened
from desk.languages.choose import LANGUAGES, choose
from desk.letters.headers import can_carry
from desk.letters.markdown import Markdown, escape
from desk.letters.subjects import base_subject, reply_subject
from desk.people import clean_name, mailable_address, requester, technician, undo_seconds
from desk.postroom import Outgoing, Recipient
from desk.service import Run, handles
from desk.states import Direction, Status, by_word, ticket_kind
from desk.states import Priority as Urgency
from desk.store.schema import Attachment, Contact, Message, SearchWaiting, Technician, Ticket

MOST_TEXT = 200_000
MOST_FILES_BYTES = 25_000_000


@handles(Reply)
def reply(command: Reply, run: Run) -> None:
    """Answer all public participants. The letters wait in the outbox for the technician's undo window."""
    ticket = ticket_for(run, command.ticket, version=command.version)
    text = _checked_text(command.text)
    if command.resolve and command.wait:
        raise Invalid("a reply either resolves the ticket or waits for the requester, not both")
    if Status(ticket.status) in (Status.CLOSED, Status.SPAM):
        raise IllegalMove(
            f"ticket {ticket.number} is {Status(ticket.status).word}; reopen it before you answer"
        )
    author = _technician(run)
    to = _recipients(ticket.number)
    message = _add_message(
        run, ticket, Direction.OUT, "reply", "public", _name_of(run, author), text, command.files
    )
    hold = timedelta(seconds=undo_seconds(author)) if author and not command.now else timedelta(0)
    letters = run.desk.postroom.send(
        run.tx,
        Outgoing(
            ticket=ticket.number,
            queue=ticket.queue,
            message=message,
            kind="reply",
            subject=reply_subject(ticket.subject, ticket.number),
            text=text,
            language=ticket.language,
            author_name=(author.name or None) if author else None,
            signature=_signature(run, ticket.queue, author),
            files=command.files,
            is_automatic=author is None,
            hold=hold,
        ),
        to,
    )
    for letter, recipient in zip(letters, to, strict=True):
        run.record(
            MessageOut(
                message=message,
                letter=letter,
                to=recipient.address,
                public=True,
                author="technician" if author else "system",
                kind="reply",
                audience="public",
            ),
            ticket=ticket.number,
            message=message,
        )
    change(run, ticket, messages=ticket.messages + 1)
    _after_reply(command, run, ticket)


def _technician(run: Run) -> Technician | None:
    """Who writes; None for rules and timers, whose letters leave at once and are marked as automatic."""
    return technician(run.by.who) if run.by.kind == "technician" else None


def _name_of(run: Run, author: Technician | None) -> str:
    return (author.name or author.login) if author else run.by.who


def _recipients(number: int) -> list[Recipient]:
    """All public participants. A Cc that no letter can be addressed to is left out; a requester never is.

    Raises:
        IllegalMove: there is nobody.
    """
    people = [row for row in public_participants(number) if row.role == "requester" or can_carry(row.address)]
    if not people:
        raise IllegalMove(f"ticket {number} has nobody to answer to")
    return [Recipient(row.contact, row.address, _name(row.contact)) for row in people]


def _after_reply(command: Reply, run: Run, ticket: Ticket) -> None:
    now = Status(ticket.status)
    if command.resolve and now is not Status.RESOLVED:
        move(run, ticket, Status.RESOLVED)
    elif command.wait and now is not Status.WAITING:
        move(run, ticket, Status.WAITING)
    elif now is Status.NEW:
        move(run, ticket, Status.OPEN)


def _signature(run: Run, queue: str, author: Technician | None) -> str | None:
    """The technician's block above the queue's; either may be missing."""
    own = str(author.preferences.get("signature", "")) if author else ""
    found = run.desk.postroom.queue(queue)
    blocks = [block.strip("\n") for block in (own, found.signature if found else "") if block.strip()]
    return "\n".join(blocks) or None


@handles(AddNote)
def add_note(command: AddNote, run: Run) -> None:
    """A note for technicians; it never goes out."""
    ticket = ticket_for(run, command.ticket, version=command.version)
    text = _checked_text(command.text)
    name = _name_of(run, _technician(run))
    message = _add_message(run, ticket, Direction.NOTE, "note", "internal", name, text, ())
    run.record(NoteAdded(message=message, author=run.by.who), ticket=ticket.number, message=message)
    change(run, ticket, messages=ticket.messages + 1)


@handles(OpenTicket)
def open_ticket(command: OpenTicket, run: Run) -> None:
    """Open a ticket for somebody on the phone; a copy tells him the number."""
    desk = run.desk.settings.desk
    queue = command.queue or desk.queue
    run.authorise("open", queue)
    run.desk.postroom.check_queue(queue)
    run.desk.postroom.check_category(command.category)
    subject = base_subject(command.subject)[:998]
    if not subject:
        raise Invalid("a ticket needs a subject; give one by --subject")
    text, name = _checked_text(command.text), clean_name(command.requester_name)
    person = requester(run.tx, mailable_address(command.requester))
    if name and not person.name:
        Contact.update(name=name).where(Contact.id == person.contact).execute()
    language = _language(command, person.language, run)
    ticket = _insert_ticket(command, run, queue, subject, person.contact, person.address, language)
    message = _add_message(run, ticket, Direction.IN, "human", "public", name, text, ())
    if ticket.category:
        run.record(CategoryChanged(from_="", to=ticket.category), ticket=ticket.number)
    run.record(_said(message, ticket, text), ticket=ticket.number, message=message)
    if command.take:
        run.authorise("take", queue)
        give_to(run, ticket, technician(run.by.who).login)
        move(run, ticket, Status.OPEN)
    if command.send_copy:
        _send_copy(run, ticket, text, name or person.name, person.contact)


def _language(command: OpenTicket, person: str | None, run: Run) -> str:
    if command.language is not None and command.language not in LANGUAGES:
        raise Invalid(f"language {command.language!r} is not one of {', '.join(LANGUAGES)}")
    return command.language or choose(
        person=person,
        thread=None,
        text=f"{command.subject}\n{command.text}",
        queue=run.desk.settings.desk.language,
    )


def _insert_ticket(
    command: OpenTicket, run: Run, queue: str, subject: str, contact: int, address: str, language: str
) -> Ticket:
    number = opened(
        run,
        Opening(
            subject=subject,
            queue=queue,
            contact=contact,
            address=address,
            language=language,
            channel=command.channel,
            arrived_us=run.tx.now_us,
            priority=by_word(Urgency, command.priority) if command.priority else Urgency.NORMAL,
            kind=ticket_kind(command.kind),
            category=command.category,
        ),
    )
    ticket: Ticket = Ticket.get_by_id(number)
    return ticket


def _said(message: int, ticket: Ticket, text: str) -> MessageIn:
    return MessageIn(
        message=message,
        sha256=None,
        message_id=None,
        from_=ticket.requester_address,
        auto=False,
        kind="human",
        trust=None,
        author="requester",
        gratitude=False,
        audience="public",
        new_text=text[:4096],
    )


def _send_copy(run: Run, ticket: Ticket, text: str, name: str, contact: int) -> None:
    """What the technician noted goes to the requester; both texts are a technician's own."""
    rendered = run.desk.postroom.render(
        "copy",
        ticket.language,
        {
            "number": ticket.number,
            "subject": ticket.subject,
            "name": name or None,
            "text": Markdown("> " + escape(text).replace("\n", "\n> ")),
        },
    )
    message = _add_message(run, ticket, Direction.OUT, "copy", "public", "", rendered.plain, (), by_desk=True)
    to = [Recipient(contact, ticket.requester_address, name)]
    letter = run.desk.postroom.send(
        run.tx,
        Outgoing(
            ticket=ticket.number,
            queue=ticket.queue,
            message=message,
            kind="copy",
            subject=rendered.subject,
            text=rendered.body,
            language=rendered.language,
            is_automatic=True,
            with_quote=False,
        ),
        to,
    )[0]
    run.record(
        MessageOut(
            message=message,
            letter=letter,
            to=ticket.requester_address,
            public=True,
            author="system",
            kind="notice",
            audience="public",
        ),
        ticket=ticket.number,
        message=message,
    )


def _add_message(
    run: Run,
    ticket: Ticket,
    direction: Direction,
    kind: str,
    audience: str,
    name: str,
    text: str,
    files: tuple[File, ...],
    *,
    by_desk: bool = False,
) -> int:
    is_from_requester = direction is Direction.IN
    is_by_desk = by_desk or run.by.kind != "technician"
    message = Message.insert(
        ticket=ticket.number,
        origin=ticket.number,
        direction=int(direction),
        kind=kind,
        audience=audience,
        author_kind="requester" if is_from_requester else "system" if is_by_desk else "technician",
        author="" if by_desk else ticket.requester_address if is_from_requester else run.by.who,
        author_name=name,
        at=run.tx.now_us,
        subject=ticket.subject,
        text=text,
    ).execute()
    for file in _checked_files(files):
        packed = blobs.pack(file.content)
        blobs.store(run.tx, packed)
        Attachment.insert(
            message=message, name=file.name, type=file.type, size=packed.size, sha256=packed.sha256
        ).execute()
    SearchWaiting.insert(message=message).execute()
    return int(message)


def _checked_text(text: str) -> str:
    clean = text.replace("\r\n", "\n").replace("\0", "").strip("\n")
    if not clean.strip():
        raise Invalid("the text is empty; nothing was sent or noted")
    if len(clean) > MOST_TEXT:
        raise Invalid(
            f"the text has {len(clean)} characters; at most {MOST_TEXT} fit, attach the rest as a file"
        )
    return clean


def _checked_files(files: tuple[File, ...]) -> tuple[File, ...]:
    total = sum(len(file.content) for file in files)
    if total > MOST_FILES_BYTES:
        raise Invalid(f"the files have {total} bytes; at most {MOST_FILES_BYTES} can be mailed")
    return files


def file_named(name: str, content: bytes) -> File:
    """A file to send, its media type guessed from the name."""
    return File(name, mimetypes.guess_type(name)[0] or "application/octet-stream", content)


def _name(contact: int) -> str:
    row = Contact.get_or_none(Contact.id == contact)
    return (row.name or row.said_name) if row else ""
