"""Who speaks where in a letter: spans of roles new, quote, signature, disclaimer, forward.

One pass over the lines, each looking at most a few lines ahead, so the work is linear. Spans fold and
nothing is ever removed: joined they are the text. When in doubt a line is new, so that the requester's
words are never lost. Forwards: header lines and forwarded body are `forward`, unless the forward is the
whole mail; then its body is new.
Standards: RFC 3676 (quote depth, signature mark).
On failure: never raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from desk.letter import Role, Span
from maild.reading import quote_marks as marks
from maild.reading.htmltext import Flag

MAX_LINES = 20_000  # what comes after is new: in doubt
MAX_LINE_CHARACTERS = 600  # of a line that marks are looked for in
MAX_SIGNATURE_LINES = {"-- ": 60, "--": 20, "--\u00a0": 60}
MAX_HEADER_LINES = 12
_RULE_CHARACTERS = frozenset("_-=*─━ ")


def spans_of(text: str, flags: Sequence[Flag] = (), *, is_forward: bool = False) -> list[Span]:
    """The roles of a text.

    Args:
        flags: what the HTML said about each line, when the text came from HTML.
        is_forward: the subject says that this is a forward.
    """
    lines = text.split("\n")
    scan = _Scan([line[:MAX_LINE_CHARACTERS] for line in lines], flags, is_forward)
    scan.run()
    return _joined(lines, scan.roles)


def _joined(lines: list[str], roles: list[Role]) -> list[Span]:
    spans: list[Span] = []
    start = position = 0
    for number, line in enumerate(lines):
        if number and roles[number] != roles[number - 1]:
            spans.append(Span(roles[number - 1], start, position))
            start = position
        position += len(line) + 1
    end = position - 1
    if end > start:
        spans.append(Span(roles[-1], start, end))
    return spans


@dataclass(slots=True)
class _Scan:
    lines: list[str]
    flags: Sequence[Flag]
    is_forward: bool
    roles: list[Role] = field(default_factory=list)
    kinds: list[marks.HeaderKind | None] = field(default_factory=list)
    has_new: bool = False
    no_signature_before: int = 0  # a signature that proved too long is not tried again line by line

    def run(self) -> None:
        self.kinds = [marks.header_kind(line) if ":" in line or "：" in line else None for line in self.lines]
        while len(self.roles) < len(self.lines):
            if len(self.roles) >= MAX_LINES:
                self.give("new", len(self.lines) - len(self.roles))
            else:
                self.step(len(self.roles))

    def step(self, at: int) -> None:
        """Give roles to the line at `at`, and to as many after it as belong to it."""
        line = self.lines[at]
        stripped = line.strip()
        flag = self.flags[at] if at < len(self.flags) else ""
        if flag == "hidden":
            self.give("disclaimer")
        elif flag == "quoted" or line.startswith((">", " >")):
            self.give("quote")
        elif not stripped:
            self.give(self.roles[-1] if self.roles else "new")
        elif not self.may_be_mark(at, stripped, flag) or not self.mark(at, line, stripped, flag):
            self.has_new = True
            self.give("new")

    def give(self, role: Role, lines: int = 1) -> None:
        self.roles.extend([role] * lines)

    def may_be_mark(self, at: int, stripped: str, flag: Flag) -> bool:
        """A cheap test that lets ordinary lines pass."""
        return (
            self.kinds[at] is not None
            or flag == "attribution"
            or marks.may_begin_mark(stripped)
            or marks.may_begin_attribution(stripped)
        )

    def mark(self, at: int, line: str, stripped: str, flag: Flag) -> bool:
        """Whether a mark begins at this line; if so its lines have got their roles."""
        if marks.is_forward_mark(stripped):
            self.forward(at, self.after_headers(at + 1))
        elif (end := self.header_block(at)) is not None:
            self.header(at, end)
        elif marks.is_signature_mark(line) and (end := self.signature_end(at)):
            self.give("signature", end - at)
        elif (end := self.attribution_end(at, stripped, flag)) is not None:
            self.attribution(at, end)
        elif marks.is_device_signature(stripped):
            self.give("signature")
        elif (end := self.disclaimer_end(at)) is not None:
            self.give("disclaimer", end - at)
        else:
            return False
        return True

    # Forwards and quoted header blocks

    def forward(self, at: int, end: int) -> None:
        if self.has_new:
            self.give("forward", len(self.lines) - at)
        else:
            self.give("forward", end - at)
            self.is_forward = False  # what a forwarded mail quotes is a quote

    def header(self, at: int, end: int) -> None:
        if self.is_forward or not self.has_new:
            self.forward(at, end)
        else:
            self.give("quote", len(self.lines) - at)

    def header_block(self, at: int) -> int | None:
        """The end of a quoted header that begins here, its mark or rule included; None when none does."""
        first = at
        is_marked = marks.is_original_mark(self.lines[at].strip())
        if is_marked or self.is_rule(at):
            first = self.next_full(at + 1)
        if first >= len(self.lines) or self.kinds[first] is None:
            return None
        end = self.after_headers(first)
        kinds = set(self.kinds[first:end])
        if is_marked and "from" in kinds:
            return end
        begins_well = self.kinds[first] == "from"
        return end if begins_well and "sent" in kinds and kinds & {"to", "subject"} else None

    def is_rule(self, at: int) -> bool:
        stripped = self.lines[at].strip()
        return len(stripped) >= 5 and stripped[0] in _RULE_CHARACTERS and set(stripped) <= _RULE_CHARACTERS

    def after_headers(self, at: int) -> int:
        """The line after a run of header lines; one line in between may be the rest of a folded one."""
        end = position = self.next_full(at)
        stop = min(len(self.lines), position + MAX_HEADER_LINES)
        while position < stop and self.lines[position].strip():
            if self.kinds[position] is not None:
                end = position + 1
            elif position > end:
                break
            position += 1
        return max(end, at)

    def next_full(self, at: int) -> int:
        """The next line that is not blank, within three lines."""
        for position in range(at, min(at + 3, len(self.lines))):
            if self.lines[position].strip():
                return position
        return at

    # Attributions

    def attribution_end(self, at: int, stripped: str, flag: Flag) -> int | None:
        """The line after `On ... wrote:`, which may be broken over three lines; None when there is none."""
        if flag == "attribution":
            return self.flagged_end(at)
        if not marks.may_begin_attribution(stripped):
            return None
        joined = ""
        for end in range(at, min(at + 3, len(self.lines))):
            piece = self.lines[end].strip()
            if not piece or piece.startswith(">"):
                return None
            joined = f"{joined} {piece}" if joined else piece
            if marks.is_attribution(joined):
                return end + 1
        return None

    def flagged_end(self, at: int) -> int | None:
        end = at
        while end < len(self.lines) and end < len(self.flags) and self.flags[end] == "attribution":
            end += 1
        return end if self.is_quote_next(end) else None

    def is_quote_next(self, at: int) -> bool:
        return at < len(self.lines) and self.lines[self.next_full(at)].startswith(">")

    def attribution(self, at: int, end: int) -> None:
        """A quote follows: the lines with `>`, or all the rest when there is no doubt about it."""
        if self.is_quote_next(end):
            self.give("quote", end - at)
        elif self.has_new and marks.has_moment(" ".join(self.lines[at:end])):
            self.give("quote", len(self.lines) - at)
        else:
            self.has_new = True
            self.give("new", end - at)

    # Signatures and disclaimers

    def signature_end(self, at: int) -> int:
        """The line after a signature, or 0 when what follows is too long to be one."""
        if at < self.no_signature_before:
            return 0
        most = MAX_SIGNATURE_LINES[self.lines[at]]
        position, full = at + 1, 0
        while position < len(self.lines) and not self.is_other_mark(position):
            full += bool(self.lines[position].strip())
            if full > most:
                self.no_signature_before = position
                return 0
            position += 1
        return position

    def is_other_mark(self, at: int) -> bool:
        line = self.lines[at]
        stripped = line.strip()
        if line.startswith(">") or (at < len(self.flags) and self.flags[at] in ("hidden", "quoted")):
            return True
        if not stripped:
            return False
        flag = self.flags[at] if at < len(self.flags) else ""
        return self.may_be_mark(at, stripped, flag) and (
            marks.is_forward_mark(stripped)
            or self.header_block(at) is not None
            or self.attribution_end(at, stripped, flag) is not None
            or self.disclaimer_end(at) is not None
        )

    def disclaimer_end(self, at: int) -> int | None:
        """The line after a paragraph that is a legal notice."""
        if not marks.may_begin_disclaimer(self.lines[at]):
            return None
        if at and self.lines[at - 1].strip() and not self.is_rule(at - 1):
            return None
        end = at
        while end < len(self.lines) and end < at + 40 and self.lines[end].strip():
            end += 1
        return end if marks.is_disclaimer(" ".join(self.lines[at:end])) else None
