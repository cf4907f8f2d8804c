"""What research has cost and may still cost: one account of the ledger for claims, pages, alarms.

Days and months are those of UTC. `now` is the database's clock, wherever it is asked for.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db.models import Avg, Q, Sum

from briefs.models import BudgetLevel, MaveCall, Priority, Research, ResearchPolicy
from briefs.times import clock_and_day
from personas.models import Persona

RESERVED_CREDITS = 75  # the most that one answer is said to cost
USUAL_CREDITS = 32  # of an answer, until some are there to tell
RECENT_ANSWERS = 50
LEVELS = (50, 75, 90)  # per cent; 100 is reached when no answer fits any more
WORTH_A_NOTICE = 75

DAY, MONTH = BudgetLevel.Period.DAY, BudgetLevel.Period.MONTH
_NAMES = {DAY: "Today", MONTH: "This month"}
_RENEWALS = {DAY: "begins anew at 00:00 UTC", MONTH: "begins anew on the 1st, UTC"}


@dataclass(frozen=True, slots=True)
class Spending:
    """A day or a month under its budget: that of all research, or the month of one persona.

    A claim counts what is settled and what calls under way have reserved: they may cost that much.
    Warnings count only what is settled: most calls cost less than they reserve.
    """

    period: BudgetLevel.Period
    starts_at: datetime
    ends_at: datetime
    limit: int | None
    settled: int
    reserved: int
    reserve: int = 0  # what only urgent questions may use

    # For claims.

    def fits(self, priority: int = Priority.URGENT) -> bool:
        """Whether one more call of this priority fits, beside those under way."""
        kept = 0 if priority >= Priority.URGENT else self.reserve
        return self.limit is None or self.taken + RESERVED_CREDITS + kept <= self.limit

    @property
    def taken(self) -> int:
        return self.settled + self.reserved

    @property
    def left(self) -> int:
        """What may be spent at this moment."""
        return max(0, (self.limit or 0) - self.taken)

    # For warnings.

    @property
    def unused(self) -> int:
        return max(0, (self.limit or 0) - self.settled)

    @property
    def buys_nothing(self) -> bool:
        """The budget is too small for a single answer."""
        return self.limit is not None and self.limit < RESERVED_CREDITS

    @property
    def is_used_up(self) -> bool:
        """Not even an urgent question can be paid for."""
        return self.limit is not None and self.unused < RESERVED_CREDITS

    @property
    def is_down_to_reserve(self) -> bool:
        """Only urgent questions can be paid for, or none."""
        return self.limit is not None and self.unused - self.reserve < RESERVED_CREDITS

    @property
    def level(self) -> int:
        """The highest of 50, 75, 90 and 100 per cent that is reached; 0 for none.

        A budget that buys nothing never warns: it was used up before it began.
        """
        if not self.limit or self.buys_nothing:
            return 0
        if self.is_used_up:
            return 100
        share = 100 * self.settled
        return max((level for level in LEVELS if share >= level * self.limit), default=0)

    # For the bar on the insights.

    @property
    def name(self) -> str:
        return _NAMES[self.period]

    @property
    def percent(self) -> int:
        """Rounded down: 100 is reached when all is used."""
        if not self.limit:
            return 100 if self.limit == 0 else 0
        return 100 * self.settled // self.limit

    @property
    def width(self) -> int:
        """Of the bar, in per cent: what is over the limit has no room in it."""
        return min(self.percent, 100)

    @property
    def colour(self) -> str:
        """Whether it buys everything, only what is urgent, or nothing."""
        if self.is_used_up:
            return "out"
        return "low" if self.is_down_to_reserve else "fine"

    @property
    def kept(self) -> int:
        """What is left and kept for urgent briefs."""
        return min(self.left, self.reserve)

    @property
    def rest(self) -> str:
        """In words, what may still be bought, and when the budget begins anew."""
        if self.limit == 0:
            return "nothing is bought"
        if self.buys_nothing:
            return f"it buys nothing: one answer may cost {RESERVED_CREDITS}"
        renewal = _RENEWALS[self.period]
        if self.is_used_up:
            left = f": {self.left:,} left, and one answer may cost {RESERVED_CREDITS}"
            return f"used up{left * bool(self.left)}; {renewal}"
        kept = f", {self.kept:,} of them for urgent briefs only" if self.kept else ""
        return f"{self.left:,} left{kept}; {renewal}"

    # In words.

    @property
    def figures(self) -> str:
        """What is spent and reserved, beside the limit."""
        if self.reserved:
            rest = "no limit" if self.limit is None else f"of {self.limit:,} credits"
            return f"{self.settled:,} spent, {self.reserved:,} reserved, {rest}"
        rest = "credits, no limit" if self.limit is None else f"of {self.limit:,} credits"
        return f"{self.settled:,} {rest}"

    @property
    def words(self) -> str:
        """What is used and left, what happens next, and the cure."""
        name = self.period.label
        if self.limit is None:
            return f"The {name} has no budget: nothing limits what research costs."
        if self.limit == 0:
            return f"The {name}'s budget is 0: no research is bought."
        if self.buys_nothing:
            return (
                f"The {name}'s budget of {self.limit:,} credits buys nothing: one answer may cost "
                f"{RESERVED_CREDITS}."
            )
        used = f"{self.settled:,} of {self.limit:,} credits"
        said = (
            f"The {name}'s research budget is used up: {used}, and one answer may cost "
            f"{RESERVED_CREDITS}."
            if self.is_used_up
            else f"{self.percent} % of the {name}'s research budget is used: {used}, "
            f"{self.unused:,} are left."
        )
        return (
            f"{said} {self._effect} To have more answered until then, raise the {name}'s budget "
            "under “Research policy” in the admin."
        )

    @property
    def _effect(self) -> str:
        begins = clock_and_day(self.ends_at)
        anew = f"when the next {self.period.label} begins ({begins})"
        if self.is_used_up:
            return f"Briefs stand on their playbooks; their research is asked by itself {anew}."
        if self.is_down_to_reserve:
            return (
                "What is left is the reserve, which is for urgent briefs; all others stand on "
                f"their playbooks, and their research is asked by itself {anew}."
            )
        kept = f" The last {self.reserve:,} are kept for urgent briefs." if self.reserve else ""
        return (
            "Once it is used up, briefs stand on their playbooks, and their research is asked by "
            f"itself {anew}.{kept}"
        )


class Account(NamedTuple):
    """What all research together costs: this day and this month."""

    day: Spending
    month: Spending

    def fits(self, priority: int) -> bool:
        """Whether one more call of this priority fits into both."""
        return self.day.fits(priority) and self.month.fits(priority)

    @property
    def least_priority(self) -> Priority | None:
        """The lowest priority that may spend now; None if nobody may."""
        return next((priority for priority in Priority if self.fits(priority)), None)

    @property
    def left(self) -> int | None:
        """Credits that may be spent today, by the tighter of both budgets; None: no limit."""
        return min((one.left for one in self if one.limit is not None), default=None)

    def still_allowed(self, until: datetime | None) -> int | None:
        """Credits that the budgets allow by then, or in this month; None: no limit."""
        return min(self._allowances(until), default=None)

    def _allowances(self, until: datetime | None) -> Iterator[int]:
        day, month = self
        if month.limit is not None:
            yield month.unused
        if day.limit is not None:
            end = min(month.ends_at, until or month.ends_at)
            further_days = -((day.ends_at - end) // timedelta(days=1))  # begun by then: rounded up
            yield day.unused + max(0, further_days) * day.limit


def account(policy: ResearchPolicy, now: datetime) -> Account:
    """The day and the month of all research, in one query."""
    day, month = _day(now), _month(now)
    sums = MaveCall.objects.filter(started_at__gte=month[0]).aggregate(
        **_sums("day", day[0]), **_sums("month", month[0])
    )
    limits, reserve = (policy.day_budget, policy.month_budget), policy.urgent_reserve
    return Account(
        Spending(DAY, *day, limits[0], sums["day"], sums["day_reserved"], reserve),
        Spending(MONTH, *month, limits[1], sums["month"], sums["month_reserved"], reserve),
    )


def of_personas(personas: Iterable[Persona], now: datetime) -> dict[Persona, Spending]:
    """The month of each of them under its own budget, in one query.

    Research counts for the persona that asked first, whoever shares it.
    """
    personas, month = list(personas), _month(now)
    calls = MaveCall.objects.filter(research__persona__in=personas, started_at__gte=month[0])
    rows = calls.values_list("research__persona").annotate(**_sums("month", month[0]))
    used = {key: sums for key, *sums in rows}
    return {
        one: Spending(MONTH, *month, one.month_budget, *used.get(one.pk, (0, 0)))
        for one in personas
    }


def of_persona(persona: Persona, now: datetime) -> Spending:
    return of_personas([persona], now)[persona]


def of_limited_personas(now: datetime) -> dict[Persona, Spending]:
    """The month of each persona that has a budget of its own."""
    limited = Persona.objects.filter(month_budget__isnull=False)
    return of_personas(limited.only("name", "month_budget"), now)


def used_up_personas(now: datetime) -> list[Persona]:
    """Those of them for whom one more call does not fit any more."""
    return [one for one, spent in of_limited_personas(now).items() if not spent.fits()]


def _sums(name: str, since: datetime) -> dict[str, Sum]:
    """The two sums of an account: settled, and reserved for calls under way."""
    calls, is_reserved = Q(started_at__gte=since), Q(outcome=MaveCall.Outcome.PENDING)
    return {
        name: Sum("credits", filter=calls & ~is_reserved, default=0),
        f"{name}_reserved": Sum("credits", filter=calls & is_reserved, default=0),
    }


def _day(now: datetime) -> tuple[datetime, datetime]:
    start = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return start, start + timedelta(days=1)


def _month(now: datetime) -> tuple[datetime, datetime]:
    start = _day(now)[0].replace(day=1)
    return start, (start + timedelta(days=32)).replace(day=1)


def usual_cost(persona: Persona) -> int:
    """What an answer for this persona usually costs, by the last ones, or by those of all."""
    for answers in (Research.objects.filter(persona=persona), Research.objects.all()):
        recent = answers.filter(status=Research.Status.DONE, credits__isnull=False)
        newest = recent.order_by("-finished_at")[:RECENT_ANSWERS]
        mean = newest.aggregate(mean=Avg("credits"))["mean"]
        if mean is not None:
            return int(mean + 0.5)
    return USUAL_CREDITS
