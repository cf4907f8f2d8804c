"""What waits for Mave at this moment, and why, in the words of the desk and the admin."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Count, Min, Q
from django.db.models.functions import Now

from briefs.models import Brief, MaveHealth, Priority, Research, ResearchPolicy
from briefs.research import spending
from briefs.research.accounts import Account
from briefs.research.reasons import Reason
from briefs.times import clock, length
from personas.models import Persona
from providers.mavera import Mave

WAITING = (Research.Status.QUEUED, Research.Status.RECOVERING)


class Standstill:
    """What holds research back at this moment. Each row is read once, when it is first needed."""

    def __init__(self, policy: ResearchPolicy | None = None) -> None:
        if policy is not None:
            self.policy = policy

    def reason(self, priority: int = Priority.LOW, persona: Persona | None = None) -> Reason:
        """Why a question of this priority would wait; an empty reason if it would not.

        persona: the question's, whose own budget may hold it back as well.
        """
        if not Mave().is_configured:
            return Reason("Mave is not connected")
        if self.policy.paused_at:
            why = f"research is paused: {self.policy.paused_reason}"
            if not self.policy.is_paused_by_mavera:
                return Reason(why)
            at = clock(self.health.next_probe_at)
            then = f"Mavera is asked again for free at {at}, and it resumes by itself"
            return Reason(why, self.policy.paused_code, then)
        if trouble := self.health.why_held:
            is_open = self.health.is_breaker_open
            return Reason(trouble, self.health.breaker_code if is_open else self.health.held_code)
        if not self.account.fits(Priority.URGENT):
            return Reason("the research budget is used up for now")
        if not self.account.fits(priority):
            whose = self.account.day.whose_reserve
            return Reason(f"the research budget is down to its reserve, which is for {whose}")
        if persona in self.used_up_personas:
            return Reason(f"the month's research budget of “{persona}” is used up")
        return Reason()

    def why(self, priority: int, persona: Persona) -> str:
        """The reason in words for readers of a brief; empty if the question would not wait."""
        return self.reason(priority, persona).plainly

    def briefly(self, priority: int, persona: Persona) -> str:
        """The reason in a word or two, for a column of a list."""
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
        """Why a lost answer is not looked for now. A search is free, so no budget holds it back."""
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
    def in_flight(self) -> int:
        """Calls that Mave works on now, or may."""
        return Research.objects.in_flight().count()

    @cached_property
    def account(self) -> Account:
        return spending.account(self.policy, self.health.now)

    @cached_property
    def used_up_personas(self) -> list[Persona]:
        return spending.used_up_personas(self.health.now)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Questions that no worker is asking now, and the briefs that have only their playbook."""

    by_persona: dict[int | None, int]
    running: int
    recovering: int  # those of them that were asked: their lost answers are looked for
    briefs: int
    put_off: int  # to be asked later, after a failure
    next_at: datetime | None
    least: int  # the lowest priority of the questions that are still to be asked

    @property
    def questions(self) -> int:
        return sum(self.by_persona.values())

    @property
    def queued(self) -> int:
        """The questions that are still to be asked."""
        return self.questions - self.recovering


def count_waiting() -> Waiting:
    """Count what waits for Mave at this moment, however old it is."""
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
    """In words, why these questions are not asked yet.

    held: what holds all research back, in words (`Standstill.reason`); empty if nothing does.
    """
    if not waiting.questions:
        return "no question waits"
    words = [held] if held else list(_turns(policy, waiting, now))
    if waiting.recovering == 1:
        words.append("1 was asked, and its lost answer is looked for")
    elif waiting.recovering:
        words.append(f"{waiting.recovering:,} were asked, and their lost answers are looked for")
    return "; ".join(words)


def _turns(policy: ResearchPolicy, waiting: Waiting, now: datetime) -> Iterator[str]:
    """How the queued questions get their turn."""
    if waiting.queued > waiting.put_off:
        yield f"each for its turn: at most {policy.concurrency} are asked at once"
    if waiting.put_off and waiting.next_at:
        count = f"{waiting.put_off:,} " if waiting.queued > waiting.put_off else ""
        yield f"{count}put off after a failure; next try in {length(waiting.next_at - now)}"
