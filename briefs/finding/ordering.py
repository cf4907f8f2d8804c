"""By what lists of briefs are sorted: the columns of the inbox, and what programs also ask for.

In the address it is `ordering=persona`, and `ordering=-persona` for the other direction. Rows
without a value come last either way; rows that are equal come by urgency.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, F, OrderBy, Value, When
from django.db.models.functions import Coalesce, Concat, Lower, NullIf, Trim

from briefs.models import Brief
from briefs.models.queryset import BriefQuerySet
from personas.models import SignalKind

NAME = "ordering"


@dataclass(frozen=True, slots=True)
class Ordering:
    # The smallest first. A name is a column that is never empty: it is sorted as an index is, and
    # PostgreSQL uses none for “nulls last”.
    by: tuple[Any, ...]
    first: str = ""  # “-”: the first click on the column shows the largest first
    is_turned: bool = False  # the smallest age is the latest moment

    def columns(self, is_down: bool) -> Iterator[Any]:
        for one in self.by:
            if isinstance(one, str):
                yield f"-{one}" if is_down else one
            else:
                yield OrderBy(one, descending=is_down, nulls_last=True)


def _filled(expression: Any) -> Any:
    return NullIf(expression, Value(""), output_field=CharField())


_CUSTOMER = Coalesce(
    _filled(F("customer__sort_name")),
    *(
        Lower(_filled(F(f"customer__{name}")))
        for name in ("external_id", "email", "phone", "cio_id")
    ),
    output_field=CharField(),
)
_SIGNAL = Case(
    *(When(kind=kind.value, then=Value(kind.label)) for kind in SignalKind),
    default=F("kind"),
    output_field=CharField(),
)
_ASSIGNEE = Lower(
    Coalesce(
        _filled(Trim(Concat("assignee__first_name", Value(" "), "assignee__last_name"))),
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
    "customer": Ordering((_CUSTOMER,)),
    "signal": Ordering((_SIGNAL, "detail")),
    "persona": Ordering((Lower("persona__name"),)),
    "value": Ordering(("value_sort",), first="-"),
    "plan": Ordering((_filled(Lower("plan")),)),
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


def is_known(word: str) -> bool:
    return word.removeprefix("-") in ORDERINGS


def ordered(briefs: BriefQuerySet, *words: str) -> BriefQuerySet:
    """Sorted by these known words, the first one first."""
    return briefs.by_urgency(*(column for word in words for column in _columns(word)))


def _columns(word: str) -> Iterator[Any]:
    ordering = ORDERINGS[word.removeprefix("-")]
    return ordering.columns(word.startswith("-") != ordering.is_turned)


def next_word(name: str, present: str) -> str:
    """What a click on this column asks for: the other direction if it is sorted by it already."""
    if present.removeprefix("-") == name:
        return name if present.startswith("-") else f"-{name}"
    return ORDERINGS[name].first + name
