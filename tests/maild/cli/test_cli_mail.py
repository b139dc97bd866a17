"""`desk mail held`, `release`, `reject`, `parked`, `dropped`, `retry`, `raw`, `outbox`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from desk.actors import SYSTEM, Door
from desk.filing import ParkMail
from desk.service import Order, open_desk
from tests.command_line import Run, loaded, open_ticket

FORGED = (
    b"From: support@example.org\r\nTo: support@example.org\r\nSubject: Me?\r\nMessage-ID: <f@x.example>\r\n"
    b"\r\nHello\r\n"
)
PLAIN = FORGED.replace(b"From: support@", b"From: somebody@")


def held(run: Run) -> int:
    """A letter that is held; its id."""
    run("mail", "take", "-", stdin=FORGED)
    (row,) = loaded(run("mail", "held", "--json"))
    return int(row["id"])


def parked(run: Run, home: Path) -> int:
    """A mail that is parked; its id."""
    run("mail", "take", "--no-wait", "-", stdin=PLAIN)
    desk = open_desk(home)
    desk.do(Order(ParkMail(1, "the reader broke"), SYSTEM, Door.MAIL))
    desk.close()
    return 1


def test_held_letter_is_listed_with_the_fields_of_the_contract(run: Run) -> None:
    number = held(run)

    (row,) = loaded(run("mail", "held", "--json"))

    assert row.pop("at").endswith("Z")
    assert row == {
        "id": number,
        "sha256": hashlib.sha256(FORGED).hexdigest(),
        "reason": "it claims to come from the desk itself",
        "ticket": None,
    }


def test_released_letter_opens_a_ticket(run: Run) -> None:
    number = held(run)

    told = loaded(run("mail", "release", number, "--json"))

    assert (told["id"], told["ticket"]) == (number, 1)
    assert loaded(run("mail", "held", "--json")) == []


def test_rejected_letter_is_put_away(run: Run) -> None:
    number = held(run)

    result = run("mail", "reject", number, "--reason", "forged")

    assert result.stdout == f"mail {number} is put away\n"
    assert loaded(run("mail", "held", "--json")) == []
    assert loaded(run("ticket", "list", "--json")) == []


def test_technician_without_the_role_may_not_release(run: Run) -> None:
    number = held(run)

    result = run("mail", "release", number, "--as", "bob")

    assert result.exit_code == 1
    assert result.stderr == "desk: bob may not decide about held mail; that needs the role lead or admin\n"


def test_parked_mail_is_read_again_at_once(run: Run, home: Path) -> None:
    number = parked(run, home)
    reasons = [row["reason"] for row in loaded(run("mail", "parked", "--json"))]

    told = loaded(run("mail", "retry", number, "--json"))

    assert reasons == ["the reader broke"]
    assert (told["outcome"], told["ticket"]) == ("new", 1)
    assert loaded(run("mail", "parked", "--json")) == []


def test_dropped_mail_is_listed(run: Run) -> None:
    run("mail", "take", "-", stdin=FORGED.replace(b"\r\n\r\n", b"\r\nX-Desk-Loop: example.org\r\n\r\n"))

    rows = loaded(run("mail", "dropped", "--json"))

    assert [row["reason"] for row in rows] == ["our own letter came back (loop)"]


def test_mail_that_is_not_set_aside_is_named(run: Run) -> None:
    result = run("mail", "release", 7)

    assert result.exit_code == 1
    assert result.stderr == "desk: there is no mail 7 set aside; `desk mail held` lists them\n"


def test_raw_of_unknown_bytes_is_refused(run: Run) -> None:
    result = run("mail", "raw", "0" * 64)

    assert (result.exit_code, result.stdout_bytes) == (1, b"")


@pytest.mark.parametrize(("state", "count"), [("waiting", 1), ("sent", 0)])
def test_outbox_is_listed_by_state(run: Run, state: str, count: int) -> None:
    open_ticket(run)

    rows = loaded(run("mail", "outbox", "--state", state, "--json"))

    assert [(row["to"], row["state"]) for row in rows] == [("a@example.com", "waiting")] * count
