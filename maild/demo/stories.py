"""Who writes to the demonstration desk and what: read from stories.toml, chosen by a seeded generator."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

import msgspec

LANGUAGES = ("en", "zh-Hant", "zh-Hans")
_SHARES = (5, 3, 2)


class Story(msgspec.Struct, frozen=True):
    """A request with the answer that solves it. Texts hold slots like {printer}."""

    subject: str
    category: str
    text: str
    answer: str = ""


class Tongue(msgspec.Struct, frozen=True):
    """What people say in one language, and who they are."""

    domain: str
    hello: str
    bye: str
    reply_prefix: str
    thanks: list[str]
    not_yet: list[str]
    more: list[str]
    note: str
    away: str
    people: list[str]
    words: dict[str, list[str]]
    story: list[Story]


@dataclass(frozen=True, slots=True)
class Teller:
    """Somebody who writes: display name and address."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Tale:
    """One request of one person, all slots filled."""

    language: str
    teller: Teller
    category: str
    subject: str
    text: str
    answer: str


@cache
def _data() -> dict[str, object]:
    return tomllib.loads((resources.files("maild.demo") / "stories.toml").read_text("utf-8"))


@cache
def tongue(language: str) -> Tongue:
    """What is said in en, zh-Hant or zh-Hans."""
    return msgspec.convert(_data()[language], Tongue)


def tale(rng: random.Random, language: str | None = None) -> Tale:
    """A request of somebody; without a language in one that the generator chooses."""
    language = language or rng.choices(LANGUAGES, _SHARES)[0]
    speech = tongue(language)
    words = {slot: rng.choice(choice) for slot, choice in speech.words.items()}
    story = rng.choice(speech.story)
    return Tale(
        language,
        _teller(speech, rng.randrange(len(speech.people))),
        story.category,
        story.subject.format_map(words),
        f"{speech.hello}\n\n{story.text.format_map(words)}\n\n{speech.bye}",
        f"{speech.hello}\n\n{story.answer.format_map(words)}",
    )


def alarm(rng: random.Random, domain: str) -> Tale:
    """What a monitoring system says."""
    stories = msgspec.convert(_data()["alarm"], list[Story])
    hosts = msgspec.convert(_data()["alarm_hosts"], list[str])
    story, words = rng.choice(stories), {"host": rng.choice(hosts)}
    teller = Teller("Monitoring", f"monitoring@{domain}")
    subject, text = story.subject.format_map(words), story.text.format_map(words)
    return Tale("en", teller, story.category, subject, text, "")


def _teller(speech: Tongue, number: int) -> Teller:
    name = speech.people[number]
    local = name.lower().replace(" ", ".") if name.isascii() else f"staff{number + 1:02}"
    return Teller(name, f"{local}@{speech.domain}")
