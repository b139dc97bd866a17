"""How sure we are who wrote a letter, as far as the letter and its tokens say.

Order: doubts about From (level 0) > nothing proven (1) > a token of that same participant (3).
Levels 2, 4 and 5 need Authentication-Results of a mail server that we trust.
Trust: From is a claim; only a token that the one verify function accepts is a proof.
Standards: RFC 5322 section 3.6.2, RFC 7489 section 6.6.1 (several From).
"""

from __future__ import annotations

from dataclasses import dataclass

from desk.errors import Invalid
from desk.letter import Letter
from desk.letters.headers import can_carry
from desk.people import clean_address
from maild.reading.headers import plain, split_header

_HEADER_BYTES = 256 * 1024
_SPAM_FIELDS = frozenset({"x-spam-flag", "x-spam-status"})
MOST_HOPS = 50

SUSPECT, UNPROVEN, DOMAIN_PROVEN, PARTICIPANT = 0, 1, 2, 3

# One domain, many strangers: sharing it makes nobody a colleague.
PUBLIC_MAIL_DOMAINS = frozenset(
    {
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "yahoo.com.tw",
        "yahoo.com.hk",
        "ymail.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "proton.me",
        "protonmail.com",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "web.de",
        "mail.com",
        "zoho.com",
        "yandex.com",
        "yandex.ru",
        "mail.ru",
        "qq.com",
        "foxmail.com",
        "163.com",
        "126.com",
        "yeah.net",
        "sina.com",
        "sina.cn",
        "sohu.com",
        "aliyun.com",
        "139.com",
        "189.cn",
        "hinet.net",
        "pchome.com.tw",
        "naver.com",
        "daum.net",
        "t-online.de",
        "orange.fr",
        "free.fr",
        "laposte.net",
        "libero.it",
    }
)


@dataclass(frozen=True, slots=True)
class Trace:
    """What servers on the way wrote into the header, as far as we act on it without believing it.

    Attributes:
        hops: how many servers took the mail in.
        is_spam: a filter has marked it; such mail is never acknowledged.
    """

    hops: int = 0
    is_spam: bool = False


NO_TRACE = Trace()


def trace_of(raw: bytes) -> Trace:
    """The trace of a mail; linear in the length of its header."""
    fields = split_header(raw, limit=_HEADER_BYTES, is_lenient=True).fields
    marks = (plain(field.value).strip().lower() for field in fields if field.key in _SPAM_FIELDS)
    return Trace(
        hops=sum(field.key == "received" for field in fields),
        is_spam=any(mark.startswith("yes") for mark in marks),
    )


def level_of_sender(letter: Letter) -> tuple[int, str]:
    """The level that From reaches by itself, and why."""
    if letter.sender_doubts:
        return SUSPECT, "; ".join(letter.sender_doubts)
    if letter.sender is None or not _is_address(letter.sender.address):
        return SUSPECT, "an address to which nothing can be sent"
    return UNPROVEN, "nothing proves the sender"


def can_take_part(address: str) -> bool:
    """Whether letters can go to an address; one that they cannot go to would stop every answer to a ticket."""
    return _is_address(address) and can_carry(address)


def _is_address(address: str) -> bool:
    try:
        clean_address(address)
    except Invalid:
        return False
    return True


def are_colleagues(address: str, other: str) -> bool:
    """Whether two addresses are of one organisation: the same domain, and not one that anybody can have."""
    domain = address.rpartition("@")[2].lower()
    return domain == other.rpartition("@")[2].lower() and domain not in PUBLIC_MAIL_DOMAINS
