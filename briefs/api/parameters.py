"""What may be asked of the REST API: whatever it does not know is refused, never ignored."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.settings import api_settings

from briefs.api.cursors import ORDERING
from briefs.api.permissions import lacks
from briefs.permissions import PERSONAL_DATA

# What is said of a parameter that this API once had.
_GONE = {"page": "There are no numbered pages: begin without one, and follow `next`."}


class Ordering(BaseFilterBackend):
    """`ordering`: one or several of the view's `ordering_fields`; with - the largest come first.

    Rows without a value come last either way.
    """

    def filter_queryset(
        self, request: Request, queryset: "QuerySet[Any]", view: Any
    ) -> "QuerySet[Any]":
        value = request.query_params.get(ORDERING, "")
        asked = [word.strip() for word in value.split(",") if word.strip()]
        if not asked:
            return queryset
        allowed = self._choices(view)
        for word in asked:
            if word not in allowed:
                raise ValidationError({ORDERING: [f"“{word}” is none of: {', '.join(allowed)}."]})
        names = [word.removeprefix("-") for word in asked]
        if repeated := next((name for name in names if names.count(name) > 1), ""):
            times = f"“{repeated}” is named {names.count(repeated)} times. Name it once."
            raise ValidationError({ORDERING: [times]})
        personal = next((name for name in names if name in view.personal_orderings), "")
        if personal and not request.user.has_perm(PERSONAL_DATA):
            # Also where no name is shown, the order tells which comes before which.
            words = f"The ordering {personal} sorts by personal data."
            raise PermissionDenied(f"{words} {lacks(PERSONAL_DATA)}")
        sorted_rows: QuerySet[Any] = view.ordered(queryset, *asked)
        return sorted_rows

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        choices = {"type": "string", "enum": self._choices(view)}
        return [
            {
                "name": ORDERING,
                "in": "query",
                "required": False,
                "description": "By what the rows are sorted, one or several; with - the largest "
                "or latest first. Rows without a value come last.",
                "schema": {"type": "array", "items": choices, "uniqueItems": True},
                "style": "form",
                "explode": False,
            }
        ]

    def _choices(self, view: Any) -> list[str]:
        return [sign + name for name in view.ordering_fields for sign in ("", "-")]


def ordered(queryset: "QuerySet[Any]", *words: str) -> "QuerySet[Any]":
    """Sorted by these fields, the first one first."""
    # Rows that are equal otherwise keep one order, or a row could be on two pages.
    by_key = "-pk" if words[0].startswith("-") else "pk"
    return queryset.order_by(*(_order(queryset, word) for word in words), by_key)


def _order(queryset: "QuerySet[Any]", word: str) -> str | OrderBy:
    name = word.removeprefix("-")
    if not queryset.model._meta.get_field(name).null:
        return word  # as the index is: PostgreSQL uses none for "nulls last"
    return OrderBy(F(name), descending=word != name, nulls_last=True)


def refuse_unknown(request: Request, known: list[str]) -> None:
    """Refuse a parameter that is not known, and one that is given twice."""
    errors = dict(_errors(request, known))
    if errors:
        raise ValidationError(errors)


def _errors(request: Request, known: list[str]) -> Iterator[tuple[str, list[str]]]:
    for name, values in request.query_params.lists():
        if name == api_settings.URL_FORMAT_OVERRIDE:  # Django REST framework's own
            continue
        if name not in known:
            words = _GONE.get(name, f"There is no parameter “{name}”.")
            all_known = f"Known: {', '.join(known)}." if known else "Nothing can be asked here."
            yield name, [f"{words} {all_known}"]
        elif len(values) > 1:
            yield name, [f"“{name}” is given {len(values)} times. Give it once."]
