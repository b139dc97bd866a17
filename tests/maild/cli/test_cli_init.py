"""`desk init`."""

from __future__ import annotations

from pathlib import Path

from tests.command_line import Run, invoke, loaded


def test_new_home_is_ready_for_every_command(tmp_path: Path) -> None:
    result = invoke("--home", tmp_path / "home", "init", "--domain", "corp.example", "--language", "zh-Hant")

    assert result.exit_code == 0
    assert (tmp_path / "home" / "desk.db").exists()
    assert loaded(invoke("--home", tmp_path / "home", "ticket", "list", "--json")) == []


def test_next_steps_and_the_unit_name_this_home(tmp_path: Path) -> None:
    home = tmp_path / "home"

    lines = invoke("--home", home, "init", "--domain", "corp.example").stdout.splitlines()

    assert f"  4. desk --home {home} up" in lines
    assert (
        "  5. Let mail for support@corp.example come in by SMTP; docs/admins.md shows how to put Postfix in front."
        in lines
    )
    (start,) = [line for line in lines if line.startswith("ExecStart=")]
    assert start.endswith(f"/desk --home {home} up")


def test_json_names_what_was_made(tmp_path: Path) -> None:
    found = loaded(invoke("--home", tmp_path / "home", "init", "--json"))

    assert found["home"] == str(tmp_path / "home")
    assert found["files"][-1] == str(tmp_path / "home" / "desk.toml")


def test_home_is_never_overwritten(run: Run, home: Path) -> None:
    before = (home / "desk.toml").read_bytes()

    result = run("init", "--domain", "other.example")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"desk: {home}/desk.toml exists; ")
    assert (home / "desk.toml").read_bytes() == before


def test_bad_address_makes_nothing(tmp_path: Path) -> None:
    result = invoke("--home", tmp_path / "home", "init", "--address", "support+x@example.org")

    assert result.exit_code == 1
    assert result.stderr.startswith("desk: address 'support+x@example.org' is not accepted; ")
    assert not (tmp_path / "home").exists()
