"""All that is shown about one brief, and what is the same for every brief at this moment.

A property queries the database only when it is read, so a row of the inbox needs no query of its
own. Templates and serializers read dossiers and decide nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString

from briefs.dossier import story
from briefs.dossier.attributes import Attributes
from briefs.dossier.research import ResearchOfBrief
from briefs.links import admin_url_for, person_url
from briefs.models import Activity, Brief, MaveCall, Signal
from briefs.models.priority import Reason, shown
from briefs.reading import answer, channels, markdown
from briefs.research import renewal
from briefs.research.waiting import Standstill
from briefs.times import length
from personas.models import AppApiHealth, AttributeName, SubscriptionNames, playbooks

MOST_SIGNALS = 300  # of one customer: more would make the page too long
# Long texts that no list shows. The playbook is loaded, because it holds the first step.
_NOT_LISTED = (
    "question_facts", "persona_why", "closing_note",
    "research__question", "research__answer", "research__sources", "research__personas_used",
    "research__validation", "research__raw_reply",
    "persona__description", "persona__research_focus",
    "customer__devices", "customer__preferences",
)  # fmt: skip
_NOT_ON_PAGE = (
    "research__raw_reply", "renewal__raw_reply", "renewal__question", "renewal__answer",
    "renewal__sources", "renewal__personas_used", "renewal__validation",
)  # fmt: skip


def listed(briefs: QuerySet[Brief]) -> QuerySet[Brief]:
    """Load all that a row of a list shows in one query."""
    return briefs.select_related("customer", "persona", "research", "assignee").defer(*_NOT_LISTED)


def in_full(briefs: QuerySet[Brief]) -> QuerySet[Brief]:
    """Load all that the page of a brief shows of these rows in one query."""
    related = briefs.select_related("customer", "persona", "research", "renewal", "assignee")
    return related.annotate(has_later_answers=renewal.has_later_answers()).defer(*_NOT_ON_PAGE)


class Situation:
    """What is the same for every brief at this moment; each part is read once."""

    def __init__(self, reader: Any = None) -> None:
        self.reader = reader  # the user to whom the briefs are shown
        self.standstill = Standstill()

    @cached_property
    def roles(self) -> list[AttributeName]:
        return list(AttributeName.objects.all())

    @cached_property
    def lookup_trouble(self) -> str:
        """Why profiles cannot be looked up at present; empty if they can."""
        if not settings.CIO_APP_KEY:
            return "CIO_APP_KEY is not set, so no profile can be looked up"
        health = AppApiHealth.objects.filter(pk=1).first()
        if health is None or health.failing_since is None:
            return ""
        lasted = length(timezone.now() - health.failing_since)
        return f"look-ups have failed for {lasted}: {health.reason}"


@dataclass(frozen=True, slots=True)
class Advice:
    """A section of the playbook."""

    title: str
    html: SafeString
    is_warning: bool


@dataclass(frozen=True, slots=True)
class Value:
    """What a customer is worth, where it is known."""

    amount: Decimal
    currency: str
    period: str
    level: str
    month: Decimal


class Dossier:
    def __init__(self, brief: Brief, situation: Situation | None = None) -> None:
        self.brief, self.customer, self.persona = brief, brief.customer, brief.persona
        self._situation = situation or Situation()
        self.research = ResearchOfBrief(brief, self._situation.standstill)

    @cached_property
    def attributes(self) -> Attributes:
        return Attributes(self.customer, self._situation.roles)

    @property
    def person_url(self) -> str:
        return person_url(self.customer)

    @property
    def lookup_trouble(self) -> str:
        """Why this brief's profile cannot be looked up; empty if it waits for none."""
        return self._situation.lookup_trouble if self.brief.is_waiting_for_profile else ""

    # What happened and what was done

    @cached_property
    def signals(self) -> list[Signal]:
        """The customer's latest signals, those of other briefs included."""
        return list(self.customer.signals.order_by("-happened_at", "-pk")[:MOST_SIGNALS])

    @property
    def has_more_signals(self) -> bool:
        return len(self.signals) == MOST_SIGNALS

    @property
    def brief_signals(self) -> list[Signal]:
        return [signal for signal in self.signals if signal.brief_id == self.brief.pk]

    @property
    def happenings(self) -> list[story.Happening]:
        return story.happenings(self.brief_signals)

    @cached_property
    def activities(self) -> list[Activity]:
        return list(self.brief.activities.select_related("actor"))

    @property
    def timeline(self) -> list[story.Entry]:
        return story.timeline(self.brief, self.signals, self.activities)

    @property
    def profile_arrived_at(self) -> datetime | None:
        return story.profile_arrived_at(self.activities)

    @property
    def value(self) -> Value | None:
        """None: unknown."""
        brief = self.brief
        if brief.value_amount is None or brief.value_month is None:
            return None
        return Value(brief.value_amount, brief.value_currency, brief.value_period,
                     brief.value_level, brief.value_month)  # fmt: skip

    @property
    def priority_reasons(self) -> list[Reason]:
        """Why the brief has its priority, in words; empty for one of an earlier version."""
        return shown(self.brief.priority_reasons)

    # What to do.

    @property
    def first_step(self) -> str:
        return self.brief.first_step

    @property
    def advice(self) -> list[Advice]:
        """The playbook's sections; what not to do is marked as a warning.

        The section of its first step is left out where the brief has another first step.
        """
        sections = playbooks.sections(self.persona.playbook)
        if self.first_step != self.persona.first_step:
            first = next((part for part in sections if part.body), None)
            sections = [part for part in sections if part is not first]
        return [
            Advice(
                title=section.title,
                html=markdown.render(section.body),
                is_warning=section.title.casefold().startswith(("do not", "don't", "what not")),
            )
            for section in sections
        ]

    @cached_property
    def routes(self) -> list[channels.Route]:
        """By which channels the customer may still be contacted."""
        # Signals that are too old for the page may still close a channel.
        signals: Iterable[Signal] = self.signals
        if self.has_more_signals:
            signals = self.customer.signals.about_channels()
        has_topics = bool(self.customer.preferences.get("topics"))
        names = SubscriptionNames.known() if has_topics else None
        return channels.routes(self.customer, signals, names)

    @cached_property
    def reading(self) -> answer.Reading | None:
        """Mave's answer as this customer's brief shows it."""
        row = self.brief.research
        if row is None or not (row.answer or self.research.is_answered):
            return None
        return answer.read(row.answer, row.sources, channels.closed_channels(self.routes))

    @cached_property
    def calls(self) -> Sequence[MaveCall]:
        """The requests to Mavera for this brief's question."""
        row = self.brief.research
        return list(row.calls.order_by("-started_at")) if row else []

    # What the reader may do.

    @property
    def can_assign(self) -> bool:
        reader = self._situation.reader
        may_work = reader is not None and reader.has_perm("briefs.work_brief")
        return may_work and self.brief.is_open and self.brief.assignee != reader

    @property
    def persona_url(self) -> str:
        """Where the reader edits the persona; empty for who may not."""
        reader = self._situation.reader
        key = self.brief.persona_id
        may_edit = reader is not None and reader.has_perm("personas.change_persona")
        return admin_url_for(reader, "personas_persona_change", key) if may_edit else ""
