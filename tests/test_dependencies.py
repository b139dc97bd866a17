"""pyproject.toml, docs/dependencies.md, requirements.lock and the imports name the same packages."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
ROOMS = ("desk", "maild", "rules", "console")
SECTIONS = {"To run": None, "For PostgreSQL": "postgresql", "To develop": "dev"}  # heading: extra
ROW = re.compile(r"\| `(?P<package>[^`]+)` \| `(?P<range>[^`]+)` \| (?P<why>[^|]+) \| (?P<without>[^|]+) \|")


@cache
def project() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def required(extra: str | None) -> list[str]:
    """The requirements of the project as they stand in pyproject.toml, or those of one extra."""
    lines: list[str] = (
        project()["dependencies"] if extra is None else project()["optional-dependencies"][extra]
    )
    return lines


def documented() -> dict[str, list[str]]:
    """Heading: the requirements of its table, in order."""
    text = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")
    _, *parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return {
        heading: [row["package"] + row["range"] for row in ROW.finditer(table)]
        for heading, table in zip(parts[::2], parts[1::2], strict=True)
    }


def locked() -> dict[str, str]:
    """Package: the one version of it in requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def imported() -> dict[str, str]:
    """Top-level module that is not ours or the standard library's: a place that imports it."""
    ours = {*ROOMS, *sys.stdlib_module_names}
    found: dict[str, str] = {}
    for file in sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in {name.split(".")[0] for name in names} - ours:
                found.setdefault(name, f"{file.relative_to(ROOT)}:{node.lineno}")  # type: ignore[attr-defined]
    return found


def test_every_dependency_is_explained_and_every_explanation_is_a_dependency() -> None:
    assert documented() == {heading: required(extra) for heading, extra in SECTIONS.items()}


def test_every_import_is_a_declared_dependency() -> None:
    declared = {
        canonicalize_name(Requirement(line).name) for e in (None, "postgresql") for line in required(e)
    }
    providers = packages_distributions()

    undeclared = {
        module: place
        for module, place in imported().items()
        if not declared & {canonicalize_name(name) for name in providers.get(module, [])}
    }

    assert undeclared == {}


def test_every_dependency_is_imported() -> None:
    """What nobody uses is not asked of those who install."""
    providers = packages_distributions()
    used = {canonicalize_name(name) for module in imported() for name in providers.get(module, [])}

    assert {canonicalize_name(Requirement(line).name) for line in required(None)} - used == set()


def test_lock_holds_a_version_in_range_of_every_dependency() -> None:
    pins = locked()
    lines = [line for extra in SECTIONS.values() for line in required(extra)]

    outside = [
        line
        for line in lines
        if not Requirement(line).specifier.contains(pins.get(canonicalize_name(Requirement(line).name), "0"))
    ]

    assert outside == []
