"""Signal rules: which events mean something, and what they lead to."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator

from personas.admin.conditions import ConditionInline, RuleAdmin, words
from personas.admin.duplicating import DuplicatingAdmin
from personas.models import Effect, SignalCondition, SignalRule
from personas.rules import preferences

# What Customer.io sends in an event's `data`, and what is read from it or found out by comparing.
PAYLOAD_FIELDS = [
    ("failure_message", "what the receiving server said"),
    ("bounce", "read from it: gone, suspended, full, busy, expired, blocked, unknown"),
    ("smtp_status", "read from failure_message, e.g. 5.1.1"),
    ("smtp_class", "read from failure_message: 4 passes, 5 stays"),
    ("preferences", ", ".join(preferences.WORDS)),
    ("campaign_name", ""),
    ("campaign_id", ""),
    ("broadcast_name", ""),
    ("broadcast_id", ""),
    ("newsletter_name", ""),
    ("newsletter_id", ""),
    ("transactional_message_id", ""),
    ("subject", "of the message"),
    ("recipient", "the address it was sent to"),
    ("recipient_is", "their own, or another address"),
    ("reply", "to a text message: stop or start"),
    ("reached", "again: it arrived where earlier messages did not"),
    ("channel", ""),
    ("delivery_id", ""),
    ("action_id", ""),
    ("identifiers.email", "the person's address"),
]


class SignalConditionInline(ConditionInline):
    model = SignalCondition


@admin.register(SignalRule)
class SignalRuleAdmin(DuplicatingAdmin, RuleAdmin):
    order_words = "Tried from top to bottom: the first active rule that fits an event decides."
    list_display: Any = (
        "name", "position", "is_active", "speaks_of", "leads_to", "conditions_shown",
    )  # fmt: skip
    list_editable = ("position", "is_active")
    list_filter = ("is_active", "effect", "kind", "severity")
    search_fields = ("name", "metrics", "conditions__field", "conditions__value", "note")
    inlines = (SignalConditionInline,)
    condition, rule_key = SignalCondition, "rule_id"
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("name", "position", "is_active")}),
        (
            "Which events",
            {
                "description": "Rules are tried in order of their position, and the first active "
                "one that fits an event decides. The conditions below look into the event itself; "
                "without any the rule takes every event of these kinds.",
                "fields": ("object_types", "metrics", "level", "match"),
            },
        ),
        (
            "What it means",
            {
                "description": "The severity and the value of the customer's persona make a "
                "brief's priority.",
                "fields": ("kind", "effect", "severity", "note"),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SignalRule]:
        rules: QuerySet[SignalRule] = super().get_queryset(request)
        return rules.prefetch_related("conditions")

    @admin.display(description="events")
    def speaks_of(self, rule: SignalRule) -> str:
        parts = [rule.object_types, Truncator(rule.metrics).chars(40)]
        level = "" if rule.level == "any" else rule.get_level_display()
        return " · ".join(part for part in (*parts, level) if part)

    @admin.display(description="conditions")
    def conditions_shown(self, rule: SignalRule) -> str:
        return Truncator(words(rule.conditions.all(), rule.match) or "none").chars(90)

    @admin.display(description="leads to", ordering="effect")
    def leads_to(self, rule: SignalRule) -> str:
        severity = rule.get_severity_display().lower()
        return {
            Effect.OPENS_BRIEF: f"brief, {severity}",
            Effect.GOOD_NEWS: "good news",
            Effect.TIMELINE: "timeline",
            Effect.NOTICE: "notice",
        }.get(Effect(rule.effect), "nothing")

    def suggestions(self) -> list[tuple[str, str]]:
        return PAYLOAD_FIELDS
