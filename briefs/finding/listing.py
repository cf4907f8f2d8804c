"""The list that an address asks for: its tab, its filters and its order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from briefs.finding import ordering, tabs
from briefs.finding.filters import BriefFilter
from briefs.models import Brief


@dataclass(frozen=True, slots=True)
class Listing:
    tab: tabs.Tab
    found: BriefFilter  # its data has the state, also where the address does not name it
    order: str

    @property
    def keys(self) -> Any:
        """The keys of all its briefs in its order, as a queryset."""
        return ordering.ordered(self.found.qs, self.order).values_list("pk", flat=True)


def listing(given: Mapping[str, str], request: HttpRequest) -> Listing:
    """`given`: names and values of the address; `request`: of whoever reads the list."""
    state = given.get("state") or tabs.DEFAULT
    tab = tabs.BY_VALUE.get(state, tabs.BY_VALUE[tabs.DEFAULT])
    asked = {**dict(given.items()), "state": state}
    found = BriefFilter(asked, queryset=Brief.objects.all(), request=request)
    order = given.get(ordering.NAME, "")
    return Listing(tab, found, order if ordering.is_known(order) else tab.order)
