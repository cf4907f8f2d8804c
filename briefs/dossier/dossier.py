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
from django.utils import timezone
from django.utils.safestring import SafeString

from briefs.dossier import companies, endings, story
from briefs.dossier.customers import OfCustomer
from briefs.dossier.research import ResearchOfBrief
from briefs.links import admin_url_for
from briefs.models import Activity, Brief, Comment, ContactLog, LinkTemplate, MaveCall, Signal
from briefs.models.priority import Reason, shown
from briefs.permissions import without_settings
from briefs.reading import answer, channels, markdown
from briefs.reading.first_steps import NOT_KNOWN, FirstSteps, StepShown
from briefs.research.waiting import Standstill
from briefs.times import length
from personas.models import AppApiHealth, AttributeName, playbooks

MOST_HAPPENINGS = 2  # that the head of the page tells
IN_GENERAL = "For this persona in general"
MOST_SIGNALS = 300  # of one customer: more would make the page too long


class Situation:
    """What is the same for every brief at this moment; each part is read once."""

    def __init__(self, reader: Any = None) -> None:
        self.reader = reader  # the user to whom the briefs are shown
        self.standstill = Standstill()

    @cached_property
    def roles(self) -> list[AttributeName]:
        return list(AttributeName.objects.all())

    @cached_property
    def role_names(self) -> dict[str, list[str]]:
        """The attributes' names by their role."""
        return {role.role: role.name_list for role in self.roles}

    @cached_property
    def link_templates(self) -> list[LinkTemplate]:
        return list(LinkTemplate.objects.all())

    @cached_property
    def lookup_trouble(self) -> str:
        """Why profiles cannot be looked up at present; empty if they can."""
        if not settings.CIO_APP_KEY:
            return "the App API of Customer.io is not connected, so no profile can be looked up"
        health = AppApiHealth.objects.filter(pk=1).first()
        if health is None or health.failing_since is None:
            return ""
        lasted = length(timezone.now() - health.failing_since)
        reason = without_settings(self.reader, health.reason)
        return f"look-ups have failed for {lasted}" + (f": {reason}" if reason else "")


@dataclass(frozen=True, slots=True)
class Advice:
    """A section of the playbook."""

    title: str
    text: str  # Markdown
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


def dossiers(briefs: Iterable[Brief], situation: Situation) -> "list[Dossier]":
    """Those of a list; what their first steps depend on is read in a few queries for all."""
    briefs = list(briefs)
    closers, first_steps = endings.closed_by(briefs), FirstSteps(briefs)
    return [Dossier(brief, situation, closers.get(brief.pk), first_steps) for brief in briefs]


def _is_first_step(section: playbooks.Section) -> bool:
    return section.title.casefold() == "first step"


def advice(playbook: str) -> list[Advice]:
    """The sections of a playbook in Markdown; a section “First step” by another name."""
    return [
        Advice(
            title=IN_GENERAL if _is_first_step(section) else section.title,
            text=section.body,
            html=markdown.render(section.body),
            is_warning=section.title.casefold().startswith(("do not", "don't", "what not")),
        )
        for section in playbooks.sections(playbook)
        if section.body
    ]


class Dossier(OfCustomer):
    def __init__(
        self,
        brief: Brief,
        situation: Situation | None = None,
        closed_by: Any = None,
        first_steps: FirstSteps | None = None,
    ) -> None:
        """closed_by: the user, where a list has read it; first_steps: those of the whole list."""
        self.closed_by = closed_by
        super().__init__(brief.customer, situation or Situation())
        self.brief, self.persona = brief, brief.persona
        self._first_steps = first_steps or FirstSteps([brief])
        self.research = ResearchOfBrief(brief, self._situation.standstill)

    @cached_property
    def others_of_company(self) -> str:
        """Who else of the customer's company signalled lately, in words; empty if nobody did."""
        return companies.others_in_words(self.customer)

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

    @cached_property
    def happenings(self) -> list[story.Happening]:
        return story.happenings(self.brief_signals)

    @property
    def newest_happenings(self) -> list[story.Happening]:
        """The first act and the latest: what lies between them is in the timeline."""
        acts = self.happenings
        return acts if len(acts) <= MOST_HAPPENINGS else [acts[0], acts[-1]]

    @property
    def older_happenings(self) -> int:
        return len(self.happenings) - len(self.newest_happenings)

    @cached_property
    def activities(self) -> list[Activity]:
        return list(self.brief.activities.select_related("actor"))

    @property
    def contacts(self) -> list[ContactLog]:
        """The tries to reach the customer, oldest first."""
        return list(self.brief.contacts.select_related("actor"))

    @property
    def comments(self) -> list[Comment]:
        """What colleagues wrote, oldest first."""
        return list(self.brief.comments.select_related("actor"))

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

    @property
    def closer(self) -> Any:
        """Who closed it last; None if it is open, or Savedesk closed it."""
        codes = [one for one in self.activities if one.code == Activity.Code.CLOSED]
        return codes[-1].actor if codes and not self.brief.is_open else None

    @cached_property
    def last_ending(self) -> "Dossier | None":
        """How the brief before this one ended, if the customer returned shortly after that.

        None also if somebody has opened that one again: it has not ended.
        """
        if self.brief.returned_from_id is None:
            return None
        related = Brief.objects.select_related(
            "customer", "persona", "research", "closing_reason", "offer"
        )
        found = related.get(pk=self.brief.returned_from_id)
        if found.is_open:
            return None
        return Dossier(found, self._situation, endings.closed_by([found]).get(found.pk))

    # What to do.

    @cached_property
    def step(self) -> StepShown:
        return self._first_steps.of(self.brief)

    @property
    def first_step(self) -> str:
        return self.step.text

    @cached_property
    def came_back(self) -> Signal | None:
        """The good news after which there may be nothing left to do."""
        return self._first_steps.came_back(self.brief)

    @cached_property
    def playbook(self) -> str:
        """The persona's, in Markdown; of a closed brief as it was when it was closed."""
        if self.brief.is_open or self.brief.closed_at is None:
            return self.persona.playbook
        versions = self.persona.history.filter(history_date__lte=self.brief.closed_at)
        then = versions.order_by("-history_date", "-history_id").values_list("playbook", flat=True)
        kept: str | None = then.first()
        return self.persona.playbook if kept is None else kept

    @property
    def advice(self) -> list[Advice]:
        """The playbook's sections; what not to do is marked as a warning.

        A section “First step”, as playbooks once began, speaks of the persona whatever happened. It
        is not called so beside the brief's first step, and is left out where nobody is contacted.
        """
        is_contacted = self.step.channels or self.step.text == NOT_KNOWN
        return [one for one in advice(self.playbook) if is_contacted or one.title != IN_GENERAL]

    @cached_property
    def routes(self) -> list[channels.Route]:
        """By which channels the customer may still be contacted.

        Of open briefs it is known already, because their first steps depend on it.
        """
        return self._first_steps.routes(self.customer) if self.brief.is_open else super().routes

    @cached_property
    def reading(self) -> answer.Reading | None:
        """Mave's answer as this customer's brief shows it."""
        row = self.brief.research
        if row is None or not (row.answer or self.research.is_answered):
            return None
        return answer.read(row.answer, row.sources, channels.closed_channels(self.routes))

    @property
    def first_day(self) -> SafeString | None:
        """What the research says to do within a day, once the brief has its answer."""
        return self.reading.first_day if self.research.is_answered and self.reading else None

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
        is_used = self.persona.retired_at is None
        may_edit = is_used and reader is not None and reader.has_perm("personas.change_persona")
        return admin_url_for(reader, "personas_persona_change", key) if may_edit else ""
