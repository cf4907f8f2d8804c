"""Pages of lists that may be long, in the admin and in the REST API."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property

from briefs.finding import tabs


class LongPaginator(Paginator):  # type: ignore[type-arg]  # generic for the stubs only
    """Counts as tabs do: exactly to `tabs.EXACT`, and beyond it at most a minute ago.

    Of a longer list it finds the keys of a page first and then reads those rows alone. Otherwise
    the database sorts or passes over whole rows, with all that is joined to them.
    """

    object_list: Any

    @cached_property
    def count(self) -> int:
        number: int = self.object_list.order_by()[: tabs.EXACT + 1].count()
        return number if number <= tabs.EXACT else tabs.kept(self.object_list)

    def page(self, number: int | str) -> Page[Any]:
        page: Page[Any] = super().page(number)
        if self.count > tabs.EXACT:
            rows: Any = page.object_list
            keys = list(rows.values_list("pk", flat=True))
            page.object_list = self.object_list.filter(pk__in=keys)
        return page
