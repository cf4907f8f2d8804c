"""The page of a company and the page of a customer: all their briefs, and what happened besides."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from briefs.dossier import companies, customers
from briefs.dossier.customers import CustomerDossier
from briefs.dossier.dossier import Situation
from briefs.finding.known_values import value_behind
from briefs.permissions import needs
from personas.models import Customer, shapes

PEOPLE = 25  # of a page
ENTRIES = 50  # of the timeline


@needs("briefs.view_brief")
@require_safe
def company(request: HttpRequest) -> HttpResponse:
    """By `?name=`, in any case; names hold all signs, so they are no part of a path."""
    asked = shapes.storable(request.GET.get("name", "")).strip()
    found = companies.find(asked)
    if found is None:
        return render(request, "briefs/company_unknown.html", {"asked": asked}, status=404)
    people = found.people
    page = _page(request, found.people_in_order(), PEOPLE)
    context = {
        "company": found,
        "value": value_behind(people, page.paginator.count),
        "people": found.shown(list(page.object_list)),
        **_shown(page),
    }
    return render(request, "briefs/company.html", context)


@needs("briefs.view_brief")
@require_safe
def customer(request: HttpRequest, pk: int) -> HttpResponse:
    found = Customer.objects.filter(pk=pk).first()
    if found is None:
        return render(request, "briefs/customer_unknown.html", {"number": pk}, status=404)
    page = _page(request, customers.timeline_keys(found), ENTRIES)
    context = {
        "dossier": CustomerDossier(found, Situation(request.user)),
        "entries": customers.entries(page.object_list),
        **_shown(page),
    }
    return render(request, "briefs/customer.html", context)


def _page(request: HttpRequest, rows: Any, size: int) -> Page[Any]:
    page: Page[Any] = Paginator(rows, size).get_page(request.GET.get("page"))
    return page


def _shown(page: Page[Any]) -> dict[str, Any]:
    """What `_pages.html` shows of it."""
    elided = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return {"page": page, "pages": elided}
