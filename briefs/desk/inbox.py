"""The list of briefs: what is most urgent, and what to do about it."""

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from briefs.desk import live
from briefs.desk.columns import columns
from briefs.desk.lines import Line, lines_of, on_page
from briefs.desk.notices import Numbers, notices
from briefs.desk.returning import list_address
from briefs.desk.rows import Place
from briefs.dossier.dossier import Situation
from briefs.dossier.loading import for_rows
from briefs.downloads import lists
from briefs.finding import asking, ordering, tabs
from briefs.finding.filters import BriefFilter
from briefs.finding.known_values import Sums, value_behind
from briefs.finding.listing import Listing, listing
from briefs.finding.search import MOST
from briefs.finding.words import indexing
from briefs.finding.words.matching import among
from briefs.finding.words.snippets import snippets
from briefs.links import absolute
from briefs.models import Brief, RecentSearch, SavedView
from briefs.permissions import needs

_ASKED = set(asking.FILTERS) - {"state"}
PAGE_SIZE = 25
CUSTOMERS = COMPANIES = 5  # that a search shows above the list
SEARCH_BOX = "id_q"  # its list comes while somebody types
_SELECTS = ("priority", "persona", "kind", "research", "assignee")
_MORE = ("value_min", "value_max", "plan", "company")  # folded


@needs("briefs.view_brief")
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    rendered_at = timezone.now()  # before the rows are read: what comes in between is new
    shown = listing(request.GET, request)
    tab, found, order = shown.tab, shown.found, shown.order
    filters = {name: str(value) for name, value in request.GET.items() if value and name in _ASKED}
    # Of a common word only the newest briefs of the list are known, and no tab's number.
    is_known = not shown.words.text or shown.words.hits is not None
    numbers = tabs.true_counts(found.of_any_state, request.user) if is_known else {}
    page = _page(shown, request.GET.get("page"), numbers.get(found.data["state"]))
    number = page.paginator.count + shown.folds.hidden  # of briefs
    for words in asking.unknown(request.GET):
        messages.warning(request, f"“{words[:60]}” is no filter, so it was left out.")
    if (asked_order := request.GET.get(ordering.NAME)) and not ordering.is_known(asked_order):
        messages.warning(request, f"Lists are not sorted by “{asked_order[:60]}”.")
    situation, in_all = Situation(request.user), Numbers.read()
    recent = RecentSearch.objects.last_of(request.user)
    place = Place(
        here=asking.kept(request.GET.dict()),
        path=request.get_full_path(),
        is_of_closed=tab.value == "closed",
        may_work=request.user.has_perm("briefs.work_brief"),
    )
    lines = lines_of(list(page.object_list), shown.folds, found.qs, place, situation)
    context = {
        "section": "inbox",
        "filter": found,
        "selects": [found.form[name] for name in _SELECTS],
        "more": [found.form[name] for name in _MORE],
        "more_asked": sum(name in filters for name in _MORE),
        "filters_asked": sum(name in filters for name in (*_SELECTS, *_MORE)),
        "tabs": _tabs(
            tab,
            {**filters, ordering.NAME: order * (order != shown.usual_order)},
            numbers,
            number,
        ),
        "tab": tab,
        "may_pick": place.may_work and not place.is_of_closed,
        "clear": list_address(asking.kept({"state": tab.value})),
        "columns": columns(tab, order),
        "order": order if order != shown.usual_order else "",
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "found": number,
        "lines": lines,
        "rows_shown": ",".join(str(line.row.key) for line in lines if line.row),
        "open_incidents": in_all.open_incidents,
        "of_cause": found.form.cleaned_data.get("cause"),
        "on_page": on_page(lines),
        "value": _value_behind(found, page),
        "here": place.here,
        "live": live.address(request, number, rendered_at),
        **_views(request),
        "is_filtered": bool(filters),
        **_search(shown, page, lines),
        "recent": recent,
        "notices": notices(request.user, situation, in_all),
        "trouble": situation.lookup_trouble if tab.value == "waiting" else "",
    }
    if not page.object_list:
        context |= _why_empty(request, tab, bool(filters))
    is_typing = request.htmx.trigger == SEARCH_BOX  # type: ignore[attr-defined]  # by its middleware
    is_new = shown.words.text and page.object_list and recent[:1] != [shown.words.text]
    if is_new and not is_typing:
        with suppress(OperationalError):  # SQLite has one writer: what was found comes first
            RecentSearch.objects.note(request.user, shown.words.text)
    return render(request, "briefs/inbox.html", context)


@needs("briefs.view_brief")
@require_safe
def download(request: HttpRequest) -> Any:  # a response that is no HttpResponse
    """The list that the address asks for as CSV: all of its pages, folds brief by brief."""
    shown = listing(request.GET, request)
    briefs = shown.briefs  # searches, and only then is it known whether all were found
    return lists.response(briefs, request, are_all=shown.words.is_complete)


@needs("briefs.view_brief")
@require_POST
def forget_searches(request: HttpRequest) -> HttpResponse:
    """Of the person who asks, all of them."""
    RecentSearch.objects.of(request.user).delete()
    return redirect("briefs:inbox")


def _search(shown: Listing, page: Page[Any], lines: list[Line]) -> dict[str, Any]:
    """What a search shows besides: where it found each row, and customers and companies."""
    words = shown.words
    if not words.text:
        return {}
    found = snippets(words.terms, list(page.object_list), words.common)
    for line in lines:
        if line.row:
            line.snippets = found.get(line.row.key, [])
    customers = words.customers(CUSTOMERS + 1)
    return {
        "words": words,
        "is_cut": words.is_cut or page.paginator.count == MOST,
        "is_built": indexing.is_built(),
        "customers": customers[:CUSTOMERS],
        "has_more_customers": len(customers) > CUSTOMERS,
        "companies": words.companies[:COMPANIES],
        "has_more_companies": len(words.companies) > COMPANIES,
    }


def _views(request: HttpRequest) -> dict[str, Any]:
    """The saved views; which of them the address asks for, if any."""
    query = asking.kept(request.GET.dict(), asking.NAMES)
    views = list(SavedView.objects.seen_by(request.user))
    present = next((one for one in views if one.query == query), None)
    return {
        "views": views,
        "view": query,
        "present_view": present,
        "may_change_view": present is not None and present.may_be_changed_by(request.user),
    }


def _tabs(
    present: tabs.Tab, kept: dict[str, str], numbers: dict[str, int], shown: int
) -> list[dict[str, Any]]:
    """Each with its address, which keeps filters and order, and how many briefs it shows.

    A state without a tab gets one while it is asked for.
    """
    return [
        {
            "label": tab.label,
            "address": list_address(asking.kept({**kept, "state": tab.value})),
            "is_present": tab is present,
            "number": shown if tab is present else numbers.get(tab.value),
        }
        for tab in tabs.ALL
        if tab.is_tab or tab is present
    ]


def _page(shown: Listing, number: str | None, count: int | None) -> Page[Any]:
    """Sort the keys alone, then read the rows of the page: a fold is its most valuable brief.

    To sort 200,000 rows with all that a list shows takes PostgreSQL two to seven times as long.
    """
    paginator = Paginator(shown.keys, PAGE_SIZE)
    if count is not None and not shown.words.text:
        paginator.count = max(0, count - shown.folds.hidden)  # known already
    page: Page[Any] = paginator.get_page(number)
    of_page = list(page.object_list)
    by_key = for_rows(Brief.objects.all()).in_bulk(of_page)
    page.object_list = [by_key[key] for key in of_page if key in by_key]
    return page


def _value_behind(found: BriefFilter, page: Page[Any]) -> Sums:
    """What the whole list is worth, not this page alone."""
    briefs = found.qs
    if found.words.text:  # the words were searched for already
        briefs = among(Brief.objects.all(), list(page.paginator.object_list))
    return value_behind(briefs, page.paginator.count)


def _why_empty(request: HttpRequest, tab: tabs.Tab, is_filtered: bool) -> dict[str, Any]:
    """Why the list is empty: no brief at all, no match, or none in this tab."""
    if not Brief.objects.exists():
        receiver = absolute(reverse("webhooks:receive"), request)
        return {"empty": "first", "receiver": receiver}
    if is_filtered:
        return {"empty": "no match"}
    return {"empty": "none waiting" if tab.value == "waiting" else tab.value}
