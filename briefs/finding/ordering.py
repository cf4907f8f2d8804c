"""By what a list of briefs is sorted: every column of the inbox, and what the API also knows.

A name sorts the smallest first, and with `-` before it the largest. Rows without a value come last
either way, and rows that are equal keep the order in which they were opened.
"""

from collections.abc import Iterable
from typing import Any

import django_filters
from django import forms
from django.db.models import Case, F, IntegerField, Value, When
from django.db.models.expressions import Expression, OrderBy
from django.db.models.functions import Coalesce, Lower, NullIf
from django_filters.widgets import BaseCSVWidget

from briefs.models import Brief
from briefs.models.briefs import BriefQuerySet
from personas.models import SignalKind

ORDERING = "ordering"
_KINDS = sorted(SignalKind, key=lambda kind: kind.label)
_SIGNAL = Case(
    *(When(kind=kind, then=Value(place)) for place, kind in enumerate(_KINDS)),
    default=Value(len(_KINDS)),
    output_field=IntegerField(),
)
_CUSTOMER = Coalesce(
    NullIf("customer__sort_name", Value("")),
    NullIf(Lower("customer__email"), Value("")),
    Lower("customer__external_id"),
    "customer__cio_id",
)
_ASSIGNEE = Coalesce(NullIf(Lower("assignee__first_name"), Value("")), "assignee__username")

# By its name, the columns; those with a - are sorted the other way round.
COLUMNS: dict[str, tuple[str | Expression, ...]] = {
    "priority": ("priority",),
    "value": ("value_sort",),
    "age": ("-created_at",),
    "customer": (_CUSTOMER,),
    "persona": ("persona__name",),
    "signal": (_SIGNAL, "detail"),
    "plan": (NullIf(Lower("plan"), Value("")),),
    "research": ("basis",),
    "assignee": (_ASSIGNEE,),
    # For programs.
    "created_at": ("created_at",),
    "happened_at": ("happened_at",),
    "researched_at": ("researched_at",),
    "closed_at": ("closed_at",),
    "id": ("id",),
}
if "due_at" in {field.name for field in Brief._meta.get_fields()}:
    COLUMNS["due"] = ("due_at",)
KNOWN = [sign + name for name in COLUMNS for sign in ("", "-")]
_NEVER_NULL = {"priority", "value_sort", "created_at", "happened_at", "id", "detail", "basis",
               "persona__name"}  # fmt: skip


def ordered(briefs: BriefQuerySet, names: Iterable[str]) -> BriefQuerySet:
    """Sort by these names of `KNOWN`, the first one first."""
    names = list(names)
    # Rows that are equal otherwise keep one order, or a row could be on two pages.
    by_key = "-pk" if names[0].startswith("-") else "pk"
    columns = (column for name in names for column in _columns(name))
    return briefs.order_by(*columns, by_key)


def _columns(name: str) -> Iterable[Any]:
    is_down = name.startswith("-")
    for column in COLUMNS[name.removeprefix("-")]:
        yield _sorted(column, is_down)


def _sorted(column: str | Expression, is_down: bool) -> str | OrderBy:
    if isinstance(column, str):
        bare = column.removeprefix("-")
        is_down ^= column != bare
        if bare in _NEVER_NULL:  # as the index is: PostgreSQL uses none for "nulls last"
            return f"-{bare}" if is_down else bare
        return OrderBy(F(bare), descending=is_down, nulls_last=True)
    return OrderBy(column, descending=is_down, nulls_last=True)


class Names(BaseCSVWidget, forms.TextInput):  # type: ignore[misc]  # ships no types
    """Names with commas between them, and perhaps blanks."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str] | None:
        given = super().value_from_datadict(data, files, name)
        return None if given is None else [word.strip() for word in given if word.strip()]


class OrderingFilter(django_filters.OrderingFilter):  # type: ignore[misc]  # ships no types
    """Sorts a list by the names that the request gives, in their order."""

    def filter(self, briefs: BriefQuerySet, value: Any) -> BriefQuerySet:
        names = [name for name in value or [] if name]
        return ordered(briefs, names) if names else briefs
