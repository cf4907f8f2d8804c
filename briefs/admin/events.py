"""The event's page, with what the event led to."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from briefs.admin.long_lists import LongList
from briefs.admin.readonly import link
from briefs.models import Signal
from personas.models import Customer
from personas.people.identity import known_as
from webhooks.admin import EventAdmin
from webhooks.models import WebhookEvent

admin.site.unregister(WebhookEvent)


@admin.register(WebhookEvent)
class EventWithOutcomeAdmin(LongList, EventAdmin):
    list_display = (*EventAdmin.list_display, "led_to")
    list_select_related = ("signal",)
    fieldsets: ClassVar[Any] = (
        *EventAdmin.fieldsets[:2],
        (
            "What it led to",
            {"fields": ("signal_link", "customer_link", "brief_link", "research_link")},
        ),
        *EventAdmin.fieldsets[2:],
    )

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
