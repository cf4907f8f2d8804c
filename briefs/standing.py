"""How research stands at this moment: what waits for Mave and why, and what the budgets leave."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q
from django.db.models.functions import Now

from briefs.asking import budget
from briefs.models import Brief, Priority, Research, ResearchPolicy
from briefs.troubles import length

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
    """A limit of the policy and how far it is used up."""

    name: str
    used: int
    limit: int | None
    reserve: int
    renewal: str

    @property
    def percent(self) -> int:
        if not self.limit:
            return 100 if self.limit == 0 else 0
        return round(100 * self.used / self.limit)

    @property
    def width(self) -> int:
        """Of the bar, in per cent: what is over the limit has no room in it."""
        return min(self.percent, 100)

    @property
    def left(self) -> int:
        return max(0, (self.limit or 0) - self.used)

    @property
    def kept(self) -> int:
        """What is left and kept for urgent briefs."""
        return min(self.left, self.reserve)

    @property
    def level(self) -> str:
        if self.limit is None or self.left > self.kept:
            return "fine"
        return "low" if self.left else "out"


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
    """The day's and the month's, with what is spent of them; reservations count."""
    day, month = budget.spent()
    reserve = policy.urgent_reserve
    return [
        Budget("Today", day, policy.day_budget, reserve, "begins anew at 00:00 UTC"),
        Budget("This month", month, policy.month_budget, reserve, "begins anew on the 1st, UTC"),
    ]
