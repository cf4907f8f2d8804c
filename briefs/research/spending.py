"""How far the day's and the month's research budgets are used, in figures and in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, Sum

from briefs.models import BudgetLevel, MaveCall, ResearchPolicy
from briefs.research.budget import RESERVED_CREDITS

LEVELS = (50, 75, 90)  # per cent; 100 is reached when no answer fits any more
WORTH_A_NOTICE = 75


@dataclass(frozen=True, slots=True)
class Spending:
    """One period under its budget. What is only reserved for calls under way is not used."""

    period: BudgetLevel.Period
    starts_at: datetime
    ends_at: datetime
    budget: int | None
    used: int
    reserve: int = 0

    @property
    def left(self) -> int:
        return max(0, (self.budget or 0) - self.used)

    @property
    def is_used_up(self) -> bool:
        """Not even an urgent question can be paid for."""
        return self.budget is not None and self.left < RESERVED_CREDITS

    @property
    def level(self) -> int:
        """The highest of 50, 75, 90 and 100 that is reached; 0 for none.

        A budget too small for a single answer never warns: it was used up before it began.
        """
        if self.budget is None or self.budget < RESERVED_CREDITS:
            return 0
        if self.is_used_up:
            return 100
        share = 100 * self.used
        return max((level for level in LEVELS if share >= level * self.budget), default=0)

    @property
    def words(self) -> str:
        """What is used and left, what happens next, and the cure."""
        return f"{self.figures} {self._effect} {self._cure}"

    @property
    def figures(self) -> str:
        if self.budget is None:
            return f"The {self.period.label} has no research budget."
        if self.is_used_up:
            return (
                f"The {self.period.label}'s research budget is used up: {self.used:,} of "
                f"{self.budget:,} credits, and one answer may cost {RESERVED_CREDITS}."
            )
        return (
            f"{100 * self.used // self.budget} % of the {self.period.label}'s research budget is "
            f"used: {self.used:,} of {self.budget:,} credits, {self.left:,} are left."
        )

    @property
    def _effect(self) -> str:
        anew = f"when the next {self.period.label} begins ({_clock(self.ends_at)})"
        if self.is_used_up:
            return f"Briefs stand on their playbooks; their research is asked by itself {anew}."
        if self.left - self.reserve < RESERVED_CREDITS:
            return (
                "What is left is the reserve, which is for urgent briefs; all others stand on "
                f"their playbooks, and their research is asked by itself {anew}."
            )
        kept = f" The last {self.reserve:,} are kept for urgent briefs." if self.reserve else ""
        return (
            "Once it is used up, briefs stand on their playbooks, and their research is asked by "
            f"itself {anew}.{kept}"
        )

    @property
    def _cure(self) -> str:
        return (
            f"To have more answered until then, raise the {self.period.label}'s budget under "
            "“Research policy” in the admin."
        )


def spendings(policy: ResearchPolicy, now: datetime) -> list[Spending]:
    """The day and the month (UTC) by the ledger. now: the database's clock."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    month = day.replace(day=1)
    settled = MaveCall.objects.exclude(outcome=MaveCall.Outcome.PENDING)
    used = settled.filter(started_at__gte=month).aggregate(
        day=Sum("credits", filter=Q(started_at__gte=day), default=0),
        month=Sum("credits", default=0),
    )
    reserve = policy.urgent_reserve
    return [
        Spending(
            BudgetLevel.Period.DAY,
            day,
            day + timedelta(days=1),
            policy.day_budget,
            used["day"],
            reserve,
        ),
        Spending(
            BudgetLevel.Period.MONTH,
            month,
            (month + timedelta(days=32)).replace(day=1),
            policy.month_budget,
            used["month"],
            reserve,
        ),
    ]


def still_allowed(spent: list[Spending], now: datetime, until: datetime | None) -> int | None:
    """Credits that the budgets still allow by then, or this month; None: as many as you like."""
    return min(_allowances(spent, now, until), default=None)


def _allowances(spent: list[Spending], now: datetime, until: datetime | None) -> Iterator[int]:
    day, month = spent
    if month.budget is not None:
        yield month.left
    if day.budget is not None:
        end = min(month.ends_at, until or month.ends_at)
        further_days = max(0, (end - day.ends_at + timedelta(days=1)) // timedelta(days=1))
        yield day.left + further_days * day.budget


def _clock(at: datetime) -> str:
    return f"{at:%H:%M} UTC on {at.day} {at:%b}"
