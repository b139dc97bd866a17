"""For whom the doors take mail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from desk.letters.tokens import make
from desk.newhome import write_home
from desk.service import open_desk
from maild.intake.terms import Verdict
from maild.recipients import DeskRecipients

KEYS = {1: b"k" * 32}
STRANGE = make(KEYS, 1, "r", 1, 1)


@pytest.fixture(scope="module")
def recipients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskRecipients]:
    """Those of a desk with addresses in two domains."""
    home: Path = tmp_path_factory.mktemp("recipients") / "home"
    write_home(home, domain="example.org")
    with closing(open_desk(home)) as desk:
        addresses = ("support@example.org", "help@example.net")
        named = msgspec.structs.replace(desk.settings.desk, addresses=addresses)
        desk.use(msgspec.structs.replace(desk.settings, desk=named))
        yield DeskRecipients(desk)


def own_token(recipients: DeskRecipients) -> str:
    keys = recipients._desk.postroom.known_keys()
    return make(keys, max(keys), "r", 1, 1)


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("support@example.org", Verdict.ACCEPT),
        ("help@example.net", Verdict.ACCEPT),
        ("support+vpn@example.org", Verdict.ACCEPT),
        ("support+@example.org", Verdict.ACCEPT),
        ("postmaster", Verdict.ACCEPT),
        ("postmaster@example.org", Verdict.ACCEPT),
        ("postmaster@example.net", Verdict.ACCEPT),
        (f"support+{STRANGE}@example.org", Verdict.FORGED),
        ("support@example.net", Verdict.UNKNOWN),
        ("nobody@example.org", Verdict.UNKNOWN),
        ("@example.org", Verdict.UNKNOWN),
        ("postmaster@elsewhere.example", Verdict.RELAY),
        ("support@sub.example.org", Verdict.RELAY),
        ("support@example.org@elsewhere.example", Verdict.RELAY),
        ("support", Verdict.RELAY),
        ("", Verdict.RELAY),
    ],
)
def test_addresses_are_judged(recipients: DeskRecipients, address: str, verdict: Verdict) -> None:
    assert recipients.verdict(address) is verdict


def test_token_that_we_made_is_taken(recipients: DeskRecipients) -> None:
    assert recipients.verdict(f"support+{own_token(recipients)}@example.org") is Verdict.ACCEPT


def test_token_of_a_key_that_we_do_not_have_is_taken_as_a_plain_address(recipients: DeskRecipients) -> None:
    retired = make({200: b"r" * 32}, 200, "r", 1, 1)

    assert recipients.verdict(f"support+{retired}@example.org") is Verdict.ACCEPT
