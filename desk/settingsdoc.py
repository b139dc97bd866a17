"""Render docs/settings.md from the structs of desk.toml and the home's files.

`python -m desk.settingsdoc > docs/settings.md` writes it anew; a test compares them.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo, fields

from desk import hometypes, settings
from desk.notyet import NOT_YET, WORDS
from desk.timeforms import BUDGET
from desk.tomlfile import example_of, is_struct, plain

_PLAIN_NAMES = {str: "text", bool: "`true` or `false`", int: "whole number", float: "number", date: "date"}

_INTRODUCTION = """\
# Settings

This page is made from the code by `python -m desk.settingsdoc`; do not edit it.

All files of a home are TOML in UTF-8.
`desk doctor` checks them and names file, line and column of each fault.
A key that is not on this page is a fault.
Relative paths are counted from the home.
A size has a unit (`"36MB"`; 1 MB is 1000000 bytes), a duration too (`"2s"`, `"10m"`, `"3d"`).
Working time is measured by a calendar and has minutes and hours only (`"24h"`).
Names are lower-case letters, digits, `-` and `_`.
"""

_HOME_FILES: tuple[tuple[str, type[Any]], ...] = (
    ("queues/NAME.toml", hometypes.Queue),
    ("teams.toml, table [NAME]", hometypes.Team),
    ("vendors.toml, table [NAME]", hometypes.Vendor),
    ("policies.toml, table [NAME]", hometypes.Policy),
    ("calendars/NAME.toml", hometypes.Calendar),
    ("rota/NAME.toml", hometypes.Rota),
)

_OTHER_FILES = """\
## policies.toml, table [matrix]

Four rows `1` to `4` (impact, 1 is the whole organisation) of four numbers (urgency, 1 is work stopped).
Each number is a priority from 1 to 5: `1 = [1, 1, 2, 3]`.

## categories.toml

A table per category, `[hardware]`, or `[hardware.printer]` for one that lies in another.
Its keys are its titles: `en`, `zh-Hant`, `zh-Hans`; one of them at least.

## templates/NAME.LANGUAGE.md

Letters. The first line is `Subject: ` and the subject; the rest is Markdown with Jinja2 fields.
LANGUAGE is `en`, `zh-Hant` or `zh-Hans`.
"""


def render() -> str:
    """The whole page as Markdown."""
    parts = [_INTRODUCTION, "## desk.toml\n"]
    for one in fields(settings.Settings):
        parts += _table_sections(one, "", "###")
    for title, kind in _HOME_FILES:
        parts += _struct_sections(f"## {title}", kind, "###")
    return "\n".join([*parts, _OTHER_FILES])


def _struct_sections(title: str, kind: type[Any], level: str, path: str = "") -> list[str]:
    """A section for a struct, and those of the tables in it."""
    sections = [f"{title}\n\n{(kind.__doc__ or '').strip()}{_not_yet(path.rstrip('.'))}\n"]
    rows = [_row(one, path) for one in fields(kind) if _inner(one) is None]
    if rows:
        sections.append(
            "\n".join(["| key | value | if left out | meaning |", "|---|---|---|---|", *rows, ""])
        )
    for one in fields(kind):
        sections += _table_sections(one, path, level)
    return sections


def _table_sections(one: FieldInfo, path: str, level: str) -> list[str]:
    """The sections of a field that is a table, an array of tables or a table of tables; else none."""
    inner = _inner(one)
    if inner is None:
        return []
    name = f"{path}{one.encode_name}"
    origin = get_origin(plain(one.type)[0])
    header = f"[[{name}]]" if origin is tuple else f"[{name}.NAME]" if origin is dict else f"[{name}]"
    return _struct_sections(f"{level} {header}", inner, level + "#", f"{name}.")


def _inner(one: FieldInfo) -> type[Any] | None:
    kind, form = plain(one.type)
    if get_origin(kind) in (tuple, dict) and form is None:
        kind, form = plain(_item(kind))
    return kind if is_struct(kind) and form is None else None


def _item(kind: Any) -> Any:
    return get_args(kind)[1 if get_origin(kind) is dict else 0]


def _row(one: FieldInfo, path: str) -> str:
    marks = getattr(one.type, "__metadata__", ())
    meaning = next(mark.description for mark in marks if isinstance(mark, msgspec.Meta))
    return f"| `{one.encode_name}` | {_type_name(one.type)} | {_left_out(one)} | {meaning}{_not_yet(path + one.name)} |"


def _not_yet(key: str) -> str:
    return f" {WORDS.capitalize()}." if key in NOT_YET else ""


def _left_out(one: FieldInfo) -> str:
    example = example_of(one.type)
    like = f", like `{example}`" if example else ""
    if one.required:
        return f"needed{like}"
    default = one.default_factory() if one.default is msgspec.NODEFAULT else one.default
    if default is None and plain(one.type)[1] is not BUDGET:
        return f"not set{like}"
    return f"`{_as_toml(one.type, default)}`" + ("" if default else like)


def _type_name(kind: Any) -> str:
    inner, form = plain(kind)
    if form is not None:
        return str(form.name)
    origin = get_origin(inner)
    if origin is Literal:
        return "one of " + ", ".join(f"`{word}`" for word in get_args(inner))
    if origin is tuple:
        return f"list: {_type_name(_item(inner))}"
    if origin is dict:
        return f"table: {_type_name(_item(inner))}"
    return _PLAIN_NAMES[inner]


def _as_toml(kind: Any, value: Any) -> str:
    inner, form = plain(kind)
    if form is not None and not isinstance(value, int | float):
        return json.dumps(form.show(value), ensure_ascii=False)
    if isinstance(value, tuple):
        return f"[{', '.join(_as_toml(_item(inner), item) for item in value)}]"
    if form is not None and form.show is not str:
        return json.dumps(form.show(value), ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(render())
