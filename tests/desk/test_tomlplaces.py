"""Every key that tomllib reads has a place, and it is the right one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest

from desk.tomlplaces import find_places

DOCUMENTS = {
    "empty": "",
    "comment only": "# nothing",
    "dotted and quoted keys": '# c\na.b."c.d" = 1 # x\n\'q"x\' . y = 2\n"" = 3',
    "escapes in keys": '"\\u0041\\"\\t" = 1\n"\\\\" = 2',
    "inline tables": 'x = {a = [1, {b = "}"}], c.d = 1979-05-27 07:32:00, "e" = \'#\'}\nz = 1',
    "multi-line strings": (
        'm = """a " "" b\\""""""\nn = \'\'\'x\' \'\' y\'\'\'\'\'\no = """\n[not.a.table]\nq = 1"""\np = 1'
    ),
    "arrays of tables": '[[i]]\nh = "a"\n[i.x]\ny = 1\n[[i.l]]\nv = 1\n[[i.l]]\nv = 2\n[[i]]\n[[i.l]]\nv = 3',
    "nested arrays": (
        "[[t]]\nq = [\n # ] c\n ']', [ [1,], []],\n]\nr = +inf\ns = [1979-05-27 07:32:00, 07:32:00,1e5]"
    ),
    "tables out of order": "[a]\n[b.c]\n[b]\nx = 1\n[ d . 'e' ]\ny = 1",
}


def paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths(inner, (*path, key))


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_places_are_those_of_tomllib_and_no_others(text: str) -> None:
    expected = set(paths(tomllib.loads(text)))

    found = find_places(text)

    assert set(found.keys) == expected


def test_keys_and_values_have_line_and_column() -> None:
    text = 'a = 1\n[[b]]\n  "c" = [10, 20]\n[d]\ne.f = { g = "密碼", h = 1 }\n'

    found = find_places(text)

    assert {path: found.key(path) for path in found.keys} == {
        ("a",): (1, 1),
        ("b",): (2, 3),
        ("b", 0): (2, 3),
        ("b", 0, "c"): (3, 3),
        ("b", 0, "c", 0): (3, 10),
        ("b", 0, "c", 1): (3, 14),
        ("d",): (4, 2),
        ("d", "e"): (5, 1),
        ("d", "e", "f"): (5, 3),
        ("d", "e", "f", "g"): (5, 9),
        ("d", "e", "f", "h"): (5, 19),
    }
    assert found.value(("b", 0, "c")) == (3, 9)
    assert found.value(("d", "e", "f", "g")) == (5, 13)


def test_what_is_not_written_has_the_place_of_the_table_around_it() -> None:
    found = find_places("a = 1\n[b]\nc = 1\n")

    assert found.key(("b", "missing", "deeper")) == (2, 2)
    assert found.key(("nothing",)) == (1, 1)
