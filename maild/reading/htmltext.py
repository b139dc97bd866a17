"""HTML mail to readable lines: quotes as `> `, links as `[n]`, lists, tables, `<pre>`; hidden text marked.

A walk over Lexbor's tree with an explicit stack. Nothing is fetched or executed, no markup comes out.
Each line carries a flag that the quote scanner uses: hidden text never counts as the sender's words.
What would cost the parser too much (see htmlbudget) is only stripped of its tags.
On failure: never raises.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from maild.reading.htmlbudget import HtmlBudget

MAX_QUOTE_DEPTH = 20
MAX_LINKS = 500
MAX_LINK_CHARACTERS = 2000
TOO_COMPLEX = "HTML too complex"

Flag = Literal["", "hidden", "attribution", "quoted"]

_BLOCK_NAMES = """
    address article aside blockquote body center dd details div dl dt fieldset figure footer form h1 h2 h3
    h4 h5 h6 header hr li main nav ol p pre section summary table tbody tfoot thead tr ul
"""
_INLINE = frozenset(("a", "br", "img", "td", "th"))  # inline elements that mean something to us
_PARAGRAPH_NAMES = "p h1 h2 h3 h4 h5 h6 blockquote pre table ul ol dl"
_SKIPPED_NAMES = (
    "head script style title template meta link object embed applet iframe frame svg math canvas audio video "
    "select datalist"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_PARAGRAPHS = frozenset(_PARAGRAPH_NAMES.split())
_SKIPPED = frozenset(_SKIPPED_NAMES.split())
_LINK_SCHEMES = ("http://", "https://", "mailto:", "ftp://", "tel:")
_UNSEEN_TAG = re.compile(r"<(/?)(script|style)", re.ASCII | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_SPACES = re.compile(r"[ \t\r\n\f\v\xa0]+")
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u17b4\u17b5\u180e\u200b-\u200f\u2060-\u2064\ufeff]")
_HIDING = re.compile(
    r"display:none|visibility:hidden|mso-hide:all|opacity:0(?:\.0*)?(?:;|$)|font-size:0(?:px|pt|em|%)?(?:;|!|$)"
    r"|max-height:0(?:px)?(?:;|!|$)|text-indent:-\d{3}|(?:left|top):-\d{3}"
)
_RULE = "_" * 32  # as Outlook's plain text draws it
_ATTRIBUTION_CLASSES = ("gmail_attr", "moz-cite-prefix")
_QUOTED_CLASSES = ("yahoo_quoted", "protonmail_quote", "zmail_extra")


class HtmlText(NamedTuple):
    """Lines without line ends, and one flag for each."""

    lines: list[str]
    flags: list[Flag]
    is_stripped: bool = False


def html_to_text(source: str, budget: HtmlBudget | None = None) -> HtmlText:
    """The readable text of a document or fragment.

    Args:
        source: the page.
        budget: shared by all pages of a mail, and charged here; a page for itself has one of its own.
    """
    budget = budget or HtmlBudget()
    if not budget.affords(source):
        return _stripped(budget.strippable(source))
    body = LexborHTMLParser(source).body
    walk = _Walk()
    if body is not None:
        walk.over(body)
    return walk.result()


def _stripped(source: str) -> HtmlText:
    """The text between the tags, for what is too big or too deep; linear."""
    text = html.unescape(_TAG.sub("\n", _without_scripts(source)))
    lines = [line for line in (_SPACES.sub(" ", line).strip() for line in text.split("\n")) if line]
    return HtmlText([f"[{TOO_COMPLEX}]", *lines], [""] * (len(lines) + 1), is_stripped=True)


def _without_scripts(source: str) -> str:
    """The source without what stands in scripts and styles; one pass, however many there are."""
    pieces = []
    position, inside = 0, ""
    for tag in _UNSEEN_TAG.finditer(source):
        is_closing, name = bool(tag[1]), tag[2].lower()
        if not inside and not is_closing:
            pieces.append(source[position : tag.start()])
            inside = name
        elif is_closing and name == inside:
            position, inside = tag.start(), ""
    if not inside:
        pieces.append(source[position:])
    return "".join(pieces)


@dataclass(slots=True)
class _List:
    is_ordered: bool
    number: int = 0


@dataclass(slots=True)
class _Walk:
    """The state of one walk; `pieces` is the line being gathered."""

    lines: list[str] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    links: dict[str, tuple[int, bool]] = field(default_factory=dict)
    lists: list[_List] = field(default_factory=list)
    quote_depth: int = 0
    pre_depth: int = 0
    attribution_depth: int = 0
    quoted_depth: int = 0
    wants_blank: bool = False
    indent: str = ""

    def over(self, body: LexborNode) -> None:
        stack: list[tuple[LexborNode, Callable[[], None] | None]] = [(body, None)]
        while stack:
            node, leave = stack.pop()
            if leave is not None:
                leave()
                continue
            tag = node.tag
            if tag == "-text":
                self.text(node.text_content or "")
                continue
            if tag in _SKIPPED or tag is None or tag[0] in "-_!":
                continue
            attributes = node.attributes
            if attributes and _is_hidden(attributes):
                self.hidden(node)
                continue
            if tag in _BLOCKS or tag in _INLINE:
                leave = self.enter(tag, attributes)
                if leave is not None:
                    stack.append((node, leave))
            child = node.last_child
            while child is not None:
                stack.append((child, None))
                child = child.prev

    def text(self, text: str) -> None:
        if not self.pre_depth:
            if self.pieces or not text.isspace():
                self.pieces.append(text)
            return
        first, *rest = text.replace("\r", "").split("\n")
        self.pieces.append(first)
        for line in rest:
            self.flush(is_verbatim=True)
            self.pieces.append(line)

    def hidden(self, node: LexborNode) -> None:
        """What a reader of the HTML would not have seen, on a line of its own."""
        text = _SPACES.sub(" ", _INVISIBLE.sub("", node.text(deep=True, separator=" "))).strip()
        if text and node.tag not in _SKIPPED:
            self.flush()
            self.emit(f"[hidden: {text}]", "hidden")

    def enter(self, tag: str, attributes: dict[str, str | None]) -> Callable[[], None] | None:
        """Open an element; the result closes it."""
        if tag == "br":
            self.flush(keeps_blank=True)
        elif tag == "img":
            self.image(attributes)
        elif tag == "a":
            return self.link(attributes.get("href") or "", len(self.pieces))
        elif tag in ("td", "th"):
            return self.cell
        elif tag in _BLOCKS:
            return self.block(tag, attributes)
        return None

    def block(self, tag: str, attributes: dict[str, str | None]) -> Callable[[], None]:
        self.flush()
        if tag in _PARAGRAPHS and not self.lists:
            self.blank()
        names = attributes.get("class") or "" if attributes else ""
        is_quote = tag == "blockquote" and not _is_indentation(attributes)
        is_attribution = names != "" and any(name in names for name in _ATTRIBUTION_CLASSES)
        is_quoted = names != "" and any(name in names for name in _QUOTED_CLASSES)
        self.quote_depth += is_quote
        self.attribution_depth += is_attribution
        self.quoted_depth += is_quoted
        self.pre_depth += tag == "pre"
        if tag in ("ul", "ol"):
            self.lists.append(_List(tag == "ol"))
        elif tag == "li":
            self.pieces.append(self.bullet())
        elif tag == "hr":
            self.emit(_RULE)

        def leave() -> None:
            self.flush(is_verbatim=tag == "pre")
            if tag in ("ul", "ol"):
                self.lists.pop()
            if tag in _PARAGRAPHS and not self.lists:
                self.blank()
            self.quote_depth -= is_quote
            self.attribution_depth -= is_attribution
            self.quoted_depth -= is_quoted
            self.pre_depth -= tag == "pre"

        return leave

    def bullet(self) -> str:
        self.indent = "  " * (min(len(self.lists), 10) - 1)
        if not self.lists or not self.lists[-1].is_ordered:
            return "- "
        self.lists[-1].number += 1
        return f"{self.lists[-1].number}. "

    def cell(self) -> None:
        if "".join(self.pieces).strip():
            self.pieces.append(" | ")

    def image(self, attributes: dict[str, str | None]) -> None:
        alt = _SPACES.sub(" ", attributes.get("alt") or "").strip()[:100]
        if alt or (attributes.get("src") or "").startswith("cid:"):
            self.pieces.append(f"[image: {alt}]" if alt else "[image]")

    def link(self, target: str, first_piece: int) -> Callable[[], None] | None:
        target = _SPACES.sub("", target)[:MAX_LINK_CHARACTERS]
        if not target.lower().startswith(_LINK_SCHEMES):
            return None

        def leave() -> None:
            shown = "".join(self.pieces[first_piece:]).strip()
            if _bare(shown) == _bare(target):
                return
            if target not in self.links and len(self.links) < MAX_LINKS:
                self.links[target] = (len(self.links) + 1, bool(self.quote_depth or self.quoted_depth))
            if target in self.links:
                self.pieces.append(f" [{self.links[target][0]}]")

        return leave

    def flush(self, *, is_verbatim: bool = False, keeps_blank: bool = False) -> None:
        if not self.pieces and not is_verbatim:
            if keeps_blank:
                self.blank()
            return
        line = "".join(self.pieces)
        self.pieces.clear()
        if is_verbatim or self.pre_depth:
            if line or is_verbatim:
                self.emit(line.rstrip())
            return
        line = _SPACES.sub(" ", line).strip()
        if line.endswith(" |"):
            line = line[:-2]
        if line == "--":
            line = "-- "  # the space of a signature's mark was lost in collapsing
        if line:
            self.emit(self.indent + line)
            self.indent = ""
        elif keeps_blank:
            self.blank()

    def blank(self) -> None:
        self.wants_blank = bool(self.lines)

    def emit(self, line: str, flag: Flag = "") -> None:
        prefix = "> " * min(self.quote_depth, MAX_QUOTE_DEPTH)
        if self.wants_blank and self.lines[-1].strip("> "):
            self.lines.append(prefix.rstrip() if self.lines[-1].startswith(">") else "")
            self.flags.append(self.flags[-1] if self.flags[-1] != "hidden" else "")
        self.wants_blank = False
        self.lines.append(prefix + line)
        self.flags.append(flag or self.flag())

    def flag(self) -> Flag:
        if self.quoted_depth:
            return "quoted"
        return "attribution" if self.attribution_depth else ""

    def result(self) -> HtmlText:
        self.flush()
        if self.links:
            self.lines.append("")
            self.flags.append("")
        for target, (number, is_quoted) in self.links.items():
            self.lines.append(f"[{number}] {target}")
            self.flags.append("quoted" if is_quoted else "")
        return HtmlText(self.lines, self.flags)


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    if "hidden" in attributes:
        return True
    style = attributes.get("style")
    if not style:
        return False
    return _HIDING.search(re.sub(r"\s+", "", style[:4000]).lower()) is not None


def _is_indentation(attributes: dict[str, str | None]) -> bool:
    """Mail programs indent the sender's own words with a borderless blockquote."""
    style = re.sub(r"\s+", "", (attributes.get("style") or "")[:1000]).lower()
    return attributes.get("type") != "cite" and ("border:none" in style or "border:0" in style)


def _bare(link: str) -> str:
    return re.sub(r"^(?:https?://|mailto:|tel:)", "", link.strip().lower()).rstrip("/").removeprefix("www.")
