"""By what lists of briefs can be sorted: the columns of the inbox.

In the address it is `ordering=persona`, and `ordering=-persona` for the other direction. Rows
without a value come last either way; rows that are equal come by urgency.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, F, OrderBy, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Concat, Lower, NullIf, Trim

from briefs.models import Brief
from briefs.models.briefs import BriefQuerySet
from personas.models import SignalKind

NAME = "ordering"


@dataclass(frozen=True, slots=True)
class Ordering:
    by: tuple[Any, ...]  # expressions, the smallest first
    first: str = ""  # “-”: the first click on the column shows the largest first
    is_turned: bool = False  # the smallest age is the latest moment


def _filled(expression: Any) -> Any:
    return NullIf(expression, Value(""), output_field=CharField())


def _attribute(name: str) -> Any:
    return _filled(KeyTextTransform(name, "customer__attributes"))


_CUSTOMER = Lower(
    Coalesce(
        _attribute("name"), _attribute("first_name"), _filled(F("customer__external_id")),
        _filled(F("customer__email")), _filled(F("customer__phone")), F("customer__cio_id"),
        output_field=CharField(),
    )
)  # fmt: skip
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
# A further column is one line here. `value` comes with the field that it sorts by.
ORDERINGS: dict[str, Ordering] = {
    "priority": Ordering((F("priority"),), first="-"),
    "customer": Ordering((_CUSTOMER,)),
    "signal": Ordering((_SIGNAL, F("detail"))),
    "persona": Ordering((Lower("persona__name"),)),
    "research": Ordering((_RESEARCH,)),
    "assignee": Ordering((_ASSIGNEE,)),
    "age": Ordering((F("created_at"),), first="-", is_turned=True),
    "due": Ordering((F("due_at"),)),
    "closed": Ordering((F("closed_at"),), first="-"),
}


def is_known(word: str) -> bool:
    return word.removeprefix("-") in ORDERINGS


def ordered(briefs: BriefQuerySet, word: str) -> BriefQuerySet:
    """Sorted by a known word."""
    if word == "-priority":
        return briefs.by_urgency()  # as its index is
    if word == "age":
        return briefs.order_by("-created_at", "-pk")  # likewise
    ordering = ORDERINGS[word.removeprefix("-")]
    descending = word.startswith("-") != ordering.is_turned
    by = (OrderBy(one, descending=descending, nulls_last=True) for one in ordering.by)
    return briefs.order_by(*by, "-priority", "created_at", "pk")


def next_word(name: str, present: str) -> str:
    """What a click on this column asks for: the other direction if it is sorted by it already."""
    if present.removeprefix("-") == name:
        return name if present.startswith("-") else f"-{name}"
    return ORDERINGS[name].first + name
