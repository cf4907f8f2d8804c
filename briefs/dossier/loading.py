"""Which columns are read for a row, a table, a page and the API: all take twice as long."""

from django.db.models import Prefetch, QuerySet

from briefs.models import Brief, Research
from briefs.research import renewal

# What the API tells of each brief of a list: all but long texts.
_NOT_TOLD = (
    "question_facts", "persona_why",
    "research__question", "research__answer", "research__sources", "research__personas_used",
    "research__validation", "research__raw_reply",
    "persona__description", "persona__research_focus", "persona__playbook",
)  # fmt: skip
# Devices and what customers chose say which channels are closed, and so what to do first. A search
# says where it found a customer, whose texts it takes from here.
_IN_ROW = (
    "revision", "kind", "detail", "priority", "basis", "state", "is_waiting_for_profile",
    "value_month", "value_currency", "happened_at", "created_at", "due_at", "closed_at", "outcome",
    "closing_note", "step_at_closing",
    "customer__cio_id", "customer__external_id", "customer__email", "customer__phone",
    "customer__company", "customer__attributes", "customer__devices", "customer__preferences",
    "customer__is_unsubscribed", "customer__subscription_changed_at", "customer__fetched_at",
    "customer__is_deleted", "customer__is_erased", "customer__value_amount",
    "customer__value_currency", "customer__value_period", "customer__value_month",
    "persona__name", "persona__opens_brief", "persona__is_unknown",
    "research__status", "research__priority", "research__available_at", "research__finished_at",
    "assignee__username", "assignee__first_name", "assignee__last_name",
    "cause__message", "cause__kind", "cause__described", "cause__ended_at", "cause__incident_at",
)  # fmt: skip
_RELATED_IN_TABLE = ("customer", "persona", "assignee", "closing_reason", "offer")
_IN_TABLE = (
    "kind", "detail", "priority", "state", "is_waiting_for_profile", "value_month",
    "value_currency", "created_at", "due_at", "closed_at", "outcome", "closing_note",
    "offer_percent", "offer_words",
    "customer__cio_id", "customer__external_id", "customer__email", "customer__phone",
    "customer__attributes", "customer__is_erased",
    "persona__name", "assignee__username", "assignee__first_name", "assignee__last_name",
    "closing_reason__name", "offer__name", "offer__asks",
)  # fmt: skip
_RELATED = ("customer", "persona", "research", "assignee", "cause")
_NOT_OF_RENEWAL = (
    "raw_reply", "question", "answer", "sources", "personas_used", "validation",
)  # fmt: skip


def listed(briefs: QuerySet[Brief]) -> QuerySet[Brief]:
    """Load all that the API tells of these briefs in one query."""
    return briefs.select_related(*_RELATED).defer(*_NOT_TOLD)


def for_rows(briefs: QuerySet[Brief]) -> QuerySet[Brief]:
    """Load all that rows of the inbox show in one query."""
    return briefs.select_related(*_RELATED).only(*_IN_ROW)


def in_full(briefs: QuerySet[Brief]) -> QuerySet[Brief]:
    """Load all that the page of a brief shows of these rows.

    What few briefs have is read apart: PostgreSQL takes 15 ms to plan a join of nine tables.
    """
    related = briefs.select_related("customer", "persona", "research", "assignee")
    rare = related.prefetch_related(
        Prefetch("renewal", Research.objects.defer(*_NOT_OF_RENEWAL)),
        "closing_reason",
        "offer",
        "cause",
    )
    return rare.annotate(has_later_answers=renewal.has_later_answers()).defer("research__raw_reply")


def for_tables(briefs: QuerySet[Brief]) -> QuerySet[Brief]:
    """Load all that the tables of an incident, a company and a customer show in one query."""
    return briefs.select_related(*_RELATED_IN_TABLE).only(*_IN_TABLE)
