"""Make the picture of the README from the running program: a demonstration desk, looked at in a terminal.

Run it with the development environment: `.venv/bin/python docs/pictures/make.py`. It writes commandline.svg
beside itself. The commands run in a pseudo terminal of 120 columns, so they print what people see.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Sequence
from html import escape
from pathlib import Path

from desk.cli.output import display_width

COLUMNS, ROWS = 120, 41
CELL, LINE, EDGE = 8.4, 19, 14  # pixels
DESK = Path(sys.executable).with_name("desk")
_WORDS = re.compile(r"[ -~]+|.")  # ASCII together, all else on its own: fonts differ in how wide they draw it
PICTURE = Path(__file__).with_name("commandline.svg")


def main() -> None:
    """Run a demonstration, look at it, draw what was seen."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "demo"
        subprocess.run([DESK, "demo", "--home", home], check=True, capture_output=True)
        lines: list[str] = []
        for command in (
            "ticket list --filter 'vpn -status:new' --limit 4",
            f"ticket show {_worth_a_look(home)}",
        ):
            lines += [f"$ desk {command}", *_seen(home, command), ""]
    PICTURE.write_text(drawn(lines[:ROWS]), encoding="utf-8")


def drawn(lines: Sequence[str]) -> str:
    """Terminal lines as SVG: every character stands in its cell, wide ones in two."""
    width, height = COLUMNS * CELL + 2 * EDGE, ROWS * LINE + 2 * EDGE
    rows = "\n".join(_row(line, EDGE + LINE * (number + 0.8)) for number, line in enumerate(lines))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}">
<style>text {{ font: 14px "DejaVu Sans Mono", Menlo, Consolas, "Noto Sans Mono CJK TC", monospace; fill: #d8dee9 }}
.order {{ fill: #a3be8c; font-weight: bold }}</style>
<rect width="{width:g}" height="{height:g}" rx="8" fill="#242933"/>
{rows}
</svg>
"""


def _row(line: str, y: float) -> str:
    kind = ' class="order"' if line.startswith("$ ") else ""
    words, column = [], 0
    for text in _WORDS.findall(line):
        place = f'x="{EDGE + column * CELL:g}" y="{y:g}" xml:space="preserve"'
        if text.strip():
            words.append(f"<text{kind} {place}>{escape(text)}</text>")
        column += display_width(text)
    return "".join(words)


def _worth_a_look(home: Path) -> int:
    """A ticket in Chinese on which both sides have answered."""
    run = subprocess.run(
        [DESK, "--home", home, "--json", "ticket", "list", "--filter", "vpn owner:t1 連"],
        check=True,
        capture_output=True,
    )
    found = json.loads(run.stdout)
    return int(max(found, key=lambda ticket: ticket["messages"])["number"])


def _seen(home: Path, command: str) -> list[str]:
    """The lines that a command prints on a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [DESK, *shlex.split(command)],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "DESK_HOME": str(home), "LC_ALL": "C.UTF-8"},
    )
    os.close(theirs)
    printed = b""
    while chunk := _read(ours):
        printed += chunk
    os.close(ours)
    process.wait()
    return printed.decode("utf-8").replace("\r\n", "\n").rstrip("\n").split("\n")


def _read(terminal: int) -> bytes:
    """What comes next; nothing when the program has closed the terminal."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


if __name__ == "__main__":
    main()
