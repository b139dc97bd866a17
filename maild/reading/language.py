"""The language of a text, by script and by a few frequent words; cheap and honest: None when it cannot tell.

Chinese is told apart by characters that only one script has (desk.languages.scripts).
"""

from __future__ import annotations

import re
from collections import Counter

from desk.languages.scripts import chinese_script

MAX_CHARACTERS = 2_000
FEWEST_WORDS = 2

_WORD = re.compile(r"[^\W\d_]+")

# Scripts that one language mostly owns: first and last character of their main block.
_SCRIPTS = (
    ("\u3041", "\u30ff", "ja"),
    ("\uac00", "\ud7a3", "ko"),
    ("\u0e01", "\u0e5b", "th"),
    ("\u0590", "\u05ff", "he"),
    ("\u0600", "\u06ff", "ar"),
    ("\u0900", "\u097f", "hi"),
    ("\u0370", "\u03ff", "el"),
    ("\u0400", "\u04ff", "ru"),
    ("\u4e00", "\u9fff", "zh"),
)
_UKRAINIAN = frozenset("іїєґІЇЄҐ")
_PERSIAN = frozenset("پچژگ")

_FREQUENT = {
    "en": """the and is are was to of in on for not my it this that with you your have has i we can please thanks
        thank hello hi dear when from but does do what how our be will would after since help cannot at an""",
    "de": """der die das und ist nicht ich wir sie mit für auf ein eine zu bitte danke hallo mein meine kann können
        habe haben beim den dem von im es seit auch noch wird geht funktioniert sehr geehrte grüße guten""",
    "fr": """le la les et est pas je nous vous avec pour une un des du sur bonjour merci mon ma ne que qui dans
        peux pouvez depuis mais au ce cette plus fonctionne votre notre cordialement suis ai""",
    "es": """el la los las y es no por para con una un de que en mi hola gracias puedo puede favor se está desde
        pero del al tengo como saludos buenos días usted funciona lo me su""",
    "it": """il lo la gli e è non per con una un di che in mio mia ciao grazie posso può si dal ma del sono buongiorno
        funziona questo questa come ho saluti""",
    "pt": """o os as e é não para com uma um de que em meu minha olá obrigado obrigada posso pode por está desde mas
        do da ao bom dia você funciona como tenho""",
    "nl": """de het een en is niet ik wij we met voor op van mijn bedankt hallo kan kunnen heb dat deze sinds maar
        ook werkt graag groeten aan er""",
    "sv": "och är inte jag vi med för på en ett att det som min tack hej kan har sedan men från fungerar",
    "da": "og er ikke jeg vi med for på en et at det som min tak hej kan har siden men fra virker",
    "pl": "i nie jest się na z do w mam proszę dziękuję dzień dobry mój moja jak ale od to dla czy może działa",
    "fi": "ja ei on en se että kiitos hei voi minun olen kun mutta tämä ole toimi jos",
    "tr": "ve bir bu için değil ben ile çok teşekkürler merhaba lütfen var yok ama olarak çalışmıyor",
    "vi": "và là không tôi của cho với có được này xin cảm ơn chào các một bị",
    "id": "dan yang tidak saya di ke untuk dengan ini itu ada bisa terima kasih mohon dari kami",
}  # fmt: skip
_LANGUAGES_OF: dict[str, list[str]] = {}
for _language, _words in _FREQUENT.items():
    for _frequent in set(_words.split()):
        _LANGUAGES_OF.setdefault(_frequent, []).append(_language)


def language_of(*texts: str) -> str | None:
    """The language of the first text that says anything (the new text, then the subject)."""
    for text in texts:
        language = _language_of(_without_links(text[:MAX_CHARACTERS]))
        if language is not None:
            return language
    return None


def _without_links(text: str) -> str:
    """Links and addresses are in no language."""
    if "@" not in text and "://" not in text:
        return text
    return " ".join(word for word in text.split() if "@" not in word and "://" not in word)


def _language_of(text: str) -> str | None:
    if text.isascii():
        return _by_words(text)
    counts = _script_counts(text)
    latin = sum(character.isascii() and character.isalpha() for character in text)
    if not counts:
        return _by_words(text)
    # One sign of these scripts carries about as much as three Latin letters.
    if sum(counts.values()) * 3 < latin and (by_words := _by_words(text)):
        return by_words
    if counts["ja"] * 10 >= counts["ja"] + counts["zh"] and counts["ja"] > 1:
        return "ja"
    script, _ = counts.most_common(1)[0]
    if script == "zh":
        return chinese_script(text)
    if script == "ru" and not _UKRAINIAN.isdisjoint(text):
        return "uk"
    if script == "ar" and not _PERSIAN.isdisjoint(text):
        return "fa"
    return script


def _script_counts(text: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for character in text:
        if character < "\u0370":
            continue
        for first, last, language in _SCRIPTS:
            if first <= character <= last:
                counts[language] += 1
                break
    return counts


def _by_words(text: str) -> str | None:
    hits: Counter[str] = Counter()
    for word in _WORD.findall(text.lower()):
        for language in _LANGUAGES_OF.get(word, ()):
            hits[language] += 1
    (first, most), (_, second) = (*hits.most_common(2), ("", 0), ("", 0))[:2]
    return first if most >= FEWEST_WORDS and most > second else None
