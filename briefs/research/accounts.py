"""The account of a day or a month: what is spent and reserved under its budget, and what is left.

Pure: `spending` reads the ledger. Days and months are those of UTC.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from briefs.models import BudgetLevel, Priority
from briefs.times import clock_and_day

RESERVED_CREDITS = 75  # the most that one answer costs, as Mavera says
LEVELS = (50, 75, 90)  # per cent; 100 is reached when no answer fits any more
WORTH_A_NOTICE = 75

DAY, MONTH = BudgetLevel.Period.DAY, BudgetLevel.Period.MONTH
_NAMES = {DAY: "Today", MONTH: "This month"}
_RENEWALS = {DAY: "begins anew at 00:00 UTC", MONTH: "begins anew on the 1st, UTC"}


@dataclass(frozen=True, slots=True)
class Spending:
    """A day or a month under its budget: of all research, or of one persona (a month only).

    A claim counts the settled credits and those that calls under way have reserved. Warnings count
    only the settled credits: most calls cost less than they reserve.
    """

    period: BudgetLevel.Period
    starts_at: datetime
    ends_at: datetime
    limit: int | None
    settled: int
    reserved: int
    reserve: int = 0  # of the limit: only the most urgent questions may use it
    reserved_for: Priority = Priority.URGENT  # the lowest priority that may

    # For claims.

    def fits(self, priority: int = Priority.URGENT) -> bool:
        """Whether one more call of this priority fits, beside those under way."""
        kept = 0 if priority >= self.reserved_for else self.reserve
        return self.limit is None or self.taken + RESERVED_CREDITS + kept <= self.limit

    @property
    def whose_reserve(self) -> str:
        """For whom the reserve is, in words."""
        return f"{self.reserved_for.label.lower()} briefs"

    @property
    def taken(self) -> int:
        return self.settled + self.reserved

    @property
    def left(self) -> int:
        """The credits that may be spent at this moment."""
        return max(0, (self.limit or 0) - self.taken)

    # For warnings.

    @property
    def unused(self) -> int:
        return max(0, (self.limit or 0) - self.settled)

    @property
    def buys_nothing(self) -> bool:
        """Whether the budget is too small for a single answer."""
        return self.limit is not None and self.limit < RESERVED_CREDITS

    @property
    def is_used_up(self) -> bool:
        """Whether not even an urgent question can be paid."""
        return self.limit is not None and self.unused < RESERVED_CREDITS

    @property
    def is_down_to_reserve(self) -> bool:
        """Whether only urgent questions can be paid, or none."""
        return self.limit is not None and self.unused - self.reserve < RESERVED_CREDITS

    @property
    def level(self) -> int:
        """The highest of 50, 75, 90 and 100 per cent that is reached; 0 for none.

        A budget that buys nothing never warns, because it has been used up from its start.
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
        """Of the bar, in per cent. The bar is full at the limit, also if more was spent."""
        return min(self.percent, 100)

    @property
    def colour(self) -> str:
        """`fine`: all questions can be paid; `low`: only urgent ones; `out`: none."""
        if self.is_used_up:
            return "out"
        return "low" if self.is_down_to_reserve else "fine"

    @property
    def kept(self) -> int:
        """The part of what is left that is kept for urgent briefs."""
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
        kept = f", {self.kept:,} of them for {self.whose_reserve} only" if self.kept else ""
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
            return f"Briefs go without research; it is asked by itself {anew}."
        if self.is_down_to_reserve:
            return (
                f"What is left is the reserve, which is for {self.whose_reserve}; all others go "
                f"without research, which is asked by itself {anew}."
            )
        kept = (
            f" The last {self.reserve:,} are kept for {self.whose_reserve}." if self.reserve else ""
        )
        return (
            "Once it is used up, briefs go without research, which is asked by itself "
            f"{anew}.{kept}"
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
        """The lowest priority whose questions may be paid now; None if no question may."""
        return next((priority for priority in Priority if self.fits(priority)), None)

    @property
    def left(self) -> int | None:
        """Credits that may be spent today, by the tighter of both budgets; None: no limit."""
        return min((one.left for one in self if one.limit is not None), default=None)

    def still_allowed(self, until: datetime | None) -> int | None:
        """Credits that the budgets allow until then, within this month; None: no limit.

        until: the end of the span, or None for the end of the month.
        """
        day, month = self
        allowed = []
        if month.limit is not None:
            allowed.append(month.unused)
        if day.limit is not None:
            end = min(month.ends_at, until or month.ends_at)
            # Days that begin before `end`: a part of a day has the budget of a whole day.
            further_days = -((day.ends_at - end) // timedelta(days=1))
            allowed.append(day.unused + max(0, further_days) * day.limit)
        return min(allowed, default=None)
