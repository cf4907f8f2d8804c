"""The list that an address asks for: its tab, its filters and its order.

A search is ordered by relevance, unless another order is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django_filters.constants import EMPTY_VALUES

from briefs.finding import archive, ordering, tabs
from briefs.finding.filters import BriefFilter
from briefs.finding.folds import Folds
from briefs.finding.search import FEW, MOST, Search
from briefs.models import Brief
from briefs.models.queryset import BriefQuerySet
from briefs.permissions import PERSONAL_DATA


@dataclass(frozen=True)
class Listing:
    tab: tabs.Tab
    found: BriefFilter  # its data has the state, also where the address does not name it
    order: str  # empty: by relevance

    @property
    def words(self) -> Search:
        return self.found.words

    @property
    def usual_order(self) -> str:
        """That which its address need not name."""
        return "" if self.words.text else self.tab.order

    @cached_property
    def folds(self) -> Folds:
        """None where each brief is shown: in a search, among closed ones, and of one message.

        None either among those of one person: what is assigned is not folded.
        """
        briefs = self.found.qs  # checks the form as well
        asked = self.found.form.cleaned_data
        if self.tab.value in ("closed", "mine") or asked.get("q") or asked.get("cause"):
            return Folds.none()
        given = {name: value for name, value in asked.items() if value not in EMPTY_VALUES}
        return Folds.of_tab(self.tab) if given == {"state": self.tab.value} else Folds.of(briefs)

    @cached_property
    def keys(self) -> Any:
        """The keys of its lines in its order: a fold is its most valuable brief.

        They can be sliced; of a search they are at most MOST, the best.
        """
        lines = self.folds.lines(self.found.qs)
        if self.words.text and not self.order:
            # All that are known: the best may be the oldest.
            found = self.found.newest
            if found is None:
                found = list(lines.order_by("-pk").values_list("pk", flat=True)[:FEW])
            return self.words.ranked(found)[:MOST]
        if self._is_archive and not self.found.qs.query.where:
            return archive.Keys(lines, self._order)
        keys = self.ordered(lines).values_list("pk", flat=True)
        return list(keys[:MOST]) if self.words.text else keys

    @property
    def briefs(self) -> BriefQuerySet:
        """All of its briefs in its order, those of folds one by one; a search's newest first."""
        may_read = self.found.request.user.has_perm(PERSONAL_DATA)
        return self.ordered(self.found.qs, at=timezone.now(), is_personal=may_read)

    def ordered(
        self, briefs: BriefQuerySet, at: datetime | None = None, *, is_personal: bool = True
    ) -> BriefQuerySet:
        """`at`: where these briefs are read in parts; `is_personal`: as for `ordering.ordered`."""
        state = self.found.data["state"]
        return ordering.ordered(briefs, self._order, state=state, at=at, is_personal=is_personal)

    @property
    def _order(self) -> str:
        return self.order or "age"

    @property
    def _is_archive(self) -> bool:
        return self.tab.value == tabs.ARCHIVE


def listing(given: Mapping[str, str], request: HttpRequest) -> Listing:
    """`given`: names and values of the address; `request`: of whoever reads the list."""
    state = given.get("state") or tabs.DEFAULT
    tab = tabs.BY_VALUE.get(state, tabs.BY_VALUE[tabs.DEFAULT])
    asked = {**dict(given.items()), "state": state}
    found = BriefFilter(asked, queryset=Brief.objects.all(), request=request)
    order = given.get(ordering.NAME, "")
    usual = "" if found.words.text else tab.order
    return Listing(tab, found, order if ordering.is_known(order) else usual)
