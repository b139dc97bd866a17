"""The value forms of the home's files: sizes, mail addresses, listen addresses, commands, names.

Each reader takes what stands in the file and raises ValueError with the remedy, or without a text
when the form's own remedy says enough. When in doubt a value is refused.
Standards: RFC 5321 4.5.3.1 (lengths of addresses), RFC 5322 3.2.3 (dot-atom), RFC 1123 2.1 (host names).
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from desk.tomlfile import Form

LanguageCode = Literal["en", "zh-Hant", "zh-Hans"]
LANGUAGES: tuple[LanguageCode, ...] = ("en", "zh-Hant", "zh-Hans")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DESK_LOCAL_MAX = 31  # with "+" and a reply token of 32 characters it makes 64, the most SMTP allows
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SIZE = re.compile(r"([0-9]{1,12}) ?(b|kb|mb|gb)")
_SIZE_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_SCRIPTS = {
    "zh-tw": "zh-Hant",
    "zh-hk": "zh-Hant",
    "zh-mo": "zh-Hant",
    "zh-cn": "zh-Hans",
    "zh-sg": "zh-Hans",
}


class ListenAddress(msgspec.Struct, frozen=True):
    """Where a door listens: a host and port (0 picks a free one), or a unix socket's path."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_size(value: object) -> int:
    """`36MB` as bytes; kB, MB and GB are powers of 1000."""
    match = _SIZE.fullmatch(_text(value).strip().lower())
    if match is None or int(match[1]) == 0:
        raise ValueError
    return int(match[1]) * _SIZE_UNITS[match[2]]


def show_size(size_bytes: int) -> str:
    """Bytes in the largest unit that divides them."""
    unit = next(u for u in ("GB", "MB", "kB", "B") if size_bytes % _SIZE_UNITS[u.lower()] == 0)
    return f"{size_bytes // _SIZE_UNITS[unit.lower()]}{unit}"


def read_domain(value: object) -> str:
    """A domain in lower case with two labels at least, or localhost."""
    text = _text(value).strip().lower()
    if not text.isascii():
        raise ValueError("write the domain in its ASCII form (xn--…)")
    labels = text.split(".")
    right = len(text) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    if not right or labels[-1].isdigit() or (len(labels) < 2 and text != "localhost"):
        raise ValueError
    return text


def read_host(value: object) -> str:
    """A host name or an IP address."""
    text = _text(value).strip().lower()
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        pass
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in text.split(".")):
        raise ValueError
    if text.rsplit(".", 1)[-1].isdigit():
        raise ValueError
    return text


def read_address(value: object) -> str:
    """A mail address in lower case: a dot-atom and a domain, nothing quoted, no display name."""
    text = _text(value).strip().lower()
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL.fullmatch(local):
        raise ValueError
    if len(local) > 64 or len(text) > 254:
        raise ValueError("write an address of up to 64 characters before the @ and 254 in all")
    read_domain(domain)
    return text


def read_desk_address(value: object) -> str:
    """An address of the desk itself, to which `+` and a reply token can be added."""
    address = read_address(value)
    local = address.rpartition("@")[0]
    if len(local) > DESK_LOCAL_MAX:
        raise ValueError(
            f"its part before the @ has {len(local)} characters; choose one of up to {DESK_LOCAL_MAX}, "
            "because a reply token is added to it"
        )
    if "+" in local:
        raise ValueError(f'write it without "+": {local.partition("+")[0]}@{address.rpartition("@")[2]}')
    return address


def read_listen(value: object) -> ListenAddress:
    """`127.0.0.1:25`, `[::1]:25`, `host.example:25` or `unix:run/lmtp.sock`."""
    text = _text(value).strip()
    if text.startswith("unix:"):
        if len(text.encode()) > 105 or len(text) == 5:
            raise ValueError("write a path of 1 to 100 bytes after unix:")
        return ListenAddress(path=text[5:])
    host, colon, port = text.rpartition(":")
    if not colon or not host or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ValueError
    if (":" in host) != (host.startswith("[") and host.endswith("]")):
        raise ValueError
    return ListenAddress(host=read_host(host), port=int(port))


def read_network(value: object) -> Network:
    """A network in CIDR form, or one IP address."""
    text = _text(value).strip()
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    try:
        wider = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError from None
    raise ValueError(f'did you mean "{wider}"?')


def read_language(value: object) -> str:
    """One of the desk's languages; for regional codes the remedy names the script."""
    text = _text(value)
    if text in LANGUAGES:
        return text
    near = _SCRIPTS.get(text.lower()) or ("en" if text.lower().startswith("en") else None)
    near = near or next((code for code in LANGUAGES if code.lower() == text.lower()), None)
    raise ValueError(f'did you mean "{near}"?' if near else "")


def read_store_url(value: object) -> str:
    """`sqlite:PATH` or `postgresql://…`."""
    text = _text(value).strip()
    if not re.fullmatch(r"sqlite:(?!//)\S.*|postgresql://\S+", text):
        raise ValueError
    return text


def read_command(value: object) -> tuple[str, ...]:
    """A command line as its words; it is run without a shell."""
    try:
        words = tuple(shlex.split(_text(value)))
    except ValueError:
        raise ValueError("a quotation mark is not closed; close it") from None
    if not words:
        raise ValueError
    return words


def read_argv(value: object) -> tuple[str, ...]:
    """A program by its whole path, and its arguments, each an item of a list."""
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
        raise ValueError
    if not value[0].startswith("/"):
        raise ValueError("write the program with its whole path, like /usr/bin/clamdscan")
    if any("\0" in word for word in value):
        raise ValueError("write it without a NUL character")
    return tuple(value)


def read_line(value: object) -> str:
    """Text of one line that is not blank and holds no control character."""
    text = _text(value).strip()
    if not text or not text.isprintable():
        raise ValueError
    return text


def read_path(value: object) -> Path:
    """A path; relative ones are meant from the home."""
    return Path(read_line(value))


def read_name(value: object) -> str:
    """The name of a queue, team, calendar and the like."""
    text = _text(value)
    if not _NAME.fullmatch(text):
        raise ValueError
    return text


def read_country(value: object) -> str:
    """Two capital letters, ISO 3166-1."""
    text = _text(value)
    if not re.fullmatch("[A-Z]{2}", text):
        raise ValueError
    return text


def read_share(value: object) -> float:
    """A number above 0 and below 1."""
    if isinstance(value, bool) or not isinstance(value, float) or not 0 < value < 1:
        raise ValueError
    return value


def whole(least: int, most: int) -> Form[int]:
    """The form of a whole number in `[least, most]`."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError
        return value

    remedy = f"write a whole number from {least} to {most}, without quotes"
    return Form(f"whole number, {least} to {most}", remedy, read)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


SIZE = Form("size", 'write a size with its unit, like "36MB" (1 MB is 1000000 bytes)', read_size, show_size)
ADDRESS = Form("mail address", 'write a plain mail address, like "support@example.org"', read_address)
DESK_ADDRESS = Form(
    "mail address", 'write a plain mail address, like "support@example.org"', read_desk_address
)
DOMAIN = Form("domain", 'write a domain, like "example.org"', read_domain)
HOST = Form("host", 'write a host name or an IP address, like "mail.example.org"', read_host)
LISTEN = Form(
    "listen address", 'write HOST:PORT, [IPV6]:PORT or unix:PATH, like "127.0.0.1:2525"', read_listen
)
NETWORK = Form("network", 'write a network or an IP address, like "192.0.2.0/24"', read_network)
LANGUAGE = Form("one of `en`, `zh-Hant`, `zh-Hans`", "it must be one of en, zh-Hant, zh-Hans", read_language)
STORE_URL = Form(
    "store address",
    'write "sqlite:desk.db", or "postgresql://USER@HOST/DATABASE"',
    read_store_url,
    secret=True,
)
COMMAND = Form("command", 'write a command line, like "pass show support"', read_command, shlex.join)
ARGV = Form("list of texts", 'write a list of texts, like ["/usr/bin/clamdscan", "-"]', read_argv)
LINE = Form("text", 'write text of one line between quotes, like "text"', read_line)
PATH = Form("path", 'write a path between quotes, like "outgoing"', read_path)
NAME = Form("name", "write a name of lower-case letters, digits, - and _, like help-desk", read_name)
COUNTRY = Form("country code", 'write a two-letter country code, like "CN"', read_country)
SHARE = Form("share", "write a number above 0 and below 1, like 0.75", read_share)

Size = Annotated[int, SIZE]
Address = Annotated[str, ADDRESS]
DeskAddress = Annotated[str, DESK_ADDRESS]
Domain = Annotated[str, DOMAIN]
Host = Annotated[str, HOST]
Listen = Annotated[ListenAddress, LISTEN]
TrustedNetwork = Annotated[Network, NETWORK]
Language = Annotated[LanguageCode, LANGUAGE]
Command = Annotated[tuple[str, ...], COMMAND]
Line = Annotated[str, LINE]
Name = Annotated[str, NAME]
Share = Annotated[float, SHARE]
