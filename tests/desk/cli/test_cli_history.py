"""`desk audit`, `export`, `import`, `backup`, `restore` and `status`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.command_line import Run, invoke, loaded, open_ticket


def test_whole_history_verifies(run: Run) -> None:
    open_ticket(run)

    found = loaded(run("audit", "verify", "--json"))

    assert (found["ok"], found["broken"], found["unsealed"]) == (True, None, 0)
    assert found["checked"] == found["head"]["seq"] > 0


def test_changed_event_is_named_and_exit_is_1(run: Run, home: Path) -> None:
    open_ticket(run)
    loaded(run("audit", "verify", "--json"))
    with closing(sqlite3.connect(home / "desk.db")) as store:
        for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f"DROP TRIGGER {name}")
        store.execute("UPDATE event SET who = 'mallory' WHERE id = 2")
        store.commit()

    result = run("audit", "verify")

    assert result.exit_code == 1
    assert result.stdout == "broken at seq 2: event 2 was changed, or its seal; what comes before it holds\n"


def test_removed_texts_that_no_erasure_explains_are_told_and_exit_is_1(run: Run, home: Path) -> None:
    open_ticket(run)
    loaded(run("audit", "verify", "--json"))
    with closing(sqlite3.connect(home / "desk.db")) as store:
        [[first, count]] = store.execute("SELECT min(event), count(*) FROM event_text").fetchall()
        store.execute("DELETE FROM event_text")
        store.commit()

    result = run("audit", "verify")
    found = json.loads(run("audit", "verify", "--json").stdout)

    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == (
        f"texts removed: {count} events from seq {first} on have lost their texts although nobody was erased since"
    )
    assert (found["ok"], found["broken"], found["erased"]) == (False, None, 0)
    assert found["unexplained"] == {"count": count, "first": first}


def test_export_import_export_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    number = open_ticket(run)
    run("ticket", "reply", number, "--as", "bob", "--text", "ok", "--resolve")
    first = run("export", "events").stdout_bytes
    other = tmp_path / "other"
    invoke("--home", other, "init", "--domain", "example.org")

    done = loaded(invoke("--home", other, "import", "events", "-", "--json", stdin=first))

    assert done["tickets"] == 1
    assert done["events"] == len(first.splitlines())
    assert invoke("--home", other, "export", "events").stdout_bytes == first
    (row,) = loaded(invoke("--home", other, "ticket", "list", "--json"))
    assert (row["number"], row["status"]) == (number, "resolved")


def test_export_into_a_file_leaves_stdout_alone(run: Run, tmp_path: Path) -> None:
    open_ticket(run)

    result = run("export", "events", "-o", tmp_path / "events.jsonl")

    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert result.stdout == ""
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert list(tmp_path.glob("*.part")) == []


def test_technician_may_not_export(run: Run) -> None:
    result = run("export", "events", "--as", "bob")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "desk: bob may not export; that needs the role admin or auditor\n"


def test_backup_is_restored_into_an_empty_home(run: Run, tmp_path: Path) -> None:
    number = open_ticket(run)

    saved = loaded(run("backup", tmp_path / "desk.tar", "--json"))
    restored = loaded(invoke("--home", tmp_path / "new", "restore", tmp_path / "desk.tar", "--json"))

    assert restored["head"] == saved["head"]
    (row,) = loaded(invoke("--home", tmp_path / "new", "ticket", "list", "--json"))
    assert row["number"] == number


def test_restore_into_a_home_is_refused(run: Run, tmp_path: Path) -> None:
    run("backup", tmp_path / "desk.tar")

    result = run("restore", tmp_path / "desk.tar")

    assert result.exit_code == 1
    assert "is not empty" in result.stderr


def test_status_of_a_desk_without_mail(run: Run, home: Path) -> None:
    found = loaded(run("status", "--json"))

    sealed = found.pop("sealed")
    assert set(sealed) == {"seq", "hash"}
    assert found == {
        "inbox": 0,
        "held": 0,
        "parked": 0,
        "outbox": {"waiting": 0, "failed": 0},
        "intakes": [{"intake": "smtp", "listen": "127.0.0.1:2525", "newest": None, "heartbeat": None}],
        "rules": {"digest": "", "errors": []},
        "running": False,
        "home": str(home),
        "store": "sqlite:desk.db",
    }


def test_status_lists_a_door_of_the_past_beside_the_one_that_listens(run: Run) -> None:
    run("mail", "take", "-", stdin=b"From: a@example.com\n\nx\n")

    found = loaded(run("status", "--json"))["intakes"]

    assert [(one["intake"], one["listen"], one["newest"] is None) for one in found] == [
        ("pipe", None, False),
        ("smtp", "127.0.0.1:2525", True),
    ]


def test_status_counts_letters_that_wait(run: Run) -> None:
    open_ticket(run)

    assert loaded(run("status", "--json"))["outbox"] == {"waiting": 1, "failed": 0}


def test_a_desk_moves_to_another_home_with_its_texts(run: Run, tmp_path: Path) -> None:
    number = open_ticket(run)
    run("ticket", "reply", number, "--as", "bob", "--text", "It burns no more.", "--resolve", "--now")
    beside, other = tmp_path / "beside", tmp_path / "other"
    events = run("export", "events", "--with-mail", beside).stdout_bytes
    before = loaded(run("ticket", "show", number, "--json"))
    invoke("--home", other, "init", "--domain", "example.org")

    done = loaded(
        invoke("--home", other, "import", "events", "-", "--with-mail", beside, "--json", stdin=events)
    )

    assert loaded(invoke("--home", other, "ticket", "show", number, "--json")) == before
    assert (done["tickets"], done["messages"], done["files"]) == (1, 3, 2)
    assert loaded(invoke("--home", other, "audit", "verify", "--json"))["ok"] is True
    (found,) = loaded(invoke("--home", other, "ticket", "list", "--filter", '"burns no more"', "--json"))
    assert found["number"] == number
    again = invoke("--home", other, "export", "events", "--with-mail", tmp_path / "again")
    assert again.stdout_bytes == events
    assert files_of(tmp_path / "again") == files_of(beside)


def test_a_wrong_row_is_named_and_the_home_stays_empty(run: Run, tmp_path: Path) -> None:
    open_ticket(run)
    beside, other = tmp_path / "beside", tmp_path / "other"
    events = run("export", "events", "--with-mail", beside).stdout_bytes
    people = beside / "people.jsonl"
    people.write_bytes(people.read_bytes().replace(b'"vip":', b'"rank":', 1))
    invoke("--home", other, "init", "--domain", "example.org")

    result = invoke("--home", other, "import", "events", "-", "--with-mail", beside, stdin=events)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"desk: {people}:1: this is no row that this version of the desk knows: Object contains unknown field"
        " `rank`\n"
    )
    assert loaded(invoke("--home", other, "ticket", "list", "--json")) == []


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
