"""The play of `desk demo`: people write, the desk acknowledges, technicians work, people answer.

Everything goes the way it goes at a site: mails by SMTP to a running desk, letters out of its Maildir, and
what technicians do as orders. On failure: Unavailable when the running desk does not get on.
"""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

from desk import clock
from desk.actors import SYSTEM, Actor, Door
from desk.commands import AddNote, AddTechnician, Assign, Reply, SetFields, Take
from desk.errors import Unavailable
from desk.letters.subjects import ticket_tag
from desk.reads.mail import counts
from desk.service import Desk, Order
from maild.demo.mails import Mail
from maild.demo.script import Letter, Opening, Script
from maild.demo.stories import tongue

FEWEST = 12
_PATIENCE_S = 60.0  # without anything getting on
_LOOK_S = 0.05
_TECHNICIANS = (
    AddTechnician("t1", "t1@demo.example", ("technician",), name="T1"),
    AddTechnician("lead", "lead@demo.example", ("lead",), name="Lead", tier=2),
)
_T1, _LEAD = Actor("technician", "t1"), Actor("technician", "lead")


@dataclass(frozen=True, slots=True)
class Stage:
    """A running desk: an open one to give orders to, its SMTP door, and where its letters go."""

    desk: Desk
    door: tuple[str, int]
    outgoing: Path


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it."""

    mails: int
    letters: int
    answered: int  # the number of a ticket with answers of both sides


@dataclass(frozen=True, slots=True)
class _Case:
    """A ticket: the mail that opened it, and the newest letter about it."""

    opening: Opening
    letter: Letter


def steps(tickets: int) -> int:
    """How many mails the play sends, for a progress bar."""
    return tickets + tickets // 3


def play(stage: Stage, *, tickets: int, seed: int, sent: Callable[[int], None]) -> Played:
    """Play it all; `sent` is told after each mail.

    Raises:
        Unavailable: the desk refuses mail or does not get on.
    """
    address = stage.desk.settings.desk.addresses[0]
    script = Script(seed=seed, address=address, now=clock.now())
    stage.desk.do(*(Order(command, SYSTEM, Door.CLI) for command in _TECHNICIANS))
    openings = script.openings(tickets)
    _send(stage, (opening.mail for opening in openings), sent)
    _settle(stage)
    cases = _cases(stage, openings)
    answered = _work(stage, cases)
    _settle(stage)
    later = _cases(stage, openings)
    _send(stage, _afterwards(script, later, answered, steps(tickets) - tickets), sent)
    _settle(stage)
    return Played(steps(tickets), len(_letters(stage.outgoing)), answered[0])


def _send(stage: Stage, mails: Iterable[Mail], sent: Callable[[int], None]) -> None:
    try:
        with smtplib.SMTP(*stage.door, local_hostname="demo.example") as connection:
            for mail in mails:
                connection.sendmail(mail.sender, [mail.recipient], mail.raw)
                sent(1)
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable(
            f"the desk at {stage.door[0]}:{stage.door[1]} did not take a mail: {error}"
        ) from error


def _settle(stage: Stage) -> None:
    """Wait until all mail is filed and all letters are in the Maildir."""
    left, moved_at = -1, time.monotonic()
    while True:
        with stage.desk.reading():
            depths = counts()
        waiting = depths["inbox"] + depths["outbox"]["waiting"]
        if not waiting:
            return
        if waiting != left:
            left, moved_at = waiting, time.monotonic()
        if time.monotonic() - moved_at > _PATIENCE_S:
            raise Unavailable(
                f"{waiting} mails and letters wait and nothing gets on; see log/desk.log in the home"
            )
        time.sleep(_LOOK_S)


def _cases(stage: Stage, openings: list[Opening]) -> list[_Case]:
    """The acknowledged tickets in the order of their mails, each with its newest letter."""
    by_recipient: dict[str, Letter] = {}
    for identity, letter in _letters(stage.outgoing):
        by_recipient[identity] = letter
    found = [(opening, by_recipient.get(opening.mail.identity)) for opening in openings]
    return [_Case(opening, letter) for opening, letter in found if letter is not None]


def _letters(folder: Path) -> list[tuple[str, Letter]]:
    """Letters as their recipients find them, oldest first, each with the first id that it refers to."""
    files = sorted((folder / "new").iterdir(), key=lambda file: file.stat().st_mtime_ns)
    read = [message_from_bytes(file.read_bytes()) for file in files]
    return [(_first_reference(message), _letter(message)) for message in read]


def _first_reference(message: Message) -> str:
    return (str(message["References"] or "").split() or [""])[0]


def _letter(message: Message) -> Letter:
    subject = str(make_header(decode_header(str(message["Subject"]).replace("\n", ""))))
    return Letter(
        ticket=ticket_tag(subject) or 0,
        identity=str(message["Message-ID"]).strip(),
        reply_to=str(message["Reply-To"]).rpartition("<")[2].strip("> \n"),
        return_path=str(message["Return-Path"]).strip("<> \n"),
        subject=subject,
        text=_text(message),
    )


def _text(message: Message) -> str:
    part = next(part for part in message.walk() if part.get_content_type() == "text/plain")
    content = part.get_payload(decode=True)
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _work(stage: Stage, cases: list[_Case]) -> list[int]:
    """What the two technicians do; the numbers of the tickets that they answered."""
    answered = []
    for turn, case in enumerate(cases):
        commands = _turn(turn % 10, case)
        if commands:
            stage.desk.do(*(Order(command, by, Door.CLI) for by, command in commands))
        answered += [case.letter.ticket for _, command in commands if isinstance(command, Reply)]
    return answered


def _turn(turn: int, case: _Case) -> list[tuple[Actor, object]]:
    number, told = case.letter.ticket, case.opening.tale
    category = SetFields(number, (("category", told.category),))
    reply = Reply(number, told.answer, now=True)
    match turn:
        case 0 | 5:
            return [(_T1, Take(number)), (_T1, category), (_T1, reply)]
        case 1:
            return [(_T1, Take(number)), (_T1, AddNote(number, tongue(told.language).note))]
        case 2 | 7:
            return [(_T1, category), (_T1, Reply(number, told.answer, resolve=True, now=True))]
        case 3:
            raised = SetFields(number, (("priority", "high"), ("category", told.category)))
            return [(_LEAD, raised), (_LEAD, Assign(number, "t1"))]
        case 6:
            return [
                (_LEAD, Take(number)),
                (_LEAD, category),
                (_LEAD, Reply(number, told.answer, wait=True, now=True)),
            ]
    return []


def _afterwards(script: Script, cases: list[_Case], answered: list[int], count: int) -> Iterable[Mail]:
    """People and machines answer: a bounce, an absence, a stranger, and then requesters."""
    hit = [case for case in cases if case.letter.ticket in answered]
    rest = [case for case in cases if case.letter.ticket not in answered]
    for number in range(count):
        if number == 0:
            case = hit[-1]
            yield script.bounce(case.opening.tale, case.letter)
        elif number == 1:
            yield script.away(rest[0].opening.tale, rest[0].letter)
        elif number == 2:
            yield script.stranger(hit[0].opening.tale, hit[0].letter)
        else:
            case = (hit + rest)[(number - 3) % len(cases)]
            yield script.answer(case.opening.tale, case.letter, _words(case, number))


def _words(case: _Case, number: int) -> str:
    speech = tongue(case.opening.tale.language)
    choice = (speech.not_yet, speech.thanks, speech.more)[number % 3]
    return choice[number // 3 % len(choice)]
