"""Reads numbers in the ways in which people and programs write them.

A text with one separator and three digits after it has two readings. A comma is then read as
separating thousands, and a point as a decimal point, as programs write it; beside a currency a
point separates thousands too, because money has no three decimals. Such a choice is shown.
"""

import math
import re
import unicodedata
from dataclasses import dataclass

LONGEST = 60  # characters: more is no number that somebody wrote

_SIGNS = {
    "\u2212": "-", "\u2013": "-", "\uff0d": "-", "\uff0b": "+", "\uff0c": ",", "\uff0e": ".",
    "\uff05": "%", "\u066a": "%", "\u066c": "'", "\u2019": "'", "\u02bc": "'",
}  # fmt: skip
_ARABIC_POINT = "\u066b"  # always before decimals
_CURRENCY = (
    r"(?:[A-Za-z]{0,3}[$\xa2-\xa5\u058f\u060b\u09f3\u0e3f\u20a0-\u20c0\uff04\uffe0\uffe1\uffe5\uffe6]"
    r"|(?i:kr|rs|lei|ft|z\u0142|k\u010d|aed|ars|aud|bgn|brl|cad|chf|clp|cny|cop|czk|dkk|egp|eur"
    r"|gbp|hkd|huf|idr|ils|inr|isk|jpy|kes|krw|mxn|myr|ngn|nok|nzd|pen|php|pln|ron|rmb|rub|sar"
    r"|sek|sgd|thb|try|twd|uah|usd|uyu|vnd|zar)\.?(?![A-Za-z]))"
)
_NUMBER = re.compile(
    rf"(?P<minus>[-+])? ?(?P<before>(?:{_CURRENCY} ?)*)(?P<inner>[-+])? ?"
    rf"(?P<core>[.,]?[0-9](?:[0-9.,'_ {_ARABIC_POINT}]*[0-9])?[.,]?)(?P<power>[eE][-+]?[0-9]+)?"
    rf"(?:(?<=[.,])-{{1,2}})? ?(?P<scale>[kKMB]|[bB][nN])?"
    rf" ?(?P<after>%|(?:{_CURRENCY} ?)*)"
)
_SCALES = {"k": 1e3, "m": 1e6, "b": 1e9, "bn": 1e9}
_SPACED = re.compile(r"([0-9]{1,3}(?:([ '_])[0-9]{3})(?:\2[0-9]{3})*)(?:([.,])([0-9]*))?")
_GROUPED = {
    # The first also as in India: 12,34,567.
    ",": re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"),
    ".": re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A number, and whether its text could be taken, or is written, in another way."""

    value: float
    other: float | None = None
    is_chosen: bool = False

    @property
    def words(self) -> str:
        """`read as 1,234, not 1.234`; empty where nobody would ask."""
        if not self.is_chosen:
            return ""
        other = "" if self.other is None else f", not {spelled(self.other)}"
        return f"read as {spelled(self.value)}{other}"


def number(text: str) -> float | None:
    """Read `1,200.50`, `1.200,50 €`, `4 200`, `$99`, `45%`, `1.2k`; None if it is no number.

    A percentage is the number before its sign. `k` is a thousand, `M` a million, `B` and `bn` a
    thousand million; a small `m` is none of them, because it may be months or minutes.
    """
    found = reading(text)
    return found.value if found else None


def reading(text: str) -> Reading | None:
    """Like `number`, with what else the text may have meant."""
    plain = " ".join(text.split())
    if len(plain) > LONGEST:
        return None
    if not plain.isascii():
        plain = "".join(_ascii(sign) for sign in plain)
    found = _NUMBER.fullmatch(plain)
    if not found or (found["minus"] and found["inner"]):
        return None
    scale = _SCALES[found["scale"].lower()] if found["scale"] else 1
    is_money = bool(found["before"] or found["after"].strip(" %")) and scale == 1
    read = (
        _power(found["core"], found["power"]) if found["power"] else _core(found["core"], is_money)
    )
    if not read:
        return None
    factor = scale * (-1 if "-" in (found["minus"], found["inner"]) else 1)
    value = read.value * factor
    if not math.isfinite(value):
        return None
    other = None if read.other is None else read.other * factor
    return Reading(value, other, read.is_chosen or scale != 1)


def spelled(value: float) -> str:
    """With commas between thousands and a point before decimals: `1,234.5`."""
    if abs(value) >= 1e15:
        return f"{value:g}"
    return f"{value:,.6f}".rstrip("0").rstrip(".")


def _ascii(sign: str) -> str:
    """Digits of all scripts, and the signs that are written between them."""
    digit = unicodedata.decimal(sign, None)
    return _SIGNS.get(sign, sign) if digit is None else str(digit)


def _power(core: str, power: str) -> Reading | None:
    """`1.5e3`, which only programs write: its point is a decimal point."""
    return Reading(float(core + power)) if re.fullmatch(r"[0-9.]+", core) and core.count(".") < 2 \
        else None  # fmt: skip


def _core(core: str, is_money: bool) -> Reading | None:
    """Read digits and what separates them."""
    if _ARABIC_POINT in core:
        whole, _, decimals = core.partition(_ARABIC_POINT)
        return Reading(float(f"{whole.replace(chr(39), '')}.{decimals}"), is_chosen=True) \
            if re.fullmatch(r"[0-9']+", whole) and decimals.isdecimal() else None  # fmt: skip
    if found := _SPACED.fullmatch(core):
        whole = found[1].replace(found[2], "")
        return Reading(float(f"{whole}.{found[4] or 0}"), is_chosen=found[3] == ",")
    if re.search("[ '_]", core):
        return None
    points, commas = core.count("."), core.count(",")
    if points and commas:
        return _both(core)
    if points + commas > 1:
        return _groups(core, "." if points else ",")
    if not points + commas:
        return Reading(float(core))
    return _one(core, "." if points else ",", is_money)


def _both(core: str) -> Reading | None:
    """Of commas and points, what stands last stands before decimals."""
    point = max(".,", key=core.rfind)
    mark = "," if point == "." else "."
    whole, _, decimals = core.rpartition(point)
    if not _GROUPED[mark].fullmatch(whole):
        return None
    return Reading(float(f"{whole.replace(mark, '')}.{decimals or 0}"), is_chosen=point == ",")


def _groups(core: str, mark: str) -> Reading | None:
    """What is there twice separates thousands."""
    if not _GROUPED[mark].fullmatch(core):
        return None
    return Reading(float(core.replace(mark, "")), is_chosen=mark == ".")


def _one(core: str, mark: str, is_money: bool) -> Reading:
    whole, _, after = core.partition(mark)
    decimal = float(f"{whole or 0}.{after or 0}")
    if len(after) != 3 or not 1 <= len(whole) <= 3 or whole.startswith("0"):
        return Reading(decimal, is_chosen=mark == ",")
    thousands = float(whole + after)
    if mark == "," or is_money:
        return Reading(thousands, other=decimal, is_chosen=True)
    return Reading(decimal, other=thousands, is_chosen=True)
