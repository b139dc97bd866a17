"""The room table and the library fences, executed, so that the picture cannot rot.

Every check is a function from one module to its violations; each violation names file and line.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

ROOMS = {  # room: the rooms it may import besides itself
    "rules": set(),
    "desk": set(),
    "maild": {"desk", "rules"},
    "console": {"desk"},
}
FENCES = {  # library: where alone it may be imported
    "aiosmtpd": ["maild/intake/*", "maild/deliver*"],
    "imapclient": ["maild/intake/*", "maild/deliver*"],
    "aiosmtplib": ["maild/intake/*", "maild/deliver*"],
    "mailparser": ["maild/reading/*"],
    "textual": ["console/*"],
    "peewee": ["desk/*"],
    "playhouse": ["desk/*"],  # comes with peewee
    "lark": ["rules/*", "desk/filters*"],
}
LONGEST = 400
WIRING = {"console/app.py": 200, "maild/receive.py": 200}
SHAPELESS = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
CATCHES_ALL = "desk/work.py"
READS_TIME = "desk/clock.py"
RUNS_PROGRAMS = [
    "maild/runbooks.py",  # allow-listed scripts of the admin
    "maild/deliver*",  # password_command and token_command of desk.toml
    "maild/intake/imap*",
    "maild/cli/*",  # desk demo starts the daemon and the console
]
PROGRAM_STARTERS = re.compile(
    r"os\.(system|popen|exec\w+|spawn\w+|posix_spawnp?)|asyncio\.create_subprocess_\w+"
)
CLOCKS = re.compile(
    r"time\.(time|time_ns|localtime|gmtime|ctime)|(datetime\.)?datetime\.(now|utcnow|today)|(datetime\.)?date\.today"
)
SERIALISERS = {"as_string", "as_bytes", "message_as_string", "BytesGenerator", "DecodedGenerator"}
SLOW_FOR_THE_COMMAND = [
    "textual", "peewee", "lark", "aiosmtpd", "mailparser", "psycopg", "imapclient", "aiosmtplib",
]  # fmt: skip


@dataclass(frozen=True)
class Module:
    """One source file. `path` is relative to the root, with slashes."""

    path: str
    text: str

    @property
    def room(self) -> str:
        return self.path.split("/", 1)[0]

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    @cached_property
    def imports(self) -> list[tuple[int, str]]:
        """Line and absolute name of all that is imported, also in functions and by import_module."""
        return [(node.lineno, name) for node in self.nodes for name in _imported(node)]  # type: ignore[attr-defined]

    @cached_property
    def aliases(self) -> dict[str, str]:
        """What a name stands for: {"t": "time"} after `import time as t`."""
        known: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                known.update({a.asname: a.name for a in node.names if a.asname})
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                known.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
        return known

    def used_names(self) -> Iterator[tuple[int, str]]:
        """Line and full name of every name and dotted name in the code, aliases resolved."""
        for node in self.nodes:
            if isinstance(node, ast.Name | ast.Attribute):
                head, *rest = _dotted(node).split(".")
                yield node.lineno, ".".join([self.aliases.get(head, head), *rest])

    def is_at(self, *places: str) -> bool:
        return any(fnmatch(self.path, place) for place in places)

    def at(self, line: int, what: str) -> str:
        return f"{self.path}:{line}: {what}"


Check = Callable[[Module], Iterator[str]]


def room_imports(module: Module) -> Iterator[str]:
    """Rooms import only what the room table allows."""
    for line, name in module.imports:
        room = name.split(".")[0]
        if room in ROOMS and room != module.room and room not in ROOMS[module.room]:
            yield module.at(line, f"{module.room} may not import {name}")


def library_fences(module: Module) -> Iterator[str]:
    """A fenced library is imported only inside its fence."""
    for line, name in module.imports:
        places = FENCES.get(name.split(".")[0])
        if places is not None and not module.is_at(*places):
            yield module.at(line, f"{name} only in {', '.join(places)}")


def purpose(module: Module) -> Iterator[str]:
    """The first line of a module tells its purpose."""
    docstring = ast.get_docstring(module.tree, clean=False)
    if docstring is None or not docstring.split("\n")[0].strip():
        yield module.at(1, "no docstring, or its first line is empty")


def length(module: Module) -> Iterator[str]:
    """A file holds one purpose, and the files that only wire stay small."""
    lines, longest = module.text.count("\n"), WIRING.get(module.path, LONGEST)
    if lines > longest:
        yield module.at(lines, f"{lines} lines, more than {longest}")


def names(module: Module) -> Iterator[str]:
    """Modules are named for what they do, and never like one of the standard library."""
    for part in Path(module.path).with_suffix("").parts[1:]:
        if part in SHAPELESS:
            yield module.at(1, f"{part} says nothing; name the thing")
        if part in sys.stdlib_module_names:
            yield module.at(1, f"{part} is a module of the standard library")


def catch_all(module: Module) -> Iterator[str]:
    """Every exception is caught in one place, the worker loop."""
    lines = [line for node in module.nodes for line in _catches_all(node)]
    for line in lines[1:] if module.path == CATCHES_ALL else lines:
        yield module.at(line, f"catches every exception; that is done once, in {CATCHES_ALL}")


def reserialising(module: Module) -> Iterator[str]:
    """Foreign mail is kept and forwarded as the bytes that came."""
    if module.room != "maild":
        return
    for node in module.nodes:
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if name in SERIALISERS:
            yield module.at(node.lineno, f"{name} writes foreign mail anew")  # type: ignore[attr-defined]


def programs(module: Module) -> Iterator[str]:
    """Only the listed places start other programs."""
    if module.is_at(*RUNS_PROGRAMS):
        return
    for line, name in module.imports:
        if name.split(".")[0] in ("subprocess", "pty"):
            yield module.at(line, f"{name} only in {', '.join(RUNS_PROGRAMS)}")
    for line, name in module.used_names():
        if PROGRAM_STARTERS.fullmatch(name):
            yield module.at(line, f"{name} only in {', '.join(RUNS_PROGRAMS)}")


def time(module: Module) -> Iterator[str]:
    """Only the clock reads the time (time.monotonic measures and may be used everywhere)."""
    if module.path == READS_TIME:
        return
    for line, name in module.used_names():
        if CLOCKS.fullmatch(name):
            yield module.at(line, f"{name}; ask {READS_TIME}")


def printing(module: Module) -> Iterator[str]:
    """What a command says goes through click.echo."""
    for node in module.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield module.at(node.lineno, "print; use click.echo or a log")


def unfinished(module: Module) -> Iterator[str]:
    """Nothing is left for later in the code."""
    for line, text in enumerate(module.text.splitlines(), 1):
        if re.search(r"\b(TODO|FIXME)\b", text):
            yield module.at(line, "left for later")


CHECKS: list[Check] = [
    room_imports, library_fences, purpose, length, names, catch_all, reserialising, programs, time, printing,
    unfinished,
]  # fmt: skip


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        # `from desk import store` imports desk.store
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and _dotted(node.func).endswith(("import_module", "__import__")):
        yield from (
            a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str)
        )


def _dotted(node: ast.AST) -> str:
    """`a.b.c` of nested attributes; what is no name (a call, an index) becomes `?`."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id if isinstance(node, ast.Name) else "?"]))


def _catches_all(node: ast.AST) -> Iterator[int]:
    if isinstance(node, ast.ExceptHandler):
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        if any(one is None or _is_everything(one) for one in caught):
            yield node.lineno
    elif isinstance(node, ast.Call) and _dotted(node.func).split(".")[-1] == "suppress":
        yield from (node.lineno for argument in node.args if _is_everything(argument))


def _is_everything(node: ast.AST) -> bool:
    return _dotted(node).split(".")[-1] in ("Exception", "BaseException")


def _modules() -> list[Module]:
    files = sorted(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
    return [Module(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")) for file in files]


MODULES = _modules()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_rooms_keep_to(check: Check) -> None:
    violations = [violation for module in MODULES for violation in check(module)]

    assert violations == []


BROKEN = [
    (room_imports, "rules/x.py", "from desk import clock", "rules may not import desk.clock"),
    (room_imports, "desk/x.py", "def f():\n    import maild.trust", "desk may not import maild.trust"),
    (room_imports, "console/x.py", "import_module('maild.main')", "console may not import maild.main"),
    (room_imports, "maild/x.py", "import console", "maild may not import console"),
    (library_fences, "maild/trust.py", "import aiosmtpd.smtp", "aiosmtpd.smtp only in maild/intake/*"),
    (library_fences, "desk/work.py", "from lark import Lark", "lark.Lark only in rules/*, desk/filters*"),
    (library_fences, "maild/main.py", "import peewee", "peewee only in desk/*"),
    (purpose, "desk/x.py", "import os", "no docstring, or its first line is empty"),
    (purpose, "desk/x.py", '"""\nLater."""', "no docstring, or its first line is empty"),
    (length, "desk/x.py", "\n" * 401, "401 lines, more than 400"),
    (length, "console/app.py", "\n" * 201, "201 lines, more than 200"),
    (names, "desk/utils/x.py", "", "utils says nothing; name the thing"),
    (names, "desk/queue.py", "", "queue is a module of the standard library"),
    (catch_all, "desk/x.py", "try: f()\nexcept Exception: g()", "catches every exception"),
    (catch_all, "desk/x.py", "try: f()\nexcept (OSError, BaseException): g()", "catches every exception"),
    (catch_all, "desk/x.py", "try: f()\nexcept: g()", "catches every exception"),
    (catch_all, "desk/x.py", "with contextlib.suppress(Exception): f()", "catches every exception"),
    (catch_all, "desk/work.py", "try: f()\nexcept: g()\ntry: f()\nexcept: g()", "catches every exception"),
    (reserialising, "maild/x.py", "mail.as_bytes()", "as_bytes writes foreign mail anew"),
    (programs, "console/x.py", "import subprocess", "subprocess only in"),
    (programs, "maild/reading/x.py", "import os\nos.system('ls')", "os.system only in"),
    (programs, "desk/x.py", "from os import execvp\nexecvp('ls', [])", "os.execvp only in"),
    (time, "desk/x.py", "import time\ntime.time()", "time.time; ask desk/clock.py"),
    (time, "desk/x.py", "import time as t\nnow = t.time_ns", "time.time_ns; ask desk/clock.py"),
    (time, "desk/x.py", "from datetime import datetime as d\nd.now()", "datetime.datetime.now; ask"),
    (time, "desk/x.py", "import datetime\ndatetime.datetime.utcnow()", "datetime.datetime.utcnow; ask"),
    (printing, "maild/x.py", "print(1)", "print; use click.echo or a log"),
    (unfinished, "maild/x.py", "# TODO: all of it", "left for later"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "path", "text", "violation"), BROKEN)
def test_violation_is_found(check: Check, path: str, text: str, violation: str) -> None:
    (found,) = check(Module(path, text))

    place, _, said = found.partition(": ")
    assert place.rpartition(":")[0] == path
    assert said.startswith(violation)


ALLOWED = [
    (room_imports, "maild/x.py", "import desk.clock, rules"),
    (room_imports, "desk/x.py", "from desk import clock\nfrom . import letter"),
    (library_fences, "desk/filters_grammar.py", "import lark"),
    (catch_all, "desk/work.py", "try: f()\nexcept Exception: g()"),
    (catch_all, "desk/x.py", "try: f()\nexcept OSError: g()"),
    (reserialising, "desk/letters/compose.py", "mail.as_bytes()"),
    (programs, "maild/runbooks.py", "import subprocess"),
    (time, "desk/x.py", "import time\nfrom desk import clock\ntime.monotonic()\nclock.now()"),
    (time, "desk/clock.py", "import time\ntime.time_ns()"),
]


@pytest.mark.parametrize(("check", "path", "text"), ALLOWED)
def test_lawful_code_is_left_alone(check: Check, path: str, text: str) -> None:
    assert list(check(Module(path, text))) == []


def test_every_folder_of_code_is_a_package() -> None:
    """A folder without __init__.py would be left out of the wheel."""
    folders = {(ROOT / module.path).parent for module in MODULES}

    missing = [str(f.relative_to(ROOT)) for f in sorted(folders) if not (f / "__init__.py").is_file()]

    assert missing == []


def test_command_starts_without_slow_imports() -> None:
    script = (
        f"import desk.cli.main, sys; print([name for name in {SLOW_FOR_THE_COMMAND} if name in sys.modules])"
    )

    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (run.stdout, run.stderr) == ("[]\n", "")
