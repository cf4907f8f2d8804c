"""Incidents: the list of them, the page of one, and what people do about it.

The page also shows a message whose briefs are no more than usual.
"""

from collections.abc import Callable
from datetime import UTC, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, DateTimeField, F, QuerySet, Value
from django.db.models.functions import Greatest, TruncDay, TruncHour, TruncMinute
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from briefs import times
from briefs.desk.forms import ActForm, AssignForm, CloseIncidentForm, IncidentNoteForm
from briefs.desk.returning import NAME, list_address
from briefs.dossier.loading import for_tables
from briefs.finding import asking
from briefs.finding.known_values import value_behind
from briefs.finding.ordering import NAME as ORDERING
from briefs.links import message_url, user_name
from briefs.models import Brief, Cause, Priority
from briefs.permissions import needs
from briefs.reading import incidents as reading
from briefs.reading.incidents import Extent
from briefs.templatetags.charts import Column, Series
from briefs.triage import incidents
from briefs.triage.freshness import News, Stale
from briefs.triage.incidents import Closing

PAGE_SIZE = 25
MOST_PEOPLE = 25  # on the page; the list shows all
_BY_MINUTE, _BY_HOUR = timedelta(minutes=90), timedelta(days=3)  # up to so long
MOST_LABELS = 6

Act = Callable[..., None]


@needs("briefs.view_brief")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Open ones first, then the latest."""
    rows = Cause.objects.incidents().select_related("assignee")
    page = Paginator(
        rows.order_by(F("ended_at").desc(nulls_first=True), "-incident_at"), PAGE_SIZE
    ).get_page(request.GET.get("page"))
    found = Extent.of_all(page.object_list)
    context = {
        "section": "inbox",
        "page": page,
        "incidents": [(cause, found[cause.pk]) for cause in page.object_list],
    }
    return render(request, "briefs/incidents.html", context)


@needs("briefs.view_brief")
@require_safe
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _find(pk))


def _find(pk: int) -> Cause:
    return get_object_or_404(Cause.objects.select_related("assignee"), pk=pk)


def _page(
    request: HttpRequest,
    cause: Cause,
    sent: ActForm | None = None,
    status: int = 200,
    news: News | None = None,
) -> HttpResponse:
    """The page; with the form that comes back, and with what arrived that made it come back."""
    briefs = Brief.objects.filter(cause=cause)
    extent = Extent.of(cause)
    people = for_tables(briefs)
    context = {
        "section": "inbox",
        "cause": cause,
        "newer": None if cause.is_open else cause.in_the_way,
        "extent": extent,
        "usual": reading.usual_words(cause),
        "first_step": reading.first_step(cause.kind),
        "message_url": message_url(cause.message),
        "value": value_behind(briefs, extent.briefs),
        "urgent": briefs.open().filter(priority=Priority.URGENT).count(),
        "people": people.order_by("-value_sort", "pk")[:MOST_PEOPLE],
        # After one of them is closed, the next one of the incident follows.
        "way_back": urlencode({NAME: asking.kept({"cause": str(cause.pk), ORDERING: "-value"})}),
        "personas": _personas(briefs),
        "list_address": list_address(asking.kept({"cause": str(cause.pk), "state": "all"})),
        "here": asking.kept({"cause": str(cause.pk), "state": "all"}),
        "entries": cause.entries.select_related("actor"),
        "based_on": incidents.seen(cause),
        "news": news,
        "sent_form": sent,
        "assign_form": AssignForm(cause),
        "note_form": IncidentNoteForm(cause),
        "close_form": CloseIncidentForm(cause),
        **_by_time(cause, briefs, extent),
    }
    if sent is not None:
        context[sent.name] = sent
    return render(request, "briefs/incident.html", context, status=status)


def _personas(briefs: QuerySet[Brief]) -> list[tuple[str, int]]:
    """How many briefs each has: somebody with several may have become another persona meanwhile."""
    counted = briefs.values_list("persona__name").annotate(number=Count("pk"))
    return list(counted.order_by("-number", "persona__name"))


def _by_time(cause: Cause, briefs: QuerySet[Brief], extent: Extent) -> dict[str, Any]:
    """The columns of the chart: minutes, hours or days, with those between that had none.

    Nothing if all happened within one.
    """
    if extent.first is None or extent.last is None:
        return {}
    length = extent.last - extent.first
    if length <= _BY_MINUTE:
        trunc: Any = TruncMinute
        step, unit = timedelta(minutes=1), "minute"
    elif length <= _BY_HOUR:
        trunc, step, unit = TruncHour, timedelta(hours=1), "hour"
    else:
        trunc, step, unit = TruncDay, timedelta(days=1), "day"
    zone = None if unit == "day" else UTC  # an hour comes twice where clocks are set back
    began = Value(cause.first_at, output_field=DateTimeField())
    moment = Greatest("happened_at", began)  # as the extent has it
    counted = dict(
        briefs.annotate(slot=trunc(moment, tzinfo=zone))
        .values_list("slot")
        .annotate(number=Count("pk"))
        .order_by("slot")
    )
    slots = []
    slot = min(counted)
    while slot <= max(counted):
        slots.append(slot)
        slot = _next(slot, step)
    if len(slots) < 2:
        return {}
    every = -(-len(slots) // MOST_LABELS)
    return {
        "unit": unit,
        "columns": [
            Column(times.exact(slot), _label(slot, unit) if number % every == 0 else "")
            for number, slot in enumerate(slots)
        ],
        "series": [Series("accepted", "Briefs", [counted.get(slot, 0) for slot in slots])],
    }


def _next(slot: Any, step: timedelta) -> Any:
    """The next slot; a day that the clocks change is longer or shorter than 24 hours."""
    if step < timedelta(days=1):
        return slot + step
    return timezone.make_aware(timezone.make_naive(slot) + step)


def _label(slot: Any, unit: str) -> str:
    return times.short_day(slot) if unit == "day" else f"{timezone.localtime(slot):%H:%M}"


# What people do about it -------------------------------------------------------------------------


def _act(
    form_class: type[ActForm] | None = None,
) -> Callable[[Act], Callable[[HttpRequest, int], HttpResponse]]:
    """By POST, for who may work on briefs; a form with a fault, or an old one, comes back."""

    def decorate(act: Act) -> Callable[[HttpRequest, int], HttpResponse]:
        @needs(incidents.PERMISSION)
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(act)
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            cause = _find(pk)
            if request.method != "POST":
                return redirect(cause)
            form = form_class(cause, request.POST) if form_class else None
            based_on = _number(request.POST.get("based_on", ""))
            try:
                if form is None:
                    act(request, cause, based_on)
                    return redirect(cause)
                if form.is_valid():
                    act(request, cause, based_on, form.entered)
                    return redirect(cause)
            except Stale as stale:
                return _page(request, _find(pk), form, status=409, news=stale.news)
            except ValidationError as error:
                if form is None:
                    messages.error(request, " ".join(error.messages))
                    return redirect(cause)
                form.add_error(None, error)
            # Or the next try would not tell what arrived.
            news = incidents.since(cause, request.user, based_on)
            return _page(request, _find(pk), form, status=422, news=news)

        return view

    return decorate


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@_act()
def take(request: HttpRequest, cause: Cause, based_on: int) -> None:
    if incidents.give(cause, request.user, based_on, request.user):
        messages.success(request, "The incident is yours.")
    else:
        messages.info(request, "This incident is yours already.")


@_act()
def give_back(request: HttpRequest, cause: Cause, based_on: int) -> None:
    incidents.give(cause, request.user, based_on, None)
    messages.success(request, "Nobody owns the incident now.")


@_act(AssignForm)
def give(request: HttpRequest, cause: Cause, based_on: int, to: Any) -> None:
    incidents.give(cause, request.user, based_on, to)
    messages.success(request, f"The incident is {user_name(to)}’s.")


@_act(IncidentNoteForm)
def note(request: HttpRequest, cause: Cause, based_on: int, text: str) -> None:
    incidents.note(cause, request.user, based_on, text)
    messages.success(request, "The note is in the log.")


@_act(CloseIncidentForm)
def close(request: HttpRequest, cause: Cause, based_on: int, text: str) -> None:
    match incidents.close(cause, request.user, based_on, text):
        case Closing.CLOSED:
            messages.success(request, "The incident is closed. Its briefs are as they were.")
        case Closing.ALREADY:
            messages.info(request, "This incident is closed already.")
        case Closing.TOO_LATE:
            messages.info(
                request, "This incident was closed before you. What you wrote is kept in the log."
            )


@_act()
def reopen(request: HttpRequest, cause: Cause, based_on: int) -> None:
    if incidents.reopen(cause, request.user, based_on):
        messages.success(request, "The incident is open again.")
