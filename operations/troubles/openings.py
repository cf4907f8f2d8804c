"""Signals arrive and briefs do not: an edit of the rules, or what Customer.io sends has changed."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from briefs.links import admin_url
from briefs.models import Signal
from briefs.times import length
from operations.figures import DAY, HOUR, WEEK, Figures
from operations.troubles.kinds import Kind, Trouble
from personas.models import Effect
from webhooks.models import WebhookEvent

# The shortest of these times in which enough briefs are usual. A desk that has fewer than ENOUGH
# in a week is told nothing: by chance alone it may have none for days.
WITHIN = (HOUR, 6 * HOUR, DAY, 3 * DAY, WEEK)
ENOUGH = 12  # of as many that are to be expected, chance leaves a quarter in one case of 400
ONE_OF = 4
HISTORY = timedelta(days=28)
SIGNALS_READ = 2_000  # the newest ones, to tell what is usual
EVENTS_READ = 20_000
_ENDED = (WebhookEvent.Status.PROCESSED, WebhookEvent.Status.IGNORED)


def no_briefs(figures: Figures) -> Iterator[Trouble]:
    """Compares with the same length of time on average before: of each kind of event at most the
    usual number counts as arrived, so neither a quiet night nor a wave of other events is trouble.
    """
    now = figures.now
    led = list(_led().filter(happened_at__gt=now - HISTORY - WEEK)[:SIGNALS_READ])
    for within in WITHIN:
        lately = [at for at, _ in led if at > now - within]
        usual = _usual(led, now - within, within, len(led) == SIGNALS_READ)
        if sum(usual.values()) < ENOUGH:
            continue
        if ONE_OF * len(lately) > sum(usual.values()):
            return
        arrived = _arrived(now - within, list(usual))
        expected = sum(min(arrived[metric], number) for metric, number in usual.items())
        if expected >= ENOUGH and ONE_OF * len(lately) <= expected:
            yield _trouble(now, within, led[0][0], len(lately), arrived.total(), round(expected))
            return


def _led() -> Any:
    """Signals that opened a brief or joined one, the newest first: when, and of which metric."""
    signals = Signal.objects.filter(effect=Effect.OPENS_BRIEF, brief__isnull=False)
    return signals.order_by("-happened_at").values_list("happened_at", "event__metric")


def _usual(
    led: list[tuple[datetime, str | None]], until: datetime, within: timedelta, is_cut: bool
) -> dict[str, float]:
    """How many of each metric came within such a time before; those of unknown metric are none."""
    earlier = [(at, metric) for at, metric in led if until - HISTORY < at <= until]
    if not earlier:
        return {}
    span = max(until - earlier[-1][0], within) if is_cut else HISTORY
    numbers = Counter(metric for _, metric in earlier if metric)
    return {metric: number * (within / span) for metric, number in numbers.items()}


def _arrived(since: datetime, metrics: list[str]) -> Counter[str]:
    """Events of these metrics that were worked on, counted over EVENTS_READ of the newest."""
    events = WebhookEvent.objects.filter(
        received_at__gt=since, metric__in=metrics, status__in=_ENDED
    )
    newest = events.order_by("-received_at").values_list("metric", flat=True)
    return Counter(newest[:EVENTS_READ])


def _trouble(
    now: datetime, within: timedelta, last: datetime, led: int, arrived: int, expected: int
) -> Trouble:
    came = "none led to a brief" if not led else f"only {led:,} led to a brief"
    url = admin_url("personas_ruleversion_changelist")
    return Trouble(
        Kind.NO_BRIEFS,
        "problem",
        now - within if led else min(last, now),
        f"Signals arrive as usual and briefs do not: of {arrived:,} events of the kinds that lead "
        f"to briefs in {length(within)} {came}, where about {expected:,} are usual."
        f"{_why(now - within)}",
        "Look at the newest rule versions, and undo the one after which it began: a persona that "
        "opens no briefs may take all customers, or a signal rule may be switched off. If no rule "
        "was changed, see at the latest events in the admin why each led to nothing.",
        url=url,
        link="Versions of the rules" if url else "",
    )


def _why(since: datetime) -> str:
    """Which persona opened no brief for most of them; empty if they became no signals."""
    signals = Signal.objects.filter(
        effect=Effect.OPENS_BRIEF, brief=None, happened_at__gt=since, persona__opens_brief=False
    )
    first = (
        signals.values_list("persona__name")
        .annotate(number=Count("pk"))
        .order_by("-number")
        .first()
    )
    return f" {first[1]:,} were of “{first[0]}”, which opens none." if first else ""
