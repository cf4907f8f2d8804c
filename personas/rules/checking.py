"""What can be said of rules by reading them: in words, for the people who edit them.

Pure: no database. What is called impossible is so for every customer and event; what was only
seen in those that were looked at says so. Operators that are not known here are passed over.
"""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations
from typing import Protocol

from personas.models import SignalRule, privacy, shapes
from personas.models.conditions import (
    DATED,
    MEMBERS,
    NUMERIC,
    PATTERNS,
    WITHOUT_VALUE,
    Condition,
    MatchMode,
    Operator,
    fold,
)
from personas.models.dates import date_reading
from personas.models.numbers import number
from personas.rules.implications import (
    always_one,
    for_no_single_value,
    implies,
    never_together,
)
from personas.rules.matching import Facts

ENOUGH = 20  # looked at, before a field that resembles no other is called unknown
ALIKE = 0.75  # of a name must be the same
NAMED = 3  # rules by their names; of further ones only the number

Key = Callable[[str], Hashable]  # fields with the same key have the same value


class Rule(Protocol):
    name: str
    match: str

    @property
    def condition_list(self) -> Sequence[Condition]: ...


def by_role(roles: Mapping[str, list[str]]) -> Key:
    """For personas: a role and its only attribute are one field, in any case."""

    def key(field: str) -> Hashable:
        names = roles.get(field.strip().lower(), [field.strip()])
        return tuple(name.casefold() for name in names)

    return key


def of_event(field: str) -> Hashable:
    """For signal rules."""
    return field.strip()


def contradictions(rule: Rule, key: Key, takes: str) -> Iterator[str]:
    """Conditions that exclude each other, or of which one always holds.

    takes: what the rule does with whom it fits, such as “serves”; for the sentences.
    """
    for conditions in _by_field(rule, key):
        if rule.match == MatchMode.ALL and (words := _exclusion(conditions)):
            yield f"{words} “{rule.name}” {takes} nobody."
        elif rule.match == MatchMode.ANY and always_one(conditions):
            words = " or ".join(f"“{condition.words}”" for condition in conditions)
            yield f"{words}: one of these always holds, so “{rule.name}” {takes} everybody."


def _by_field(rule: Rule, key: Key) -> list[list[Condition]]:
    """The conditions that are about the same value."""
    grouped: dict[Hashable, list[Condition]] = {}
    for condition in rule.condition_list:
        grouped.setdefault(key(condition.field), []).append(condition)
    return list(grouped.values())


def _exclusion(conditions: list[Condition]) -> str:
    """That these can never hold together, and what follows; empty if they can."""
    for condition in conditions:
        if for_no_single_value([condition]):
            return f"“{condition.words}” never holds, so"
    for few in [*combinations(conditions, 2), conditions]:
        if len(few) < 2 or not for_no_single_value(few):
            continue
        words = " and ".join(f"“{condition.words}”" for condition in few)
        if never_together(few):
            return f"{words} never hold together, so"
        return (
            f"{words} hold together for no plain value, only for a list or an object; without "
            "such values"
        )
    return ""


def takes_everybody(rule: Rule, key: Key) -> bool:
    if not rule.condition_list:
        return True
    return rule.match == MatchMode.ANY and any(map(always_one, _by_field(rule, key)))


def is_followed_by(rule: Rule, other: Rule, key: Key) -> bool:
    """Whether the conditions of `other` hold wherever those of `rule` do."""

    def implied(one: Condition, another: Condition) -> bool:
        return key(one.field) == key(another.field) and implies(one, another)

    if takes_everybody(other, key):
        return True
    ones, others = rule.condition_list, other.condition_list
    if not ones:
        return False
    of_ones = any if rule.match == MatchMode.ALL else all
    if other.match == MatchMode.ALL:
        return all(of_ones(implied(one, another) for one in ones) for another in others)
    if rule.match == MatchMode.ALL:
        return any(implied(one, another) for one in ones for another in others)
    return all(any(implied(one, another) for another in others) for one in ones)


def covers(rule: SignalRule, other: SignalRule) -> bool:
    """Whether every kind of event that `other` is about is one that `rule` is about."""
    types = set(rule.object_type_list)
    return (
        set(other.metric_list) <= set(rule.metric_list)
        and (not types or (bool(other.object_types) and types >= set(other.object_type_list)))
        and rule.level in ("any", other.level)
    )


def takes_all_of(rule: Rule, later: Rule, key: Key) -> bool:
    """Whether `rule`, tried first, leaves nothing for `later`."""
    if isinstance(rule, SignalRule) and isinstance(later, SignalRule) and not covers(rule, later):
        return False
    return is_followed_by(later, rule, key)


def shadows(rule: Rule, order: Sequence[Rule], key: Key, takes: str) -> Iterator[str]:
    """Whether an earlier rule leaves nothing for this one, and for which later ones it does.

    order: all rules that are tried, this one among them, in their order.
    """
    names = [one.name for one in order]
    if rule.name not in names:
        return
    at = names.index(rule.name)
    if first := next((one for one in order[:at] if takes_all_of(one, rule, key)), None):
        yield (
            f"“{rule.name}” {takes} nobody: “{first.name}” comes before it and takes all that "
            "meets its conditions."
        )
    left = [
        one.name
        for place, one in enumerate(order[at + 1 :], at + 1)
        if takes_all_of(rule, one, key)
        and not any(takes_all_of(earlier, one, key) for earlier in order[:at])
    ]
    if left:
        yield f"“{rule.name}” takes all that would come to {_named(left)} after it."


def faults(order: Sequence[Rule], key: Key, takes: str) -> Iterator[str]:
    """All contradictions, and each rule for which an earlier one leaves nothing."""
    for at, rule in enumerate(order):
        yield from contradictions(rule, key, takes)
        yield from (words for words in shadows(rule, order[: at + 1], key, takes))


def _named(names: Sequence[str]) -> str:
    said = [f"“{name}”" for name in names[:NAMED]]
    if len(names) > NAMED:
        said.append(f"{len(names) - NAMED} more")
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"


def unseen(
    rule: Rule, looked_at: Sequence[Facts], known: Collection[str], key: Key, noun: str
) -> Iterator[str]:
    """Fields that none of those looked at has, and values that none of them has.

    known: fields that conditions may name. noun: `customers` or `events`.
    """
    keys = {key(name) for name in known}
    for field in dict.fromkeys(condition.field.strip() for condition in rule.condition_list):
        conditions = [
            condition
            for condition in rule.condition_list
            if condition.field.strip() == field and condition.operator in _KNOWN
        ]
        if not conditions or not looked_at:
            continue
        values = [value for facts in looked_at if (value := facts.find(field).value)]
        if values:
            yield from _unseen_values(conditions, values, noun)
        elif key(field) not in keys:
            yield from _unknown_field(field, len(looked_at), known, noun)


_KNOWN = (*MEMBERS, *NUMERIC, *DATED, *PATTERNS, *WITHOUT_VALUE, Operator.CONTAINS,
          Operator.NOT_CONTAINS)  # fmt: skip


def _unknown_field(field: str, count: int, known: Collection[str], noun: str) -> Iterator[str]:
    spelled = {fold(name): name for name in known}
    near = get_close_matches(fold(field), spelled, 1, ALIKE)
    said = f"None of the {count:,} {noun} looked at has “{field}”"
    if near:
        yield f"{said}. Did you mean “{spelled[near[0]]}”?"
    elif count >= ENOUGH:
        yield f"{said}."


def _unseen_values(
    conditions: Sequence[Condition], values: Sequence[str], noun: str
) -> Iterator[str]:
    parts = {part for value in values for part in (*shapes.parts(value), value)}
    folded = {fold(part): part for part in parts}
    if len(values) < ENOUGH:
        return
    said = f"of the {len(values):,} {noun} looked at that have one"
    for condition in conditions:
        if condition.operator in MEMBERS and condition.accepted.isdisjoint(folded):
            known = [] if privacy.identifies(condition.field) else list(folded)
            tried = (get_close_matches(one, known, 1, ALIKE) for one in sorted(condition.accepted))
            near = next(filter(None, tried), [])
            hint = f" Did you mean “{shapes.shown(folded[near[0]], 60)}”?" if near else ""
            yield f"“{condition.words}”: none {said} has such a value.{hint}"
        elif condition.operator in NUMERIC and not any(number(part) is not None for part in parts):
            yield f"“{condition.words}”: none {said} has a number there."
        elif condition.operator in DATED and not any(map(date_reading, parts)):
            yield f"“{condition.words}”: none {said} has a date there."
