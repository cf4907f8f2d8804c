"""Which facts a question can say of a persona's customers, told from its conditions alone.

For each attribute it tries one value of every kind that the conditions distinguish. A value of one
attribute may come with any value of another, so the numbers of kinds are multiplied. Of lists it
tries none, although a list may meet conditions that exclude each other. Pure: no database.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from personas.models import privacy
from personas.models.attributes import Found
from personas.models.conditions import (
    BOOLEAN_WORDS,
    DATED,
    LISTED,
    MEMBERS,
    NUMERIC,
    PATTERNS,
    SEGMENTS,
    UNFILLED,
    Condition,
    MatchMode,
    Operator,
    fold,
)
from personas.rules.matching import Holding, holds

MOST_WORDS = 10  # of “contains” conditions: all combinations of their words are tried

_CONTAINED = (Operator.CONTAINS, Operator.NOT_CONTAINS)
_UNTRIED = (*DATED, *PATTERNS, *SEGMENTS, *UNFILLED)  # no value of every kind can be made up
_OTHER = "\ue000"  # a character that no condition contains


@dataclass(frozen=True, slots=True)
class Variants:
    """How many lists of facts there are, and two examples. If not exact, there may be fewer."""

    number: int
    is_exact: bool
    example: list[str]
    longest: list[str]


@dataclass(frozen=True, slots=True)
class _Said:
    """The fact that the question says for one kind of value: that of the first condition it meets.

    place: of the last condition that the value meets; facts are in the order of their places.
    is_all: whether the value meets all conditions on its attribute.
    """

    words: str
    place: int
    is_all: bool


@dataclass(frozen=True, slots=True)
class _Attribute:
    """One attribute: the names it may have, and the conditions on it with their places."""

    names: frozenset[str]
    conditions: tuple[tuple[int, Condition], ...]

    def merged_with(self, other: "_Attribute") -> "_Attribute":
        both = sorted([*self.conditions, *other.conditions], key=lambda item: item[0])
        return _Attribute(self.names & other.names, tuple(both))


def variants(
    conditions: Iterable[Condition], match: str, roles: Mapping[str, list[str]]
) -> Variants:
    """Count the lists of facts of all customers that these conditions can pick.

    Not exact if two fields may be one attribute, if an attribute has conditions both on numbers and
    on parts of words, if one asks for a date, a pattern, a segment or emptiness, or if words are
    left out because they would say who a customer is. Customers whom an earlier persona takes are
    counted too.
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
    """The attributes of the conditions: those on one field, in any spelling, are about one."""
    grouped: dict[tuple[str, ...], list[tuple[int, Condition]]] = {}
    for place, condition in enumerate(conditions):
        is_of_segment = condition.operator in SEGMENTS
        field = f"segment {condition.folded}" if is_of_segment else condition.field.strip()
        names = tuple(roles.get(field.lower(), [field]))
        grouped.setdefault(names, []).append((place, condition))
    return [
        _Attribute(frozenset(name.casefold() for name in names), tuple(group))
        for names, group in grouped.items()
    ]


def _readings(attributes: list[_Attribute]) -> Iterator[list[_Attribute]]:
    """All ways in which fields may be one and the same attribute; mostly there is one way."""
    if not attributes:
        yield []
        return
    first, rest = attributes[0], attributes[1:]
    for reading in _readings(rest):
        yield [first, *reading]
        for at, other in enumerate(reading):
            if first.names & other.names:
                yield [*reading[:at], first.merged_with(other), *reading[at + 1 :]]


def _count(attributes: list[_Attribute], match: str) -> Variants:
    tried = [_facts([condition for _, condition in one.conditions]) for one in attributes]
    said = [  # with places among all conditions, not among those on the attribute
        [s and _Said(s.words, one.conditions[s.place][0], s.is_all) for s in kinds]
        for one, (kinds, _) in zip(attributes, tried, strict=True)
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


def _any_of(said: list[list[_Said | None]]) -> int:
    """How many lists have at least one fact. Another order of the same facts is another list."""
    if not said:
        return 1
    figure = 0
    for combination in product(*(_by_places(items).items() for items in said)):
        alike = math.prod(many for _, many in combination)
        figure += alike * len({_order(places) for places in product(*(p for p, _ in combination))})
    return figure - all(None in items for items in said)


def _by_places(items: list[_Said | None]) -> Counter[frozenset[int | None]]:
    """How many facts can be said at the same places; None: no fact is said."""
    places: dict[str | None, set[int | None]] = {}
    for item in items:
        words, place = (item.words, item.place) if item else (None, None)
        places.setdefault(words, set()).add(place)
    return Counter(frozenset(one) for one in places.values())


def _order(places: Sequence[int | None]) -> tuple[int, ...]:
    """In which order the attributes with these places are said; None is not said."""
    said = [(place, at) for at, place in enumerate(places) if place is not None]
    return tuple(at for _, at in sorted(said))


def _example(said: list[list[_Said | None]]) -> list[str]:
    """The first attribute's first fact, and a fact of another only if it always has one."""
    chosen = [items[0] if at == 0 or None not in items else None for at, items in enumerate(said)]
    if not any(chosen):
        return _longest(said)
    return _in_order(chosen)


def _longest(said: list[list[_Said | None]]) -> list[str]:
    return _in_order(max(items, key=lambda item: len(item.words) if item else 0) for items in said)


def _in_order(chosen: Iterable[_Said | None]) -> list[str]:
    spoken = [item for item in chosen if item]
    return [item.words for item in sorted(spoken, key=lambda item: item.place) if item.words]


def _facts(conditions: list[Condition]) -> tuple[list[_Said | None], bool]:
    """The facts of one attribute's values, and whether exactly these are possible."""
    parts = {condition.folded for condition in conditions if condition.operator in _CONTAINED}
    has_figures = any(condition.operator in NUMERIC for condition in conditions)
    is_untried = any(condition.operator in _UNTRIED for condition in conditions)
    if is_untried or len(parts) > MOST_WORDS or (parts and has_figures):
        return list(dict.fromkeys(_upper_bound(conditions))), False
    return list(dict.fromkeys(_fact(conditions, value) for value in _values(conditions))), True


def _fact(conditions: list[Condition], value: str) -> _Said | None:
    """What is said of this value; None if it meets no condition."""
    held = [at for at, condition in enumerate(conditions) if holds(condition, value)]
    if not held:
        return None
    words = Holding(conditions[held[0]], Found("", value)).question_words
    return _Said(words, held[-1], len(held) == len(conditions))


def _values(conditions: list[Condition]) -> Iterator[str]:
    """One value of every kind that the conditions distinguish."""
    members = []
    for condition in conditions:
        if condition.operator in LISTED:
            members += condition.values
        elif condition.operator in MEMBERS:
            members.append(condition.single)
    yield from members
    if not {fold(member) for member in members}.isdisjoint(BOOLEAN_WORDS):
        yield from BOOLEAN_WORDS  # each is equal to some of the others
    parts = sorted({c.folded for c in conditions if c.operator in _CONTAINED})
    for size in range(1, len(parts) + 1):
        for chosen in combinations(parts, size):
            yield _OTHER + _OTHER.join(chosen)
    yield from _figures(conditions, {fold(member) for member in members})
    yield _OTHER
    yield ""


def _figures(conditions: list[Condition], members: set[str]) -> Iterator[str]:
    """Each limit and the next numbers on both sides, in a spelling that no list contains."""
    for condition in conditions:
        limit = condition.limit if condition.operator in NUMERIC else None
        if limit is None:
            continue
        for figure in (limit, math.nextafter(limit, -math.inf), math.nextafter(limit, math.inf)):
            spelled = f"${figure:.17e}"  # so written, it has one reading
            while fold(spelled) in members:
                spelled = f"${spelled}"
            yield spelled


def _upper_bound(conditions: list[Condition]) -> Iterator[_Said | None]:
    """All facts that would be possible if the conditions did not depend on each other."""
    last = len(conditions) - 1
    for at, condition in enumerate(conditions):
        listed = condition.values if condition.operator == Operator.IN else [""]
        for value in listed:
            words = Holding(condition, Found("", value)).question_words
            yield from (_Said(words, place, False) for place in range(at, last + 1))
            if at == 0:
                yield _Said(words, last, True)
    yield None
