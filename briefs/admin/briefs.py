"""Briefs, read-only. People work with them on the desk."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from briefs.admin.readonly import (
    CUSTOMER_DETAILS,
    PERSONA_DETAILS,
    ReadOnlyAdmin,
    ReadOnlyInline,
    link,
)
from briefs.finding.search import search
from briefs.models import Activity, Brief, Signal
from briefs.models.priority import shown
from personas.people.identity import known_as

SEARCHED = "A brief's number, or a customer's whole id, cio_id or e-mail address."


def of_brief(rows: QuerySet[Any], term: str, prefix: str = "") -> QuerySet[Any]:
    """By a brief's number or its customer's whole identifier: both are served by indexes.

    `prefix`: how the rows name their brief, such as “brief__”.
    """
    term = term.strip()
    if not term:
        return rows
    found = rows.filter(known_as(term, f"{prefix}customer__"))
    if term.isascii() and term.isdigit() and len(term) < 19:
        return found | rows.filter(**{f"{prefix}pk": int(term)})
    return found


class SignalInline(ReadOnlyInline):
    model = Signal
    fields = ("what", "effect", "severity", "why", "happened_at")
    show_change_link = True
    verbose_name_plural = "Signals"

    readonly_fields = ("what",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Signal]:
        return super().get_queryset(request).select_related("customer")

    @admin.display(description="signal")
    def what(self, signal: Signal) -> str:
        return signal.title


class ActivityInline(ReadOnlyInline):
    model = Activity
    fields = ("at", "actor", "text")
    verbose_name_plural = "What was done"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Activity]:
        return super().get_queryset(request).select_related("actor")


@admin.register(Brief)
class BriefAdmin(ReadOnlyAdmin):
    names_people = True
    list_display = (
        "id", "customer_name", "what", "persona", "priority", "value_shown", "state", "basis",
        "assignee", "outcome", "created_at",
    )  # fmt: skip
    list_filter = ("state", "priority", "kind", "basis", "outcome", "is_waiting_for_profile",
                   "is_persona_wrong", "persona")  # fmt: skip
    list_select_related = ("customer", "persona", "assignee")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    search_fields = ("id",)  # the search itself is in get_search_results
    search_help_text = f"{SEARCHED[:-1]}; or any words, as in the inbox."
    inlines = (SignalInline, ActivityInline)
    fieldsets = (
        (
            None,
            {
                "fields": ("desk_link", "customer_link", "what", "priority", "why", "value_shown",
                           "state", "assignee", "snoozed_until", "returned_link", "cause_link"),
            },
        ),
        (
            "Why this persona",
            {"fields": ("persona_link", "persona_why", "rules_version", "question_facts",
                        "is_persona_wrong", "is_waiting_for_profile")},
        ),
        (
            "Its research",
            {"fields": ("basis", "research_link", "is_sharing", "researched_at")},
        ),
        (
            "When",
            {"fields": ("happened_at", "created_at", "last_signal_at", "due_at",
                        "first_touch_at")},
        ),
        (
            "How it ended",
            {"fields": ("outcome", "reason", "offered", "closing_note", "closed_at",
                        "reopened_at")},
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Brief]:
        briefs = super().get_queryset(request).select_related(*self.list_select_related)
        return briefs.defer(*CUSTOMER_DETAILS, *PERSONA_DETAILS)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        found = of_brief(queryset, search_term)
        return (found if found.exists() else search(queryset, search_term)), False

    @admin.display(description="on the desk")
    def desk_link(self, brief: Brief) -> SafeString:
        url = brief.get_absolute_url()
        return format_html('<a href="{}">Work on this brief on the desk</a>', url)

    @admin.display(description="signal", ordering="kind")
    def what(self, brief: Brief) -> str:
        return brief.title

    @admin.display(description="why this priority")
    def why(self, brief: Brief) -> SafeString | str:
        reasons = [(one["words"],) for one in shown(brief.priority_reasons)]
        return (
            format_html_join("", "<p>{}</p>", reasons) or "Not kept: it is of an earlier version."
        )

    @admin.display(description="value", ordering="value_sort")
    def value_shown(self, brief: Brief) -> str:
        return brief.value_words or "unknown"

    @admin.display(description="customer", ordering="customer__external_id")
    def customer_name(self, brief: Brief) -> str:
        return str(brief.customer)

    @admin.display(description="customer")
    def customer_link(self, brief: Brief) -> SafeString | str:
        return link(brief.customer)

    @admin.display(description="persona")
    def persona_link(self, brief: Brief) -> SafeString | str:
        return link(brief.persona)

    @admin.display(description="research")
    def research_link(self, brief: Brief) -> SafeString | str:
        return link(brief.research)

    @admin.display(description="returned from")
    def returned_link(self, brief: Brief) -> SafeString | str:
        return link(brief.returned_from)

    @admin.display(description="message")
    def cause_link(self, brief: Brief) -> SafeString | str:
        if brief.cause is None:
            return "—"
        return format_html('<a href="{}">{}</a>', brief.cause.get_absolute_url(), brief.cause)

    @admin.display(description="why they stayed or left")
    def reason(self, brief: Brief) -> str:
        """Without a link: an editor may not open the list of reasons."""
        return str(brief.closing_reason or "—")

    @admin.display(description="what was offered")
    def offered(self, brief: Brief) -> str:
        return brief.offer_in_words or "—"
