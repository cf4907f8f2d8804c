"""The event's page, with what the event led to; and how the team has events processed again."""

import json
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.timezone import make_aware
from django.views.decorators.http import require_POST

from briefs.admin.long_lists import LongList
from briefs.admin.readonly import link
from briefs.admin.trying import LinksToTry
from briefs.models import Signal
from briefs.reprocessing import ordering
from briefs.reprocessing.selecting import MOST_IDS, Selection
from personas.models import Customer
from personas.people.identity import known_as
from webhooks.admin import EventAdmin
from webhooks.models import WebhookEvent

admin.site.unregister(WebhookEvent)


@admin.register(WebhookEvent)
class EventWithOutcomeAdmin(LinksToTry, LongList, EventAdmin):
    list_display = (*EventAdmin.list_display, "led_to")
    list_select_related = ("signal",)
    actions = ("reprocess",)
    fieldsets: ClassVar[Any] = (
        *EventAdmin.fieldsets[:2],
        (
            "What it led to",
            {"fields": ("signal_link", "customer_link", "brief_link", "research_link")},
        ),
        *EventAdmin.fieldsets[2:],
    )

    def has_reprocess_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ordering.PERMISSION)

    def get_urls(self) -> list[URLPattern]:
        order = self.admin_site.admin_view(require_POST(self.order))
        name = "webhooks_webhookevent_reprocess"
        return [path("reprocess/", order, name=name), *super().get_urls()]

    @admin.action(description="Reprocess…", permissions=["reprocess"])
    def reprocess(
        self, request: HttpRequest, queryset: QuerySet[WebhookEvent]
    ) -> HttpResponse | None:
        """Ask whether to look first. Of all that match, the filter is kept, not each event."""
        try:
            selection = _selection(request, queryset)
        except ValueError as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Reprocess events",
            "selection": selection,
            "selectors": json.dumps(selection.selectors),
            "number": selection.count(),
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/briefs/reprocessingjob/order.html", context)

    def order(self, request: HttpRequest) -> HttpResponse:
        """Order the job for what the page before named."""
        if not self.has_reprocess_permission(request):
            raise PermissionDenied(ordering.PERMISSION)
        try:
            selection = Selection.of(json.loads(request.POST.get("selectors", "")))
            is_dry_run = bool(request.POST.get("dry_run"))
            job = ordering.reprocess(selection, request.user, is_dry_run=is_dry_run)
        except (ValueError, TypeError, AttributeError) as error:
            raise BadRequest("selectors") from error
        return redirect(reverse("admin:briefs_reprocessingjob_change", args=[job.pk]))

    def speaks_of(self, term: str) -> Q:
        """Also search by the customer's identifiers, since an event may carry only one of them."""
        people = Customer.objects.filter(known_as(term))
        return super().speaks_of(term) | Q(signal__customer__in=people)

    @admin.display(description="led to")
    def led_to(self, event: WebhookEvent) -> str:
        signal = _signal(event)
        if signal is None:
            return "—"
        return f"brief {signal.brief_id}" if signal.brief_id else signal.title

    @admin.display(description="signal")
    def signal_link(self, event: WebhookEvent) -> SafeString | str:
        signal = _signal(event)
        if signal is None:
            return "—"
        version = f" (rules version {signal.rules_version})" if signal.rules_version else ""
        return link(signal, f"{signal.title}: {signal.why}{version}")

    @admin.display(description="customer")
    def customer_link(self, event: WebhookEvent) -> SafeString | str:
        signal = _signal(event)
        return link(signal.customer if signal else None)

    @admin.display(description="brief")
    def brief_link(self, event: WebhookEvent) -> SafeString | str:
        signal = _signal(event)
        return link(signal.brief if signal else None)

    @admin.display(description="research")
    def research_link(self, event: WebhookEvent) -> SafeString | str:
        signal = _signal(event)
        research = signal.brief.research if signal and signal.brief else None
        return link(research, f"{research}, {research.get_status_display()}" if research else "")


def _signal(event: WebhookEvent) -> Signal | None:
    return getattr(event, "signal", None)  # without a signal, event.signal raises AttributeError


def _selection(request: HttpRequest, queryset: QuerySet[WebhookEvent]) -> Selection:
    """The chosen events; or, if all that match were chosen, the filter. Raises ValueError."""
    if request.POST.get("select_across") != "1":
        return Selection(ids=[str(key) for key in queryset.values_list("pk", flat=True)])
    given = {
        name: str(value) for name, value in request.GET.items() if value and name not in _NO_FILTER
    }
    taken: dict[str, Any] = {new: given.pop(old) for old, new in _FILTERS.items() if old in given}
    if status := given.pop("status__exact", ""):
        taken["status"] = [status]
    since, until = _period(given)
    selection = Selection(**taken, since=since, until=until)
    # Whatever is not taken over from the filter shows in the numbers, so that no other events run.
    if not given and selection and selection.count() == queryset.count():
        return selection
    keys = [str(key) for key in queryset.values_list("pk", flat=True)[: MOST_IDS + 1]]
    if len(keys) > MOST_IDS:
        raise ValueError(
            f"These are more than {MOST_IDS:,} events by a filter that no job can keep. Filter by "
            "status, object type, metric or day, or search for one person."
        )
    return Selection(ids=keys)


_NO_FILTER = ("o", "p", "all", "e")
_FILTERS = {"object_type": "object_type", "metric": "metric", "q": "customer"}


def _period(given: dict[str, str]) -> tuple[datetime | None, datetime | None]:
    """What the links above the list chose: a year, a month or a day."""
    try:
        year = int(given["received_at__year"])
        month = int(given.get("received_at__month", 0))
        day = int(given.get("received_at__day", 0))
        begin = make_aware(datetime(year, month or 1, day or 1))
        if day:
            end = make_aware(datetime(year, month, day) + timedelta(days=1))
        else:
            end = make_aware(datetime(year + (month in (0, 12)), month % 12 + 1 if month else 1, 1))
    except (KeyError, ValueError):
        return None, None
    for name in ("year", "month", "day"):
        given.pop(f"received_at__{name}", None)
    return begin, end
