"""Reads what somebody typed into a search box: words, “phrases”, -not and #123. Any input is safe.

A word matches from its start. What is quoted matches whole words, one after the other.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from briefs.finding.words import folding

LONGEST = 1_000  # characters that are read; the form takes fewer
MOST_TERMS = 10
MOST_WORDS = 16  # of one phrase
_QUOTES = str.maketrans("“”„«»", '"""""')
_PART = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
_NUMBER = re.compile(r"#?([0-9]{1,18})")
# A number as people write it: it begins with + or has seven digits or more in its groups. The
# beginning of an id, such as 12345678-1234-4abc, is none.
_PHONE = re.compile(r"(?<![\w.@-])\+?\(?[0-9][0-9 ().\-/]{5,24}[0-9](?![\w@]|[.\-/]+\w)")
_NOT_FROM_ABROAD = "(0)"  # +49 (0)170 1234567
# As pages print the number of an attribute, which is written without commas.
_WITH_COMMAS = re.compile(r"(?<![\d.,])[0-9]{1,3}(?:,[0-9]{3})+(?![\d,])")
_FEWEST_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that has to occur, or must not."""

    ways: tuple[tuple[str, ...], ...]  # words one after the other; any of these ways will do
    is_start: bool = True  # the last word may go on
    is_not: bool = False
    number: int | None = None  # of a brief

    def occurs(self, words: Sequence[str]) -> bool:
        return next(self.found(words), None) is not None

    def is_whole(self, words: Sequence[str]) -> bool:
        """Whether it occurs and its last word does not go on."""
        return any(words[end - 1] == way[-1] for _, end, way in self.found(words))

    def found(self, words: Sequence[str]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
        """Where it begins and ends, and in which way it is said there."""
        for way in self.ways:
            *firsts, last = way
            goes_on = self.goes_on(last)
            for place in range(len(firsts), len(words)):
                word = words[place]
                if word == last or (goes_on and word.startswith(last)):
                    start = place - len(firsts)
                    if not firsts or words[start:place] == firsts:
                        yield start, place + 1, way

    def goes_on(self, last: str) -> bool:
        """Whether words that begin with this one match too. A single letter begins too many."""
        return self.is_start and (len(last) > 1 or len(self.ways[0]) > 1)


def terms(text: str) -> list[Term]:
    """What is asked for, each once; none if the text has no word. A search takes MOST_TERMS."""
    text = folding.seen(text[:LONGEST]).translate(_QUOTES)
    found: list[Term] = []
    place = 0
    while part := _PART.search(text, place):
        place = part.end()
        sign, phrase, word = part.groups()
        phone = _PHONE.match(text, part.start(3)) if word else None
        if phone and _is_phone(phone[0]):
            found.append(_phone(phone[0], is_not=bool(sign)))
            place = phone.end()
        elif term := _word(word, sign) if word else _phrase(phrase, sign):
            found.append(term)
    return list(dict.fromkeys(found))


def _word(word: str, sign: str) -> Term | None:
    """A word with signs in it, such as an address, is its parts one after the other."""
    ways = _ways(word)
    number = _NUMBER.fullmatch(word)
    key = int(number[1]) if number else None
    if word.startswith("#") and number:
        return Term((), is_not=bool(sign), number=key)
    return Term(ways, is_not=bool(sign), number=key) if ways else None


def _phrase(phrase: str, sign: str) -> Term | None:
    ways = _ways(phrase)
    return Term(ways, is_start=False, is_not=bool(sign)) if ways else None


def _ways(text: str) -> tuple[tuple[str, ...], ...]:
    """Its words one after the other; those of a number also as they are without its commas."""
    without_commas = _WITH_COMMAS.sub(lambda found: found[0].replace(",", ""), text)
    ways = (tuple(folding.words(each)[:MOST_WORDS]) for each in (text, without_commas))
    return tuple(dict.fromkeys(way for way in ways if way))


def _is_phone(text: str) -> bool:
    groups = folding.words(text)
    has_groups = len(groups) > 1 or text.startswith("+")
    return has_groups and sum(map(len, groups)) >= _FEWEST_DIGITS


def _phone(text: str, *, is_not: bool) -> Term:
    groups = tuple(folding.words(text))
    dialled = folding.words(text.replace(_NOT_FROM_ABROAD, ""))
    digits = "".join(dialled).lstrip("0") or "0"
    return Term(tuple(dict.fromkeys([groups, (digits,)])), is_not=is_not)
