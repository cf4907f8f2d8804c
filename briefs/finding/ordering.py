"""By what lists of briefs are sorted: the columns of the inbox, and what programs also ask for.

In the address it is `ordering=persona`, and `ordering=-persona` for the other direction. Rows
without a value come last either way. Rows that are equal come by urgency, and newest first in the
archive, the list of all briefs, where nearly every brief is closed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Case, F, IntegerField, Model, OrderBy, Q, Value, When
from django.db.models.functions import Coalesce, Concat, Lower, Trim

from briefs.finding.tabs import ARCHIVE
from briefs.models import Brief
from briefs.models.queryset import IS_OPEN, BriefQuerySet
from personas.models import Persona, SignalKind, names

NAME = "ordering"
NEWEST = ("-created_at", "-pk")
MOST_PLACES = 100  # of more names each row is asked for its own


@dataclass(frozen=True, slots=True)
class Named:
    """The name of what a column refers to, such as of its persona."""

    column: str
    model: type[Model]
    name: Callable[[str], Any]  # the expression by which it is sorted; with the prefix for its rows

    def expression(self, in_parts: bool) -> Any:
        """`in_parts`: the list is read part by part, and names stay while numbers may change.

        Otherwise the few names are numbered in their order: without the name of each row PostgreSQL
        sorts 200,000 of them in half the time.
        """
        of_each = self.name(f"{self.column}__")
        if in_parts:
            return of_each
        rows = self.model._default_manager.annotate(called=self.name("")).order_by("called")
        named = list(rows.values_list("called", "pk")[: MOST_PLACES + 1])
        if not 0 < len(named) <= MOST_PLACES:
            return of_each
        place = {called: n for n, called in enumerate(dict(named))}
        return _places(self.column, {key: place[called] for called, key in named})


@dataclass(frozen=True, slots=True)
class Ordering:
    # The smallest first. A name is a column that is never empty: it is sorted as an index is, and
    # PostgreSQL uses none for “nulls last”.
    by: tuple[Any, ...] = ()  # names, expressions, Named
    personal: tuple[Any, ...] = ()  # and then by these, which say or quote who a customer is
    first: str = ""  # “-”: the first click on the column shows the largest first
    is_turned: bool = False  # the smallest age is the latest moment
    is_filled: bool = False  # the expressions too are never empty

    def columns(self, is_down: bool, in_parts: bool, is_personal: bool) -> Iterator[Any]:
        for one in (*self.by, *(self.personal if is_personal else ())):
            if isinstance(one, str):
                yield f"-{one}" if is_down else one
                continue
            by = one.expression(in_parts) if isinstance(one, Named) else one
            yield OrderBy(by, descending=is_down, nulls_last=None if self.is_filled else True)


def _places(column: str, places: Mapping[Any, int]) -> Case:
    """The place of the column's value, empty for any other: the first ones are found soonest."""
    whens = (When(**{column: value}, then=Value(place)) for value, place in places.items())
    return Case(*whens, output_field=IntegerField())


def _user_name(prefix: str) -> Any:
    both = Trim(Concat(f"{prefix}first_name", Value(" "), f"{prefix}last_name"))
    return Lower(Coalesce(names.filled(both), F(f"{prefix}username")))


_LABELS = sorted(str(kind.label) for kind in SignalKind)
_SIGNALS = {kind.value: _LABELS.index(str(kind.label)) for kind in SignalKind}
_RESEARCH = {Brief.Basis.NEW: 0, Brief.Basis.SHARED: 1, Brief.Basis.PLAYBOOK: 2}
# A further column is one line here.
ORDERINGS: dict[str, Ordering] = {
    "priority": Ordering(("priority",), first="-"),
    "customer": Ordering(personal=(names.shown("customer__"),), is_filled=True),
    "signal": Ordering((_places("kind", _SIGNALS),), personal=("detail",)),
    "persona": Ordering((Named("persona", Persona, lambda prefix: Lower(f"{prefix}name")),)),
    "value": Ordering(("value_sort",), first="-"),
    "plan": Ordering((names.filled(Lower("plan")),)),
    "research": Ordering((_places("basis", _RESEARCH),)),
    "assignee": Ordering((Named("assignee", get_user_model(), _user_name),)),
    "age": Ordering(("created_at",), first="-", is_turned=True),
    "due": Ordering((F("due_at"),)),
    "closed": Ordering((F("closed_at"),), first="-"),
    # By the names of the fields, for programs.
    "created_at": Ordering(("created_at",)),
    "happened_at": Ordering(("happened_at",)),
    "researched_at": Ordering((F("researched_at"),)),
    "closed_at": Ordering((F("closed_at"),)),
    "id": Ordering(("id",)),
}


IS_DUE = IS_OPEN & Q(due_at__isnull=False)
# What is sorted in another way in the list of one state.
_AMONG: dict[str, dict[str, Ordering]] = {
    Brief.State.CLOSED: {  # a closed brief is never without the moment of it
        "closed": Ordering(("closed_at",), first="-"),
        "closed_at": Ordering(("closed_at",)),
    },
    ARCHIVE: {  # of a closed brief no row says when it was due
        "due": Ordering((Case(When(IS_DUE, then=F("due_at"))),)),
    },
}


def is_known(word: str) -> bool:
    return word.removeprefix("-") in ORDERINGS


def tells_who(word: str) -> bool:
    """Whether this known word sorts by nothing but who the customers are."""
    return not ORDERINGS[word.removeprefix("-")].by


def ordered(
    briefs: BriefQuerySet,
    *words: str,
    state: str = "",
    at: datetime | None = None,
    is_personal: bool = True,
) -> BriefQuerySet:
    """Sorted by these known words, the first one first.

    `state`: that of the list, by which it is decided which of two equal rows comes first.
    `at`: as for `by_urgency`; all parts of a list that is read in parts have the same, and one that
    is read at once has none.
    `is_personal`: False leaves out what says who a customer is, for readers of thousands of rows
    who may not read that: the order alone would tell it.
    """
    by = [
        column
        for word in words
        for column in columns(word, state, in_parts=at is not None, is_personal=is_personal)
    ]
    if state == ARCHIVE:
        return briefs.order_by(*by, *NEWEST)
    return briefs.by_urgency(*by, at=at)


def columns(
    word: str, state: str = "", *, in_parts: bool = False, is_personal: bool = True
) -> Iterator[Any]:
    """By what this word sorts the list of this state: names and `OrderBy`.

    `in_parts`: the list is read part by part, and what decides has to stay.
    """
    name = word.removeprefix("-")
    ordering = _AMONG.get(state, {}).get(name) or ORDERINGS[name]
    return ordering.columns(word.startswith("-") != ordering.is_turned, in_parts, is_personal)


def next_word(name: str, present: str) -> str:
    """What a click on this column asks for: the other direction if it is sorted by it already."""
    if present.removeprefix("-") == name:
        return name if present.startswith("-") else f"-{name}"
    return ORDERINGS[name].first + name
