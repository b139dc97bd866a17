"""Templates of letters: shipped ones, those of the home over them, rendered in the reader's language.

A template is `Subject: ...`, an empty line, and Markdown, with Jinja2 in both. The language of the template
is for admins; values come from strangers. So a value is never template source, and in the body it is
escaped until a caller says that it is `Markdown` of ours.
Reads: the template files of this package, once. On failure: FileError with the place in the template.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import jinja2
from jinja2 import meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from desk.errors import FileError, NotFound
from desk.languages.choose import LANGUAGES
from desk.letters.headers import clean
from desk.letters.markdown import Markdown, escape, to_plain

CHAINS = {
    "zh-Hant": ("zh-Hant", "zh-Hans", "en"),
    "zh-Hans": ("zh-Hans", "zh-Hant", "en"),
    "en": ("en",),
}
VARIABLES: dict[str, frozenset[str]] = {
    "acknowledgement": frozenset({"number", "subject", "name", "expected"}),
    "copy": frozenset({"number", "subject", "name", "text"}),
}
"""What the shipped letters are given. All of them, always; None for what there is not:
`name` is one that a technician has entered, `subject` of an acknowledgement only from trust level 2 on and
without prefixes, `expected` the instant of the first answer as text."""

_BODY_LINE = 3
_EMPTY_LINES = re.compile(r"\n{3,}")
_CHANGES_FILES = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
# All that a template can raise while it runs: undefined names, the sandbox, and arithmetic of its author.
_RUNTIME = (
    jinja2.TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter's subject on one line and its body as Markdown for `compose`, in the language found.

    The body may hold stand-ins for escaped characters; store and show `plain`, not `body`.
    """

    subject: str
    body: str
    language: str

    @property
    def plain(self) -> str:
        """The body as it reads in plain text."""
        return to_plain(self.body)


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault in a template; line and column count from 1."""

    line: int
    column: int
    message: str

    def at(self, path: str) -> FileError:
        """The error to raise or show when the file's path is known."""
        return FileError(path, self.line, self.column, self.message)


@dataclass(frozen=True, slots=True)
class Template:
    """The sources of subject and body."""

    subject: str
    body: str

    @classmethod
    def parse(cls, text: str, path: str) -> Template:
        """Split a template file.

        Raises:
            FileError: there is no subject line, or no empty line after it.
        """
        lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
        name, colon, subject = lines[0].partition(":")
        if name.strip().lower() != "subject" or not colon or not subject.strip():
            raise FileError(path, 1, 1, "the first line must be `Subject: ...`")
        if len(lines) > 1 and lines[1].strip():
            raise FileError(path, 2, 1, "an empty line must stand between the subject and the text")
        return cls(subject.strip(), "\n".join(lines[2:]))


class Templates:
    """The templates of one home, a snapshot; shipped ones where the home has none of the same name."""

    def __init__(self, overrides: Mapping[tuple[str, str], str] | None = None) -> None:
        self._texts = {**_shipped(), **(overrides or {})}

    def names(self) -> frozenset[str]:
        """Names for which there is a template in any language."""
        return frozenset(name for name, _ in self._texts)

    def render(self, name: str, language: str, variables: Mapping[str, object]) -> Rendered:
        """The letter in `language`, or in the next of its chain that there is.

        Args:
            variables: values shown literally, but for `Markdown` in the body. None shows nothing.

        Raises:
            NotFound: no such template in any language of the chain.
            FileError: the template is wrong, or names a variable that is not given.
        """
        for tag in CHAINS.get(language, CHAINS["en"]):
            text = self._texts.get((name, tag))
            if text is not None:
                return _render(text, f"templates/{name}.{tag}.md", tag, variables)
        raise NotFound(f"no template {name!r} for {language}; there are {', '.join(sorted(self.names()))}")


def check(name: str, language: str, text: str, variables: Collection[str]) -> list[Problem]:
    """What is wrong with a template, in the order of its lines; empty when it may be used.

    Args:
        variables: the names that it will be given; attributes with dots (`ticket.number`).
    """
    if language not in LANGUAGES:
        return [Problem(1, 1, f"{name}.{language}.md: unknown language; one of {', '.join(LANGUAGES)}")]
    try:
        template = Template.parse(text, name)
        found = [*_faults(_SUBJECTS, template.subject, 1, variables)]
        found += _faults(_BODIES, template.body, _BODY_LINE, variables)
    except FileError as error:
        return [Problem(error.line, error.column, error.message)]
    lines = text.replace("\r\n", "\n").split("\n")
    return sorted(
        {Problem(line, _column(lines[line - 1], word), message) for line, word, message in found},
        key=lambda problem: (problem.line, problem.column, problem.message),
    )


def _render(text: str, path: str, language: str, variables: Mapping[str, object]) -> Rendered:
    subject, body = _compiled(text, path)
    try:
        shown = _EMPTY_LINES.sub("\n\n", body.render(variables)).strip("\n")
        return Rendered(clean(subject.render(variables)), shown, language)
    except _RUNTIME as error:
        raise FileError(path, _line_of(error, path), 1, str(error)) from error


@lru_cache(maxsize=256)
def _compiled(text: str, path: str) -> tuple[jinja2.Template, jinja2.Template]:
    template = Template.parse(text, path)
    subject = _compile(_SUBJECTS, template.subject, path, 1)
    return subject, _compile(_BODIES, template.body, path, _BODY_LINE)


def _compile(environment: jinja2.Environment, source: str, path: str, line: int) -> jinja2.Template:
    try:
        code = environment.compile("\n" * (line - 1) + source, filename=path)
    except jinja2.TemplateSyntaxError as error:
        raise FileError(path, error.lineno, 1, error.message or "syntax error") from error
    return environment.template_class.from_code(environment, code, environment.make_globals(None))


def _line_of(error: BaseException, path: str) -> int:
    """The template's line in which it was raised; Jinja2 writes it into the traceback."""
    line, frame = 1, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == path:
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


def _faults(
    environment: jinja2.Environment, source: str, line: int, variables: Collection[str]
) -> Iterator[tuple[int, str, str]]:
    """Line, the word at fault and what is wrong with it."""
    try:
        tree = environment.parse("\n" * (line - 1) + source)
        unknown = meta.find_undeclared_variables(tree) - {name.partition(".")[0] for name in variables}
    except jinja2.TemplateSyntaxError as error:
        yield error.lineno, "", error.message or "syntax error"
        return
    for other in tree.find_all(_CHANGES_FILES):
        yield other.lineno, "", "a letter's template stands alone: no include, import or extends"
    for name in tree.find_all(nodes.Name):
        if name.name in unknown:
            yield name.lineno, name.name, _undefined(name.name, variables)
    for access in tree.find_all(nodes.Getattr):
        if isinstance(access.node, nodes.Name) and not _has(access.node.name, access.attr, variables):
            dotted = f"{access.node.name}.{access.attr}"
            yield access.lineno, dotted, _undefined(dotted, variables)


def _has(name: str, attribute: str, variables: Collection[str]) -> bool:
    """False only for an attribute that a variable with known attributes has not."""
    attributes = {known for known in variables if known.startswith(f"{name}.")}
    return not attributes or f"{name}.{attribute}" in attributes


def _undefined(name: str, variables: Collection[str]) -> str:
    near = difflib.get_close_matches(name, variables, n=1)
    return f'undefined variable "{name}"' + (f'; did you mean "{near[0]}"?' if near else "")


def _column(line: str, word: str) -> int:
    return max(line.find(word), 0) + 1 if word else 1


def _as_line(value: object) -> str:
    return "" if value is None else clean(str(value))


def _as_markdown(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, Markdown) else escape(str(value))


def _environment(finalize: Callable[[object], str]) -> jinja2.Environment:
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, autoescape=False, finalize=finalize
    )
    environment.globals.clear()  # no range, lipsum, namespace: values and filters are enough for a letter
    return environment


_SUBJECTS = _environment(_as_line)
_BODIES = _environment(_as_markdown)


@lru_cache(maxsize=1)
def _shipped() -> dict[tuple[str, str], str]:
    folder = resources.files("desk.letters") / "templates"
    texts = {}
    for file in folder.iterdir():
        name, language, ending = file.name.rsplit(".", 2)
        if ending == "md":
            texts[name, language] = file.read_text(encoding="utf-8")
    return texts
