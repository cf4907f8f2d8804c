"""The list of briefs: what is most urgent, and what to do about it."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from briefs.desk.notices import notices
from briefs.dossier.dossier import Dossier, Situation, listed
from briefs.finding.filters import STATES, BriefFilter
from briefs.finding.known_values import Sums, value_behind
from briefs.links import absolute
from briefs.models import Brief
from briefs.models.briefs import BriefQuerySet
from briefs.permissions import needs

PAGE_SIZE = 25
MOST_FOUND = 1_000  # briefs that a search shows; more words find fewer
_SELECTS = ("priority", "persona", "kind", "research", "assignee")


@needs("briefs.view_brief")
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    asked = request.GET.copy()
    state = asked["state"] = request.GET.get("state") or "open"
    found = BriefFilter(asked, queryset=Brief.objects.all(), request=request)
    page = _page(found, state, asked.get("page"))
    situation = Situation(request.user)
    is_filtered = state != "open" or any(
        value for name, value in request.GET.items() if name not in ("page", "state", "ordering")
    )
    context = {
        "section": "inbox",
        "filter": found,
        "selects": [found.form[name] for name in _SELECTS],
        "states": STATES,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "is_cut": page.paginator.count == MOST_FOUND and bool(found.form.cleaned_data.get("q")),
        "dossiers": [Dossier(brief, situation) for brief in page.object_list],
        "value": _value_behind(found, page),
        "state": state,
        "is_filtered": is_filtered,
        "notices": notices(request.user, situation),
        "waiting": Brief.objects.open().filter(is_waiting_for_profile=True).count(),
        "trouble": situation.lookup_trouble if state == "waiting" else "",
    }
    if not page.object_list:
        context |= _why_empty(request, is_filtered)
    return render(request, "briefs/inbox.html", context)


def _page(found: BriefFilter, state: str, number: str | None) -> Page[Any]:
    briefs = found.qs
    if not found.form.cleaned_data.get("ordering"):
        briefs = _sorted(briefs, state)
    if not found.form.cleaned_data.get("q"):
        return Paginator(listed(briefs), PAGE_SIZE).get_page(number)
    # A search reads every text. To count and then to list would read them twice.
    keys = list(briefs.values_list("pk", flat=True)[:MOST_FOUND])
    page: Page[Any] = Paginator(keys, PAGE_SIZE).get_page(number)
    by_key = listed(Brief.objects.all()).in_bulk(page.object_list)
    page.object_list = [by_key[key] for key in page.object_list if key in by_key]
    return page


def _value_behind(found: BriefFilter, page: Page[Any]) -> Sums:
    """What the whole list is worth, not this page alone."""
    briefs = found.qs
    if found.form.cleaned_data.get("q"):  # the words were searched for already
        briefs = Brief.objects.filter(pk__in=page.paginator.object_list)
    return value_behind(briefs, page.paginator.count)


def _sorted(briefs: BriefQuerySet, state: str) -> BriefQuerySet:
    if state == "closed":
        return briefs.order_by("-closed_at", "-pk")
    if state == "all":
        return briefs.order_by("-created_at", "-pk")
    return briefs.by_urgency()


def _why_empty(request: HttpRequest, is_filtered: bool) -> dict[str, Any]:
    """Why the list is empty: no brief at all, none that waits, no match, or all done."""
    if not Brief.objects.exists():
        receiver = absolute(reverse("webhooks:receive"), request)
        return {"empty": "first", "receiver": receiver}
    asked = {name: value for name, value in request.GET.items() if value and name != "page"}
    if asked == {"state": "waiting"}:
        return {"empty": "none waiting"}
    return {"empty": "no match" if is_filtered else "done"}
