"""The row of a mail that came in, with its files, and the event that tells of it."""

from __future__ import annotations

import msgspec

from desk import blobs
from desk.events import MessageIn
from desk.filing import FileLetter, Placement
from desk.letter import MACHINE_KINDS, Letter
from desk.people import Person
from desk.service import Run
from desk.spans import stored
from desk.states import MessageState

NO_SUBJECT = {"en": "(no subject)", "zh-Hant": "（無主旨）", "zh-Hans": "（无主题）"}
_MESSAGE = (
    "INSERT INTO message (ticket, origin, direction, kind, audience, state, author_kind, author, author_name,"
    " contact, at, subject, text, spans, language, marks, message_id, blob, trust, evidence, inbox,"
    " reply_to_letter) VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def insert_letter(
    command: FileLetter, run: Run, number: int | None, person: Person, state: MessageState
) -> int:
    """Write the message, its attachments and its place in the search queue; its id."""
    letter, placement = command.letter, command.placement
    message = run.tx.insert(
        _MESSAGE,
        number,
        number,
        letter.kind,
        placement.audience,
        int(state),
        placement.author,
        person.address,
        letter.sender.name if letter.sender else "",
        person.contact,
        command.arrived_us,
        letter.subject,
        letter.text,
        msgspec.json.encode(stored(letter)).decode(),
        letter.language,
        msgspec.json.encode(_marks(letter, placement)).decode(),
        letter.message_id,
        letter.sha256,
        placement.trust,
        msgspec.json.encode(placement.evidence).decode(),
        command.inbox,
        placement.letter,
    )
    ready = {packed.sha256: packed for packed in command.files}
    for attachment in letter.attachments:
        if attachment.sha256 != letter.sha256:  # the emergency reader attaches the mail itself
            blobs.store(run.tx, ready.get(attachment.sha256) or blobs.pack(attachment.content))
        run.tx.run(
            "INSERT INTO attachment (message, name, type, size, sha256, inline) VALUES (?, ?, ?, ?, ?, ?)",
            message,
            attachment.name,
            attachment.type,
            attachment.size,
            attachment.sha256,
            attachment.inline,
        )
    run.tx.run("INSERT INTO search_waiting (message) VALUES (?)", message)
    return message


def _marks(letter: Letter, placement: Placement) -> list[str]:
    flags = {
        "html": letter.html,
        "guessed": letter.guessed,
        "degraded": letter.degraded,
        "gratitude": placement.gratitude,
    }
    return [name for name, is_set in flags.items() if is_set] + [f"defect: {d}" for d in letter.defects[:20]]


def message_in(message: int, letter: Letter, placement: Placement, person: Person) -> MessageIn:
    """The event of a mail that came in."""
    return MessageIn(
        message=message,
        sha256=letter.sha256,
        message_id=letter.message_id,
        from_=person.address,
        auto=letter.kind in MACHINE_KINDS,
        kind=letter.kind,
        trust=placement.trust,
        author=placement.author,
        gratitude=placement.gratitude,
        audience=placement.audience,
        new_text=letter.new_text()[:4096],
    )
