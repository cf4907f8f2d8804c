"""How research stands at this moment: what waits for Mave and why, and what the budgets leave."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import Now, TruncDay, TruncMonth

from briefs.models import Brief, MaveCall, Priority, Research, ResearchPolicy
from briefs.research.budget import RESERVED_CREDITS
from briefs.times import length
from personas.models import Persona

WAITING = (Research.Status.QUEUED, Research.Status.RECOVERING)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Questions that nobody is asking at present, and the briefs that stand without them."""

    by_persona: dict[int | None, int]
    running: int
    recovering: int  # of them: asked already, and the answer is looked for
    briefs: int
    put_off: int  # to be asked later, after a failure
    next_at: datetime | None
    least: int  # the lowest priority among those to be asked

    @property
    def questions(self) -> int:
        return sum(self.by_persona.values())

    @property
    def queued(self) -> int:
        """Those to be asked."""
        return self.questions - self.recovering


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit of the policy and how far it is used up, by the rules of `research.spending`."""

    name: str
    used: int  # settled: what calls under way reserve may still come back
    limit: int | None
    reserve: int
    renewal: str
    reserved: int = 0

    @property
    def percent(self) -> int:
        """Rounded down: 100 is reached when all is used."""
        if not self.limit:
            return 100 if self.limit == 0 else 0
        return 100 * self.used // self.limit

    @property
    def width(self) -> int:
        """Of the bar, in per cent: what is over the limit has no room in it."""
        return min(self.percent, 100)

    @property
    def left(self) -> int:
        """What may be spent at this moment."""
        return max(0, (self.limit or 0) - self.used - self.reserved)

    @property
    def kept(self) -> int:
        """What is left and kept for urgent briefs."""
        return min(self.left, self.reserve)

    @property
    def level(self) -> str:
        """Whether it buys everything, only what is urgent, or not a single answer."""
        if self.limit is None:
            return "fine"
        unused = self.limit - self.used
        if unused < RESERVED_CREDITS:
            return "out"
        return "low" if unused - self.reserve < RESERVED_CREDITS else "fine"

    @property
    def rest(self) -> str:
        """In words, what may still be bought, and when the budget begins anew."""
        if self.limit == 0:
            return "nothing is bought"
        if self.limit is not None and self.limit < RESERVED_CREDITS:
            return f"it buys nothing: one answer may cost {RESERVED_CREDITS}"
        if self.level == "out":
            left = f": {self.left:,} left, and one answer may cost {RESERVED_CREDITS}"
            return f"used up{left * bool(self.left)}; {self.renewal}"
        kept = f", {self.kept:,} of them for urgent briefs only" if self.kept else ""
        return f"{self.left:,} left{kept}; {self.renewal}"


def waiting() -> Waiting:
    """What waits for Mave at this moment, whenever it was asked for."""
    waits = Q(status__in=WAITING)
    queued = Q(status=Research.Status.QUEUED)
    later = queued & Q(available_at__gt=Now())
    rows = list(
        Research.objects.active()
        .values("persona_id")
        .annotate(
            waiting=Count("pk", filter=waits),
            running=Count("pk", filter=~waits),
            recovering=Count("pk", filter=waits & ~queued),
            put_off=Count("pk", filter=later),
            next_at=Min("available_at", filter=later),
            least=Min("priority", filter=queued),
        )
    )
    without = Brief.objects.open().filter(basis=Brief.Basis.PLAYBOOK, research__status__in=WAITING)
    return Waiting(
        by_persona={row["persona_id"]: row["waiting"] for row in rows if row["waiting"]},
        running=sum(row["running"] for row in rows),
        recovering=sum(row["recovering"] for row in rows),
        briefs=without.count(),
        put_off=sum(row["put_off"] for row in rows),
        next_at=min((row["next_at"] for row in rows if row["next_at"]), default=None),
        least=min((row["least"] for row in rows if row["least"]), default=Priority.LOW),
    )


def why_waiting(policy: ResearchPolicy, waiting: Waiting, held: str, now: datetime) -> str:
    """In words, why these questions are not asked yet; `held` is what `pacing` says."""
    if not waiting.questions:
        return "no question waits"
    words = [held] if held else list(_turns(policy, waiting, now))
    if waiting.recovering:
        words.append(_lost(waiting.recovering))
    return "; ".join(words)


def _turns(policy: ResearchPolicy, waiting: Waiting, now: datetime) -> Iterator[str]:
    """How those that are to be asked come to their turn."""
    if waiting.queued > waiting.put_off:
        yield f"each for its turn: at most {policy.concurrency} are asked at once"
    if waiting.put_off and waiting.next_at:
        count = f"{waiting.put_off:,} " if waiting.queued > waiting.put_off else ""
        yield f"{count}put off after a failure; next try in {length(waiting.next_at - now)}"


def _lost(count: int) -> str:
    if count == 1:
        return "1 was asked, and its lost answer is looked for"
    return f"{count:,} were asked, and their lost answers are looked for"


def budgets(policy: ResearchPolicy) -> list[Budget]:
    """The day's and the month's, with what is spent of them and what calls under way reserve."""
    day, month = spent()
    reserve = policy.urgent_reserve
    anew = "begins anew at 00:00 UTC", "begins anew on the 1st, UTC"
    return [
        Budget("Today", day.settled, policy.day_budget, reserve, anew[0], day.reserved),
        Budget("This month", month.settled, policy.month_budget, reserve, anew[1], month.reserved),
    ]


@dataclass(frozen=True, slots=True)
class Spent:
    """Credits of a time: those that calls have cost, and those reserved for calls under way."""

    settled: int
    reserved: int

    def of(self, limit: int | None) -> str:
        """In words, beside the limit; None: there is none."""
        if self.reserved:
            rest = "no limit" if limit is None else f"of {limit:,} credits"
            return f"{self.settled:,} spent, {self.reserved:,} reserved, {rest}"
        rest = "credits, no limit" if limit is None else f"of {limit:,} credits"
        return f"{self.settled:,} {rest}"


def spent(persona: Persona | None = None) -> tuple[Spent, Spent]:
    """This day's credits and this month's (UTC), of all or of one persona."""
    calls = MaveCall.objects.filter(started_at__gte=TruncMonth(Now()))
    if persona is not None:
        calls = calls.filter(research__persona=persona)
    is_reserved = Q(outcome=MaveCall.Outcome.PENDING)
    is_today = Q(started_at__gte=TruncDay(Now()))
    sums = calls.aggregate(
        day=Sum("credits", filter=is_today & ~is_reserved, default=0),
        day_reserved=Sum("credits", filter=is_today & is_reserved, default=0),
        month=Sum("credits", filter=~is_reserved, default=0),
        month_reserved=Sum("credits", filter=is_reserved, default=0),
    )
    day = Spent(sums["day"], sums["day_reserved"])
    return day, Spent(sums["month"], sums["month_reserved"])
