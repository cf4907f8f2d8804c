"""Splits texts into folded words, the same on every database.

A word is a run of letters and digits in lower case without accents: “Müller-Lüdenscheid” gives
`muller` and `ludenscheid`, and an address gives its parts. Of scripts that are written without
spaces between words each sign is a word.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from re import Pattern

LONGEST = 60  # characters of a word; PostgreSQL takes 2,046 bytes
_LONGEST_RUN = 4 * LONGEST
_BMP = range(0x10000)
_ALONE = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_ASCII_WORD = re.compile(r"[a-z0-9]+")


@cache
def _patterns() -> tuple[Pattern[str], Pattern[str]]:
    """A run, and a word in it. Made when first needed: each process would start later by it."""
    # Signs that belong to the letter before them: accents, vowel signs and the like.
    marks = "".join(
        re.escape(chr(code)) for code in _BMP if unicodedata.category(chr(code)).startswith("M")
    )
    run = re.compile(rf"(?:[^\W_]|[{marks}])+")
    return run, re.compile(rf"[{_ALONE}]|(?:(?![{_ALONE}])(?:[^\W_]|[{marks}]))+")


def words(text: str) -> list[str]:
    """In their order, with repetitions."""
    if text.isascii():  # nearly always, and ten times as fast
        return [word[:LONGEST] for word in _ASCII_WORD.findall(text.lower())]
    runs, _ = _patterns()
    return [word for run in runs.findall(text) for word in _folded(run[:_LONGEST_RUN])]


def places(text: str) -> Iterator[tuple[str, int, int]]:
    """Each word with where in the text it begins and ends."""
    if text.isascii():
        for found in _ASCII_WORD.finditer(text.lower()):
            yield found[0][:LONGEST], *found.span()
        return
    runs, _ = _patterns()
    for run in runs.finditer(text):
        for word in _folded(run[0][:_LONGEST_RUN]):
            yield word, *run.span()


@lru_cache(maxsize=10_000)
def _folded(run: str) -> tuple[str, ...]:
    """The words of a run of letters, digits and marks: usually one."""
    if run.isascii():
        return (run.lower()[:LONGEST],)
    bare = _without_accents(_without_accents(run).casefold())
    _, word = _patterns()
    return tuple(found[:LONGEST] for found in word.findall(bare))


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in parts if not unicodedata.combining(sign))
