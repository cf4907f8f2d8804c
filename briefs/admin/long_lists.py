"""Admin lists of tables that grow for years."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import localtime, make_aware

from briefs.finding import tabs
from briefs.finding.paging import LongPaginator


class LongChangeList(ChangeList):
    def get_queryset(self, request: HttpRequest, *args: Any, **kw: Any) -> Any:
        """Of this very queryset Django's template tag asks the periods that it links to."""
        rows: Any = super().get_queryset(request, *args, **kw)
        rows.datetimes = partial(self._periods, rows, rows.datetimes)
        return rows

    def _periods(self, rows: Any, read: Any, field: str, kind: str) -> list[datetime]:
        """The years, months or days that have rows.

        Django reads each row for it. Of many rows the index knows the first of each period.
        """
        many = self.result_count > tabs.EXACT
        return list(_found(rows, field, kind) if many else read(field, kind))


class LongList(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the stubs only
    show_full_result_count = False
    list_per_page = 50
    paginator = LongPaginator

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LongChangeList


def _found(rows: QuerySet[Any], field: str, kind: str) -> Iterator[datetime]:
    """The beginning of each period with rows, one query each."""
    moments = rows.order_by(field).values_list(field, flat=True)
    at = moments.first()
    while at:
        begin, end = _period(localtime(at), kind)
        yield begin
        at = moments.filter(**{f"{field}__gte": end}).first()


def _period(at: datetime, kind: str) -> tuple[datetime, datetime]:
    """Where the year, month or day of this local time begins, and where the next one does."""
    begin = datetime(at.year, 1 if kind == "year" else at.month, at.day if kind == "day" else 1)
    if kind == "year":
        end = begin.replace(year=begin.year + 1)
    elif kind == "month":
        end = (begin + timedelta(days=32)).replace(day=1)
    else:
        end = begin + timedelta(days=1)
    return make_aware(begin), make_aware(end)
