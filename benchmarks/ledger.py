"""What the product's own tables say after a benchmark: calls, briefs, and who still waits.

Import it once the settings know the database (`benchmarks.system.running`).
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from benchmarks.system import most_at_once, worst_window
from briefs import models
from briefs.models import Brief, MaveCall, Research, ResearchPolicy
from briefs.models.queryset import BriefQuerySet
from briefs.models.research import LEASE
from briefs.research import pacing
from personas.models import AppApiHealth
from webhooks.models import WebhookEvent


@dataclass(frozen=True, kw_only=True)
class Calls:
    """The ledger in figures; reserved credits count as spent."""

    chats: int
    free: int
    credits: int
    repeats: int
    recovered: int
    most_in_flight: int
    worst_minute: int


def calls(minute: float = 60.0) -> Calls:
    """Everything the ledger tells; `minute` is how long Mavera's minute lasts on this clock."""
    rows = list(MaveCall.objects.order_by("started_at"))
    chats = [row for row in rows if row.purpose == MaveCall.Purpose.CHAT]
    return Calls(
        chats=len(chats),
        free=len(rows) - len(chats),
        credits=sum(row.credits for row in chats),
        repeats=sum(row.is_repeat for row in chats),
        recovered=sum(bool(getattr(row, "is_recovered", False)) for row in chats),
        most_in_flight=most_at_once(_spans(rows)),
        worst_minute=worst_window([row.started_at.timestamp() for row in rows], minute),
    )


def _spans(rows: list[MaveCall]) -> list[tuple[float, float]]:
    """When each call counted as under way: until it ended, was found lost, or its lease was over.

    A call whose answer is recovered ends in the ledger when it is found, long after it was lost; so
    the first search for it is its end here.
    """
    searches: dict[int | None, list[datetime]] = defaultdict(list)
    for row in rows:
        if row.purpose == MaveCall.Purpose.THREADS:
            searches[row.research_id].append(row.started_at)
    spans = []
    for row in rows:
        if row.purpose != MaveCall.Purpose.CHAT:
            continue
        ends = [row.started_at + LEASE, row.finished_at or timezone.now()]
        ends += [at for at in searches[row.research_id] if at > row.started_at]
        spans.append((row.started_at.timestamp(), min(ends).timestamp()))
    return spans


def pending_events() -> int:
    return WebhookEvent.objects.filter(status=WebhookEvent.Status.PENDING).count()


def active_research() -> int:
    return Research.objects.active().count()


def in_flight() -> int:
    return Research.objects.in_flight().count()


def waiting_briefs() -> int:
    """How many open briefs have only the playbook and want research."""
    return briefs_wanting_research().filter(basis=Brief.Basis.PLAYBOOK).count()


def briefs_wanting_research() -> BriefQuerySet:
    """Open briefs, decided, of a persona that buys research, for a customer who exists."""
    return Brief.objects.in_inbox().filter(
        persona__opens_brief=True, persona__is_unknown=False, customer__is_deleted=False
    )


def end_states() -> dict[str, Counter[str]]:
    """Research by its state, and within a state by its reason in words."""
    policy = ResearchPolicy.current()
    states: dict[str, Counter[str]] = defaultdict(Counter)
    for row in Research.objects.all():
        words = "" if row.status == Research.Status.DONE else _reason(row, policy)
        states[row.status][words[:110]] += 1
    return states


def _reason(research: Research, policy: ResearchPolicy) -> str:
    now = timezone.now()
    if not research.is_active:
        return research.reason_in_full
    if research.status == Research.Status.RUNNING and (research.lease_until or now) >= now:
        return "being researched"
    return research.reason_in_full or pacing.why_waiting(policy, research.priority)


def active_without_reason() -> int:
    policy = ResearchPolicy.current()
    return sum(not _reason(row, policy) for row in Research.objects.active())


def why_waiting() -> str:
    """Why even the most urgent waiting question is not asked now."""
    most = Research.objects.active().aggregate(most=Max("priority"))["most"]
    return pacing.why_waiting(ResearchPolicy.current(), most) if most else ""


def seconds_to(moment: str) -> float:
    """From the first event's arrival until the last brief's `created_at` or `researched_at`."""
    first = WebhookEvent.objects.aggregate(at=Min("received_at"))["at"]
    last = Brief.objects.aggregate(at=Max(moment))["at"]
    return (last - first).total_seconds() if first and last else 0.0


def research_seconds() -> float:
    """From the first call to Mave until the last brief had its research."""
    first = MaveCall.objects.aggregate(at=Min("started_at"))["at"]
    last = Brief.objects.aggregate(at=Max("researched_at"))["at"]
    return (last - first).total_seconds() if first and last else 0.0


def questions() -> int:
    return Research.objects.values("question_hash").distinct().count()


def questions_opened_again() -> int:
    """Questions with more rows than one although their answer was still good to be shared."""
    opened = Research.objects.values("question_hash").annotate(rows=Count("pk"))
    return opened.filter(rows__gt=1).count()


def dead_briefs() -> int:
    """Briefs that want research and will get none: nobody asks for it, or it came and is not used.

    Briefs whose question failed do not count: it has a reason, and can be retried.
    """
    ended = Q(research__status__in=[Research.Status.DONE, Research.Status.CANCELLED])
    on_playbook = briefs_wanting_research().filter(basis=Brief.Basis.PLAYBOOK)
    return on_playbook.filter(Q(research=None) | ended).count()


def lost_events(acknowledged: list[str]) -> list[str]:
    """Answered 200 and yet: not in the table, failed for good, or without the brief it is due."""
    led = WebhookEvent.objects.filter(signal__brief__isnull=False)
    pending = WebhookEvent.objects.filter(status=WebhookEvent.Status.PENDING)
    fine = {*led.values_list("event_id", flat=True), *pending.values_list("event_id", flat=True)}
    return [event_id for event_id in acknowledged if event_id not in fine]


def health() -> Any:
    """The row with the breaker: MaveHealth, or the policy in older versions."""
    model = getattr(models, "MaveHealth", None)
    return model.objects.get_or_create(pk=1)[0] if model else ResearchPolicy.current()


def cap() -> int:
    return ResearchPolicy.current().concurrency


def undecided_briefs() -> int:
    """Briefs that wait for the customer's profile."""
    return Brief.objects.open().filter(is_waiting_for_profile=True).count()


def fast_forward() -> None:
    """Make due what waits out a backoff. Leases and searches for lost answers keep their time."""
    later = Q(available_at__gt=Now())
    Research.objects.filter(later, status=Research.Status.QUEUED).update(available_at=Now())
    pending = WebhookEvent.objects.filter(later, status=WebhookEvent.Status.PENDING)
    pending.update(available_at=Now())
    AppApiHealth.objects.filter(retry_at__gt=Now()).update(retry_at=Now())
    row = health()
    for name in ("held_until", "breaker_until", "probe_at"):
        if getattr(row, name, None):
            type(row).objects.filter(pk=row.pk, **{f"{name}__gt": Now()}).update(**{name: Now()})
