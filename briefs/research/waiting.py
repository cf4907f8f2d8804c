"""What waits for Mave at this moment, and why, as the desk and the admin say it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Count, Min, Q
from django.db.models.functions import Now

from briefs.models import Brief, MaveHealth, Priority, Research, ResearchPolicy
from briefs.research import pacing, spending
from briefs.research.reasons import Reason
from briefs.times import length
from personas.models import Persona
from providers.mavera import Mave

WAITING = (Research.Status.QUEUED, Research.Status.RECOVERING)


class Standstill:
    """What holds research back, read once for a page, when it is first asked."""

    def __init__(self) -> None:
        self._known: dict[tuple[Priority, int | None], Reason] = {}

    def why(self, priority: int, persona: Persona) -> str:
        """In a sentence's words, why a question of this priority would wait; empty if not."""
        return self.reason(priority, persona).plainly

    def reason(self, priority: int, persona: Persona) -> Reason:
        level = Priority.URGENT if priority >= Priority.URGENT else Priority.LOW
        found = self._look(level)
        if found.words or persona not in self.used_up_personas:
            return found
        return self._look(level, persona)

    def _look(self, level: Priority, persona: Persona | None = None) -> Reason:
        key = (level, persona.pk if persona else None)
        if key not in self._known:
            self._known[key] = pacing.what_holds(self.policy, level, persona)
        return self._known[key]

    def briefly(self, priority: int, persona: Persona) -> str:
        """The same in a word or two, for a column."""
        if not self.why(priority, persona):
            return ""
        if not Mave().is_configured:
            return "Mave is not connected"
        if self.policy.paused_at:
            return "paused"
        if self.health.is_breaker_open:
            return "Mave is down"
        return "Mavera’s limit" if self.health.is_held else "over budget"

    def why_search_waits(self, research: Research, persona: Persona) -> str:
        """A search costs nothing and looks at no budget, but it stands still with a pause."""
        if research.status != Research.Status.RECOVERING:
            return ""
        if not Mave().is_configured or self.policy.paused_at:
            return self.why(research.priority, persona)
        return self.health.held_reason if self.health.is_held else ""

    @cached_property
    def policy(self) -> ResearchPolicy:
        return ResearchPolicy.current()

    @cached_property
    def health(self) -> MaveHealth:
        return MaveHealth.current()

    @cached_property
    def account(self) -> spending.Account:
        return spending.account(self.policy, self.health.now)

    @cached_property
    def used_up_personas(self) -> list[Persona]:
        return spending.used_up_personas(self.health.now)


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


def count_waiting() -> Waiting:
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


def why_not_asked(policy: ResearchPolicy, waiting: Waiting, held: str, now: datetime) -> str:
    """In words, why these questions are not asked yet; `held` is what `pacing` says."""
    if not waiting.questions:
        return "no question waits"
    words = [held] if held else list(_turns(policy, waiting, now))
    if waiting.recovering == 1:
        words.append("1 was asked, and its lost answer is looked for")
    elif waiting.recovering:
        words.append(f"{waiting.recovering:,} were asked, and their lost answers are looked for")
    return "; ".join(words)


def _turns(policy: ResearchPolicy, waiting: Waiting, now: datetime) -> Iterator[str]:
    """How those that are to be asked come to their turn."""
    if waiting.queued > waiting.put_off:
        yield f"each for its turn: at most {policy.concurrency} are asked at once"
    if waiting.put_off and waiting.next_at:
        count = f"{waiting.put_off:,} " if waiting.queued > waiting.put_off else ""
        yield f"{count}put off after a failure; next try in {length(waiting.next_at - now)}"
