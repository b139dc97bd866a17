"""The order of the demonstration's mails: who opens a ticket in which form, and how people go on.

Pure: the same seed, address and moment give the same bytes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from maild.demo import mails
from maild.demo.mails import Mail, Part
from maild.demo.stories import Tale, Teller, alarm, tale, tongue

_FORMS = (  # the first tickets show each form once, later ones by chance
    ("en", "plain"),
    ("en", "html"),
    ("zh-Hant", "big5"),
    ("zh-Hans", "gb18030"),
    ("en", "files"),
    ("en", "alarm"),
    ("zh-Hant", "utf-8"),
    ("zh-Hans", "utf-8"),
)
_CHANCES = {
    "en": (("plain", 5), ("html", 2), ("files", 1), ("alarm", 1)),
    "zh-Hant": (("utf-8", 5), ("big5", 2), ("files", 1)),
    "zh-Hans": (("utf-8", 5), ("gb18030", 2), ("files", 1)),
}
_LOG = b"2026-01-05 08:12:44 warn  spooler  paper path blocked, sensor 3\r\n" * 40


@dataclass(frozen=True, slots=True)
class Opening:
    """A mail that opens a ticket. Machines are not acknowledged and write no replies."""

    tale: Tale
    mail: Mail
    is_machine: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter of the desk as its recipient sees it: what a mail program needs to answer it."""

    ticket: int
    identity: str
    reply_to: str
    return_path: str
    subject: str
    text: str


class Script:
    """Makes the mails, one after the other."""

    def __init__(self, *, seed: int, address: str, now: datetime) -> None:
        self._rng, self._address, self._now = random.Random(seed), address, now
        self._number = 0

    def openings(self, count: int) -> list[Opening]:
        """So many mails that open a ticket each, over the last eight hours."""
        return [self._opening(n, count) for n in range(count)]

    def _opening(self, number: int, count: int) -> Opening:
        if number < len(_FORMS):
            language, form = _FORMS[number]
            told = tale(self._rng, language)
        else:
            told = tale(self._rng)
            forms, shares = zip(*_CHANCES[told.language], strict=True)
            form = self._rng.choices(forms, shares)[0]
        date = self._now - timedelta(hours=8) * (count - number) / count
        if form == "alarm":
            told = alarm(self._rng, self._address.rpartition("@")[2])
            machine = (("Auto-Submitted", "auto-generated"),)
            return Opening(
                told, self._mail(told.teller, told.subject, date, _body(form, told.text), more=machine), True
            )
        charset = form if form in ("big5", "gb18030") else "utf-8"
        mail = self._mail(told.teller, told.subject, date, _body(form, told.text), charset=charset)
        return Opening(told, mail, False)

    def answer(self, told: Tale, letter: Letter, text: str) -> Mail:
        """The requester answers a letter: to its Reply-To, with its references and a quote."""
        quote = "\n".join(f"> {line}" for line in letter.text.splitlines()[:6])
        prefix = tongue(told.language).reply_prefix
        subject = f"{prefix}{letter.subject.removeprefix('Re: ')}"
        fields = (("In-Reply-To", letter.identity), ("References", letter.identity))
        part = mails.plain(f"{text}\n\n{quote}")
        return self._mail(told.teller, subject, self._now, part, recipient=letter.reply_to, more=fields)

    def away(self, told: Tale, letter: Letter) -> Mail:
        """The requester's program says that he is away (RFC 3834: to the envelope sender, from nobody)."""
        fields = (("In-Reply-To", letter.identity), ("Auto-Submitted", "auto-replied"))
        part = mails.plain(tongue(told.language).away)
        subject = f"Automatic reply: {letter.subject}"
        return self._mail(
            told.teller, subject, self._now, part, recipient=letter.return_path, sender="", more=fields
        )

    def bounce(self, told: Tale, letter: Letter) -> Mail:
        """A mail server says that the letter did not arrive."""
        reason = "550 5.1.1 no such mailbox"
        text = f"Your letter could not be delivered to {told.teller.address}:\n{reason}"
        part = mails.delivery_report(text, told.teller.address, reason, letter.identity)
        server = Teller("Mail Delivery System", "mailer-daemon@mx.example")
        return self._mail(
            server,
            "Undelivered Mail Returned to Sender",
            self._now,
            part,
            recipient=letter.return_path,
            sender="",
        )

    def stranger(self, told: Tale, letter: Letter) -> Mail:
        """Somebody who takes no part in the ticket answers a letter that was forwarded to him."""
        teller = Teller("", "somebody@elsewhere.example")
        fields = (("In-Reply-To", letter.identity), ("References", letter.identity))
        part = mails.plain("I was sent a copy of this. What does it say about my account?")
        return self._mail(teller, f"Fwd: {letter.subject}", self._now, part, more=fields)

    def _mail(
        self,
        teller: Teller,
        subject: str,
        date: datetime,
        part: Part,
        *,
        recipient: str | None = None,
        sender: str | None = None,
        charset: str = "utf-8",
        more: tuple[tuple[str, str], ...] = (),
    ) -> Mail:
        self._number += 1
        domain = teller.address.rpartition("@")[2]
        identity = f"<{self._number:05}.{self._rng.getrandbits(48):012x}@{domain}>"
        to = recipient or self._address
        return mails.mail(
            teller, to, identity, subject, date, part, charset=charset, sender=sender, more=more
        )


def _body(form: str, text: str) -> Part:
    if form == "html":
        return mails.html(text)
    if form == "files":
        shot = ("screenshot.png", "image/png", mails.picture(0x2E, 0x5A, 0x88))
        return mails.with_files(text, (shot, ("spooler.log", "text/plain", _LOG)))
    return mails.plain(text, form if form in ("big5", "gb18030") else "utf-8")
