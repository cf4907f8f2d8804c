"""The filters for briefs that the inbox and the REST API share."""

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import Any, ClassVar

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, Value
from django_filters.fields import ChoiceField, ModelChoiceField, ModelChoiceIterator

from briefs.finding import companies, tabs
from briefs.finding.search import Search
from briefs.finding.tabs import STATES
from briefs.finding.words.matching import as_one
from briefs.models import Brief, Cause, Priority, Research
from briefs.models.queryset import BriefQuerySet
from personas.models import Persona, SignalKind
from personas.models.letters import folding, is_same

PRIORITIES = [(priority.name.lower(), priority.label) for priority in reversed(Priority)]
RESEARCH = [
    ("new", "New"),
    ("shared", "Shared"),
    ("playbook", "No research yet"),
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

MOST_OF_COMPANIES = 5_000  # briefs, that are found by their keys


def in_words(choices: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What is said of a value that is none of these choices: it names them all."""
    known = ", ".join(str(value) for value, _ in choices)
    return {"invalid_choice": f"“%(value)s” is none of: {known}."}


def _example(text: str) -> dict[str, str]:
    """For a box that shows this while it is empty."""
    return {"placeholder": text}


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


class _OfferedPersonas(ModelChoiceIterator):  # type: ignore[misc]  # ships no types
    """Those in use, those retired that still have open briefs, and the one that is asked for."""

    def __iter__(self) -> Iterator[Any]:
        if self.field.empty_label is not None:
            yield "", self.field.empty_label  # all that a widget first looks at
        personas = list(self.field.queryset.only("name", "retired_at"))
        offered = {one.pk for one in personas if not one.retired_at or self._is_asked_for(one)}
        if left_out := [one.pk for one in personas if one.pk not in offered]:
            has_open = Exists(Brief.objects.open().filter(persona=OuterRef("pk")))
            busy = Persona.objects.filter(has_open, pk__in=left_out).order_by()
            offered.update(busy.values_list("pk", flat=True))
        for one in personas:
            if one.pk in offered:
                yield self.choice(one)

    def _is_asked_for(self, persona: Persona) -> bool:
        return bool(str(persona.pk) == self.field.asked)


class PersonaField(ModelChoiceField):  # type: ignore[misc]  # ships no types
    """Takes every persona, so that no old link fails, and offers fewer."""

    iterator = _OfferedPersonas
    asked = ""  # what was sent

    def label_from_instance(self, persona: Persona) -> str:
        return f"{persona} (retired)" if persona.retired_at else str(persona)


class PersonaFilter(django_filters.ModelChoiceFilter):  # type: ignore[misc]  # ships no types
    field_class = PersonaField

    @property
    def field(self) -> Any:
        field = super().field
        field.asked = str(self.parent.data.get("persona", "")) if hasattr(self, "parent") else ""
        return field


class BriefFilter(django_filters.FilterSet):  # type: ignore[misc]  # ships no types
    """What a list of briefs can be narrowed down by. Without any: all briefs."""

    newest: list[int] | None = None  # of a search for a common word: the keys of `qs`, once read

    q = django_filters.CharFilter(
        label="Search",
        max_length=200,
        help_text="All of this occurs somewhere: words from their start, “phrases”, -not, #123 for "
        "a brief’s number. Of more than 2,000 briefs the newest are found.",
    )
    priority = PriorityFilter(
        choices=PRIORITIES,
        method="by_priority",
        empty_label="Any priority",
        help_text="By its name in any case, or by its number: low is 1, urgent is 4.",
        error_messages=in_words(PRIORITIES),
    )
    persona = PersonaFilter(
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
        choices=STATES,
        method="by_state",
        empty_label=None,
        help_text="Open, mine and unassigned are without those that are snoozed or wait for their "
        "profile; new and in progress without those that wait. Mine: of whoever asks.",
        error_messages=in_words(STATES),
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
        "value_month", "gte", label="A month’s value from",
        widget=forms.NumberInput(_example("500")),
        help_text="A month's value of this or more, whatever its currency.",
    )  # fmt: skip
    value_max = django_filters.NumberFilter(
        "value_month", "lte", label="A month’s value to",
        widget=forms.NumberInput(_example("20000")),
        help_text="A month's value of this or less, whatever its currency.",
    )  # fmt: skip
    plan = django_filters.CharFilter(
        label="Plan", max_length=60, method="by_plan", widget=forms.TextInput(_example("pro")),
        help_text="As it is written, in any case.",
    )  # fmt: skip
    company = django_filters.CharFilter(
        label="Company", max_length=202, method="by_company",  # a whole name, and quotes
        widget=forms.TextInput(_example("Part of its name")),
        help_text="A part of its name, or the whole name in quotes.",
    )  # fmt: skip

    cause = django_filters.ModelChoiceFilter(
        queryset=Cause.objects.all(),
        label="Message",
        widget=forms.HiddenInput,
        help_text="The id of the cause: one message and one kind of signal within a day.",
        error_messages={"invalid_choice": "No message has caused briefs under this id."},
    )

    class Meta:
        model = Brief
        fields: list[str] = []
        form = forms.Form

    def by_priority(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        return briefs.filter(priority=Priority[value.upper()])

    def by_state(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        return tabs.of_state(value, briefs, self._reader)

    def by_research(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        return briefs.filter(_RESEARCH_IS[value])

    def by_assignee(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        if value == "nobody":
            return briefs.filter(assignee=None)
        return briefs.filter(tabs.held_by(self._reader))

    def by_plan(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        return briefs.filter(is_same("plan", value))

    def by_company(self, briefs: BriefQuerySet, name: str, value: str) -> BriefQuerySet:
        if len(self._companies) > companies.MOST:
            named = briefs.alias(named=self._fold("company"))
            return named.filter(named__contains=self._fold(Value(value)))
        if len(self._of_companies) > MOST_OF_COMPANIES:
            named = briefs.alias(named=self._fold("company"))
            return named.filter(named__in=self._companies)
        return briefs.filter(pk__in=as_one(self._of_companies))

    @property
    def _fold(self) -> Any:
        return folding(self.form.cleaned_data["company"])

    @cached_property
    def _companies(self) -> list[str]:
        """Those that are asked for, in lower case; one more than `companies.MOST` at most."""
        return companies.named(self.form.cleaned_data["company"])

    @cached_property
    def _of_companies(self) -> list[int]:
        """The keys of their briefs; one more than MOST_OF_COMPANIES at most.

        A company's briefs are of a few weeks, and PostgreSQL does not know: in the order of a list
        it read 63,000 briefs of others before the first of them.
        """
        named = Brief.objects.alias(named=self._fold("company"))
        found = named.filter(named__in=self._companies)
        return list(found.order_by().values_list("pk", flat=True)[: MOST_OF_COMPANIES + 1])

    @cached_property
    def words(self) -> Search:
        """What was typed into the search."""
        self.form.is_valid()  # makes cleaned_data, also of a form with an error
        return Search(self.form.cleaned_data.get("q", ""))

    def filter_queryset(self, queryset: BriefQuerySet) -> BriefQuerySet:
        found = self.words.narrow(self._filtered(queryset, {"q"}))
        self.newest = self.words.newest
        return found

    @property
    def of_any_state(self) -> BriefQuerySet:
        """The briefs that the other filters let through."""
        self.form.is_valid()
        return self.words.narrow(self._filtered(self.queryset.all(), {"q", "state"}))

    def _filtered(self, briefs: BriefQuerySet, but: Collection[str]) -> BriefQuerySet:
        """The search comes last: of a common word it finds only the newest of what is left."""
        for name, value in self.form.cleaned_data.items():
            if name not in but:
                briefs = self.filters[name].filter(briefs, value)
        return briefs

    @property
    def _reader(self) -> Any:
        """Whoever asks."""
        return getattr(self.request, "user", None)
