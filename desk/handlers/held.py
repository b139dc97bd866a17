"""What technicians decide about mail that was set aside: release, reject, retry."""

from __future__ import annotations

from typing import Any

from desk import spool
from desk.actors import Actor
from desk.commands import RejectHeld, ReleaseHeld, RetryParked
from desk.errors import IllegalMove, NotFound
from desk.events import MessageIn, MessageRejected, MessageReleased
from desk.handlers.changes import change
from desk.handlers.incoming import NO_SUBJECT
from desk.handlers.opening import Opening, opened, wake
from desk.languages.choose import choose
from desk.letter import MACHINE_KINDS
from desk.letters.subjects import base_subject
from desk.service import About, Run, finds, handles
from desk.spans import new_text
from desk.states import InboxState, MessageState
from desk.store.schema import Contact, Inbox, Message, MessageIdentity, Ticket

_ASIDE = frozenset({InboxState.HELD, InboxState.PARKED, InboxState.DROPPED})


@finds(ReleaseHeld, RejectHeld, RetryParked)
def ticket_of_mail(command: ReleaseHeld | RejectHeld | RetryParked, run: Run) -> About:
    """The ticket beside which the mail lies, or the one into which that was merged."""
    inbox = Inbox.get_or_none(Inbox.id == command.inbox)
    ticket = _standing(inbox.ticket) if inbox else None
    return About(ticket=ticket.number if ticket else None)


@handles(ReleaseHeld)
def release(command: ReleaseHeld, run: Run) -> None:
    """Let a held letter into the ticket beside which it lies, as public; or open a ticket with it."""
    inbox = _set_aside(run, command.inbox)
    if inbox.state != InboxState.HELD:
        remedy = (
            "`desk mail retry` reads it again" if inbox.state == InboxState.PARKED else "its bytes are kept"
        )
        raise IllegalMove(f"mail {inbox.id} is {InboxState(inbox.state).word}, not held; {remedy}")
    message = Message.get_by_id(inbox.message)
    ticket = _standing(message.ticket) or _open(run, inbox, message)
    Message.update(ticket=ticket.number, state=int(MessageState.STANDS), audience="public").where(
        Message.id == message.id
    ).execute()
    MessageIdentity.update(ticket=ticket.number).where(
        MessageIdentity.message == message.id, MessageIdentity.ticket == 0
    ).execute()
    run.record(
        MessageReleased(message=message.id, reason=inbox.reason), ticket=ticket.number, message=message.id
    )
    run.record(
        _message_in(message), ticket=ticket.number, message=message.id, by=Actor("requester", message.author)
    )
    change(run, ticket, messages=ticket.messages + 1)
    if message.kind not in MACHINE_KINDS:
        wake(run, ticket.number, reason="released", by=run.by)
    spool.settle(run.tx, inbox.id, InboxState.DONE, ticket=ticket.number, message=message.id)


def _standing(number: int | None) -> Ticket | None:
    """A ticket, or the one that it was merged into."""
    while number is not None:
        ticket: Ticket = Ticket.get_by_id(number)
        if ticket.merged_into is None:
            return ticket
        number = ticket.merged_into
    return None


def _open(run: Run, inbox: Inbox, message: Message) -> Ticket:
    text = new_text(message.text, message.spans)
    person = Contact.get_by_id(message.contact)
    default = run.desk.settings.desk.language
    language = choose(
        person=person.language, thread=None, text=text if text.strip() else message.subject, queue=default
    )
    number = opened(
        run,
        Opening(
            subject=base_subject(message.subject)[:998] or NO_SUBJECT[language],
            queue=run.desk.postroom.queue_of_addresses(inbox.envelope.get("recipients", ())),
            contact=person.id,
            address=message.author,
            language=language,
            channel="email",
            arrived_us=inbox.at,
            messages=0,
        ),
        by=Actor("requester", message.author),
    )
    ticket: Ticket = Ticket.get_by_id(number)
    return ticket


def _message_in(message: Message) -> MessageIn:
    return MessageIn(
        message=message.id,
        sha256=message.blob,
        message_id=message.message_id,
        from_=message.author,
        auto=message.kind in MACHINE_KINDS,
        kind=message.kind,
        trust=message.trust,
        author=message.author_kind,
        gratitude="gratitude" in message.marks,
        audience="public",
        new_text=new_text(message.text, message.spans)[:4096],
    )


@handles(RejectHeld)
def reject(command: RejectHeld, run: Run) -> None:
    """Put a held, parked or dropped mail away for good; its bytes stay."""
    inbox = _set_aside(run, command.inbox)
    # a duplicate that was dropped names the message that stands; that one is not rejected
    message = inbox.message if inbox.state == InboxState.HELD else None
    if message is not None:
        Message.update(state=int(MessageState.REJECTED)).where(Message.id == message).execute()
    run.record(
        MessageRejected(message=message, reason=command.reason or inbox.reason),
        ticket=run.about.ticket,
        message=message,
    )
    spool.settle(
        run.tx,
        inbox.id,
        InboxState.REJECTED,
        reason=command.reason or inbox.reason,
        ticket=inbox.ticket,
        message=inbox.message,
    )


@handles(RetryParked)
def retry(command: RetryParked, run: Run) -> None:
    """Send a parked mail through the reader again."""
    inbox = _set_aside(run, command.inbox)
    if inbox.state != InboxState.PARKED:
        raise IllegalMove(
            f"mail {inbox.id} is {InboxState(inbox.state).word}; only parked mail is read again"
        )
    Inbox.update(state=int(InboxState.WAITING), run_at=run.tx.now_us, tries=0, reason="").where(
        Inbox.id == inbox.id
    ).execute()


def _set_aside(run: Run, inbox_id: int) -> Inbox:
    inbox = Inbox.get_or_none(Inbox.id == inbox_id)
    if inbox is None or inbox.state not in _ASIDE:
        raise NotFound(f"there is no mail {inbox_id} set aside; `desk mail held` lists them")
    run.authorise("approve-held", _queue_of(inbox.ticket))
    found: Any = inbox
    return found


def _queue_of(number: int | None) -> str | None:
    row = Ticket.get_or_none(Ticket.number == number) if number is not None else None
    return row.queue if row else None
