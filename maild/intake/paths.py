"""Read the arguments of MAIL and RCPT: the path, and the parameters behind it.

Trust: every argument was sent by a stranger; it is printable text of limited length.
Standards: RFC 5321 §4.1.2 (paths), RFC 1870 (SIZE), RFC 6152 (BODY), RFC 6531 (SMTPUTF8).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MAX_PATH = 320

# Nearly every path there is; the sets exclude each other, so the match is linear.
_ATOM = r"[^\x00-\x20\x7f-\x9f()<>\[\]:;@\\,\"]+"
_PLAIN = re.compile(rf" ?<((?:{_ATOM}(?:@{_ATOM})?)?)>(?: (.*))?")
_QUOTED = r'"(?:[^"\\\x00-\x1f\x7f-\x9f]|\\[^\x00-\x1f\x7f-\x9f])*"'
_ADDRESS = re.compile(rf"(?:{_ATOM}|{_QUOTED})(?:@(?:{_ATOM}|\[[A-Za-z0-9.:-]+\]))?")

SlowParser = Callable[[str], tuple[str | None, str | None]]


class Refusal(Exception):
    """A command is refused.

    Attributes:
        reply: the whole line of the answer, without its line end.
        closes: the session ends with this answer.
    """

    def __init__(self, reply: str, *, closes: bool = False) -> None:
        super().__init__(reply)
        self.reply, self.closes = reply, closes


@dataclass(frozen=True, slots=True)
class MailParameters:
    """What MAIL says besides the sender; `size` is 0 when it was not told."""

    size: int = 0
    is_utf8: bool = False


_NO_PARAMETERS = MailParameters()


def read_path(text: str, slow: SlowParser) -> tuple[str, str] | None:
    """Split `<path> parameters` into address and parameters; None when it is no path.

    The null path gives "". Source routes are dropped (RFC 5321 appendix C).

    Args:
        slow: aiosmtpd's parser, for quoted local parts, routes and paths without brackets.
    """
    plain = _PLAIN.fullmatch(text)
    if plain:
        address, parameters = plain[1], plain[2] or ""
    else:
        path, parameters = _cut_path(text.strip())
        address = _read_odd_path(path, slow)
    return (address, parameters.strip()) if _is_possible(address) else None


def read_parameters(text: str) -> MailParameters:
    """Read the parameters of MAIL.

    Raises:
        Refusal: 501 for a wrong value, 555 for a parameter that we did not offer.
    """
    if not text:
        return _NO_PARAMETERS
    size, is_utf8 = 0, False
    for parameter in text.upper().split():
        name, _, value = parameter.partition("=")
        if name == "SIZE" and value.isascii() and value.isdigit() and len(value) <= 20:
            size = int(value)
        elif name == "SMTPUTF8" and parameter == name:
            is_utf8 = True
        elif not (name == "BODY" and value in ("7BIT", "8BITMIME")):
            known = name in ("SIZE", "SMTPUTF8", "BODY")
            raise Refusal("501 5.5.4 wrong parameter value" if known else "555 5.5.4 unknown parameter")
    return MailParameters(size, is_utf8)


def _cut_path(text: str) -> tuple[str, str]:
    """Path and the rest; parameters can hold neither bracket nor quote."""
    if not text.startswith("<"):
        path, _, rest = text.partition(" ")
        return path, rest
    path, bracket, rest = text.rpartition(">")
    return (path + bracket, rest) if rest[:1] in ("", " ") else ("", "")


def _read_odd_path(path: str, slow: SlowParser) -> str | None:
    # Comments would let a stranger choose the depth of recursion, encoded-words would be decoded
    # (cpython #152519); neither belongs into a path.
    if not path or len(path) > MAX_PATH or "(" in path or "=?" in path:
        return None
    try:
        address, rest = slow(path)
    except (IndexError, AttributeError):  # the standard library's parser at the end of its text
        return None
    return None if rest else address


def _is_possible(address: str | None) -> bool:
    if address is None or len(address) > MAX_PATH:
        return False
    return not address or _ADDRESS.fullmatch(address) is not None
