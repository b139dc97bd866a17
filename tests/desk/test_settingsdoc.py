"""docs/settings.md is what the code says, and its examples are accepted by the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest
from msgspec.structs import FieldInfo

from desk import hometypes, settings
from desk.settingsdoc import render
from desk.tomlfile import example_of, is_struct, parse, plain

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def structs(kind: Any) -> list[Any]:
    """A struct and all that lie in it."""
    found = [kind]
    for one in msgspec.structs.fields(kind):
        inner, form = plain(one.type)
        if get_origin(inner) in (tuple, dict):
            inner, form = plain(get_args(inner)[-1 if get_origin(inner) is dict else 0])
        if form is None and is_struct(inner):
            found += structs(inner)
    return found


ROOTS = [settings.Settings, hometypes.Queue, hometypes.Team, hometypes.Vendor, hometypes.Policy]
STRUCTS = [one for root in [*ROOTS, hometypes.Calendar, hometypes.Rota] for one in structs(root)]
FIELDS = [(kind, one) for kind in STRUCTS for one in msgspec.structs.fields(kind) if example_of(one.type)]


def test_page_is_what_the_code_says() -> None:
    assert PAGE.read_text("utf-8") == render(), "run: python -m desk.settingsdoc > docs/settings.md"


@pytest.mark.parametrize(("kind", "one"), FIELDS, ids=[f"{kind.__name__}.{one.name}" for kind, one in FIELDS])
def test_example_is_accepted(kind: Any, one: FieldInfo) -> None:
    text = f"{one.encode_name} = {example_of(one.type)}"
    document = parse(Path("example.toml"), data=text.encode())

    document.convert(one.type, (one.encode_name,), document.table[one.encode_name])

    assert document.faults == []
