"""What research cost and what it served, by day and by persona.

Three queries read a period: the ledger, the briefs opened, the briefs that shared an answer. Each
is grouped by day and persona at once, so the days and the personas add up to the same sums.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate

from briefs.models import Brief, MaveCall, Research
from personas.models import Persona

PERIODS = (7, 30, 90)  # days
DEFAULT = 30
Rows = Iterable[Mapping[str, Any]]  # `day`, `who` (the persona's key), and counts as in Cost
_CHAT = Q(purpose=MaveCall.Purpose.CHAT)
_UNSETTLED = Q(outcome__in=[MaveCall.Outcome.PENDING, MaveCall.Outcome.UNKNOWN])


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days in UTC; the last one is today and still running."""

    today: date
    length: int

    @property
    def days(self) -> list[date]:
        return [self.today - timedelta(days=back) for back in range(self.length - 1, -1, -1)]

    @property
    def words(self) -> str:
        return f"{self.length} days"

    @property
    def start(self) -> datetime:
        return datetime.combine(self.days[0], time(), UTC)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.today + timedelta(days=1), time(), UTC)

    def covers(self, field: str) -> Q:
        return Q(**{f"{field}__gte": self.start, f"{field}__lt": self.end})


@dataclass(slots=True)
class Cost:
    """What was asked, paid and served: on one day, for one persona, or in the whole period."""

    # Research calls by outcome. A repeat is a call whose question may have been paid before.
    answered: int = 0  # repeats included
    repeats: int = 0  # the repeats among the answered calls
    refused: int = 0
    unknown: int = 0
    pending: int = 0
    open_repeats: int = 0  # repeats of unknown outcome or under way
    not_sent: int = 0
    # Credits: each belongs to exactly one of these.
    new_credits: int = 0
    repeat_credits: int = 0
    unknown_credits: int = 0
    reserved_credits: int = 0
    # Briefs opened and not withdrawn, by what they stand on now.
    new: int = 0
    shared: int = 0
    playbook: int = 0
    withdrawn: int = 0  # opened, then withdrawn by Savedesk: in none of these three
    # What sharing saved, on the day the answer was shared.
    sharings: int = 0
    saved: int = 0
    # Requests that ask no question.
    threads: int = 0
    usage: int = 0

    def add(self, counts: Mapping[str, int]) -> None:
        for name, number in counts.items():
            setattr(self, name, getattr(self, name) + number)

    @property
    def calls(self) -> int:
        """Research calls that were sent to Mave."""
        return self.answered + self.refused + self.unknown + self.pending

    @property
    def credits(self) -> int:
        """All credits, reserved ones included, as the budgets count them."""
        settled = self.new_credits + self.repeat_credits
        return settled + self.unknown_credits + self.reserved_credits

    @property
    def spent(self) -> int:
        """Credits without those that are only reserved for calls under way."""
        return self.credits - self.reserved_credits

    @property
    def briefs(self) -> int:
        return self.new + self.shared + self.playbook

    @property
    def opened(self) -> int:
        """Briefs opened, withdrawn ones included."""
        return self.briefs + self.withdrawn

    @property
    def researched(self) -> int:
        return self.new + self.shared

    @property
    def per_brief(self) -> float | None:
        return self.credits / self.briefs if self.briefs else None

    @property
    def per_researched(self) -> float | None:
        return self.credits / self.researched if self.researched else None

    @property
    def others(self) -> int:
        """Requests to Mavera that ask no question."""
        return self.threads + self.usage

    @property
    def is_idle(self) -> bool:
        """No question was asked, no brief opened or researched."""
        return not (self.calls or self.not_sent or self.credits or self.opened or self.sharings)


@dataclass(frozen=True, slots=True)
class CostReport:
    total: Cost
    by_day: dict[date, Cost]  # every day of the period, the empty ones too
    by_persona: dict[int | None, Cost]  # None: requests that belong to no question


@dataclass(frozen=True, slots=True)
class PersonaCost:
    persona_id: int | None
    name: str
    cost: Cost
    waiting: int


def cost_report(period: Period) -> CostReport:
    """The sums of a period, from three queries."""
    total = Cost()
    by_day = {day: Cost() for day in period.days}
    by_persona: defaultdict[int | None, Cost] = defaultdict(Cost)
    for rows in (_calls(period), _opened(period), _shared(period)):
        for row in rows:
            counts = dict(row)
            day, persona = counts.pop("day"), counts.pop("who")
            for cost in (total, by_day[day], by_persona[persona]):
                cost.add(counts)
    return CostReport(total, by_day, dict(by_persona))


def _calls(period: Period) -> Rows:
    is_repeat = Q(is_repeat=True)
    outcomes = {value: Count("pk", filter=_CHAT & Q(outcome=value)) for value in MaveCall.Outcome}
    others = {
        value: Count("pk", filter=Q(purpose=value))
        for value in MaveCall.Purpose
        if value != MaveCall.Purpose.CHAT
    }
    answered = _CHAT & Q(outcome=MaveCall.Outcome.ANSWERED)
    return (
        MaveCall.objects.filter(period.covers("started_at"))
        .values(day=TruncDate("started_at", tzinfo=UTC), who=F("research__persona"))
        .annotate(
            **outcomes,
            **others,
            repeats=Count("pk", filter=answered & is_repeat),
            open_repeats=Count("pk", filter=_CHAT & _UNSETTLED & is_repeat),
            new_credits=Sum("credits", filter=~_UNSETTLED & ~is_repeat, default=0),
            repeat_credits=Sum("credits", filter=~_UNSETTLED & is_repeat, default=0),
            unknown_credits=_credits(MaveCall.Outcome.UNKNOWN),
            reserved_credits=_credits(MaveCall.Outcome.PENDING),
        )
    )


def _credits(outcome: MaveCall.Outcome) -> Sum:
    return Sum("credits", filter=Q(outcome=outcome), default=0)


def _opened(period: Period) -> Rows:
    withdrawn = Q(outcome=Brief.Outcome.WITHDRAWN)
    bases = {value: Count("pk", filter=Q(basis=value) & ~withdrawn) for value in Brief.Basis}
    return (
        Brief.objects.filter(period.covers("created_at"))
        .values(day=TruncDate("created_at", tzinfo=UTC), who=F("persona"))
        .annotate(**bases, withdrawn=Count("pk", filter=withdrawn))
    )


def _shared(period: Period) -> Rows:
    shared = Brief.objects.filter(basis=Brief.Basis.SHARED, research__status=Research.Status.DONE)
    return (
        shared.filter(period.covers("researched_at"))
        .values(day=TruncDate("researched_at", tzinfo=UTC), who=F("persona"))
        .annotate(sharings=Count("pk"), saved=Sum("research__credits", default=0))
    )


def persona_costs(report: CostReport, waiting: Mapping[int | None, int]) -> list[PersonaCost]:
    """The personas that had a brief or a call, or for which a question waits, the dearest first.

    `waiting`: how many questions wait, by the persona's key.
    """
    happened = {key for key, cost in report.by_persona.items() if not cost.is_idle}
    keys = happened | set(waiting)
    names: dict[int | None, str] = {None: "Without a persona"}
    known = Persona.objects.filter(pk__in=[key for key in keys if key])
    names |= dict(known.values_list("pk", "name"))
    found = [
        PersonaCost(key, names[key], report.by_persona.get(key, Cost()), waiting.get(key, 0))
        for key in keys
    ]
    return sorted(found, key=lambda one: (-one.cost.credits, -one.cost.opened, one.name))
