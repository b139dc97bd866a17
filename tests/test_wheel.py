"""The wheel holds every file that the program reads, and runs without the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("desk", "maild", "rules", "console")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", *ROOMS):  # the build writes beside its source
        subprocess.run(["cp", "-R", ROOT / name, source / name], check=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_holds_the_trees_files(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.split("/")[0] in ROOMS}

    tree = {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == tree


def test_installed_wheel_makes_a_home_and_plays_the_demo(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    venv.create(place, with_pip=False)
    (site,) = place.glob("lib/python*/site-packages")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--prefix", place, wheel]
    subprocess.run([*install, "--ignore-installed"], check=True, capture_output=True)
    (site / "libraries.pth").write_text(_libraries(tmp_path), encoding="utf-8")
    desk = [place / "bin/python", "-c", "from desk.cli.main import main; main()"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    for arguments in (["init"], ["doctor"]):
        subprocess.run(
            [*desk, "--home", tmp_path / "home", *arguments], check=True, env=environment, cwd=tmp_path
        )
    run = subprocess.run(
        [*desk, "demo", "--tickets", "12"],
        check=True,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    where = [place / "bin/python", "-c", "import desk; print(desk.__file__)"]
    found = subprocess.run(where, check=True, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert Path(found.stdout.strip()) == site / "desk/__init__.py"
    assert run.stdout.startswith("16 mails came in over SMTP")


def _libraries(folder: Path) -> str:
    """A folder with links to the libraries of this environment, ours left out, as a .pth line."""
    links = folder / "libraries"
    links.mkdir()
    import click

    for entry in Path(click.__file__).parent.parent.iterdir():
        if not entry.name.startswith(("__editable__", "maild")) and entry.suffix != ".pth":
            (links / entry.name).symlink_to(entry)
    return f"{links}\n"
