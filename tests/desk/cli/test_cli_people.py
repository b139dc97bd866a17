"""`desk people` and `desk ssh-keys`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.command_line import Run, loaded, open_ticket

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPikStenM3n4sXLLawTQxdlgS3NCwWQOq7Cz8DcXFafR"
FINGERPRINT = "SHA256:wX2rhMHopiBwa2ICuBy1mvxRWySakxgPOO9mDmxPh98"


def test_technicians_are_listed_with_roles_and_keys(run: Run) -> None:
    run("people", "key", "add", "bob", "-", stdin=f"{KEY} bob's laptop\n")

    bob = loaded(run("people", "list", "--json"))[1]

    assert bob == {
        "login": "bob",
        "name": "Bob",
        "address": "bob@example.net",
        "tier": 1,
        "team": None,
        "language": None,
        "active": True,
        "roles": [{"role": "technician", "queue": ""}],
        "keys": [FINGERPRINT],
        "preferences": {},
    }


def test_several_roles_are_given_at_once_and_supervisor_means_lead(run: Run) -> None:
    run("people", "add", "carol", "--email", "carol@example.net", "--role", "supervisor", "--role", "auditor")

    carol = loaded(run("people", "list", "--json"))[2]

    assert [grant["role"] for grant in carol["roles"]] == ["auditor", "lead"]


def test_role_is_granted_and_taken_away(run: Run) -> None:
    lines = [
        run("people", "role", "bob", "lead", "--queue", "help-desk").stdout,
        run("people", "role", "bob", "lead", "--queue", "help-desk", "--revoke").stdout,
        run("people", "role", "bob", "lead", "--revoke").stderr,
    ]

    assert lines == [
        "bob has the role lead in queue help-desk\n",
        "bob no longer has the role lead in queue help-desk\n",
        "desk: bob does not have the role lead\n",
    ]


def test_as_asks_for_the_roles_of_that_technician(run: Run) -> None:
    result = run("people", "role", "bob", "admin", "--as", "bob")

    assert result.exit_code == 1
    assert result.stderr == "desk: bob may not manage people; that needs the role admin\n"


def test_key_becomes_a_line_for_sshd(run: Run, home: Path, tmp_path: Path) -> None:
    (tmp_path / "key.pub").write_text(f"{KEY} comment\n")
    run("people", "key", "add", "bob", tmp_path / "key.pub")

    result = run("ssh-keys", "bob")

    program = Path(sys.executable).with_name("desk")
    assert result.stdout == f'restrict,pty,command="{program} --home {home} console --as bob" {KEY}\n'


def test_keys_as_json_are_a_list_of_lines(run: Run) -> None:
    run("people", "key", "add", "bob", "-", stdin=KEY)

    lines = loaded(run("ssh-keys", "bob", "--json"))

    assert lines == run("ssh-keys", "bob").stdout.splitlines()
    assert len(lines) == 1
    assert loaded(run("ssh-keys", "nobody-here", "--json")) == []


@pytest.mark.parametrize("login", ["alice", "nobody-here", "../x"])
def test_ssh_keys_of_somebody_without_keys_are_none_and_no_error(run: Run, login: str) -> None:
    result = run("ssh-keys", login)

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_removed_key_opens_nothing(run: Run) -> None:
    run("people", "key", "add", "bob", "-", stdin=KEY)

    run("people", "key", "remove", "bob", FINGERPRINT)

    assert run("ssh-keys", "bob").stdout == ""


def test_inactive_technician_has_no_keys(run: Run) -> None:
    run("people", "key", "add", "bob", "-", stdin=KEY)

    run("people", "set", "bob", "active=no")

    assert run("ssh-keys", "bob").stdout == ""


def test_settings_of_a_technician_are_changed(run: Run) -> None:
    run("people", "set", "bob", "undo_seconds=0", "language=zh-Hant")

    bob = loaded(run("people", "list", "--json"))[1]
    assert (bob["preferences"], bob["language"]) == ({"undo_seconds": 0}, "zh-Hant")


def test_what_is_known_about_a_requester_is_changed_and_listed(run: Run) -> None:
    open_ticket(run)

    run("people", "contact", "a@example.com", "name=A", "vip=yes", "organisation=Ops")

    (person,) = loaded(run("people", "list", "--requesters", "--json"))
    assert (person["name"], person["vip"], person["organisation"]) == ("A", True, "Ops")


def test_merged_addresses_are_one_person(run: Run) -> None:
    open_ticket(run)
    run("ticket", "new", "--from", "b@example.com", "--subject", "x", "--text", "x", "--as", "bob")

    run("people", "merge", "a@example.com", "b@example.com")

    people = loaded(run("people", "list", "--requesters", "--json"))
    assert [person["addresses"] for person in people] == [["a@example.com", "b@example.com"]]


def test_export_holds_what_is_public_and_no_note(run: Run, tmp_path: Path) -> None:
    number = open_ticket(run)
    run("ticket", "note", number, "--as", "bob", "--text", "he is difficult")

    result = run("people", "export", "a@example.com", "-o", tmp_path / "out")

    files = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    tickets = [json.loads(line) for line in files["tickets.jsonl"].splitlines()]
    assert result.exit_code == 0
    assert set(files) == {"mails.mbox", "tickets.jsonl", "events.jsonl"}
    assert [ticket["number"] for ticket in tickets] == [number]
    assert "difficult" not in "".join(files.values())


def test_erased_person_leaves_no_text_and_a_whole_history(run: Run, home: Path) -> None:
    open_ticket(run, subject="Canary4711")

    result = run("people", "erase", "a@example.com")

    assert "letters that were put into" not in result.stderr
    shown = run("ticket", "show", 1, "--json").stdout
    assert "Canary4711" not in shown
    assert "a@example.com" not in shown
    assert loaded(run("audit", "verify", "--json"))["ok"]


def test_erasing_names_the_folder_where_letters_stay(run: Run, home: Path) -> None:
    with (home / "desk.toml").open("a") as settings:
        settings.write('[smarthost]\nmaildir = "outgoing"\n')
    open_ticket(run)

    result = run("people", "erase", "a@example.com")

    assert result.stderr.splitlines()[-1] == (
        f"desk: letters that were put into {home}/outgoing stay there; remove them by hand"
    )
