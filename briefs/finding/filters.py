"""The filters for briefs that the inbox and the REST API share."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q

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
RESEARCH = [
    ("new", "New"),
    ("shared", "Shared"),
    ("playbook", "Playbook only"),
    ("under_way", "Under way"),
    ("failed", "Failed, can be retried"),
]
_RESEARCH_IS = {
    "new": Q(basis=Brief.Basis.NEW),
    "shared": Q(basis=Brief.Basis.SHARED),
    "playbook": Q(basis=Brief.Basis.PLAYBOOK),
    "under_way": Q(basis=Brief.Basis.PLAYBOOK, research__status__in=Research.ACTIVE),
    "failed": Q(basis=Brief.Basis.PLAYBOOK, research__status=Research.Status.FAILED),
}


class BriefFilter(django_filters.FilterSet):  # type: ignore[misc]  # ships no types
    """`q, persona, kind, state, research, assignee, priority`. Without any: all briefs."""

    q = django_filters.CharFilter(
        method="by_words", label="Search", max_length=200, help_text="All of these words occur."
    )
    priority = django_filters.ChoiceFilter(choices=Priority.choices, empty_label="Any priority")
    persona = django_filters.ModelChoiceFilter(
        queryset=Persona.objects.all(), empty_label="Any persona"
    )
    kind = django_filters.ChoiceFilter(
        choices=SignalKind.choices, label="Signal", empty_label="Any signal"
    )
    state = django_filters.ChoiceFilter(choices=STATES, method="by_state", empty_label=None)
    research = django_filters.ChoiceFilter(
        choices=RESEARCH, method="by_research", empty_label="Any research"
    )
    assignee = django_filters.ChoiceFilter(
        choices=[("me", "Me"), ("nobody", "Nobody")],
        method="by_assignee",
        empty_label="Any assignee",
    )

    class Meta:
        model = Brief
        fields: list[str] = []
        form = forms.Form

    def by_words(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        return search(briefs, value)

    def by_state(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        if value == "open":
            return briefs.in_inbox()
        if value == "waiting":
            return briefs.open().filter(is_waiting_for_profile=True)
        if value == "all":
            return briefs
        if value == "closed":
            return briefs.filter(state=Brief.State.CLOSED)
        return briefs.in_inbox().filter(state=value)

    def by_research(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        return briefs.filter(_RESEARCH_IS[value])

    def by_assignee(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        if value == "nobody":
            return briefs.filter(assignee=None)
        user: Any = getattr(self.request, "user", None)
        return briefs.filter(assignee=user) if user and user.is_authenticated else briefs.none()
