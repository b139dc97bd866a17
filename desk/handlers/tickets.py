"""Orders that change a ticket itself: take, assign, set, resolve, reopen, merge."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from peewee import SQL

from desk.actors import Actor
from desk.commands import Assign, Merge, Reopen, Resolve, SetFields, Take
from desk.errors import IllegalMove, Invalid, NotAllowed
from desk.events import (
    CategoryChanged,
    KindChanged,
    LanguageChanged,
    ParticipantAdded,
    PriorityChanged,
    QueueChanged,
    TagAdded,
    TagRemoved,
    TicketMerged,
    TierChanged,
)
from desk.handlers.changes import change, give_to, move, ticket_for
from desk.languages.choose import LANGUAGES
from desk.people import grants_of, technician
from desk.permissions import may
from desk.service import Run, handles
from desk.states import Priority, Status, by_word, ticket_kind
from desk.store.schema import Inbox, Message, MessageIdentity, Outbox, Participant, Ticket, TicketTag


@handles(Take)
def take(command: Take, run: Run) -> None:
    """Become the owner. Taking what one owns already is refused, so that a slip is seen."""
    ticket = ticket_for(run, command.ticket, version=command.version)
    if ticket.owner == run.by.who:
        raise IllegalMove(f"ticket {ticket.number} is already yours")
    if ticket.owner is not None:
        raise IllegalMove(
            f"ticket {ticket.number} belongs to {ticket.owner}; assign it if it shall change hands"
        )
    give_to(run, ticket, technician(run.by.who).login)  # the desk itself owns nothing
    if ticket.status == Status.NEW:
        move(run, ticket, Status.OPEN)


@handles(Assign)
def assign(command: Assign, run: Run) -> None:
    """Give the ticket to somebody. An owner may hand over or lay down his own; others need the grant."""
    is_own = run.by.kind == "technician" and _owner_of(command.ticket) == run.by.who
    ticket = ticket_for(run, command.ticket, version=command.version, action="take" if is_own else "assign")
    owner = technician(command.owner).login if command.owner is not None else None
    if owner == ticket.owner:
        raise IllegalMove(f"ticket {ticket.number} already belongs to {owner or 'nobody'}")
    if owner is not None and not _may_work(owner, ticket.queue):
        raise NotAllowed(f"{owner} may not work in queue {ticket.queue}; grant a role first")
    give_to(run, ticket, owner)
    if owner is not None and ticket.status == Status.NEW:
        move(run, ticket, Status.OPEN)


@handles(Resolve)
def resolve(command: Resolve, run: Run) -> None:
    """Say that it is solved."""
    ticket = ticket_for(run, command.ticket, version=command.version)
    move(run, ticket, Status.RESOLVED, reason=command.reason)


@handles(Reopen)
def reopen(command: Reopen, run: Run) -> None:
    """Take it up again."""
    ticket = ticket_for(run, command.ticket, version=command.version)
    if Status(ticket.status) not in (Status.RESOLVED, Status.CLOSED, Status.SPAM):
        raise IllegalMove(
            f"ticket {ticket.number} is {Status(ticket.status).word}; only a solved one is reopened"
        )
    move(run, ticket, Status.OPEN, reason=command.reason)


@handles(Merge)
def merge(command: Merge, run: Run) -> None:
    """Put one conversation into another. Known ids and tokens of the first lead to the second from now on."""
    if command.ticket == command.into:
        raise Invalid(f"ticket {command.ticket} cannot be merged into itself")
    ticket = ticket_for(run, command.ticket, version=command.version)
    target = ticket_for(run, command.into)
    for column in (Message.ticket, MessageIdentity.ticket, Outbox.ticket):
        column.model.update({column: target.number}).where(column == ticket.number).execute()
    held = SQL("state IN (2, 3, 4)")  # a literal, so that the partial index is used
    Inbox.update(ticket=target.number).where(held, Inbox.ticket == ticket.number).execute()
    Ticket.update(merged_into=target.number).where(Ticket.merged_into == ticket.number).execute()
    _bring_participants(run, ticket, target)
    change(run, target, messages=target.messages + ticket.messages)
    move(run, ticket, Status.MERGED, reason=f"merged into {target.number}")
    change(run, ticket, messages=0, merged_into=target.number)
    run.record(TicketMerged(into=target.number), ticket=ticket.number)


def _bring_participants(run: Run, ticket: Ticket, target: Ticket) -> None:
    there = {row.contact for row in Participant.select().where(Participant.ticket == target.number)}
    for row in Participant.select().where(Participant.ticket == ticket.number):
        if row.contact in there:
            continue
        role = "cc" if row.role == "requester" else row.role
        Participant.insert(
            ticket=target.number, contact=row.contact, address=row.address, role=role, since=run.tx.now_us
        ).execute()
        run.record(ParticipantAdded(address=row.address, role=role), ticket=target.number)


@handles(SetFields)
def set_fields(command: SetFields, run: Run) -> None:
    """Change fields, all or none. A field that has the value already is left alone."""
    ticket = ticket_for(run, command.ticket, version=command.version)
    if not command.fields:
        raise Invalid("no field was named; write for instance priority=high")
    for name, value in command.fields:
        setter = SETTERS.get(name)
        if setter is None:
            near = difflib.get_close_matches(name, SETTERS, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(SETTERS)}"
            raise Invalid(f'field "{name}" does not exist; {hint}')
        setter(run, ticket, value)


def _set_status(run: Run, ticket: Ticket, value: str) -> None:
    to = by_word(Status, value)
    if to is Status.MERGED:
        raise Invalid("a ticket becomes merged by `merge`, which names the other one")
    if to != ticket.status:
        move(run, ticket, to)


def _set_priority(run: Run, ticket: Ticket, value: str) -> None:
    to = by_word(Priority, value)
    _change_priority(run, ticket, int(to), ticket.impact, ticket.urgency)


def _set_impact(run: Run, ticket: Ticket, value: str) -> None:
    impact = _whole(value, "impact", 1, 4)
    _change_priority(run, ticket, _by_matrix(run, impact, ticket.urgency, ticket), impact, ticket.urgency)


def _set_urgency(run: Run, ticket: Ticket, value: str) -> None:
    urgency = _whole(value, "urgency", 1, 4)
    _change_priority(run, ticket, _by_matrix(run, ticket.impact, urgency, ticket), ticket.impact, urgency)


def _by_matrix(run: Run, impact: int | None, urgency: int | None, ticket: Ticket) -> int:
    """The priority that the admin's matrix gives; as it is while impact or urgency is not known."""
    matrix = run.desk.postroom.matrix()
    if impact is None or urgency is None or not matrix:
        return int(ticket.priority)
    return matrix[impact - 1][urgency - 1]


def _change_priority(run: Run, ticket: Ticket, to: int, impact: int | None, urgency: int | None) -> None:
    if (to, impact, urgency) == (ticket.priority, ticket.impact, ticket.urgency):
        return
    before = ticket.priority
    change(run, ticket, priority=to, impact=impact, urgency=urgency)
    run.record(PriorityChanged(from_=before, to=to, impact=impact, urgency=urgency), ticket=ticket.number)


def _set_kind(run: Run, ticket: Ticket, value: str) -> None:
    to = ticket_kind(value).value
    if to != ticket.kind:
        before = ticket.kind
        change(run, ticket, kind=to)
        run.record(KindChanged(from_=before, to=to), ticket=ticket.number)


def _set_category(run: Run, ticket: Ticket, value: str) -> None:
    run.desk.postroom.check_category(value)
    if value != ticket.category:
        before = ticket.category
        change(run, ticket, category=value)
        run.record(CategoryChanged(from_=before, to=value), ticket=ticket.number)


def _set_queue(run: Run, ticket: Ticket, value: str) -> None:
    run.desk.postroom.check_queue(value)
    if value != ticket.queue:
        before = ticket.queue
        change(run, ticket, queue=value)
        run.record(QueueChanged(from_=before, to=value), ticket=ticket.number)


def _set_tier(run: Run, ticket: Ticket, value: str) -> None:
    to = _whole(value, "tier", 0, 4)
    if to != ticket.tier:
        before = ticket.tier
        change(run, ticket, tier=to)
        run.record(TierChanged(from_=before, to=to, type="functional", reason=None), ticket=ticket.number)


def _set_language(run: Run, ticket: Ticket, value: str) -> None:
    if value not in LANGUAGES:
        raise Invalid(f"language {value!r} is not one of {', '.join(LANGUAGES)}")
    if value != ticket.language:
        before = ticket.language
        change(run, ticket, language=value)
        run.record(LanguageChanged(from_=before, to=value), ticket=ticket.number)


def _set_tags(run: Run, ticket: Ticket, value: str) -> None:
    """`+vpn,-new`: add and remove; a word without a sign is added."""
    known = len(run.events)
    for word in filter(None, (part.strip().lower() for part in value.split(","))):
        tag = word.lstrip("+-")
        if not tag or " " in tag or not tag.isprintable() or len(tag) > 60:
            raise Invalid(f"tag {word!r} is not a word of up to 60 characters")
        if word.startswith("-"):
            removed = (
                TicketTag.delete().where(TicketTag.ticket == ticket.number, TicketTag.tag == tag).execute()
            )
            if removed:
                run.record(TagRemoved(tag=tag), ticket=ticket.number)
        elif TicketTag.get_or_none(TicketTag.ticket == ticket.number, TicketTag.tag == tag) is None:
            TicketTag.insert(ticket=ticket.number, tag=tag).execute()
            run.record(TagAdded(tag=tag), ticket=ticket.number)
    if len(run.events) > known:
        change(run, ticket)


SETTERS: dict[str, Callable[[Run, Ticket, str], None]] = {
    "status": _set_status,
    "priority": _set_priority,
    "impact": _set_impact,
    "urgency": _set_urgency,
    "kind": _set_kind,
    "category": _set_category,
    "queue": _set_queue,
    "tier": _set_tier,
    "language": _set_language,
    "tag": _set_tags,
}


def _whole(value: str, name: str, least: int, most: int) -> int:
    if value.isdecimal() and least <= int(value) <= most:
        return int(value)
    raise Invalid(f"{name} {value!r} is not a whole number from {least} to {most}")


def _owner_of(number: int) -> str | None:
    row = Ticket.get_or_none(Ticket.number == number)
    return row.owner if row else None


def _may_work(login: str, queue: str) -> bool:
    return may(grants_of(Actor("technician", login)), "take", queue)
