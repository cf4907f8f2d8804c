"""Finds and takes out what names a person in the midst of a text, however it is spelled there.

Addresses, numbers and ids may stand in a URL, in JSON within a text, or in base64; with an accent
as one sign or as two. A number is found with and without what people write between its digits, and
as it is dialled within its country. A name is also found without its accents, and with the last
name first.
"""

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from briefs.finding.words import folding
from briefs.finding.words.documents import FEWEST_DIGITS
from webhooks.personal import Person, Wanted

ERASED = "[erased]"
_BEFORE = r"(?:(?<![\w])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\[nrtbf]))"
_AFTER = r"(?![\w])"
# `mary.ann@example.com` is somebody else than `ann@example.com`.
_BEFORE_ADDRESS = r"(?:(?<![\w.+-])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\[nrtbf]))"
_AFTER_ADDRESS = r"(?![^\W_]|[_-]+\w|\.\w)"
_SPACE = r"(?:\s|\+|%(?:25)*20|&nbsp;|\\u00a0)+"
_BETWEEN_DIGITS = (
    r"(?:[\s().\[\]/\-\u2010-\u2015\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
    r"|%(?:25)*[0-9A-Fa-f]{2}|&nbsp;|\\u00a0|\\u20[0-9a-f]{2}){0,3}"
)
_PLUS = r"(?:\+|%(?:25)*2[Bb]|00|&#43;|\\u002[bB])?" + _BETWEEN_DIGITS
_RUN = re.compile(r"[0-9A-Za-z]+")
SHORTEST_NUMBER = 6  # digits
SHORTEST_DIALLED = 7  # digits behind the 0 of a number within its country; without a 0 two more
# Country codes have one, two or three digits. https://www.itu.int/rec/T-REC-E.164
_COUNTRY = re.compile(r"[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[0-9]{3}")
# No further digit before, also behind a sign or two: then it is a number of another country.
_FIRST = r"(?<![0-9])" + "".join(rf"(?<![0-9]{signs})" for signs in (r"[\s()./-]", r"[\s()./-]{2}"))
# What people write in a name for the sign that is meant.
_ALIKE = {
    "-": (" ", "\u2010", "\u2011", "\u2013"), "'": ("\u2019",), "\u2019": ("'",), "ä": ("ae",),
    "ö": ("oe",), "ü": ("ue",), "ø": ("o", "oe"), "å": ("aa",), "đ": ("dj",),
}  # fmt: skip
# Scripts in which a name stands among other words without a space.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+")
SHORTEST_UNSPACED = 3  # signs of a name; two may be the beginning of many others
SHORTEST_BEGINNING = 3  # signs of a word that is being typed
NEARLY = 10  # signs by which a cut text may be shorter than its column: our words stand around it
SHORTEST_ID = 5  # signs; of digits alone two more


@dataclass(frozen=True, slots=True)
class Pattern:
    """What to look for: `likes` are cheap conditions for a database, `exactly` decides.

    cut: the beginning of it at the end of a text, which was cut to what its column holds.
    """

    likes: tuple[str, ...]
    exactly: re.Pattern[str] | None
    cut: re.Pattern[str] | None = None

    @classmethod
    def of(cls, person: Person) -> "Pattern":
        """All that names this person and nobody else."""
        likes, parts, ends = [], [], []
        for kind, values in person.identifiers.items():
            for value in sorted(values):
                if kind == "phone":
                    digits = _digits(value)
                    if len(digits) >= SHORTEST_NUMBER:
                        dialled = _dialled(value)
                        likes.append(_like(dialled or digits))
                        parts.append(_number(digits, dialled))
                elif kind == "email" or is_telling(value):
                    likes.append(_like(_RUN.findall(value)))
                    parts.append(_address(value) if kind == "email" else _word(value, kind))
                    parts += _in_base64(value)
                    ends.append(value)
        for name in sorted(person.names):
            for written in _orders(name):
                likes.append(_like(_RUN.findall(written)))
                parts.append(_name(written))
                ends.append(written)
        return cls(tuple(dict.fromkeys(likes)), _compiled(parts), _compiled(map(_cut, ends)))

    @classmethod
    def of_words(cls, person: Person) -> "Pattern":
        """Also what many others are called, for rows that are about this person."""
        return cls.of(person)._with(word for word in sorted(person.words) if len(word) > 2)

    @classmethod
    def each(cls, person: Person) -> "dict[Wanted, Pattern]":
        """By what of a person is wanted in a text."""
        every = {one for values in person.identifiers.values() for one in values}
        words = cls.of_words(person)._with(sorted(every))
        parts = {part for one in (*every, *person.words) for part in re.split(r"[\W_]+", one)}
        begun = sorted(part for part in parts if len(part) >= SHORTEST_BEGINNING)
        within = sorted(_within_numbers(person.identifiers.get("phone", ())))
        return {
            Wanted.NAMING: cls.of(person),
            Wanted.WORDS: words,
            Wanted.BEGINNINGS: words._or(
                (part[:SHORTEST_BEGINNING] for part in begun),
                (f"{_beginning(part, SHORTEST_BEGINNING, is_name=True)}{_AFTER}" for part in begun),
            )._or(map(" ".join, within), map(_BETWEEN_DIGITS.join, within)),
        }

    def _with(self, words: Iterable[str]) -> "Pattern":
        words = list(words)
        return self._or(words, map(_name, words))

    def _or(self, words: Iterable[str], further: Iterable[str]) -> "Pattern":
        """Also what has one of these parts; the database looks for the words."""
        parts = [self.exactly.pattern] if self.exactly else []
        likes = [_like(_RUN.findall(word)) for word in words]
        every = dict.fromkeys((*self.likes, *likes))
        return Pattern(tuple(every), _compiled([*parts, *further]), self.cut)

    def could_be_in(self, text: str) -> bool:
        """Quickly, whether `finds` may say yes: bodies of thousands of letters are searched."""
        small = text.lower()
        return any(all(run in small for run in like.lower().split("%")) for like in self.likes)

    def finds(self, text: str, longest: int | None = None) -> bool:
        """Whether the text names the person. `longest`: what its column holds."""
        is_there = self.exactly and self.exactly.search(text)
        return bool(is_there or (self._is_cut(text, longest) and self.cut.search(text)))  # type: ignore[union-attr]

    def _is_cut(self, text: str, longest: int | None) -> bool:
        return bool(self.cut and longest and is_cut(text, longest))


def without(value: Any, pattern: Pattern, longest: int | None = None) -> Any:
    """The text, or all texts within lists and objects, with ERASED in place of the person.

    longest: what the column of a text holds.
    """
    if pattern.exactly is None:
        return value
    if isinstance(value, str):
        if longest and pattern.cut and is_cut(value, longest):
            value = pattern.cut.sub(ERASED, value)
        return pattern.exactly.sub(ERASED, value)[:longest]
    if isinstance(value, list):
        return [without(one, pattern) for one in value]
    if isinstance(value, dict):
        return {without(key, pattern): without(one, pattern) for key, one in value.items()}
    return value


def is_cut(text: str, longest: int) -> bool:
    """Whether it may have been cut to what its column holds, perhaps before somebody was erased."""
    return len(text) >= longest - NEARLY or ERASED in text


def is_telling(identifier: str) -> bool:
    """Whether this id, found in a text, means this person: `42` may mean anything."""
    return len(identifier) >= SHORTEST_ID + 2 * identifier.isdigit()


def _compiled(parts: Iterable[str]) -> re.Pattern[str] | None:
    joined = "|".join(dict.fromkeys(parts))
    return re.compile(joined, re.IGNORECASE) if joined else None


def _like(runs: Iterable[str]) -> str:
    """A pattern of LIKE that finds every spelling, and more: whatever is between the runs."""
    return f"%{'%'.join(runs)}%"


def _digits(number: str) -> str:
    return "".join(_RUN.findall(number)).removeprefix("00")


def _within_numbers(numbers: Iterable[str]) -> set[str]:
    """As many digits one after the other as a search finds a number by, whichever they are."""
    every = [_digits(number) for number in numbers]
    return {
        digits[start : start + FEWEST_DIGITS]
        for digits in every
        for start in range(len(digits) - FEWEST_DIGITS + 1)
    }


def _dialled(number: str) -> str:
    """The digits that are dialled within the country; empty if the country is not known."""
    if not number.startswith(("+", "00")):
        return ""
    dialled = _COUNTRY.sub("", _digits(number), count=1)
    return dialled if len(dialled) >= SHORTEST_DIALLED else ""


def _number(digits: str, dialled: str) -> str:
    whole = rf"(?<![0-9]){_PLUS}{_BETWEEN_DIGITS.join(digits)}(?![0-9])"
    if not dialled:
        return whole
    rest = _BETWEEN_DIGITS.join(dialled)
    code = _BETWEEN_DIGITS.join(digits.removesuffix(dialled))
    zero = f"0{_BETWEEN_DIGITS}"
    with_both = rf"(?<![0-9]){_PLUS}{code}{_BETWEEN_DIGITS}{zero}{rest}(?![0-9])"
    may = "?" if len(dialled) >= SHORTEST_DIALLED + 2 else ""
    return rf"{whole}|{with_both}|{_FIRST}(?<!\+)(?:{zero}){may}{rest}(?![0-9])"


def _address(value: str) -> str:
    return f"{_BEFORE_ADDRESS}{_spelled(value)}{_AFTER_ADDRESS}"


def _word(value: str, kind: str = "") -> str:
    prefix = "(?:cio_)?" if kind == "cio_id" else ""
    return f"{_BEFORE}{prefix}{_spelled(value)}{_AFTER}"


def _name(value: str) -> str:
    """A name or a word that people write by heart."""
    if _UNSPACED.fullmatch(value):
        return _spelled(value, is_name=True)
    return f"{_BEFORE}{_spelled(value, is_name=True)}{_AFTER}"


def _orders(name: str) -> list[str]:
    """A full name, also with the last name first; none if it may be a single name."""
    words = name.split()
    if len(words) == 1:
        is_full = len(name) >= SHORTEST_UNSPACED and _UNSPACED.fullmatch(name)
        return [name] if is_full else []
    if len(words) > 2:
        return [name]
    first, last = words
    together = [f"{last}{first}"] if _UNSPACED.fullmatch(first + last) else []
    return [name, f"{last} {first}", f"{last}, {first}", *together]


def _cut(value: str) -> str:
    """Its first signs, at the end of a text."""
    return rf"{_beginning(value, SHORTEST_ID)}\Z"


def _beginning(value: str, least: int, *, is_name: bool = False) -> str:
    """The value or its first signs, as many as `least`."""
    signs = [_SPACE if sign.isspace() else _sign(sign, is_name) for sign in value]
    first, rest = signs[:least], signs[least:]
    nested = "".join(f"(?:{sign}" for sign in rest) + ")?" * len(rest)
    return f"{_BEFORE}{''.join(first)}{nested}"


def _spelled(value: str, *, is_name: bool = False) -> str:
    words = unicodedata.normalize("NFC", value).split()
    return _SPACE.join("".join(_sign(sign, is_name) for sign in word) for word in words)


def _sign(sign: str, is_name: bool = False) -> str:
    """One sign in all ways to write it."""
    if sign.isascii() and sign.isalnum():
        return sign
    forms = list(dict.fromkeys([sign, *_cases(sign)]))
    spelled = [way for form in forms for way in _ways(form)]
    if is_name:
        spelled += [re.escape(form) for form in _alike(sign.lower())]
    return f"(?:{'|'.join(dict.fromkeys(spelled))})"


def _alike(sign: str) -> Iterator[str]:
    """What may stand for it in a name: the letter without its accent, or another dash."""
    parts = unicodedata.normalize("NFKD", sign)
    yield "".join(one for one in parts if not unicodedata.combining(one)) or sign
    yield sign.casefold()
    yield "".join(folding.words(sign)) or sign  # as a search folds it
    yield from _ALIKE.get(sign, ())


def _cases(sign: str) -> Iterator[str]:
    for case in (sign, sign.lower(), sign.upper()):
        yield case
        yield unicodedata.normalize("NFD", case)


def _ways(form: str) -> Iterator[str]:
    yield re.escape(form)
    yield "".join(f"%(?:25)*{byte:02x}" for byte in form.encode())
    units = form.encode("utf-16-be").hex()
    yield "".join(rf"\\+u{units[at : at + 4]}" for at in range(0, len(units), 4))
    yield "".join(f"&#(?:x0*{ord(one):x}|0*{ord(one)});" for one in form)


def _in_base64(value: str) -> Iterator[str]:
    """The run of base64 that holds it, at each of the three places in a group of letters."""
    given = value.encode()
    for before in range(3):
        packed = base64.b64encode(b"\0" * before + given).decode().rstrip("=")
        first = (before * 8 + 5) // 6  # letters that hold bits of what is before
        spare = (before + len(given)) * 8 % 6  # bits that the last letter shares with what follows
        core = packed[first : len(packed) - bool(spare)]
        if len(core) >= SHORTEST_ID:
            exact = "".join(re.escape(sign) for sign in core)
            yield rf"(?-i:[\w+/=-]*{exact}[\w+/=-]*)"
