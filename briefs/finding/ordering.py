"""By what lists of briefs are sorted: the columns of the inbox, and what programs also ask for.

In the address it is `ordering=persona`, and `ordering=-persona` for the other direction. Rows
without a value come last either way; rows that are equal come by urgency.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, F, OrderBy, Value, When
from django.db.models.functions import Coalesce, Concat, Lower, Trim

from briefs.models import Brief
from briefs.models.queryset import BriefQuerySet
from personas.models import SignalKind, names

NAME = "ordering"


@dataclass(frozen=True, slots=True)
class Ordering:
    # The smallest first. A name is a column that is never empty: it is sorted as an index is, and
    # PostgreSQL uses none for “nulls last”.
    by: tuple[Any, ...]
    first: str = ""  # “-”: the first click on the column shows the largest first
    is_turned: bool = False  # the smallest age is the latest moment
    is_filled: bool = False  # the expressions too are never empty

    def columns(self, is_down: bool) -> Iterator[Any]:
        for one in self.by:
            if isinstance(one, str):
                yield f"-{one}" if is_down else one
            elif self.is_filled:
                yield OrderBy(one, descending=is_down)
            else:
                yield OrderBy(one, descending=is_down, nulls_last=True)


_SIGNAL = Case(
    *(When(kind=kind.value, then=Value(kind.label)) for kind in SignalKind),
    default=F("kind"),
    output_field=CharField(),
)
_ASSIGNEE = Lower(
    Coalesce(
        names.filled(Trim(Concat("assignee__first_name", Value(" "), "assignee__last_name"))),
        F("assignee__username"),
    )
)
_RESEARCH = Case(
    *(
        When(basis=basis, then=Value(place))
        for place, basis in enumerate((Brief.Basis.NEW, Brief.Basis.SHARED))
    ),
    default=Value(2),
)
# A further column is one line here.
ORDERINGS: dict[str, Ordering] = {
    "priority": Ordering(("priority",), first="-"),
    "customer": Ordering((names.shown("customer__"),), is_filled=True),
    "signal": Ordering((_SIGNAL, "detail")),
    "persona": Ordering((Lower("persona__name"),)),
    "value": Ordering(("value_sort",), first="-"),
    "plan": Ordering((names.filled(Lower("plan")),)),
    "research": Ordering((_RESEARCH,)),
    "assignee": Ordering((_ASSIGNEE,)),
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


# A closed brief is never without the moment of it.
_AMONG_CLOSED = {
    "closed": Ordering(("closed_at",), first="-"),
    "closed_at": Ordering(("closed_at",)),
}


def is_known(word: str) -> bool:
    return word.removeprefix("-") in ORDERINGS


def ordered(
    briefs: BriefQuerySet, *words: str, state: str = "", at: datetime | None = None
) -> BriefQuerySet:
    """Sorted by these known words, the first one first. `state`: the one that they all have.

    `at`: as for `by_urgency`; all parts of a list that is read in parts have the same.
    """
    columns = (column for word in words for column in _columns(word, state))
    return briefs.by_urgency(*columns, at=at)


def _columns(word: str, state: str) -> Iterator[Any]:
    known = {**ORDERINGS, **(_AMONG_CLOSED if state == Brief.State.CLOSED else {})}
    ordering = known[word.removeprefix("-")]
    return ordering.columns(word.startswith("-") != ordering.is_turned)


def next_word(name: str, present: str) -> str:
    """What a click on this column asks for: the other direction if it is sorted by it already."""
    if present.removeprefix("-") == name:
        return name if present.startswith("-") else f"-{name}"
    return ORDERINGS[name].first + name
