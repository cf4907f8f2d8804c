"""The list of all briefs: nearly all of them are closed, and there is no index for each order.

Rows that are equal come newest first. So where one value fills a whole page, as the first persona's
does, the index by age finds the page in its last few thousand rows, and nothing is sorted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, OrderBy, Q

from briefs.finding import counting, ordering, tabs
from briefs.finding.ordering import IS_DUE, NEWEST
from briefs.finding.tabs import ARCHIVE
from briefs.models import Brief
from briefs.models.queryset import BriefQuerySet

READ = 20_000  # rows of that index, at most, for a page

_OF_FEW_VALUES = ("priority", "signal", "persona", "plan", "research", "assignee")


@dataclass(frozen=True)
class Keys:
    """The keys of the archive in this order; a part of them is read when it is asked for."""

    briefs: BriefQuerySet  # all but those in folds
    word: str

    def __getitem__(self, part: slice) -> list[int]:
        begin, end = part.start or 0, part.stop
        first = self.beginning(end)
        keys = [] if first is None else list(first.values_list("pk", flat=True)[begin:end])
        if len(keys) < end - begin:
            keys = list(self._ordered(self.briefs).values_list("pk", flat=True)[begin:end])
        return keys

    def count(self) -> int:
        return self.briefs.count()

    def beginning(self, most: int) -> BriefQuerySet | None:
        """The briefs with which the list begins, if `most` of them are found soon; else None."""
        name = self.word.removeprefix("-")
        if name == "due":
            return self._ordered(self.briefs.filter(IS_DUE))
        if name not in _OF_FEW_VALUES:
            return None
        columns = [_as_order(one) for one in ordering.columns(self.word, ARCHIVE)]
        by = {f"by_{place}": column.expression for place, column in enumerate(columns)}
        downs = [column.descending for column in columns]
        values, number = _begins_with(by, downs)
        if None in values or most * tabs.kept(Brief.objects.all()) > READ * number:
            return None
        is_first, same = Q(), Q()
        for name, value, is_down in zip(by, values, downs, strict=True):
            # What comes before it, since it was looked for, is shown among the others by its age.
            is_first |= same & Q(**{f"{name}__{'gt' if is_down else 'lt'}": value})
            same &= Q(**{name: value})
        return self.briefs.alias(**by).filter(is_first | same).order_by(*NEWEST)

    def _ordered(self, briefs: BriefQuerySet) -> BriefQuerySet:
        return ordering.ordered(briefs, self.word, state=ARCHIVE)


def _as_order(column: Any) -> OrderBy:
    if isinstance(column, OrderBy):
        return column
    return OrderBy(F(column.removeprefix("-")), descending=column.startswith("-"))


def _begins_with(by: Mapping[str, Any], downs: Iterable[bool]) -> tuple[list[Any], int]:
    """The values that come first of all, None for those that are empty; and how many briefs they
    have. Kept for a minute.
    """
    order = [
        OrderBy(F(name), descending=is_down, nulls_last=True)
        for name, is_down in zip(by, downs, strict=True)
    ]
    groups = Brief.objects.order_by().values(**by).annotate(number=Count("pk")).order_by(*order)
    rows = groups.values_list(*by, "number")[:1]
    *values, number = counting.kept(
        "begins", rows.query.sql_with_params(), lambda: rows.first() or (None, 0)
    )
    return values, number
