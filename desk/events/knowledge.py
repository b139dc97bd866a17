"""Events: articles and problems."""

from __future__ import annotations

from typing import ClassVar

from desk.events.shape import Happening


class ArticleSuggested(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "article.suggested"
    article: str
    score: float | None = None
    by: str | None = None


class ArticleSent(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "article.sent"
    article: str
    score: float | None = None
    by: str | None = None


class ArticleLinked(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "article.linked"
    article: str
    score: float | None = None
    by: str | None = None


class ArticleSolved(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "article.solved"
    article: str
    score: float | None = None
    by: str | None = None


class ArticleCreated(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "article.created"
    article: str
    from_: str | None
    to: str | None


class ArticleChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "article.changed"
    article: str
    from_: str | None
    to: str | None


class ArticleStateChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "article.state.changed"
    article: str
    from_: str
    to: str


class ProblemCreated(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "problem.created"
    problem: int
    workaround: str | None = None
    fix: str | None = None


class ProblemChanged(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "problem.changed"
    problem: int
    workaround: str | None = None
    fix: str | None = None


class ProblemKnown(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "problem.known"
    problem: int
    workaround: str | None = None
    fix: str | None = None


class ProblemClosed(Happening, frozen=True, kw_only=True):
    event: ClassVar[str] = "problem.closed"
    problem: int
    workaround: str | None = None
    fix: str | None = None
