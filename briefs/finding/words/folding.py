"""Splits texts into folded words, the same on every database.

A word is a run of letters and digits in lower case without accents: “Müller-Lüdenscheid” gives
`muller` and `ludenscheid`, and an address gives its parts. Signs that nobody sees, such as a soft
hyphen, are as if they were not there. Of scripts that are written without spaces between words each
sign is a word, with the marks that belong to it.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from re import Pattern

LONGEST = 50  # characters of a word: PostgreSQL takes 200 bytes for each of a document's words
_LONGEST_RUN = 4 * LONGEST
_BMP = range(0x10000)
# Chinese and Japanese; Thai, Lao, Burmese and Khmer.
_ALONE = (
    r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
)
_ALSO_MARKS = "\u0e33\u0eb3"  # of Thai and Lao: letters that become a mark and a letter
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_APOSTROPHES = r"\u02b9-\u02bf"  # that count as letters; the others divide words
# Which no decomposition leads back to the letters that others type for them.
_LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th"}
)
_STRETCH, _JOINER, _VARIANTS = "\u0640", "\u034f", r"\ufe00-\ufe0f"  # of Arabic; of any letter


@cache
def _unseen() -> str:
    """Zero-width and bidirectional signs, soft hyphens and the like."""
    unseen = "".join(chr(code) for code in _BMP if unicodedata.category(chr(code)) == "Cf")
    return f"{re.escape(unseen)}{_STRETCH}{_JOINER}{_VARIANTS}"


@cache
def _unseen_sign() -> Pattern[str]:
    return re.compile(f"[{_unseen()}]")


def seen(text: str) -> str:
    """The text without signs that nobody sees."""
    return text if text.isascii() else _unseen_sign().sub("", text)


@cache
def _patterns() -> tuple[Pattern[str], Pattern[str]]:
    """A run, and a word in it. Made when first needed: each process would start later by it."""
    # Signs that belong to the letter before them: accents, vowel signs and the like.
    marks = "".join(
        re.escape(chr(code)) for code in _BMP if unicodedata.category(chr(code)).startswith("M")
    )
    marks += _unseen()
    sign = rf"(?:[^\W_{_APOSTROPHES}]|[{marks}])"
    run = re.compile(rf"{sign}+")
    return run, re.compile(rf"[{_ALONE}][{marks}{_ALSO_MARKS}]*|(?:(?![{_ALONE}]){sign})+")


def words(text: str) -> list[str]:
    """In their order, with repetitions."""
    if text.isascii():  # nearly always, and ten times as fast
        return [word[:LONGEST] for word in _ASCII_WORD.findall(text.lower())]
    runs, _ = _patterns()
    return [word for run in runs.findall(text) for word in _words_of(run)]


def places(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word with where in the text it begins and ends."""
    if text.isascii():
        for found in _ASCII_WORD.finditer(text.lower()):
            yield found[0][:LONGEST], *found.span()
        return
    runs, pieces = _patterns()
    for run in runs.finditer(text):
        for piece in pieces.finditer(run[0]):
            begin, end = (run.start() + place for place in piece.span())
            for word in _folded(piece[0][:_LONGEST_RUN]):
                yield word, begin, end


def _words_of(run: str) -> Iterable[str]:
    if len(run) <= _LONGEST_RUN:
        return _folded(run)
    _, pieces = _patterns()  # a paragraph of a script without spaces, or no text at all
    return (word for piece in pieces.findall(run) for word in _folded(piece[:_LONGEST_RUN]))


@lru_cache(maxsize=10_000)
def _folded(run: str) -> tuple[str, ...]:
    """The words of a run of letters, digits and marks: usually one."""
    if run.isascii():
        return (run.lower()[:LONGEST],)
    bare = _without_accents(_without_accents(seen(run)).casefold()).translate(_LETTERS)
    _, word = _patterns()
    return tuple(found[:LONGEST] for found in word.findall(bare))


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in parts if not unicodedata.combining(sign))
