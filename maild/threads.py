"""Match a letter to its ticket, strongest evidence first; say why.

Order: token in the recipient address > token in our own Message-ID > ids of mail that we know, newest first >
any id ever referred to > the subject tag, which only hints.
Trust: ids find the ticket, they do not prove the person. What is not proven joins as internal, or is held.
Standards: RFC 5322 section 3.6.4; RFC 3834 (automatic mail is filed silently).
On failure: a letter that fits nowhere opens a new ticket. Never raises for what a letter says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from desk.filing import Author, Placement
from desk.languages.gratitude import is_only_thanks
from desk.letter import MACHINE_KINDS, Envelope, Letter, Mailbox
from desk.letters.subjects import base_subject
from desk.letters.tokens import Token
from desk.states import Status
from maild.clues import IN_MESSAGE_ID, Clues, Gatherer, TicketFacts
from maild.trust import (
    DOMAIN_PROVEN,
    MOST_HOPS,
    PARTICIPANT,
    SUSPECT,
    are_colleagues,
    can_take_part,
    level_of_sender,
)

_REPORTS = frozenset({"bounce", "report"})
_MOST_OTHERS = 50
_SOLVED = frozenset({Status.RESOLVED, Status.CLOSED})


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter with all that is known about where it came from."""

    letter: Letter
    envelope: Envelope
    clues: Clues
    own: frozenset[str]
    queue: str
    is_from_envelope: bool = False  # it has no From, and the envelope's sender was taken

    @property
    def sender(self) -> str:
        return self.letter.sender.address.lower() if self.letter.sender else ""

    @property
    def is_thanks(self) -> bool:
        return self.letter.kind == "human" and is_only_thanks(self.letter.new_text())

    @property
    def is_quiet(self) -> bool:
        """Machines and mere thanks: they are filed where they belong and open nothing."""
        return self.letter.kind in MACHINE_KINDS or self.is_thanks


def place(mail: Mail, store: Gatherer) -> Placement:
    """Where this letter goes. Reads the store; writes nothing."""
    placement = _place(mail, store)
    if mail.is_from_envelope:
        evidence = (*placement.evidence, "From is missing; the envelope's sender was taken for it")
        placement = replace(placement, evidence=evidence)
    return placement


def _place(mail: Mail, store: Gatherer) -> Placement:
    letter, clues = mail.letter, mail.clues
    level, why = level_of_sender(letter)
    if letter.kind == "own":
        return _drop(mail, "our own letter came back (loop)")
    if letter.hops > MOST_HOPS:
        return _drop(mail, f"it went through {letter.hops} servers (loop)")
    if clues.letter is not None:
        return _machine_answer(mail, store, clues.letter)
    if letter.kind in _REPORTS:
        return _hold(mail, None, "a delivery report for a letter that we did not send", level, (why,))
    if level == SUSPECT:
        return _hold(mail, None, f"the sender cannot be trusted: {why}", SUSPECT, (why,))
    if _is_ours(mail.sender, mail.own):
        return _hold(
            mail, None, "it claims to come from the desk itself", SUSPECT, ("From is our own address",)
        )
    if clues.is_forged_address:
        why = "a token in its address is not one of ours"
        return _hold(mail, None, "it was sent to a reply address that the desk never gave out", level, (why,))
    placed = _by_token(mail, store, level) or _by_known_id(mail, store, level)
    if placed is not None:
        return placed
    if letter.kind == "auto-reply":
        return _hold(mail, None, "an automatic answer to nothing that we know", level, (why,))
    return _new(mail, store, level, (why,))


def _machine_answer(mail: Mail, store: Gatherer, letter: int) -> Placement:
    """A bounce or automatic answer to one of our letters: beside the message it hit, silent."""
    number = store.ticket_of_letter(letter)
    ticket = store.ticket(number) if number is not None else None
    evidence = (f"answer of a machine to our letter {letter}",)
    if ticket is None:
        return _hold(mail, None, "it answers a letter that belongs to no ticket", 1, evidence)
    return _joining(
        mail, ticket, level=1, audience="internal", author="stranger", evidence=evidence, letter=letter
    )


def _by_token(mail: Mail, store: Gatherer, level: int) -> Placement | None:
    referred = _referred(mail, store)
    for token, place_found in mail.clues.tokens:
        ticket = store.ticket(token.ticket)
        if ticket is None:
            continue
        is_remembered = ticket.number not in referred and _is_another_matter(mail, store, ticket)
        if is_remembered and referred:
            continue  # what it answers says more than an address that a mail program offered
        return _with_token(mail, store, level, token, place_found, ticket, is_remembered=is_remembered)
    return None


def _referred(mail: Mail, store: Gatherer) -> frozenset[int]:
    """The tickets that In-Reply-To and References name, by known ids or by tokens in our Message-IDs."""
    named = [token.ticket for token, place_found in mail.clues.tokens if place_found == IN_MESSAGE_ID]
    named += [number for identity, number in mail.clues.known if identity != mail.letter.message_id]
    return frozenset(ticket.number for ticket in map(store.ticket, dict.fromkeys(named)) if ticket)


def _is_another_matter(mail: Mail, store: Gatherer, ticket: TicketFacts) -> bool:
    """Mail programs offer old addresses again: what a token without any reference says by its subject."""
    if ticket.status in _SOLVED:
        return True
    subject = base_subject(mail.letter.subject).casefold()
    tag = store.ticket(mail.clues.tag) if mail.clues.tag is not None else None
    is_tagged = tag is not None and tag.number == ticket.number
    return subject not in ("", ticket.subject.casefold()) and not is_tagged


def _with_token(
    mail: Mail,
    store: Gatherer,
    level: int,
    token: Token,
    place_found: str,
    ticket: TicketFacts,
    *,
    is_remembered: bool,
) -> Placement:
    evidence = f"token in the {place_found} of ticket {ticket.number}"
    role = store.roles(ticket.number, mail.clues.contact)
    is_his = store.same_person(token.participant, mail.clues.contact)
    if not is_his:
        evidence += ", given to somebody else"
    elif role is None:
        evidence += ", of one who takes no part any more"
    proven = max(level, PARTICIPANT) if is_his and role else level
    if role is not None and not mail.is_quiet:
        if is_remembered:
            evidence += ", but it is about something else; opened beside it"
            return _new(mail, store, proven, (evidence,), linked=ticket.number)
        if ticket.status is Status.CLOSED:
            return _new(mail, store, proven, (f"{evidence}, which is closed",), linked=ticket.number)
    if not (is_his and role):
        return _person_only(mail, store, level, ticket, evidence)
    notes = (
        evidence,
        "From is the participant of the token",
        *_id_notes(mail),
        *_waiting(mail, store, ticket),
    )
    return _joining(
        mail,
        ticket,
        level=proven,
        audience="public",
        author=_author(mail, ticket, role),
        evidence=notes,
        newcomers=_colleagues(mail, ticket),
        wakes=True,
    )


def _by_known_id(mail: Mail, store: Gatherer, level: int) -> Placement | None:
    for identity, number in mail.clues.known:
        ticket = store.ticket(number)
        if ticket is None:
            continue
        own = identity == mail.letter.message_id
        if own and _is_only_claimed(mail, store, ticket):
            return _beside_claim(mail, store, level, ticket)
        if ticket.status is Status.CLOSED and not mail.is_quiet:
            return _new(
                mail, store, level, (f"refers to closed ticket {ticket.number}",), linked=ticket.number
            )
        evidence = f"{'its own Message-ID' if own else 'a known id'} of ticket {ticket.number}"
        return _person_only(mail, store, level, ticket, evidence)
    return None


def _is_only_claimed(mail: Mail, store: Gatherer, ticket: TicketFacts) -> bool:
    """Whether all that binds a mail to a ticket of others is that a letter there referred to its Message-ID.

    Anybody can refer to an id before its mail comes. An automatic answer opens nothing, so it is held as ever.
    """
    clues = mail.clues
    is_first = len(clues.known) == 1 and not clues.has_equal_id and mail.letter.kind != "auto-reply"
    return is_first and clues.technician is None and store.roles(ticket.number, clues.contact) is None


def _beside_claim(mail: Mail, store: Gatherer, level: int, ticket: TicketFacts) -> Placement:
    said = f"ticket {ticket.number} of somebody else refers to its Message-ID; opened beside it"
    return replace(_new(mail, store, level, (said,), linked=ticket.number), takes_own_id=True)


def _person_only(mail: Mail, store: Gatherer, level: int, ticket: TicketFacts, evidence: str) -> Placement:
    """The ticket is found, the person not proven by a token of his own."""
    role = store.roles(ticket.number, mail.clues.contact)
    notes = (evidence, *_id_notes(mail))
    if role is None and mail.clues.technician is not None:
        claims = f"claims to be {mail.clues.technician}; nothing proves it"
        return _joining(
            mail, ticket, level=level, audience="internal", author="technician", evidence=(*notes, claims)
        )
    if role is None:
        return _hold(
            mail,
            ticket,
            f"{mail.sender} takes no part in ticket {ticket.number}",
            level,
            notes,
            author="stranger",
        )
    is_proven = level >= DOMAIN_PROVEN
    said = "From is a participant" if is_proven else "From is a participant's address; unproven"
    return _joining(
        mail,
        ticket,
        level=level,
        audience="public" if is_proven else "internal",
        author=_author(mail, ticket, role),
        evidence=(*notes, said),
        newcomers=_colleagues(mail, ticket) if is_proven else (),
        wakes=True,
    )


def _joining(mail: Mail, ticket: TicketFacts, *, level: int, wakes: bool = False, **more: Any) -> Placement:
    is_silent = mail.letter.kind in MACHINE_KINDS
    thanks = mail.is_thanks
    return Placement(
        way="join",
        ticket=ticket.number,
        version=ticket.version,
        identities=mail.clues.identities,
        trust=level,
        wakes=wakes and not is_silent and not (thanks and ticket.status is Status.RESOLVED),
        gratitude=thanks,
        queue=ticket.queue,
        **more,
    )


def _new(
    mail: Mail, store: Gatherer, level: int, notes: tuple[str, ...], *, linked: int | None = None
) -> Placement:
    tag = store.ticket(mail.clues.tag) if mail.clues.tag is not None else None
    if tag is not None and linked is None:
        linked, notes = tag.number, (*notes, f"the subject claims ticket {tag.number}; a hint only")
    others = _others(mail)
    may_join = _may_join(mail, others, level)
    if others and not may_join:
        notes = (*notes, f"{len(others)} more in To or Cc wait for a technician; the sender is not proven")
    return Placement(
        way="new",
        identities=mail.clues.identities,
        audience="public",
        trust=level,
        author="requester",
        evidence=(*notes, *_id_notes(mail)),
        newcomers=may_join,
        linked=linked,
        acknowledge=_may_acknowledge(mail),
        queue=mail.queue,
    )


def _may_join(mail: Mail, others: tuple[Mailbox, ...], level: int) -> tuple[Mailbox, ...]:
    """Who of To and Cc takes part from the beginning. A token may have been forwarded, hence the colleagues."""
    if level < DOMAIN_PROVEN:
        return ()
    return (
        others
        if level == DOMAIN_PROVEN
        else tuple(m for m in others if are_colleagues(m.address, mail.sender))
    )


def _may_acknowledge(mail: Mail) -> bool:
    """Never to machines, never to the null sender, never for spam (RFC 3834 section 2).

    Nor to the sender of the envelope alone: anybody can write one there (backscatter).
    """
    return (
        mail.letter.kind == "human"
        and mail.envelope.sender != ""
        and mail.letter.sender is not None
        and not mail.is_from_envelope
        and mail.envelope.door != "import"
        and not mail.letter.is_marked_spam
    )


def _hold(
    mail: Mail,
    ticket: TicketFacts | None,
    reason: str,
    level: int,
    notes: tuple[str, ...],
    *,
    author: Author = "stranger",
) -> Placement:
    return Placement(
        way="hold",
        ticket=ticket.number if ticket else None,
        identities=mail.clues.identities,
        audience="internal",
        trust=level,
        author=author,
        evidence=notes,
        reason=reason,
        queue=ticket.queue if ticket else mail.queue,
    )


def _drop(mail: Mail, reason: str) -> Placement:
    return Placement(way="drop", identities=mail.clues.identities, reason=reason, queue=mail.queue)


def _author(mail: Mail, ticket: TicketFacts, role: str | None) -> Author:
    if mail.clues.contact == ticket.requester:
        return "requester"
    return "vendor" if role == "vendor" else "participant"


def _id_notes(mail: Mail) -> tuple[str, ...]:
    notes = []
    if mail.clues.has_equal_id:
        notes.append("same-message-id: another mail with this Message-ID came before")
    if mail.clues.is_forged:
        notes.append("something looked like a token of ours and was not")
    return tuple(notes)


def _others(mail: Mail) -> tuple[Mailbox, ...]:
    """Who else stands in To and Cc, ourselves and the sender left out; nobody for automatic mail."""
    if mail.letter.kind in MACHINE_KINDS:
        return ()
    found = {m.address.lower(): m for m in (*mail.letter.to, *mail.letter.cc)}
    found.pop(mail.sender, None)
    usable = (m for address, m in found.items() if not _is_ours(address, mail.own) and can_take_part(address))
    return tuple(usable)[:_MOST_OTHERS]


def _is_ours(address: str, own: frozenset[str]) -> bool:
    local, _, domain = address.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}" in own


def _colleagues(mail: Mail, ticket: TicketFacts) -> tuple[Mailbox, ...]:
    """Of those in Cc, the ones of the requester's organisation; others wait for a technician's key."""
    return tuple(m for m in _others(mail) if are_colleagues(m.address, ticket.requester_address))


def _waiting(mail: Mail, store: Gatherer, ticket: TicketFacts) -> tuple[str, ...]:
    """One line for those in To and Cc who may not join by themselves."""
    outside = [m for m in _others(mail) if not are_colleagues(m.address, ticket.requester_address)]
    known = store.addresses_of(ticket.number) if outside else frozenset()
    names = [m.address.lower() for m in outside if m.address.lower() not in known]
    if not names:
        return ()
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (f"outside the requester's organisation, waiting for a technician: {', '.join(names[:3])}{more}",)
