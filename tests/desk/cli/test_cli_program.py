"""The program itself: shared options, errors, help, man pages, completion."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from desk.cli.command import Program
from desk.cli.completions import scripts
from desk.cli.main import desk
from desk.cli.manpages import pages
from desk.cli.session import Session, find_home, log_to_stderr, pass_session
from desk.errors import Invalid
from tests.command_line import Run, invoke, loaded, open_ticket

ROOT = Path(__file__).parents[3]


@click.group(cls=Program)
def program() -> None:
    """A program for these tests."""


@program.command()
@click.argument("what")
@pass_session
def fail(session: Session, what: str) -> None:
    """Fail."""
    if what == "refused":
        raise Invalid("color \x1b[31m is\nrefused; choose another")
    if what == "system":
        Path("/nonexistent/file").read_bytes()
    raise KeyError(what)


def _contexts() -> list[click.Context]:
    waiting = [click.Context(desk, info_name="desk")]
    found = []
    while waiting:
        context = waiting.pop()
        found.append(context)
        if isinstance(context.command, click.Group):
            for name in context.command.list_commands(context):
                command = context.command.get_command(context, name)
                assert command is not None
                waiting.append(click.Context(command, info_name=name, parent=context))
    return found


def test_every_command_has_help_and_the_shared_options() -> None:
    for context in _contexts():
        assert context.command.help, context.command_path
        named = {option for parameter in context.command.params for option in parameter.opts}
        assert {"--json", "--home", "--debug"} <= named, context.command_path


def test_every_option_has_help() -> None:
    silent = [
        f"{context.command_path} {parameter.opts[0]}"
        for context in _contexts()
        for parameter in context.command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]

    assert silent == []


def test_every_command_that_help_shows_has_a_man_page() -> None:
    shown = {context.command_path.replace(" ", "-") for context in _contexts() if not context.command.hidden}

    found = pages(desk, click.Context(desk, info_name="desk"))

    assert set(found) == shown
    assert all(text.startswith(".TH ") and ".SH DESCRIPTION" in text for text in found.values())


def test_man_writes_the_pages_into_a_folder(tmp_path: Path) -> None:
    result = invoke("man", tmp_path / "man1")

    assert result.exit_code == 0
    assert (tmp_path / "man1" / "desk-ticket-reply.1").read_text().splitlines()[1] == ".SH NAME"


def test_completion_scripts_in_packaging_are_current() -> None:
    kept = {path.name: path.read_text() for path in (ROOT / "packaging" / "completions").iterdir()}

    assert kept == scripts(desk)


def test_help_of_all_commands_is_printed() -> None:
    result = invoke("--help")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "  ticket " in result.stdout


def test_help_imports_nothing_slow() -> None:
    script = """
import sys
from desk.cli.main import desk
try:
    desk.main(["--help"])
except SystemExit:
    slow = {"peewee", "textual", "lark", "aiosmtpd", "mailparser", "psycopg", "babel", "jinja2", "msgspec",
            "selectolax", "zstandard", "asyncio", "imapclient", "aiosmtplib"}
    print(sorted(slow & set(sys.modules)), file=sys.stderr)
"""

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stderr == "[]\n"


def test_version_is_printed() -> None:
    assert invoke("--version").stdout.startswith("desk, version ")


@pytest.mark.parametrize(
    "arguments", [("--json", "ticket", "list"), ("ticket", "--json", "list"), ("ticket", "list", "--json")]
)
def test_json_is_understood_before_and_after_the_command(run: Run, arguments: tuple[str, ...]) -> None:
    assert loaded(run(*arguments)) == []


def test_home_behind_the_command_wins(home: Path, tmp_path: Path) -> None:
    assert loaded(invoke("--home", tmp_path / "other", "status", "--home", home, "--json"))["home"] == str(
        home
    )


def test_home_is_found_in_the_order_that_is_promised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desk.cli.session.SYSTEM_HOME", tmp_path / "etc")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("DESK_HOME", raising=False)

    found = [find_home(None)]
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "desk.toml").touch()
    found.append(find_home(None))
    monkeypatch.setenv("DESK_HOME", str(tmp_path / "named"))
    found.append(find_home(None))
    found.append(find_home(tmp_path / "given"))

    assert found == [tmp_path / name for name in ("data/desk", "etc", "named", "given")]


def test_missing_home_is_one_line_with_its_remedy(tmp_path: Path) -> None:
    result = invoke("--home", tmp_path, "ticket", "list")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"desk: {tmp_path}/desk.toml does not exist; make a home with `desk init`, or name one by --home or"
        " DESK_HOME\n"
    )


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (("nonsense",), 2, "desk: No such command 'nonsense'. See `desk --help`.\n"),
        (
            ("ticket", "show", "x"),
            2,
            "desk: Invalid value for 'N': 'x' is not a valid integer. See `desk ticket show --help`.\n",
        ),
        (
            ("ticket", "note", "1"),
            2,
            (
                "desk: a text is needed; write it behind --text, or --text - to read it from stdin."
                " See `desk ticket note --help`.\n"
            ),
        ),
    ],
)
def test_usage_errors_are_one_line_and_exit_2(
    run: Run, arguments: tuple[str, ...], status: int, line: str
) -> None:
    result = run(*arguments)

    assert (result.exit_code, result.stdout, result.stderr) == (status, "", line)


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("refused", "desk: color ␛[31m is refused; choose another\n"),
        ("system", "desk: /nonexistent/file: No such file or directory\n"),
        ("odd", "desk: unexpected KeyError: 'odd'; run again with --debug\n"),
    ],
)
def test_errors_are_one_safe_line_without_traceback(what: str, line: str) -> None:
    result = CliRunner().invoke(program, ["fail", what])

    assert (result.exit_code, result.stderr) == (1, line)


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers = list(root.handlers)
    yield
    root.handlers[:] = handlers
    log_to_stderr()


@pytest.mark.usefixtures("logging_as_before")
def test_debug_shows_where_an_error_came_from() -> None:
    result = CliRunner().invoke(program, ["fail", "odd", "--debug"])

    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert result.stderr.endswith("run again with --debug\n")


@pytest.mark.usefixtures("logging_as_before")
def test_debug_tells_our_own_steps_and_nothing_that_people_wrote(run: Run) -> None:
    open_ticket(run, subject="Canary4711")

    result = run("ticket", "show", 1, "--json", "--debug")

    assert result.exit_code == 0
    assert "Canary4711" not in result.stderr


def test_reader_that_goes_away_is_no_error(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    script = [
        sys.executable,
        "-c",
        "from desk.cli.main import main; main()",
        "--home",
        home,
        "people",
        "list",
    ]

    done = subprocess.run(script, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False)

    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_changed_files_of_the_home_are_read_first(run: Run, home: Path) -> None:
    queue = (home / "queues" / "help-desk.toml").read_text()
    (home / "queues" / "network.toml").write_text(queue.split("addresses")[0])

    number = open_ticket(run, queue="network")

    assert [(row["number"], row["queue"]) for row in loaded(run("ticket", "list", "--json"))] == [
        (number, "network")
    ]
