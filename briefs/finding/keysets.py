"""Reads long lists part by part: each part begins behind the last row of the one before.

What is inserted meanwhile moves no row into another part, and no row is counted or passed over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, F, Q, QuerySet, TextField, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import Cast

Place = tuple[Any, ...]  # by what a row is sorted: one value for each term


@dataclass(frozen=True, slots=True)
class _Term:
    name: str  # of the annotation
    by: Any
    is_down: bool
    may_be_null: bool  # these come last

    def behind(self, value: Any) -> Q:
        """Where the value is farther back than this one, which is not None."""
        farther = Q(**{f"{self.name}__{'lt' if self.is_down else 'gt'}": value})
        return farther | Q(**{f"{self.name}__isnull": True}) if self.may_be_null else farther

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True} if value is None else {self.name: value})


class Keyset:
    """The rows of a queryset in its order; its key decides between rows that are equal."""

    def __init__(self, rows: "QuerySet[Any]") -> None:
        model = rows.model._meta
        order = [*(rows.query.order_by or model.ordering)]
        if not {"pk", "-pk", model.pk.name, f"-{model.pk.name}"} & {str(one) for one in order}:
            order.append("pk")
        self._terms = [_term(f"place_{number}", one) for number, one in enumerate(order)]
        rows = rows.prefetch_related(None)  # keys have no related rows
        rows = rows.annotate(**{one.name: one.by for one in self._terms}).order_by(*order)
        moments = [
            one.name
            for one in self._terms
            if isinstance(rows.query.annotations[one.name].output_field, DateTimeField)
        ]
        # SQLite keeps moments as texts and compares those; of one moment it has several.
        is_sqlite = connection.vendor == "sqlite"
        self._texts = {name: f"{name}_text" for name in moments} if is_sqlite else {}
        self._rows = rows.annotate(
            **{text: Cast(name, TextField()) for name, text in self._texts.items()}
        )
        self._read = [self._texts.get(one.name, one.name) for one in self._terms]

    def part(self, size: int, behind: Place | None = None) -> Iterator[tuple[Any, Place]]:
        """The keys of the next rows with their places."""
        rows = self._rows if behind is None else self._rows.filter(self._behind(behind))
        for key, *place in rows.values_list("pk", *self._read)[:size].iterator():
            yield key, tuple(place)

    def read(self, written: Sequence[Any]) -> Place:
        """A place that was written as JSON. Raises ValidationError or ValueError."""
        fields = [self._rows.query.annotations[name].output_field for name in self._read]
        return tuple(
            None if value is None else field.to_python(value)
            for field, value in zip(fields, written, strict=True)
        )

    def _behind(self, place: Place) -> Q:
        place = tuple(
            Value(value, TextField()) if value is not None and term.name in self._texts else value
            for term, value in zip(self._terms, place, strict=True)
        )
        same, found = Q(), Q(pk__in=[])
        for term, value in zip(self._terms, place, strict=True):
            if value is not None:  # behind a row without a value are only such rows
                found |= same & term.behind(value)
            same &= term.same(value)
        first = self._terms[0]
        if first.may_be_null:
            return found
        # Says no more than the rest, but by this the database begins in the middle of an index.
        return found & Q(**{f"{first.name}__{'lte' if first.is_down else 'gte'}": place[0]})


def _term(name: str, order: Any) -> _Term:
    if isinstance(order, OrderBy):
        return _Term(name, order.expression, order.descending, bool(order.nulls_last))
    return _Term(name, F(order.removeprefix("-")), order.startswith("-"), may_be_null=False)
