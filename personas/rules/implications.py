"""What conditions say of each other: whether one follows from another, whether they exclude it.

Pure and conservative: where nothing is known, as of an operator that is not listed here, nothing is
claimed. A value that is a list meets a condition if one of its members does, so “more than 10” and
“less than 5” can both hold, for a list. A negation holds if no member meets its positive.
"""

import math
import re
from collections.abc import Iterator, Sequence

from personas.models.conditions import (
    DATED,
    DAYS,
    MEMBERS,
    NUMERIC,
    SEGMENTS,
    UNFILLED,
    Condition,
    Operator,
)
from personas.models.dates import DateReading
from personas.rules.matching import holds

_OPPOSITE: dict[str, str] = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_EXISTS: Operator.EXISTS,
    Operator.NOT_MATCHES: Operator.MATCHES,
}
_UNREAD = (*DATED, Operator.MATCHES)  # of which no single word says whether it fits
_POSITIVE = (Operator.EQUALS, Operator.IN, Operator.CONTAINS, Operator.EXISTS, *NUMERIC, *_UNREAD)
_PLAIN_NUMBER = re.compile(r"[-+]?[0-9.,]+")  # which no change of case makes another one
_LARGEST = 1e300


def implies(one: Condition, other: Condition) -> bool:
    """Whether `other` holds for every value for which `one` does; False where it is not known.

    Both must be about the same value.
    """
    if one.operator == other.operator and one.value.strip() == other.value.strip():
        return True
    if one.operator in UNFILLED:
        return _is_negation(other)
    if _is_negation(one) and _is_negation(other):
        return _is_within(other, one)
    if _is_negation(one) or _is_negation(other):
        return False
    return _is_within(one, other)


def never_together(conditions: Sequence[Condition]) -> bool:
    """Whether no value, not even a list, meets all of these. All must be about the same value."""
    negations = [condition for condition in conditions if _is_negation(condition)]
    unfilled = {condition.operator for condition in conditions if condition.operator in UNFILLED}
    if len(unfilled) > 1 or (unfilled and any(c.operator in _POSITIVE for c in conditions)):
        return True
    within, without = (
        {c.folded for c in conditions if c.operator == operator} for operator in SEGMENTS
    )
    if within & without:
        return True
    return any(
        any(_is_within(positive, negation) for negation in negations)
        or _is_used_up(positive, negations)
        for positive in conditions
        if positive.operator in _POSITIVE
    )


def for_no_single_value(conditions: Sequence[Condition]) -> bool:
    """Whether no plain value meets all of these, which are about the same value.

    A list or an object still may, unless they are also `never_together`.
    """
    if never_together(conditions):
        return True
    equal = [c.accepted for c in conditions if c.operator in (Operator.EQUALS, Operator.IN)]
    if equal:
        words = frozenset.intersection(*equal)
        return not any(all(_may_meet(word, one) for one in conditions) for word in words)
    ranges = [condition for condition in conditions if _is_range(condition)]
    is_without_number = bool(ranges) and not any(
        all(holds(condition, figure) for condition in ranges) for figure in _figures(ranges)
    )
    return is_without_number or _is_without_date(conditions)


def _is_without_date(conditions: Sequence[Condition]) -> bool:
    """Whether no date meets all of these."""

    def limits(operator: Operator) -> list[float]:
        return [c.limit for c in conditions if c.operator == operator and c.limit is not None]

    older, newer = limits(Operator.OLDER), limits(Operator.NEWER)
    soon = limits(Operator.SOON)
    if newer and min(newer) <= 0:
        return True
    if older and ((soon and max(older) >= 0) or (newer and max(older) >= min(newer))):
        return True
    before, after = (
        [c.date for c in conditions if c.operator == operator and c.date is not None]
        for operator in (Operator.BEFORE, Operator.AFTER)
    )
    return any(_is_not_after(end, begin) for end in before for begin in after)


def _is_not_after(end: DateReading, begin: DateReading) -> bool:
    """Whether no date lies before the one and after the other."""
    if end.is_day or begin.is_day:
        return end.day <= begin.day
    return end.moment <= begin.moment


def always_one(conditions: Sequence[Condition]) -> bool:
    """Whether every value meets one of these at least. All must be about the same value."""
    return any(
        _is_within(negation, positive)
        for negation in conditions
        for positive in conditions
        if _is_negation(negation) and positive.operator in _POSITIVE
    )


def _is_range(condition: Condition) -> bool:
    return condition.operator in NUMERIC and condition.limit is not None


def _is_negation(condition: Condition) -> bool:
    return condition.operator in _OPPOSITE


def _operator(condition: Condition) -> str:
    """Of a negation that of its positive."""
    return _OPPOSITE.get(condition.operator, condition.operator)


def _is_within(one: Condition, other: Condition) -> bool:
    """Whether each text that fits `one` fits `other` too; a negation stands for its positive."""
    narrow, wide = _operator(one), _operator(other)
    if narrow not in _POSITIVE or wide not in _POSITIVE:
        return False
    if wide == Operator.EXISTS:
        return True
    if narrow in MEMBERS:
        return all(_fits(word, other) for word in one.accepted)
    if narrow == wide == Operator.CONTAINS:
        return other.folded in one.folded
    if narrow == wide == Operator.MATCHES:
        return one.value.strip() == other.value.strip()
    if narrow == wide and narrow in DATED:
        return _is_dated_within(one, other)
    if _is_range(one) and _is_range(other):
        return all(holds(other, figure) for figure in _figures([one, other]) if holds(one, figure))
    return False


def _is_dated_within(one: Condition, other: Condition) -> bool:
    """The same for two conditions with the same operator, which compare dates."""
    if one.operator in DAYS:
        if one.limit is None or other.limit is None:
            return False
        longer, shorter = sorted((one.limit, other.limit), reverse=True)
        return one.limit == (longer if one.operator == Operator.OLDER else shorter)
    if one.date is None or other.date is None or one.date.is_day is not other.date.is_day:
        return False  # of a day and a moment in it, which is narrower depends on the value
    if one.operator == Operator.BEFORE:
        return one.date.moment <= other.date.moment
    return one.date.moment >= other.date.moment


def _is_used_up(positive: Condition, negations: Sequence[Condition]) -> bool:
    """Whether the negations exclude every value that the condition accepts."""
    return positive.operator in MEMBERS and all(
        any(_fits(word, negation) for negation in negations) for word in positive.accepted
    )


def _fits(word: str, condition: Condition) -> bool:
    """Whether every text that folds to this word fits; a negation stands for its positive."""
    operator = _operator(condition)
    if operator in MEMBERS:
        return word in condition.accepted
    if operator == Operator.CONTAINS:
        return condition.folded in word
    if operator in NUMERIC:
        return bool(_PLAIN_NUMBER.fullmatch(word)) and holds(condition, word)
    return operator == Operator.EXISTS


def _may_meet(word: str, condition: Condition) -> bool:
    """Whether some text that folds to this word may meet the condition."""
    operator = _operator(condition)
    if operator not in _POSITIVE or operator in _UNREAD:
        return True
    if _is_negation(condition):
        return not _fits(word, condition)
    if operator in NUMERIC:
        is_known = _PLAIN_NUMBER.fullmatch(word) or not any(sign.isdecimal() for sign in word)
        return not is_known or holds(condition, word)
    return _fits(word, condition)


def _figures(conditions: Sequence[Condition]) -> Iterator[str]:
    """Numbers of every kind that these conditions distinguish: see `briefs.research.variants`."""
    for limit in (*(condition.limit for condition in conditions), -_LARGEST, _LARGEST):
        if limit is None:
            continue
        for figure in (limit, math.nextafter(limit, -math.inf), math.nextafter(limit, math.inf)):
            yield f"${figure:.17e}"  # so written, it has one reading
