"""The tokeniser of the full-text index: the same tokens for SQLite's FTS5 and for PostgreSQL's tsvector.

Chinese, Japanese and Korean runs become their bigrams and their last single character, so a query of two
or more characters is a phrase of bigrams: it finds exactly the substrings. Every character is indexed once
more by itself, so a query of one character looks up one token and gathers no bigrams that begin with it.
Other scripts are cut into words. Everything is folded first: width, case, accents, Traditional to Simplified.
Only tokens made here reach an engine; whatever its query syntax means by quotes, *, NEAR or : is plain text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from desk.languages.folding import fold_characters
from desk.languages.regional import Regional

VERSION = 1  # of the tokens; an index of another version is made anew
MAX_TOKENS = 16_000  # of one message: the positions of a tsvector end at 16,383
MAX_SUBJECT_TOKENS = 1_000
MAX_ROOM = 150_000  # characters of all tokens of a text: a tsvector holds 1 MB
MAX_WORD = 64  # characters of a word that count; longer ones are no words of people
MAX_ALTERNATIVES = 8
PREFIX_FROM = 3  # characters of a Latin word from which its beginning is enough
_POSITIONS_OF_A_LEXEME = 255  # a tsvector keeps 256
_SINGLE = "c"  # before a character that is indexed by itself; no word of a text mixes the two scripts
_COLUMN_GAP = 2  # so that no phrase reaches from the subject into the text

_CJK = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_PIECE = re.compile(f"(?P<run>[{_CJK}]+)|[^\\W_{_CJK}]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens that stand one after the other; with `is_prefix` the last is only a beginning."""

    tokens: tuple[str, ...]
    is_prefix: bool = False


def fold(text: str) -> str:
    """`text` as the index sees it: width, case, accents of letters and Chinese script no longer matter."""
    if text.isascii():
        return text.lower()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text).casefold())
    return fold_characters(unicodedata.normalize("NFKC", bare))


@dataclass(slots=True)
class _Tokens:
    """What is taken from one column, within its bounds."""

    places: int  # tokens that may still come
    room: int  # characters that they may have together
    tokens: list[str]
    characters: dict[str, None]

    def read(self, text: str) -> None:
        for piece in _PIECE.finditer(fold(text)):
            new = _bigrams(piece[0], self.places) if piece["run"] else [piece[0][:MAX_WORD]]
            size = sum(map(len, new))
            if len(new) > self.places or size > self.room:
                return
            self.places, self.room = self.places - len(new), self.room - size
            self.tokens += new
            if piece["run"]:
                self.characters.update(dict.fromkeys(piece[0][: len(new)]))


def _bigrams(run: str, limit: int) -> list[str]:
    """The bigrams of a run and its last character, at most `limit`."""
    return [*(run[start : start + 2] for start in range(len(run) - 1)), run[-1]][:limit]


def _columns(subject: str, body: str) -> tuple[_Tokens, _Tokens]:
    heading = _Tokens(MAX_SUBJECT_TOKENS, MAX_ROOM // 10, [], {})
    heading.read(subject)
    text = _Tokens(MAX_TOKENS - MAX_SUBJECT_TOKENS, MAX_ROOM, [], {})
    text.read(body)
    return heading, text


def fts5_columns(subject: str, body: str) -> tuple[str, str]:
    """What the two columns of the FTS5 table are fed with."""
    heading, text = (
        " ".join([*column.tokens, *map(_SINGLE.__add__, column.characters)])
        for column in _columns(subject, body)
    )
    return heading, text


def tsvector_text(subject: str, body: str) -> str:
    """The same tokens as the input form of a tsvector, subject first."""
    heading, text = _columns(subject, body)
    positions: dict[str, list[int]] = {}
    for first, column in ((1, heading), (len(heading.tokens) + _COLUMN_GAP, text)):
        for position, token in enumerate(column.tokens, first):
            positions.setdefault(token, []).append(position)
    for character in heading.characters | text.characters:
        positions.setdefault(_SINGLE + character, [])
    return " ".join(_lexeme(token, places) for token, places in positions.items())


def _lexeme(token: str, positions: list[int]) -> str:
    places = ",".join(map(str, positions[:_POSITIONS_OF_A_LEXEME]))
    return f"'{token}':{places}" if places else f"'{token}'"


def query(text: str, *, is_typed: bool = False, words: Regional | None = None) -> tuple[Phrase, ...]:
    """What to look for: any of these phrases. Empty when the text holds no word at all.

    Args:
        is_typed: the word may go on: a last Latin word of 3 or more characters matches by its beginning.
        words: regional words, which are tried as alternatives.
    """
    folded = fold(text)
    spellings = [folded] if words is None else _spellings(folded, words)
    phrases = (_phrase(spelling, is_typed) for spelling in spellings)
    return tuple(dict.fromkeys(phrase for phrase in phrases if phrase.tokens))


def _phrase(folded: str, is_typed: bool) -> Phrase:
    """All pieces but the last as the index holds them; the last one may go on in the text."""
    pieces = list(_PIECE.finditer(folded))
    if not pieces:
        return Phrase(())
    before: list[str] = []
    for piece in pieces[:-1]:
        before += _bigrams(piece[0], MAX_TOKENS) if piece["run"] else [piece[0][:MAX_WORD]]
    last = pieces[-1]
    if not last["run"]:
        word = last[0][:MAX_WORD]
        return Phrase((*before, word), is_prefix=is_typed and len(word) >= PREFIX_FROM)
    if len(last[0]) > 1:
        return Phrase((*before, *_bigrams(last[0], MAX_TOKENS)[:-1]))
    return Phrase((*before, last[0]), is_prefix=True) if before else Phrase((_SINGLE + last[0],))


def _spellings(folded: str, words: Regional) -> list[str]:
    """The text with its regional words replaced, itself first, at most MAX_ALTERNATIVES."""
    spellings = [""]
    end = 0
    for match in words.pattern.finditer(folded):
        choices = (match[0], *words.others[match[0]])
        between = folded[end : match.start()]
        spellings = [s + between + choice for choice in choices for s in spellings][:MAX_ALTERNATIVES]
        end = match.end()
    return [spelling + folded[end:] for spelling in spellings]


def as_match(phrases: Iterable[Phrase]) -> str:
    """Phrases as the right side of FTS5's MATCH."""
    return " OR ".join(f'"{" ".join(p.tokens)}"' + (" *" if p.is_prefix else "") for p in phrases)


def as_tsquery(phrases: Iterable[Phrase]) -> str:
    """Phrases as the input form of a tsquery (to be cast, not parsed by to_tsquery)."""
    return " | ".join(f"({_tsquery_phrase(p)})" for p in phrases)


def _tsquery_phrase(phrase: Phrase) -> str:
    lexemes = " <-> ".join(f"'{token}'" for token in phrase.tokens)
    return lexemes + (":*" if phrase.is_prefix else "")
