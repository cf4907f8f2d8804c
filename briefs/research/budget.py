"""What research has cost and may still cost, counted from the ledger."""

from django.db.models import Avg, Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Now, TruncDay, TruncMonth

from briefs.models import Brief, MaveCall, Priority, Research, ResearchPolicy
from personas.models import Persona

RESERVED_CREDITS = 75  # the most that one answer is said to cost
USUAL_CREDITS = 32  # of an answer, until some are there to tell
RECENT_ANSWERS = 50


def spent() -> tuple[int, int]:
    """Credits of this day and of this month (UTC), reservations included."""
    sums = MaveCall.objects.filter(started_at__gte=TruncMonth(Now())).aggregate(
        day=Sum("credits", filter=Q(started_at__gte=TruncDay(Now())), default=0),
        month=Sum("credits", default=0),
    )
    return sums["day"], sums["month"]


def is_affordable(policy: ResearchPolicy, priority: int, spending: tuple[int, int]) -> bool:
    """Whether one more call fits into what is left of day and month for this priority."""
    kept_back = 0 if priority >= Priority.URGENT else policy.urgent_reserve
    return all(
        budget is None or used + RESERVED_CREDITS <= max(0, budget - kept_back)
        for used, budget in zip(spending, (policy.day_budget, policy.month_budget), strict=True)
    )


def least_affordable(policy: ResearchPolicy) -> Priority | None:
    """The lowest priority that may spend now; None if nobody may."""
    spending = spent()
    return next((p for p in Priority if is_affordable(policy, p, spending)), None)


def left_today() -> int | None:
    """Credits that may still be spent today, by the tighter of both budgets; None: no limit."""
    policy = ResearchPolicy.current()
    budgets = zip(spent(), (policy.day_budget, policy.month_budget), strict=True)
    left = [max(0, budget - used) for used, budget in budgets if budget is not None]
    return min(left, default=None)


def personas_with_budget() -> QuerySet[Persona]:
    """Personas with a budget of their own, and as `spent` what they cost this month (UTC).

    Reservations included. Research counts for the persona that asked first, whoever shares it.
    """
    calls = MaveCall.objects.filter(
        research__persona=OuterRef("pk"), started_at__gte=TruncMonth(Now())
    )
    sums = calls.order_by().values("research__persona").annotate(sum=Sum("credits")).values("sum")
    limited = Persona.objects.filter(month_budget__isnull=False)
    return limited.annotate(spent=Coalesce(Subquery(sums), 0))


def used_up_personas() -> QuerySet[Persona]:
    """Those of them for whom one more call does not fit any more."""
    return personas_with_budget().filter(month_budget__lt=F("spent") + RESERVED_CREDITS)


def spent_for(persona: Persona) -> int:
    """Credits of this month (UTC) for one persona, reservations included."""
    calls = MaveCall.objects.filter(
        research__persona=persona, started_at__gte=TruncMonth(Now())
    ).aggregate(sum=Sum("credits", default=0))
    return int(calls["sum"])


def is_used_up_for(persona: Persona) -> bool:
    """Whether the persona's own budget has no room for one more call."""
    limit = persona.month_budget
    return limit is not None and spent_for(persona) + RESERVED_CREDITS > limit


def usual_cost(persona: Persona) -> int:
    """What an answer for this persona usually costs, by the last ones, or by those of all."""
    for answers in (Research.objects.filter(persona=persona), Research.objects.all()):
        recent = answers.filter(status=Research.Status.DONE, credits__isnull=False)
        newest = recent.order_by("-finished_at")[:RECENT_ANSWERS]
        mean = newest.aggregate(mean=Avg("credits"))["mean"]
        if mean is not None:
            return int(mean + 0.5)
    return USUAL_CREDITS


def credits_saved() -> int:
    """Credits that sharing answers spared: each sharing brief counts what its answer cost."""
    shared = (
        Research.objects.filter(status=Research.Status.DONE)
        .annotate(sharing=Count("briefs", filter=Q(briefs__basis=Brief.Basis.SHARED)))
        .values_list("sharing", "credits")
    )
    return sum(sharing * (credits or 0) for sharing, credits in shared)
