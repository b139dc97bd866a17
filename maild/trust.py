"""How sure we are who wrote a letter, as far as the letter and its tokens say.

Order: doubts about From (level 0) > nothing proven (1) > a token of that same participant (3).
Levels 2, 4 and 5 need Authentication-Results of a mail server that we trust.
Trust: From is a claim; only a token that the one verify function accepts is a proof.
Standards: RFC 5322 section 3.6.2, RFC 7489 section 6.6.1 (several From).
"""

from __future__ import annotations

from desk.errors import Invalid
from desk.letter import Letter
from desk.letters.headers import can_carry
from desk.people import clean_address

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
