"""Write the files of a new home, with comments, ready to run without an edit.

Writes: desk.toml last, so that a home with a desk.toml is a whole one. Other files that are there already
are kept. The files lie in files/ beside this module; `"$NAME"` and the like in them are filled in.
"""

from __future__ import annotations

import errno
import json
import os
import re
from importlib import resources
from pathlib import Path
from typing import Any

from desk.errors import Invalid, NoSpace
from desk.forms import DESK_ADDRESS, DOMAIN, LANGUAGE, LINE, LanguageCode
from desk.settings import FILE_NAME
from desk.timeforms import ZONE
from desk.tomlfile import Form

DEFAULT_DOMAIN = "example.org"
_LOCALTIME = Path("/etc/localtime")
_FILES = (  # in the package, in the home
    ("gitignore.txt", ".gitignore"),
    ("categories.toml", "categories.toml"),
    ("policies.toml", "policies.toml"),
    ("teams.toml", "teams.toml"),
    ("vendors.toml", "vendors.toml"),
    ("queues/help-desk.toml", "queues/help-desk.toml"),
    ("calendars/default.toml", "calendars/default.toml"),
    ("rules/README.txt", "rules/README.txt"),
    ("templates/README.txt", "templates/README.txt"),
    ("knowledge/README.txt", "knowledge/README.txt"),
    ("desk.toml", FILE_NAME),  # last
)
_TITLES: dict[LanguageCode, tuple[str, str]] = {  # of the first queue and of its team
    "en": ("Help desk", "Service desk"),
    "zh-Hant": ("服務台", "服務台"),
    "zh-Hans": ("服务台", "服务台"),
}


def write_home(
    home: Path,
    *,
    domain: str | None = None,
    address: str | None = None,
    timezone: str | None = None,
    language: str = "en",
    name: str = "Service desk",
) -> list[Path]:
    """Write the files of a new home and return those written, in order.

    Without a domain that of the address is taken, without either example.org; without an address
    support@DOMAIN; without a timezone that of the machine. A folder that is new or empty gets mode 0750.

    Raises:
        Invalid: there is a home already, a value is not accepted, or the folder cannot be written.
        NoSpace: the disk is full; run it again when it is not.
    """
    if (home / FILE_NAME).exists():
        raise Invalid(
            f"{home / FILE_NAME} exists; `desk init` overwrites nothing, choose another folder by --home"
        )
    if address is not None:
        address = _checked("address", DESK_ADDRESS, address)
        domain = domain or address.rpartition("@")[2]
    domain = _checked("domain", DOMAIN, domain or DEFAULT_DOMAIN)
    spoken: LanguageCode = _checked("language", LANGUAGE, language)
    values = {
        "NAME": _checked("name", LINE, name),
        "DOMAIN": domain,
        "ADDRESS": _checked("address", DESK_ADDRESS, address or f"support@{domain}"),
        "TIMEZONE": _checked("timezone", ZONE, timezone or machine_timezone()),
        "LANGUAGE": spoken,
        "QUEUE_TITLE": _TITLES[spoken][0],
        "TEAM_TITLE": _TITLES[spoken][1],
    }
    try:
        return _write_files(home, values)
    except OSError as error:
        refusal = NoSpace if error.errno in (errno.ENOSPC, errno.EDQUOT) else Invalid
        raise refusal(f"{error.filename or home} cannot be written: {error.strerror}") from error


def machine_timezone() -> str:
    """The zone of TZ, else that of /etc/localtime, else UTC."""
    link = str(_LOCALTIME.resolve()).partition("zoneinfo/")[2]
    for candidate in (os.environ.get("TZ", "").removeprefix(":"), link.removeprefix("Etc/")):
        try:
            return ZONE.read(candidate)
        except ValueError:
            continue
    return "UTC"


def _checked(what: str, form: Form[Any], value: str) -> Any:
    try:
        return form.read(value)
    except ValueError as error:
        raise Invalid(f"{what} {value!r} is not accepted; {str(error) or form.remedy}") from error


def _write_files(home: Path, values: dict[str, str]) -> list[Path]:
    _make_home(home)
    written = []
    for source, target in _FILES:
        path = home / target
        if path.exists():
            continue
        if path.parent != home:
            _make_folder(path.parent)
        with path.open("x", encoding="utf-8") as file:
            file.write(_filled(source, values))
        path.chmod(0o644)
        written.append(path)
    return written


def _make_home(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    if not any(home.iterdir()):
        home.chmod(0o750)


def _make_folder(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir()
        folder.chmod(0o755)


def _filled(source: str, values: dict[str, str]) -> str:
    text = resources.files(__name__).joinpath("files", source).read_text("utf-8")
    # One pass, so that no value is filled in again; JSON's escapes are TOML's too.
    return re.sub(r'"\$([A-Z_]+)"', lambda match: json.dumps(values[match[1]], ensure_ascii=False), text)
