"""The value forms: what is accepted, what it means, and that everything else is refused."""

from __future__ import annotations

from datetime import date, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from desk import forms, timeforms
from desk.forms import ListenAddress
from desk.timeforms import DateRange, Opening
from desk.tomlfile import Form

ACCEPTED: list[tuple[Form[Any], object, object]] = [
    (forms.SIZE, "36MB", 36_000_000),
    (forms.SIZE, "1 kb", 1000),
    (forms.ADDRESS, "Support@Example.ORG", "support@example.org"),
    (forms.ADDRESS, "o'neil+x@a-b.example", "o'neil+x@a-b.example"),
    (forms.DESK_ADDRESS, "a" * 31 + "@example.org", "a" * 31 + "@example.org"),
    (forms.DOMAIN, "xn--fiqs8s.example", "xn--fiqs8s.example"),
    (forms.DOMAIN, "localhost", "localhost"),
    (forms.HOST, "[::1]", "::1"),
    (forms.LISTEN, "127.0.0.1:0", ListenAddress(host="127.0.0.1", port=0)),
    (forms.LISTEN, "[::1]:25", ListenAddress(host="::1", port=25)),
    (forms.LISTEN, "unix:run/lmtp.sock", ListenAddress(path="run/lmtp.sock")),
    (forms.NETWORK, "192.0.2.0/24", ip_network("192.0.2.0/24")),
    (forms.NETWORK, "::1", ip_network("::1/128")),
    (forms.LANGUAGE, "zh-Hant", "zh-Hant"),
    (forms.STORE_URL, "sqlite:/var/lib/desk.db", "sqlite:/var/lib/desk.db"),
    (forms.STORE_URL, "postgresql://desk@db/desk", "postgresql://desk@db/desk"),
    (forms.COMMAND, "pass show 'a b'", ("pass", "show", "a b")),
    (forms.ARGV, ["/bin/cat", "-"], ("/bin/cat", "-")),
    (forms.PATH, "outgoing", Path("outgoing")),
    (forms.NAME, "help-desk", "help-desk"),
    (forms.COUNTRY, "TW", "TW"),
    (forms.SHARE, 0.75, 0.75),
    (timeforms.DURATION, "1h30m", timedelta(minutes=90)),
    (timeforms.DURATION, "3d", timedelta(days=3)),
    (timeforms.WORKING_TIME, "24h", timedelta(hours=24)),
    (timeforms.BUDGET, "off", None),
    (timeforms.ZONE, "Asia/Taipei", "Asia/Taipei"),
    (timeforms.OPENING, "09:00-18:00", Opening(540, 1080)),
    (timeforms.OPENING, "22:00-06:00", Opening(1320, 1800)),
    (timeforms.OPENING, "00:00-24:00", Opening(0, 1440)),
    (timeforms.DAYS, "mon-wed, sun", (0, 1, 2, 6)),
    (timeforms.DAYS, "sat-mon", (0, 5, 6)),
    (timeforms.DATE_RANGE, date(2026, 12, 25), DateRange(date(2026, 12, 25), date(2026, 12, 25))),
    (timeforms.DATE_RANGE, "2027-02-06..2027-02-12", DateRange(date(2027, 2, 6), date(2027, 2, 12))),
]

REFUSED: list[tuple[Form[Any], list[object]]] = [
    (forms.SIZE, [36, "36", "MB", "0MB", "-1MB", "1.5MB", "36MiB", True]),
    (
        forms.ADDRESS,
        ["a", "@b.example", "a@", "a@b@c.example", "a b@c.example", '"a b"@c.example', "<a@b.example>"],
    ),
    (forms.ADDRESS, [".a@b.example", "a..b@c.example", "ä@b.example", "a@b", "a@b.example\n@", "a@1.2.3.4"]),
    (forms.ADDRESS, ["a" * 65 + "@b.example", "a@" + "b." * 130 + "example"]),
    (forms.DESK_ADDRESS, ["a" * 32 + "@example.org", "support+x@example.org"]),
    (forms.DOMAIN, ["", "example", "-a.example", "a..example", "a.example.", "exämple.org", "a_b.example"]),
    (forms.HOST, ["", "1.2.3", "999.1.1.1", "a b", "a/b", "host:25"]),
    (forms.LISTEN, ["25", ":25", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:25", "[::1]", "[a]:1:2"]),
    (forms.LISTEN, ["unix:", "unix:" + "x" * 120, "*:25", "127.0.0.1:２５"]),
    (forms.NETWORK, ["", "10.0.0.1/8", "10.0.0.0/33", "example.org", 10]),
    (forms.LANGUAGE, ["zh", "zh-TW", "EN", "de", 1]),
    (
        forms.STORE_URL,
        ["desk.db", "sqlite:", "sqlite:///desk.db", "mysql://x", "postgres://x", "postgresql://"],
    ),
    (forms.COMMAND, ["", "  ", "a 'b", ["a"]]),
    (forms.ARGV, ["/bin/cat", [], ["cat"], ["/bin/cat", 1], ["/bin/cat", "\0"]]),
    (forms.LINE, ["", " ", "a\nb", "a\x1b[0m", 1]),
    (forms.NAME, ["", "Help", "a b", "-a", "../a", "a.b", "a" * 65]),
    (forms.COUNTRY, ["tw", "TWN", ""]),
    (forms.SHARE, [0.0, 1.0, 1, True, "0.5"]),
    (timeforms.DURATION, ["", "2", "2 s", "-2s", "0s", "2x", "1.5h", "999999d", 2]),
    (timeforms.WORKING_TIME, ["3d", "1w", "1d2h"]),
    (timeforms.BUDGET, ["on", False]),
    (timeforms.ZONE, ["", "Taipei", "Asia", "../../etc/passwd", "/etc/localtime", "asia/tapei"]),
    (timeforms.OPENING, ["09:00", "9:00-18:00", "09:00-09:00", "24:00-25:00", "24:00-06:00", "09:60-10:00"]),
    (timeforms.CLOCK, ["24:01", "1:00", "٠٩:٠٠"]),
    (timeforms.DAYS, ["", "monday", "mon-", "mon,,tue", "mon-fri-sun"]),
    (timeforms.DATE_RANGE, ["2026-13-01", "20261225", "2027-02-12..2027-02-06", "2026-12-25..", 2026]),
]


@pytest.mark.parametrize(("form", "written", "expected"), ACCEPTED)
def test_right_value_is_read(form: Form[Any], written: object, expected: object) -> None:
    assert form.read(written) == expected


@pytest.mark.parametrize(("form", "written"), [(form, value) for form, values in REFUSED for value in values])
def test_wrong_value_is_refused(form: Form[Any], written: object) -> None:
    with pytest.raises(ValueError):
        form.read(written)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (forms.SIZE, "36MB"),
        (forms.SIZE, "1500B"),
        (forms.LISTEN, "[::1]:25"),
        (forms.LISTEN, "unix:run/x"),
        (forms.NETWORK, "192.0.2.0/24"),
        (forms.COMMAND, "pass show 'a b'"),
        (timeforms.DURATION, "90s"),
        (timeforms.DURATION, "3d"),
        (timeforms.BUDGET, "off"),
        (timeforms.CLOCK, "24:00"),
    ],
)
def test_value_is_shown_as_it_is_written(form: Form[Any], text: str) -> None:
    assert form.show(form.read(text)) == text


@pytest.mark.parametrize(
    ("form", "written", "remedy"),
    [
        (timeforms.ZONE, "asia/tapei", 'did you mean "Asia/Taipei"?'),
        (forms.NETWORK, "10.0.0.1/8", 'did you mean "10.0.0.0/8"?'),
        (forms.LANGUAGE, "zh-TW", 'did you mean "zh-Hant"?'),
        (forms.LANGUAGE, "ZH-hans", 'did you mean "zh-Hans"?'),
        (forms.DESK_ADDRESS, "it+x@example.org", 'write it without "+": it@example.org'),
        (timeforms.WORKING_TIME, "3d", 'write working time in hours or minutes, like "24h"'),
    ],
)
def test_remedy_fits_the_value(form: Form[Any], written: str, remedy: str) -> None:
    with pytest.raises(ValueError) as refusal:
        form.read(written)

    assert str(refusal.value) == remedy
