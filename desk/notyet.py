"""The keys of desk.toml that are read and checked, and that nothing obeys yet.

One table: `desk doctor` and `desk up` name such a key where it is set, and docs/settings.md says so beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desk import tomlfile
from desk.errors import FileError
from desk.settings import FILE_NAME, Settings, load_settings

WORDS = "not available yet"


@dataclass(frozen=True, slots=True)
class NotYet:
    """A key without a reader.

    Attributes:
        name: as messages name it.
        instead: what to do instead.
        stops: `desk up` refuses to start, because mail would wait where nobody fetches it.
    """

    name: str
    instead: str
    stops: bool = False


NOT_YET: dict[str, NotYet] = {  # by the attributes of Settings
    "trust.authserv_ids": NotYet(
        "[trust] authserv_ids", "no Authentication-Results counts; write authserv_ids = []"
    ),
    "trust.own_check": NotYet(
        "[trust] own_check", 'the desk looks at no SPF, DKIM or DMARC; write own_check = "off"'
    ),
    "lmtp.listen": NotYet(
        "[lmtp] listen", "nothing listens there; let the mail server use SMTP, by [smtp] listen", stops=True
    ),
    "imap": NotYet("[[imap]]", "nobody fetches that mail; let it come in by [smtp]", stops=True),
    "runbooks": NotYet("[runbooks.*]", "no rule and nobody else runs them; take them out"),
}


@dataclass(frozen=True, slots=True)
class Unread:
    """A key of NOT_YET that is set in a desk.toml."""

    fault: FileError
    stops: bool


def unread_settings(home: Path) -> list[Unread]:
    """What a home sets in vain, in the order of its desk.toml.

    Raises:
        NotFound: there is no desk.toml. FileError: its first fault.
    """
    path = home / FILE_NAME
    settings = load_settings(home)
    places = tomlfile.parse(path).places
    found = []
    for key, one in NOT_YET.items():
        if _is_set(settings, key):
            line, column = places.key(tuple(key.split(".")))
            text = f"{one.name} is {WORDS}; {one.instead}"
            found.append(Unread(FileError(str(path), line, column, text), one.stops))
    return sorted(found, key=lambda unread: unread.fault.line)


def _is_set(settings: Settings, key: str) -> bool:
    value: object = settings
    for name in key.split("."):
        value = getattr(value, name)
    return bool(value)
