"""Signals, read-only: every event that a rule made a signal."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from briefs.admin.readonly import (
    CUSTOMER_DETAILS,
    PERSONA_DETAILS,
    ReadOnlyAdmin,
    link,
)
from briefs.models import Signal
from personas.models.signals import Level
from personas.people.identity import known_as


class LevelFilter(admin.AllValuesFieldListFilter):
    """Offers the levels that a signal may have; Django's own would read all signals for them."""

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        levels = sorted({*Level.values} - {Level.ANY})
        self.lookup_choices = levels  # type: ignore[assignment]  # a queryset for the stubs only


@admin.register(Signal)
class SignalAdmin(ReadOnlyAdmin):
    names_people = True
    list_display = ("what", "customer_name", "effect", "persona", "rule", "brief_number",
                    "happened_at")  # fmt: skip
    list_filter = ("effect", "kind", "severity", ("level", LevelFilter))
    list_select_related = ("customer", "persona", "rule")
    date_hierarchy = "happened_at"
    ordering = ("-happened_at",)
    search_fields = ("customer__external_id",)  # the search itself is in get_search_results
    search_help_text = "A customer's whole id, cio_id or e-mail address."
    fieldsets = (
        (None, {"fields": ("what", "effect", "severity", "level", "happened_at", "why",
                            "rules_version")}),
        (
            "Belongs to",
            {"fields": ("customer_link", "event_link", "brief_link", "rule", "persona",
                        "same_act_link")},
        ),
        ("The message", {"fields": ("message_shown",)}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Signal]:
        signals = super().get_queryset(request).select_related(*self.list_select_related)
        return signals.defer(*CUSTOMER_DETAILS, *PERSONA_DETAILS)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        return (queryset.filter(known_as(term, "customer__")) if term else queryset), False

    @admin.display(description="signal", ordering="kind")
    def what(self, signal: Signal) -> str:
        return signal.title

    @admin.display(description="customer")
    def customer_name(self, signal: Signal) -> str:
        return str(signal.customer)

    @admin.display(description="brief", ordering="brief")
    def brief_number(self, signal: Signal) -> str:
        return str(signal.brief_id or "—")

    @admin.display(description="customer")
    def customer_link(self, signal: Signal) -> SafeString | str:
        return link(signal.customer)

    @admin.display(description="event")
    def event_link(self, signal: Signal) -> SafeString | str:
        return link(signal.event)

    @admin.display(description="brief")
    def brief_link(self, signal: Signal) -> SafeString | str:
        return link(signal.brief)

    @admin.display(description="same act as")
    def same_act_link(self, signal: Signal) -> SafeString | str:
        return link(signal.same_act_as)

    @admin.display(description="as far as sent")
    def message_shown(self, signal: Signal) -> SafeString | str:
        pairs = sorted(signal.message.items())
        return format_html_join("", "<p><b>{}</b> {}</p>", pairs) or "nothing"
