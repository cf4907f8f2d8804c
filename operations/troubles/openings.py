"""Signals arrive and briefs do not: an edit of the rules, or what Customer.io sends has changed.

What somebody accepted as a consequence of an edit is a hint that names version and person.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import prod
from typing import Any

from django.db.models import Count, QuerySet, TextField
from django.db.models.functions import Cast, Now

from briefs.links import admin_url
from briefs.models import Signal
from briefs.times import clock_and_day, length
from operations.figures import DAY, HOUR, WEEK, Figures
from operations.statements import written_once
from operations.troubles.kinds import Kind, Trouble
from personas.models import Effect, RuleVersion
from webhooks.clock import aware
from webhooks.models import WebhookEvent

# The shortest of these times in which enough briefs are usual. A desk that has fewer than ENOUGH
# in a week is told nothing: by chance alone it may have none for days.
WITHIN = (HOUR, 6 * HOUR, DAY, 3 * DAY, WEEK)
ENOUGH = 12  # of as many that are to be expected, chance leaves a quarter in one case of 400
ONE_OF = 4
HISTORY = timedelta(days=28)
SIGNALS_READ = 2_000  # the newest ones, to tell what is usual
EVENTS_READ = 20_000
Led = Sequence[tuple[datetime, str | None]]  # when each came, and of which metric; the newest first
_ENDED = (WebhookEvent.Status.PROCESSED, WebhookEvent.Status.IGNORED)


def no_briefs(figures: Figures) -> Iterator[Trouble]:
    """Compares with the same length of time on average before: of each kind of event at most the
    usual number counts as arrived, so neither a quiet night nor a wave of other events is trouble.
    As many as accepted versions of the rules stopped are not expected any more.
    """
    now = figures.now
    # Metrics stand in another table: they are read only if fewer came of all of them together.
    if not any(_fewer(_together(), now)):
        return
    newest = _led().filter(happened_at__gt=now - HISTORY - WEEK)[:SIGNALS_READ]
    led = list(newest.values_list("happened_at", "event__metric"))
    hint = None
    for within, lately, usual in _fewer(led, now):
        arrived = _arrived(now - within, list(usual))
        expected = sum(min(arrived[metric], number) for metric, number in usual.items())
        if expected >= ENOUGH and ONE_OF * lately <= expected:
            seen = _Seen(now, within, led[0][0], lately, arrived.total(), expected)
            rate = sum(usual.values()) / within.total_seconds()
            found = _judged(seen, list(_explaining(now, now - HISTORY - within, led, rate)))
            if found.kind == Kind.NO_BRIEFS:
                yield found
                return
            hint = hint or found  # a longer time may show that even fewer come than were accepted
    if hint:
        yield hint


@dataclass(frozen=True, slots=True)
class _Seen:
    """What came within a time, and what was to be expected."""

    now: datetime
    within: timedelta
    last: datetime  # the last one that led to a brief
    led: int
    arrived: int
    expected: float


def _led() -> QuerySet[Signal]:
    """Signals that opened a brief or joined one, the newest first."""
    signals = Signal.objects.filter(effect=Effect.OPENS_BRIEF, brief__isnull=False)
    return signals.order_by("-happened_at")


def _together() -> Led:
    """The newest ones, as if all were of one metric."""
    return [(aware(at), "any") for (at,) in _times(SIGNALS_READ)]


@written_once
def _times(most: int) -> QuerySet[Any, Any]:
    """As text: Django takes ten times as long to read 2,000 of them as times."""
    newest = _led().filter(happened_at__gt=Now() - (HISTORY + WEEK))
    return newest.values_list(Cast("happened_at", TextField()))[:most]


def _fewer(led: Led, now: datetime) -> Iterator[tuple[timedelta, int, dict[str, float]]]:
    """The times, up to one in which as many came as is usual: how many came, what is usual."""
    for within in WITHIN:
        lately = _number_after(now - within, led)
        usual = _usual(led, now - within, within, len(led) == SIGNALS_READ)
        if sum(usual.values()) < ENOUGH:
            continue
        if ONE_OF * lately > sum(usual.values()):
            return
        yield within, lately, usual


def _usual(led: Led, until: datetime, within: timedelta, is_cut: bool) -> dict[str, float]:
    """How many of each metric came within such a time before; those of unknown metric are none."""
    earlier = led[_number_after(until, led) : _number_after(until - HISTORY, led)]
    if not earlier:
        return {}
    span = max(until - earlier[-1][0], within) if is_cut else HISTORY
    numbers = Counter(metric for _, metric in earlier if metric)
    return {metric: number * (within / span) for metric, number in numbers.items()}


def _number_after(moment: datetime, led: Led) -> int:
    return bisect_left(led, True, key=lambda one: one[0] <= moment)


def _arrived(since: datetime, metrics: list[str]) -> Counter[str]:
    """Events of these metrics that were worked on, counted over EVENTS_READ of the newest."""
    events = WebhookEvent.objects.filter(
        received_at__gt=since, metric__in=metrics, status__in=_ENDED
    )
    newest = events.order_by("-received_at").values_list("metric", flat=True)
    return Counter(newest[:EVENTS_READ])


def _explaining(now: datetime, since: datetime, led: Led, rate: float) -> Iterator[RuleVersion]:
    """Versions whose authors accepted that briefs stop, and still stand; `rate`: usual a second.

    One does not stand if the rules are again as they were before it, or if many more briefs came
    after it than it foresaw: then they stopped for another reason.
    """
    accepted = RuleVersion.objects.filter(made_at__gt=since, briefs_left__lt=1)
    for version in accepted.select_related("made_by").defer("document").order_by("number"):
        earlier = RuleVersion.objects.filter(number__lt=version.number).values("digest")
        later = RuleVersion.objects.filter(number__gt=version.number)
        if later.filter(digest__in=earlier).exists():
            continue
        came = _number_after(version.made_at, led)
        usual = rate * (now - version.made_at).total_seconds()
        if came < ENOUGH or came <= 2 * (version.briefs_left or 0) * usual:
            yield version


def _judged(seen: _Seen, versions: list[RuleVersion]) -> Trouble:
    left = seen.expected * prod(version.briefs_left or 0 for version in versions)
    is_explained = left < ENOUGH or seen.led * ONE_OF > left
    url = admin_url("personas_ruleversion_changelist")
    if versions and is_explained:
        return Trouble(
            Kind.FEWER_BRIEFS,
            "hint",
            versions[-1].made_at,
            f"Briefs were stopped knowingly: {_words(seen)} {' '.join(map(_accepted, versions))}",
            "Nothing, if this is still wanted. Else undo the version, or restore the one before "
            "it.",
            url=url,
            link="Versions of the rules" if url else "",
        )
    part = " That explains only a part of it." if versions else ""
    return Trouble(
        Kind.NO_BRIEFS,
        "problem",
        seen.now - seen.within if seen.led else min(seen.last, seen.now),
        f"Signals arrive as usual and briefs do not: {_words(seen)}{_why(seen.now - seen.within)}"
        f"{''.join(f' {_accepted(version)}' for version in versions)}{part}",
        "Look at the newest rule versions, and undo the one after which it began: a persona that "
        "opens no briefs may take all customers, or a signal rule may be switched off. If no rule "
        "was changed, see at the latest events in the admin why each led to nothing.",
        url=url,
        link="Versions of the rules" if url else "",
    )


def _words(seen: _Seen) -> str:
    came = "none led to a brief" if not seen.led else f"only {seen.led:,} led to a brief"
    return (
        f"of {seen.arrived:,} events of the kinds that lead to briefs in {length(seen.within)} "
        f"{came}, where about {round(seen.expected):,} are usual."
    )


def _accepted(version: RuleVersion) -> str:
    """Who accepted what, and when."""
    at = clock_and_day(version.made_at)
    said = " ".join(version.accepted)
    return (
        f"{version.accepted_by} accepted it with version {version.number} of the rules at {at}: "
        f"“{said}”"
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
