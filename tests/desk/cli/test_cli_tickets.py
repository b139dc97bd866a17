"""`desk ticket`: orders and views."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import Run, loaded, open_ticket


def test_new_ticket_is_listed_with_the_fields_of_the_contract(run: Run) -> None:
    number = open_ticket(run, priority="high")

    (row,) = loaded(run("ticket", "list", "--json"))

    updated = row.pop("updated")
    assert updated.endswith("Z")
    assert row.pop("created") == updated
    assert row == {
        "number": number,
        "subject": "Printer on fire",
        "status": "new",
        "priority": 2,
        "tier": 1,
        "kind": "incident",
        "queue": "help-desk",
        "category": "",
        "owner": None,
        "requester": "a@example.com",
        "due": None,
        "messages": 1,
    }


@pytest.mark.parametrize(
    ("order", "events", "after"),
    [
        (("take",), ["order.given", "owner.changed", "state.changed"], {"owner": "bob", "status": "open"}),
        (("note", "--text", "x"), ["order.given", "note.added"], {"messages": 2}),
        (("reply", "--text", "x"), ["order.given", "message.out", "state.changed"], {"status": "open"}),
        (
            ("reply", "--text", "x", "--resolve"),
            ["order.given", "message.out", "state.changed"],
            {"status": "resolved"},
        ),
        (
            ("reply", "--text", "x", "--wait"),
            ["order.given", "message.out", "state.changed"],
            {"status": "waiting"},
        ),
        (("set", "status=open", "priority=1"), ["order.given", "state.changed", "priority.changed"], {"priority": 1}),
        (("resolve",), ["order.given", "state.changed"], {"status": "resolved", "messages": 1}),
        (
            ("resolve", "--text", "x"),
            ["order.given", "message.out", "state.changed"],
            {"status": "resolved", "messages": 2},
        ),
    ],
)  # fmt: skip
def test_order_changes_the_ticket_and_names_its_events(
    run: Run, order: tuple[str, ...], events: list[str], after: dict[str, object]
) -> None:
    number = open_ticket(run)

    told = loaded(run("ticket", order[0], number, *order[1:], "--as", "bob", "--json"))

    (row,) = loaded(run("ticket", "list", "--json"))
    assert (told["ticket"], told["events"]) == (number, events)
    assert {name: row[name] for name in after} == after


def test_text_comes_from_stdin(run: Run) -> None:
    number = open_ticket(run)

    run("ticket", "note", number, "--as", "bob", "--text", "-", stdin="網路 斷了\n".encode())

    messages = loaded(run("ticket", "show", number, "--json"))["messages"]
    assert [m["text"] for m in messages if m["direction"] == "note"] == ["網路 斷了"]


def test_what_was_written_is_found_at_once(run: Run) -> None:
    number = open_ticket(run)
    open_ticket(run, subject="Another thing")

    run("ticket", "note", number, "--as", "bob", "--text", "toner leaks")

    assert [row["number"] for row in loaded(run("ticket", "list", "--filter", "toner", "--json"))] == [number]


def test_attachment_goes_out_and_can_be_written_out_again(run: Run, tmp_path: Path) -> None:
    number = open_ticket(run)
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))

    run("ticket", "reply", number, "--as", "bob", "--text", "see file", "--attach", tmp_path / "a.bin")

    (file,) = [
        f for m in loaded(run("ticket", "show", number, "--json"))["messages"] for f in m["attachments"]
    ]
    assert (file["name"], file["size"]) == ("a.bin", 256)
    assert run("ticket", "attachment", number, file["id"], "-").stdout_bytes == bytes(range(256))
    assert run("ticket", "attachment", number, file["id"], tmp_path / "b.bin").exit_code == 0
    assert (tmp_path / "b.bin").read_bytes() == bytes(range(256))


def test_attachment_overwrites_no_file(run: Run, tmp_path: Path) -> None:
    number = open_ticket(run)
    (tmp_path / "a.txt").write_text("mine")
    run("ticket", "reply", number, "--as", "bob", "--text", "see file", "--attach", tmp_path / "a.txt")
    (file,) = [
        f for m in loaded(run("ticket", "show", number, "--json"))["messages"] for f in m["attachments"]
    ]

    result = run("ticket", "attachment", number, file["id"], tmp_path / "a.txt")

    assert (result.exit_code, result.stderr) == (1, f"desk: {tmp_path}/a.txt: File exists\n")


def test_undo_keeps_the_reply_back(run: Run) -> None:
    number = open_ticket(run)
    run("ticket", "reply", number, "--as", "bob", "--text", "wrong one")

    told = loaded(run("ticket", "undo", "--as", "bob", "--json"))

    replies = [row["state"] for row in loaded(run("mail", "outbox", "--json")) if row["kind"] == "reply"]
    assert (told["ticket"], told["events"], replies) == (number, ["order.given", "undo.done"], ["withdrawn"])


def test_each_undo_names_what_it_took_back(run: Run) -> None:
    number = open_ticket(run)
    run("ticket", "take", number, "--as", "bob")
    run("ticket", "note", number, "--as", "bob", "--text", "wrong one")

    first = run("ticket", "undo", "--as", "bob")
    second = loaded(run("ticket", "undo", "--as", "bob", "--json"))

    assert first.stdout == f"ticket {number}: your `note` is taken back\n"
    assert (second["ticket"], second["undone"]["verb"]) == (number, "take")


def test_assign_gives_the_ticket_to_another_and_to_nobody(run: Run) -> None:
    number = open_ticket(run)

    owners = []
    for owner in ("bob", "none"):
        run("ticket", "assign", number, owner, "--as", "alice")
        owners += [row["owner"] for row in loaded(run("ticket", "list", "--json"))]

    assert owners == ["bob", None]


def test_merge_moves_the_conversation(run: Run) -> None:
    first, second = open_ticket(run), open_ticket(run, subject="The same")

    run("ticket", "merge", second, first, "--as", "bob")

    assert [(row["number"], row["messages"]) for row in loaded(run("ticket", "list", "--json"))] == [
        (first, 2)
    ]


def test_reopen_takes_it_up_again(run: Run) -> None:
    number = open_ticket(run)
    run("ticket", "resolve", number, "--as", "bob")

    result = run("ticket", "reopen", number, "--as", "bob")

    assert result.stdout == f"ticket {number}: open again\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("take", "99", "--as", "bob"), "desk: there is no ticket 99\n"),
        (("take", "1", "--as", "bobb"), "desk: there is no technician 'bobb'; did you mean \"bob\"?\n"),
        (
            ("set", "1", "prioritty=high", "--as", "bob"),
            'desk: field "prioritty" does not exist; did you mean "priority"?\n',
        ),
        (
            ("assign", "1", "alice", "--as", "bob"),
            "desk: bob may not assign tickets in queue help-desk; that needs the role lead\n",
        ),
        (("show", "99"), "desk: there is no ticket 99; `desk ticket list` shows those that there are\n"),
        (
            ("list", "--filter", "x statos:new"),
            (
                'desk: filter, column 3: unknown field "statos"; did you mean status?;'
                " what is to be searched for goes in quotes\n"
            ),
        ),
    ],
)
def test_refusal_is_one_line_and_exit_1(run: Run, arguments: tuple[str, ...], line: str) -> None:
    open_ticket(run)

    result = run("ticket", *arguments)

    assert (result.exit_code, result.stdout, result.stderr) == (1, "", line)


def test_unix_user_who_is_no_technician_is_told_about_as(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.cli.session.unix_user", lambda: "visitor")

    result = run("ticket", "take", 1)

    assert result.stderr == "desk: the unix user 'visitor' is no technician; say who you are by --as LOGIN\n"


def test_technician_with_the_login_of_the_unix_user_needs_no_as(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = open_ticket(run)
    monkeypatch.setattr("desk.cli.session.unix_user", lambda: "bob")

    run("ticket", "take", number)

    assert [row["owner"] for row in loaded(run("ticket", "list", "--json"))] == ["bob"]


def test_limit_cuts_the_list_and_0_shows_all(run: Run) -> None:
    numbers = [open_ticket(run, subject=f"Thing {n}") for n in range(3)]

    lists = [[row["number"] for row in loaded(run("ticket", "list", "--json", "--limit", n))] for n in (2, 0)]

    assert lists == [numbers[:0:-1], numbers[::-1]]


def test_show_tells_the_story_in_order(run: Run) -> None:
    number = open_ticket(run, subject="Net down")
    run("ticket", "take", number, "--as", "bob")
    run("ticket", "note", number, "--as", "bob", "--text", "checked \x1b[2J the switch")

    lines = run("ticket", "show", number).stdout.splitlines()

    assert lines[0] == f"#{number}  Net down"
    assert "status open" in lines[1]
    assert lines[-1] == "    checked ␛[2J the switch"
    told = [line.split("  ")[0].strip() for line in lines if line[:2] in ("->", "<-", "--", "##")]
    assert told == ["->", "<-", "--", "--", "##"]


def test_role_in_one_queue_shows_that_queue_only(run: Run, home: Path) -> None:
    queue = (home / "queues" / "help-desk.toml").read_text()
    (home / "queues" / "network.toml").write_text(queue.split("addresses")[0])
    open_ticket(run)
    seen = open_ticket(run, subject="Cable", queue="network")
    run("people", "add", "carol", "--email", "carol@example.net", "--role", "observer")
    run("people", "role", "carol", "observer", "--queue", "network")
    run("people", "role", "carol", "observer", "--revoke")

    rows = loaded(run("ticket", "list", "--json", "--as", "carol"))
    refused = run("ticket", "show", 1, "--as", "carol")

    assert [row["number"] for row in rows] == [seen]
    assert (refused.exit_code, refused.stdout) == (1, "")
