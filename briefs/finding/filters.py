"""The filters for briefs that the inbox and the REST API share."""

from collections.abc import Iterable
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import Q
from django_filters.fields import ChoiceField

from briefs.finding.ordering import KNOWN, Names, OrderingFilter
from briefs.finding.search import search
from briefs.models import Brief, Priority, Research
from briefs.models.briefs import BriefQuerySet
from personas.models import Persona, SignalKind

STATES = [
    ("open", "Open"),
    ("new", "New"),
    ("in_progress", "In progress"),
    ("waiting", "Waiting for profile"),
    ("closed", "Closed"),
    ("all", "Open and closed"),
]
# The inbox gets its tab for these with the desk's snooze.
_FILTERED_STATES = [*STATES, (Brief.State.SNOOZED.value, Brief.State.SNOOZED.label)]
PRIORITIES = [(priority.name.lower(), priority.label) for priority in reversed(Priority)]
RESEARCH = [
    ("new", "New"),
    ("shared", "Shared"),
    ("playbook", "Playbook only"),
    ("under_way", "Under way"),
    ("failed", "Failed, can be retried"),
]
ASSIGNEES = [("me", "Me"), ("nobody", "Nobody")]
_RESEARCH_IS = {
    "new": Q(basis=Brief.Basis.NEW),
    "shared": Q(basis=Brief.Basis.SHARED),
    "playbook": Q(basis=Brief.Basis.PLAYBOOK),
    "under_way": Q(basis=Brief.Basis.PLAYBOOK, research__status__in=Research.ACTIVE),
    "failed": Q(basis=Brief.Basis.PLAYBOOK, research__status=Research.Status.FAILED),
}


def in_words(choices: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What is said of a value that is none of these choices: it names them all."""
    known = ", ".join(str(value) for value, _ in choices)
    return {"invalid_choice": f"“%(value)s” is none of: {known}."}


class PriorityField(ChoiceField):  # type: ignore[misc]  # ships no types
    """A priority by its name in any case, or by its number."""

    _numbers: ClassVar = {str(priority.value): priority.name.lower() for priority in Priority}

    def to_python(self, value: Any) -> str:
        word = str(super().to_python(value)).strip().lower()
        return self._numbers.get(word, word)

    def prepare_value(self, value: Any) -> str:
        return self.to_python(value)  # so that the inbox shows which one was asked for


class PriorityFilter(django_filters.ChoiceFilter):  # type: ignore[misc]  # ships no types
    field_class = PriorityField


class BriefFilter(django_filters.FilterSet):  # type: ignore[misc]  # ships no types
    """What a list of briefs can be narrowed down by, and sorted by. Without any: all briefs."""

    q = django_filters.CharFilter(
        method="by_words", label="Search", max_length=200, help_text="All of these words occur."
    )
    priority = PriorityFilter(
        choices=PRIORITIES,
        method="by_priority",
        empty_label="Any priority",
        help_text="By its name in any case, or by its number: low is 1, urgent is 4.",
        error_messages=in_words(PRIORITIES),
    )
    persona = django_filters.ModelChoiceFilter(
        queryset=Persona.objects.all(),
        empty_label="Any persona",
        help_text="A persona's id.",
        error_messages={"invalid_choice": "No persona has this id."},
    )
    kind = django_filters.ChoiceFilter(
        choices=SignalKind.choices,
        label="Signal",
        empty_label="Any signal",
        error_messages=in_words(SignalKind.choices),
    )
    state = django_filters.ChoiceFilter(
        choices=_FILTERED_STATES,
        method="by_state",
        empty_label=None,
        help_text="Open, new and in progress are without those that wait for their profile.",
        error_messages=in_words(_FILTERED_STATES),
    )
    research = django_filters.ChoiceFilter(
        choices=RESEARCH,
        method="by_research",
        empty_label="Any research",
        error_messages=in_words(RESEARCH),
    )
    assignee = django_filters.ChoiceFilter(
        choices=ASSIGNEES,
        method="by_assignee",
        empty_label="Any assignee",
        help_text="Me: whoever asks.",
        error_messages=in_words(ASSIGNEES),
    )

    value_min = django_filters.NumberFilter(
        "value_month", "gte", label="Value from",
        help_text="A month's value of this or more, whatever its currency.",
    )  # fmt: skip
    value_max = django_filters.NumberFilter(
        "value_month", "lte", label="Value to",
        help_text="A month's value of this or less, whatever its currency.",
    )  # fmt: skip
    plan = django_filters.CharFilter(
        "plan", "iexact", label="Plan", max_length=60, help_text="As it is written, in any case."
    )
    company = django_filters.CharFilter(
        "company", "icontains", label="Company", max_length=200, help_text="A part of its name."
    )
    ordering = OrderingFilter(
        choices=[(name, name) for name in KNOWN],
        label="Sorted by",
        widget=Names,
        help_text="By what the list is sorted, one or several; with - the largest or latest "
        "first. Rows without a value come last.",
        error_messages=in_words([(name, name) for name in KNOWN]),
    )

    class Meta:
        model = Brief
        fields: list[str] = []
        form = forms.Form

    def by_words(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        return search(briefs, value)

    def by_priority(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        return briefs.filter(priority=Priority[value.upper()])

    def by_state(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        if value == "open":
            return briefs.in_inbox()
        if value == "waiting":
            return briefs.open().filter(is_waiting_for_profile=True)
        if value == "all":
            return briefs
        if value in (Brief.State.CLOSED, Brief.State.SNOOZED):
            return briefs.filter(state=value)
        return briefs.in_inbox().filter(state=value)

    def by_research(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        return briefs.filter(_RESEARCH_IS[value])

    def by_assignee(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        if value == "nobody":
            return briefs.filter(assignee=None)
        user: Any = getattr(self.request, "user", None)
        return briefs.filter(assignee=user) if user and user.is_authenticated else briefs.none()
