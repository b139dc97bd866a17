"""Faults of the admin's TOML files: what is named, where, and what remedy is given."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from desk.errors import FileError, NotFound
from desk.forms import whole
from desk.tomlfile import Misfit, about, load, problems


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    count: Annotated[int, whole(0, 9), about("A number.", "1")]
    start: date | None = None


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    listen: str = "here"
    tls: Literal["auto", "off"] = "auto"
    names: tuple[str, ...] = ()
    share: float = 0.5

    def __post_init__(self) -> None:
        if self.listen == "off" and self.names:
            raise Misfit("is off and has names; keep one of them", "names")


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    branch: Branch = Branch()
    leaf: tuple[Leaf, ...] = ()
    named: dict[str, Leaf] = msgspec.field(default_factory=dict)
    is_old: bool = msgspec.field(name="old", default=False)


FILE = Path("tree.toml")


def faults(text: str) -> list[str]:
    return [str(fault) for fault in problems(FILE, Tree, data=text.encode())]


def test_whole_file_is_read_into_its_type() -> None:
    text = """
        old = true
        branch.names = ["a", 'b']
        leaf = [{ count = 1 }, { count = 2, start = 2026-11-02 }]
        [branch]
        """.replace("[branch]", "[named.'x y']\ncount = 3\n[named.z]\ncount = 4")

    tree = load(FILE, Tree, data=text.encode())

    assert tree == Tree(
        branch=Branch(names=("a", "b")),
        leaf=(Leaf(count=1), Leaf(count=2, start=date(2026, 11, 2))),
        named={"x y": Leaf(count=3), "z": Leaf(count=4)},
        is_old=True,
    )


def test_whole_number_is_read_where_a_fraction_may_stand() -> None:
    assert load(FILE, Tree, data=b"[branch]\nshare = 1") == Tree(branch=Branch(share=1.0))


ONE_FAULT = {
    '[branch]\nlistn = "x"': 'tree.toml:2:1: unknown key "listn" in [branch]; did you mean "listen"?',
    "[branch]\nqqqq = 1": (
        'tree.toml:2:1: unknown key "qqqq" in [branch]; known are listen, tls, names, share'
    ),
    "is_old = true": 'tree.toml:1:1: unknown key "is_old"; did you mean "old"?',
    "[brunch]": "tree.toml:1:2: unknown table [brunch]; did you mean [branch]?",
    "[[laef]]": "tree.toml:1:3: unknown table [[laef]]; did you mean [[leaf]]?",
    "[branch]\nlisten = 5": 'tree.toml:2:10: listen in [branch] is 5; write text between quotes, like "text"',
    'old = "yes"': 'tree.toml:1:7: old is "yes"; write true or false, without quotes',
    "[branch]\nshare = true": "tree.toml:2:9: share in [branch] is true; write a number, without quotes",
    '[branch]\ntls = "aut"': 'tree.toml:2:7: tls in [branch] is "aut"; did you mean "auto"?',
    '[branch]\ntls = "zzz"': 'tree.toml:2:7: tls in [branch] is "zzz"; it must be one of auto, off',
    '[branch]\nnames = "a"': 'tree.toml:2:9: names in [branch] is "a"; write a list between [ and ]',
    "[branch]\nnames = ['a', 2]": (
        'tree.toml:2:15: item 2 of names in [branch] is 2; write text between quotes, like "text"'
    ),
    "branch = 1": "tree.toml:1:10: branch is 1; write it as a table that begins with [branch]",
    "[leaf]\ncount = 1": "tree.toml:1:2: leaf is a table; write it as [[leaf]]",
    "named = []": "tree.toml:1:9: named is []; write it as a table",
    "[[leaf]]\ncount = 1\n[[leaf]]\n": 'tree.toml:3:3: [[leaf]] has no "count"; add count = 1',
    "[[leaf]]\ncount = 10": (
        "tree.toml:2:9: count in [[leaf]] is 10; write a whole number from 0 to 9, without quotes"
    ),
    "[named.a]\ncount = 1\nstart = 'x'": (
        'tree.toml:3:9: start in [named.a] is "x"; write a date like 2026-11-02, without quotes'
    ),
    "named.a = { count = 1, cuont = 2 }": (
        'tree.toml:1:24: unknown key "cuont" in [named.a]; did you mean "count"?'
    ),
    "[branch]\nlisten = 'off'\nnames = ['a']": (
        "tree.toml:3:1: [branch] is off and has names; keep one of them"
    ),
    "a = [1,\n2": "tree.toml:2:2: Unclosed array at the end of the file",
    "a = 1\na = 2\n": "tree.toml:2:6: Cannot overwrite a value",
}


@pytest.mark.parametrize(("text", "expected"), ONE_FAULT.items())
def test_one_fault_gives_one_error_with_its_place_and_remedy(text: str, expected: str) -> None:
    assert faults(text) == [expected]


def test_all_faults_are_found_in_the_order_of_their_places_and_load_raises_the_first() -> None:
    text = "[[leaf]]\ncount = 'x'\n[branch]\nlistn = 1\nlisten = 2\n"

    found = problems(FILE, Tree, data=text.encode())

    assert [(fault.line, fault.column) for fault in found] == [(2, 9), (4, 1), (5, 10)]
    with pytest.raises(FileError, match=r"^tree\.toml:2:9: count in \[\[leaf\]\] is \"x\""):
        load(FILE, Tree, data=text.encode())


def test_long_value_is_cut_in_the_message() -> None:
    (fault,) = problems(FILE, Tree, data=b"old = '" + b"x" * 10_000 + b"'")

    assert len(str(fault)) < 200


def test_windows_line_ends_and_byte_order_mark_do_not_move_places() -> None:
    (fault,) = problems(FILE, Tree, data=b"\xef\xbb\xbf[branch]\r\nlistn = 1\r\n")

    assert (fault.line, fault.column) == (2, 1)


def test_bytes_that_are_not_utf_8_have_a_place() -> None:
    (fault,) = problems(FILE, Tree, data='# 密\nold = "\xff"'.encode("latin-1", "ignore"))

    assert str(fault) == "tree.toml:2:8: is not UTF-8 here; save the file as UTF-8"


@pytest.mark.parametrize("data", [b"a = " + b"[" * 20_000, b"a = " + b"9" * 20_000])
def test_monstrous_value_is_a_fault_of_the_file(data: bytes) -> None:
    (fault,) = problems(FILE, Tree, data=data)

    assert fault.path == "tree.toml"


def test_missing_file_and_folder_in_its_place_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"gone\.toml does not exist$"):
        load(tmp_path / "gone.toml", Tree)
    with pytest.raises(FileError, match=r"cannot be read: Is a directory$"):
        load(tmp_path, Tree)
