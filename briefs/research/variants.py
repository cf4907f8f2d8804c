"""Which facts a question can say of a persona's customers, told from its conditions alone.

Tries, for each attribute, one value of every sort that the conditions tell apart. Values of
different attributes combine freely, so their sorts multiply and no customer need be made up.
Pure: no database.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from personas.models import privacy
from personas.models.conditions import NUMERIC, Condition, MatchMode, Operator, fold, number
from personas.rules.matching import Found, Holding, holds

MOST_WORDS = 10  # in “contains”: every combination of them is tried

_MEMBERS = (Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN)
_CONTAINED = (Operator.CONTAINS, Operator.NOT_CONTAINS)
_OTHER = "\ue000"  # in nobody's words


@dataclass(frozen=True, slots=True)
class Variants:
    """How many lists of facts there are, and two of them. Not exact: there may be fewer."""

    number: int
    is_exact: bool
    example: list[str]
    longest: list[str]


@dataclass(frozen=True, slots=True)
class _Said:
    """What one sort of value lets the question say: of two conditions on a value, the first.

    place: of the last condition that holds, by which facts are ordered.
    """

    words: str
    place: int
    is_all: bool


@dataclass(frozen=True, slots=True)
class _Attribute:
    """The conditions on one attribute with their places, and the names it may have."""

    names: frozenset[str]
    conditions: tuple[tuple[int, Condition], ...]

    def also(self, other: "_Attribute") -> "_Attribute":
        both = sorted([*self.conditions, *other.conditions], key=lambda item: item[0])
        return _Attribute(self.names & other.names, tuple(both))


def variants(
    conditions: Iterable[Condition], match: str, roles: Mapping[str, list[str]]
) -> Variants:
    """Count the lists of facts that customers can have whom these conditions pick.

    Not exact where two fields may be one attribute, where numbers mix with parts of words, and
    where words are left out because they would say who a customer is.
    Whom an earlier persona takes is not known here.
    """
    conditions = list(conditions)
    attributes = _attributes(conditions, roles)
    says_all = not any(privacy.found(condition.words) for condition in conditions)
    says_all &= not any(privacy.identifies(name) for one in attributes for name in one.names)
    readings = list(_readings(attributes))
    counted = [_count(reading, match) for reading in readings]
    possible = [one for one in counted if one.number] or counted
    return Variants(
        sum(one.number for one in counted),
        len(counted) == 1 and counted[0].is_exact and says_all,
        possible[0].example,
        max((one.longest for one in possible), key=lambda facts: len("; ".join(facts))),
    )


def _attributes(
    conditions: Iterable[Condition], roles: Mapping[str, list[str]]
) -> list[_Attribute]:
    """Conditions on one field, however it is spelled, speak of one attribute."""
    grouped: dict[tuple[str, ...], list[tuple[int, Condition]]] = {}
    for place, condition in enumerate(conditions):
        field = condition.field.strip()
        names = tuple(roles.get(field.lower(), [field]))
        grouped.setdefault(names, []).append((place, condition))
    return [
        _Attribute(frozenset(name.casefold() for name in names), tuple(group))
        for names, group in grouped.items()
    ]


def _readings(attributes: list[_Attribute]) -> Iterator[list[_Attribute]]:
    """Every way in which two fields may turn out to be one attribute; mostly there is one way."""
    if not attributes:
        yield []
        return
    first, rest = attributes[0], attributes[1:]
    for reading in _readings(rest):
        yield [first, *reading]
        for at, other in enumerate(reading):
            if first.names & other.names:
                yield [*reading[:at], first.also(other), *reading[at + 1 :]]


def _count(attributes: list[_Attribute], match: str) -> Variants:
    tried = [_sayable([condition for _, condition in one.conditions]) for one in attributes]
    said = [
        _placed(sorts, [place for place, _ in one.conditions])
        for one, (sorts, _) in zip(attributes, tried, strict=True)
    ]
    if match == MatchMode.ALL:
        said = [[item for item in items if item and item.is_all] for items in said]
        figure = math.prod(len({item.words for item in items if item}) for items in said)
    else:
        figure = _any_of(said)
    exact = all(is_exact for _, is_exact in tried)
    if not figure:
        return Variants(0, exact, [], [])
    return Variants(figure, exact, _example(said), _longest(said))


def _placed(sorts: list[_Said | None], places: list[int]) -> list[_Said | None]:
    return [item and _Said(item.words, places[item.place], item.is_all) for item in sorts]


def _any_of(said: list[list[_Said | None]]) -> int:
    """Lists with at least one fact. The same words in another order are another question."""
    if not said:
        return 1
    sorts = [_by_places(items) for items in said]
    figure = 0
    for combination in product(*(one.items() for one in sorts)):
        alike = math.prod(many for _, many in combination)
        figure += alike * len({_order(places) for places in product(*(p for p, _ in combination))})
    return figure - all(None in items for items in said)


def _by_places(items: list[_Said | None]) -> Counter[frozenset[int | None]]:
    """How many words can be said at the same places; None stands for saying nothing."""
    places: dict[str | None, set[int | None]] = {}
    for item in items:
        words, place = (item.words, item.place) if item else (None, None)
        places.setdefault(words, set()).add(place)
    return Counter(frozenset(one) for one in places.values())


def _order(places: Sequence[int | None]) -> tuple[int, ...]:
    said = [(place, at) for at, place in enumerate(places) if place is not None]
    return tuple(at for _, at in sorted(said))


def _example(said: list[list[_Said | None]]) -> list[str]:
    """The first attribute's first fact, and of the others as little as can be."""
    chosen = [items[0] if at == 0 or None not in items else None for at, items in enumerate(said)]
    if not any(chosen):
        return _longest(said)
    return _in_order(chosen)


def _longest(said: list[list[_Said | None]]) -> list[str]:
    return _in_order(max(items, key=lambda item: len(item.words) if item else 0) for items in said)


def _in_order(chosen: Iterable[_Said | None]) -> list[str]:
    spoken = [item for item in chosen if item]
    return [item.words for item in sorted(spoken, key=lambda item: item.place) if item.words]


def _sayable(conditions: list[Condition]) -> tuple[list[_Said | None], bool]:
    """What the values of one attribute let the question say, and whether nothing else can be."""
    parts = {condition.folded for condition in conditions if condition.operator in _CONTAINED}
    has_figures = any(condition.operator in NUMERIC for condition in conditions)
    if len(parts) > MOST_WORDS or (parts and has_figures):
        return list(dict.fromkeys(_anything(conditions))), False
    return list(dict.fromkeys(_say(conditions, value) for value in _values(conditions))), True


def _say(conditions: list[Condition], value: str) -> _Said | None:
    held = [at for at, condition in enumerate(conditions) if holds(condition, value)]
    if not held:
        return None
    words = Holding(conditions[held[0]], Found("", value)).question_words
    return _Said(words, held[-1], len(held) == len(conditions))


def _values(conditions: list[Condition]) -> Iterator[str]:
    """One value of every sort that the conditions tell apart."""
    members = [
        member
        for condition in conditions
        if condition.operator in _MEMBERS
        for member in _members(condition)
    ]
    yield from members
    parts = sorted({c.folded for c in conditions if c.operator in _CONTAINED})
    for size in range(1, len(parts) + 1):
        for chosen in combinations(parts, size):
            yield _OTHER + _OTHER.join(chosen)
    yield from _figures(conditions, {fold(member) for member in members})
    yield _OTHER
    yield ""


def _members(condition: Condition) -> list[str]:
    listed = condition.operator in (Operator.IN, Operator.NOT_IN)
    return condition.values if listed else [condition.value]


def _figures(conditions: list[Condition], members: set[str]) -> Iterator[str]:
    """Each limit and what lies right beside it, spelled as no member of a list is."""
    for condition in conditions:
        limit = number(condition.value) if condition.operator in NUMERIC else None
        if limit is None:
            continue
        for figure in (limit, math.nextafter(limit, -math.inf), math.nextafter(limit, math.inf)):
            spelled = f"${figure!r}"
            while fold(spelled) in members:
                spelled = f"${spelled}"
            yield spelled


def _anything(conditions: list[Condition]) -> Iterator[_Said | None]:
    """Whatever could be said if every condition held or not as it liked."""
    last = len(conditions) - 1
    for at, condition in enumerate(conditions):
        for words in _all_words(condition):
            yield from (_Said(words, place, False) for place in range(at, last + 1))
            if at == 0:
                yield _Said(words, last, True)
    yield None


def _all_words(condition: Condition) -> list[str]:
    if condition.operator != Operator.IN:
        return [Holding(condition, Found("", "")).question_words]
    return [Holding(condition, Found("", value)).question_words for value in condition.values]
