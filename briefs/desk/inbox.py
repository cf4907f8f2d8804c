"""The list of briefs: what is most urgent, and what to do about it."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from briefs.desk.notices import app_api_trouble, notices
from briefs.finding.filters import STATES, BriefFilter
from briefs.models import Brief
from briefs.models.briefs import BriefQuerySet
from briefs.research.waiting import Standstill
from personas.models import AttributeName
from personas.rules.matching import CustomerFacts

PAGE_SIZE = 25
MOST_FOUND = 1_000  # by a search; who needs more narrows it down
_SELECTS = ("priority", "persona", "kind", "research", "assignee")
# Long texts that a row never shows. The playbook stays: the first step is read from it.
_UNSHOWN = (
    "question_facts",
    "research__question", "research__answer", "research__sources", "research__personas_used",
    "research__validation", "research__raw_reply",
    "persona__description", "persona__research_focus",
    "customer__devices", "customer__preferences",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    brief: Brief
    plan: str
    value: str
    value_name: str


@login_required
def inbox(request: HttpRequest) -> HttpResponse:
    asked = request.GET.copy()
    state = asked["state"] = request.GET.get("state") or "open"
    found = BriefFilter(asked, queryset=Brief.objects.all(), request=request)
    page = _page(found, state, asked.get("page"))
    roles = list(AttributeName.objects.all())
    standstill = Standstill()
    is_filtered = state != "open" or any(
        value for name, value in request.GET.items() if name not in ("page", "state")
    )
    context = {
        "section": "inbox",
        "filter": found,
        "selects": [found.form[name] for name in _SELECTS],
        "states": STATES,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "is_cut": page.paginator.count == MOST_FOUND and bool(found.form.cleaned_data.get("q")),
        "rows": rows(page.object_list, roles),
        "standstill": standstill,
        "state": state,
        "is_filtered": is_filtered,
        "notices": notices(request.user, roles, standstill),
        "waiting": Brief.objects.open().filter(is_waiting_for_profile=True).count(),
        "trouble": app_api_trouble() if state == "waiting" else "",
    }
    if not page.object_list:
        context |= _why_empty(request, is_filtered)
    return render(request, "briefs/inbox.html", context)


def _page(found: BriefFilter, state: str, number: str | None) -> Page[Any]:
    briefs = _sorted(found.qs, state)
    if not found.form.cleaned_data.get("q"):
        return Paginator(_with_all(briefs), PAGE_SIZE).get_page(number)
    # Searching reads every text; counting and then listing would do so twice.
    keys = list(briefs.values_list("pk", flat=True)[:MOST_FOUND])
    page: Page[Any] = Paginator(keys, PAGE_SIZE).get_page(number)
    by_key = _with_all(Brief.objects.all()).in_bulk(page.object_list)
    page.object_list = [by_key[key] for key in page.object_list if key in by_key]
    return page


def _sorted(briefs: BriefQuerySet, state: str) -> BriefQuerySet:
    if state == "closed":
        return briefs.order_by("-closed_at", "-pk")
    if state == "all":
        return briefs.order_by("-created_at", "-pk")
    return briefs.by_urgency()


def _with_all(briefs: BriefQuerySet) -> BriefQuerySet:
    """Everything a row shows, in the same query."""
    return briefs.select_related("customer", "persona", "research", "assignee").defer(*_UNSHOWN)


def rows(briefs: Any, roles: list[AttributeName]) -> list[Row]:
    names = {role.role: role.name_list for role in roles}
    found = []
    for brief in briefs:
        facts = CustomerFacts(brief.customer.attributes, names)
        value = facts.find("value")
        found.append(
            Row(
                brief=brief,
                plan=facts.find("plan").value[:60],
                value=amount(value.value),
                value_name=value.name,
            )
        )
    return found


def amount(value: str) -> str:
    """A number with its thousands apart; anything else as it is."""
    if value.isascii() and value.lstrip("-").replace(".", "", 1).isdigit():
        return str(intcomma(value))
    return value[:60]


def _why_empty(request: HttpRequest, is_filtered: bool) -> dict[str, Any]:
    """Which kind of nothing this is."""
    if not Brief.objects.exists():
        receiver = request.build_absolute_uri(reverse("webhooks:receive"))
        return {"empty": "first", "receiver": receiver}
    asked = {name: value for name, value in request.GET.items() if value and name != "page"}
    if asked == {"state": "waiting"}:
        return {"empty": "none waiting"}
    return {"empty": "no match" if is_filtered else "done"}
