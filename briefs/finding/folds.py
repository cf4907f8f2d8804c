"""One cause, one line: which briefs of a list are folded, and what stands in their place.

Folded are the briefs of one cause from five on, but for those that are urgent, assigned or
returned: these stay rows. The fold stands where its most valuable brief would.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from django.db import connection
from django.db.models import Count, OuterRef, Q, Subquery

from briefs.finding import counting
from briefs.finding.tabs import Tab
from briefs.finding.words.matching import as_one
from briefs.models import Brief
from briefs.models.briefs import FOLDABLE
from briefs.models.causes import FOLDED_FROM
from briefs.models.queryset import BriefQuerySet


@dataclass(frozen=True, slots=True)
class Folds:
    """The folds of a list."""

    numbers: dict[int, int]  # of briefs, by cause
    firsts: dict[int, int]  # the cause, by its most valuable brief

    @classmethod
    def none(cls) -> Self:
        return cls({}, {})

    @classmethod
    def of(cls, briefs: BriefQuerySet) -> Self:
        return cls._read(_sql(briefs))

    @classmethod
    def of_tab(cls, tab: Tab) -> Self:
        """Of all its briefs, for everybody: one that is personal has no folds."""
        return cls._read(_sql_of_tab(tab))

    @classmethod
    def _read(cls, asked: counting.Sql | None) -> Self:
        if asked is None:
            return cls.none()
        with connection.cursor() as cursor:
            cursor.execute(*asked)
            found = cursor.fetchall()
        return cls({cause: number for _, cause, number in found}, {pk: c for pk, c, _ in found})

    @property
    def hidden(self) -> int:
        """How many briefs have no line of their own."""
        return sum(self.numbers.values()) - len(self.numbers)

    def lines(self, briefs: BriefQuerySet) -> BriefQuerySet:
        """Of these briefs those that have a line: with one brief for each fold."""
        if not self.numbers:
            return briefs
        folded = FOLDABLE & Q(cause__in=as_one(self.numbers)) & ~Q(pk__in=as_one(self.firsts))
        return briefs.exclude(folded)


def _sql(briefs: BriefQuerySet) -> counting.Sql | None:
    return counting.sql_of(folds_of(briefs))


@cache
def _sql_of_tab(tab: Tab) -> counting.Sql | None:
    """Written once: Django takes half as long for it as the database for the answer."""
    return _sql(tab.chosen(Brief.objects.all(), None))


def folds_of(briefs: BriefQuerySet) -> Any:  # a queryset, of more columns than its type knows
    """Of each fold of these briefs: the key of its most valuable brief, its cause, its number."""
    foldable = briefs.filter(FOLDABLE)
    most_valuable = foldable.filter(cause=OuterRef("cause")).order_by("-value_sort", "pk")
    return (
        foldable.order_by()
        .values("cause")
        .annotate(number=Count("*"))
        .filter(number__gte=FOLDED_FROM)
        # Looked up for each fold; a window would give each brief its place.
        .values_list(Subquery(most_valuable.values("pk")[:1]), "cause", "number")
    )


def of_causes(briefs: BriefQuerySet, causes: Iterable[int]) -> BriefQuerySet:
    """Of these briefs those that the folds of these causes hold."""
    return briefs.filter(FOLDABLE, cause__in=list(causes))
