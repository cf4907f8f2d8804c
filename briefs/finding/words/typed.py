"""Reads what somebody typed into a search box: words, “phrases”, -not and #123. Any input is safe.

A word matches from its start. What is quoted matches whole words, one after the other. What may be
words as well as a phone number, such as 2024 2025, finds both.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from briefs.finding.words import folding

LONGEST = 1_000  # characters that are read; the form takes fewer
MOST_TERMS = 10
MOST_WORDS = 16  # of one phrase
_QUOTES = str.maketrans("“”„«»", '"""""')
_PART = re.compile(r'(-?)(?:"([^"]*)"?|([^\s"]+))')
_NUMBER = re.compile(r"#?([0-9]{1,18})")
_BRIEF = re.compile(r"brief\s+#?([0-9]{1,18})(?![\w\-])", re.IGNORECASE)  # as pages name one
# As pages print that of a campaign, behind its name: the words alone are in nearly every document.
_NUMBERED = re.compile(r"\(?no\.\s*([0-9]{1,18})(?![\w\-])", re.IGNORECASE)
# A number as people write it: it begins with + or has seven digits or more in its groups. The
# beginning of an id, such as 12345678-1234-4abc, is none.
_PHONE = re.compile(r"\+?\(?[0-9][0-9 ().\-/]{5,24}[0-9](?![\w@]|[.\-/]+\w)")
_FROM_ABROAD = "+"  # nothing else begins so
_DIALLED = ("+", "0", "(")  # numbers that are counted rarely begin so
_NOT_FROM_ABROAD = "(0)"  # +49 (0)170 1234567
# As pages print the number of an attribute, which is written without commas.
_WITH_COMMAS = re.compile(r"(?<![\d.,])[0-9]{1,3}(?:,[0-9]{3})+(?![\d,])")
_FEWEST_DIGITS, _MOST_DIGITS = 7, 17  # 15, and 00 before them
_MOST_GROUPS = 7


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that has to occur, or must not."""

    ways: tuple[tuple[str, ...], ...]  # words one after the other; any of these ways will do
    is_start: bool = True  # the last word may go on
    is_not: bool = False
    number: int | None = None  # of a brief
    # The other reading: it will do as well if all of these are so, each anywhere. They have none.
    apart: tuple["Term", ...] = ()

    @property
    def readings(self) -> tuple["Term", ...]:
        """Itself, and what is looked for in its other reading."""
        return (self, *self.apart)

    @property
    def wanted_apart(self) -> tuple["Term", ...]:
        """What has to occur in its other reading."""
        return tuple(one for one in self.apart if not one.is_not)

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
    """What is asked for, each once; none if the text has no word. A search takes `first` ones."""
    text = folding.seen(text[:LONGEST]).translate(_QUOTES)
    found: list[Term] = []
    place = 0
    while part := _PART.search(text, place):
        sign, phrase, word = part.groups()
        start, place = part.start(3), part.end()
        if word and (several := _several(text, start, sign)):
            found.append(several[0])
            place = several[1]
        elif term := _word(word, sign) if word else _phrase(phrase, sign):
            found.append(term)
    return list(dict.fromkeys(found))


def first(asked: Iterable[Term], most: int) -> list[Term]:
    """The first of these terms that have so many words; one at least, if there is one."""
    taken: list[Term] = []
    for term in asked:
        most -= len(term.apart) or 1
        if most < 0 and taken:
            break
        taken.append(term)
    return taken


def _word(word: str, sign: str) -> Term | None:
    """A word with signs in it, such as an address, is its parts one after the other."""
    ways = _ways(word)
    number = _NUMBER.fullmatch(word)
    key = int(number[1]) if number else None
    if word.startswith("#") and number:
        return Term((), is_not=bool(sign), number=key)
    if number and len(word) >= _FEWEST_DIGITS:  # perhaps a number to be dialled
        ways = _each_once(*ways, (_digits(word),))
    return Term(ways, is_not=bool(sign), number=key) if ways else None


def _phrase(phrase: str, sign: str) -> Term | None:
    ways = _ways(phrase)
    if _PHONE.fullmatch(phrase.strip()) and _is_phone(phrase.strip()):
        ways = _each_once(*ways, (_digits(phrase),))
    return Term(ways, is_start=False, is_not=bool(sign)) if ways else None


def _ways(text: str) -> tuple[tuple[str, ...], ...]:
    """Its words one after the other; those of a number also as they are without its commas."""
    without_commas = _WITH_COMMAS.sub(lambda found: found[0].replace(",", ""), text)
    ways = (tuple(folding.words(each)[:MOST_WORDS]) for each in (text, without_commas))
    return _each_once(*ways)


def _each_once(*ways: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Those that ask for something: of zeros that are dialled before a number nothing is left."""
    return tuple(dict.fromkeys(way for way in ways if all(way) and way))


def _several(text: str, start: int, sign: str) -> tuple[Term, int] | None:
    """What is one thing there, though it may be written with spaces; and where it ends."""
    if found := _NUMBERED.match(text, start):
        return Term((("no", found[1]),), is_not=bool(sign)), found.end()
    return _phone(text, start, sign) or _brief(text, start, sign)


def _brief(text: str, start: int, sign: str) -> tuple[Term, int] | None:
    """“Brief 42”, as pages name it, or both of its words; and where it ends."""
    found = _BRIEF.match(text, start)
    if not found or sign:
        return None
    return Term((), number=int(found[1]), apart=_apart(found[0])), found.end()


def _phone(text: str, start: int, sign: str) -> tuple[Term, int] | None:
    """A phone number in groups, or else its groups as words, each anywhere; and where it ends.

    A minus would leave out what one reading finds and ask for what the other one does: so it is
    before a phone number only where that looks like one, and else before the first word.
    """
    found = _PHONE.match(text, start)
    if not found or not _is_phone(found[0]):
        return None
    number = found[0]
    if sign and not number.startswith(_DIALLED):
        return None
    ways = _each_once(tuple(folding.words(number)), (_digits(number),))
    is_certain = sign or number.startswith(_FROM_ABROAD)
    apart = () if is_certain else _apart(number)
    return Term(ways, is_not=bool(sign), apart=apart), found.end()


def _is_phone(text: str) -> bool:
    groups = folding.words(text)
    has_groups = 1 < len(groups) <= _MOST_GROUPS or text.startswith(_FROM_ABROAD)
    return has_groups and _FEWEST_DIGITS <= sum(map(len, groups)) <= _MOST_DIGITS


def _digits(text: str) -> str:
    """As the index has them, without 0 or 00, which are dialled before them."""
    digits = "".join(folding.words(text.replace(_NOT_FROM_ABROAD, "")))
    return digits.removeprefix("0").removeprefix("0")


def _apart(text: str) -> tuple[Term, ...]:
    """What it asks for if each word is meant by itself; none if it is a single one."""
    parts = text.split()
    words = [_PART.fullmatch(part) for part in parts]
    found = [_word(word[3], word[1]) for word in words if word and word[3]]
    asked = tuple(dict.fromkeys(term for term in found if term))
    return asked if len(parts) > 1 and any(not term.is_not for term in asked) else ()
