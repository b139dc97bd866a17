"""Tables and JSON of the commands."""

from __future__ import annotations

import json

import pytest

from desk.cli.output import cut, display_width, print_json, print_table


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("網路", 4), ("e\u0301", 1), ("ｱ", 1), ("Ａ", 2), ("", 0)]
)
def test_width_counts_columns_not_characters(text: str, width: int) -> None:
    assert display_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("abcdef", 6, "abcdef"), ("abcdefg", 6, "abcde…"), ("網路印表機", 6, "網路…")],
)
def test_cut_never_exceeds_the_width(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


def test_table_aligns_wide_characters_and_makes_cells_safe(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("N", "SUBJECT", "OWNER"), [(1, "網路\x1b", None), (12, "ab", "bob")])

    assert capsys.readouterr().out == "N   SUBJECT  OWNER\n1   網路␛    -\n12  ab       bob\n"


def test_foreign_cells_are_cut_in_a_pipe_too(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("SUBJECT", "OWNER"), [("x" * 5000, "bob")], flexible=("SUBJECT",))

    assert capsys.readouterr().out.splitlines()[1] == f"{'x' * 119}…  bob"


def test_table_without_rows_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("N",), [])

    assert capsys.readouterr().out == ""


def test_json_escapes_what_would_steer_and_keeps_the_rest(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    value = {"text": "網路\x1b\x7f\x9b\u202e\udc80\n"}

    print_json(value)

    out = capfdbinary.readouterr().out
    assert out == '{\n  "text": "網路\\u001b\\u007f\\u009b\\u202e\\udc80\\n"\n}\n'.encode()
    assert json.loads(out) == value
