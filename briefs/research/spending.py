"""What research has cost, from the ledger: one account for claims, pages and alarms.

Days and months are those of UTC. `now` is the database's clock wherever it is a parameter.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db.models import Avg, Q, Sum

from briefs.models import MaveCall, PriorityThreshold, Research, ResearchPolicy
from briefs.research.accounts import DAY, MONTH, Account, Spending
from personas.models import Persona

USUAL_CREDITS = 32  # the usual cost of an answer, as long as no answer is there
RECENT_ANSWERS = 50
_RESERVED = Q(outcome=MaveCall.Outcome.PENDING)  # by a call under way


def account(policy: ResearchPolicy, now: datetime) -> Account:
    """The day and the month of all research, in one query."""
    day, month = _day(now), _month(now)
    calls = MaveCall.objects.filter(started_at__gte=month[0]).order_by()
    rows = calls.values_list("outcome").annotate(
        of_day=Sum("credits", filter=Q(started_at__gte=day[0]), default=0),
        of_month=Sum("credits", default=0),
    )
    settled, reserved = [0, 0], [0, 0]  # of the day, of the month
    for outcome, of_day, of_month in rows:
        sums = reserved if outcome == MaveCall.Outcome.PENDING else settled
        sums[0] += of_day
        sums[1] += of_month
    limits, reserve = (policy.day_budget, policy.month_budget), policy.urgent_reserve
    kept = (reserve, PriorityThreshold.highest()) if reserve else (0,)
    return Account(
        Spending(DAY, *day, limits[0], settled[0], reserved[0], *kept),
        Spending(MONTH, *month, limits[1], settled[1], reserved[1], *kept),
    )


def of_personas(personas: Iterable[Persona], now: datetime) -> dict[Persona, Spending]:
    """The month of each of them under its own budget, in one query.

    Research counts for the persona that asked first, also if briefs of others share the answer.
    """
    personas, month = list(personas), _month(now)
    if not personas:
        return {}
    calls = MaveCall.objects.filter(research__persona__in=personas, started_at__gte=month[0])
    rows = calls.values_list("research__persona").annotate(
        settled=Sum("credits", filter=~_RESERVED, default=0),
        reserved=Sum("credits", filter=_RESERVED, default=0),
    )
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
    """The personas whose own budget has no room for one more call this month."""
    return [one for one, spent in of_limited_personas(now).items() if not spent.fits()]


def _day(now: datetime) -> tuple[datetime, datetime]:
    start = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return start, start + timedelta(days=1)


def _month(now: datetime) -> tuple[datetime, datetime]:
    start = _day(now)[0].replace(day=1)
    return start, (start + timedelta(days=32)).replace(day=1)


def usual_cost(persona: Persona | None = None) -> int:
    """What an answer usually costs: the mean of this persona's last answers, else of all."""
    own = [Research.objects.filter(persona=persona)] if persona else []
    for answers in (*own, Research.objects.all()):
        recent = answers.filter(status=Research.Status.DONE, credits__isnull=False)
        newest = recent.order_by("-finished_at")[:RECENT_ANSWERS]
        mean = newest.aggregate(mean=Avg("credits"))["mean"]
        if mean is not None:
            return int(mean + 0.5)
    return USUAL_CREDITS
