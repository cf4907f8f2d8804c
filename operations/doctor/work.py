"""Checks of what happens behind the receiver: wake-ups, the clusters' progress, research."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Max, Min, Q, Sum
from django.db.models.functions import Now
from django_q.brokers import get_broker
from django_q.models import Schedule

from briefs.models import Brief, Priority, Research, ResearchPolicy
from briefs.research import pacing
from briefs.times import length
from operations import progress
from operations.doctor.findings import Finding, fail, number, ok, warn
from providers.deadlines import OutOfTime, in_time
from webhooks.clock import database_now
from webhooks.models import Answer, Bell, Tally, WebhookEvent

BROKER_SECONDS = 6.0
SWEEP = "briefs.tasks.sweep"
LATE = timedelta(minutes=3)  # for what happens every minute
SLOW = timedelta(seconds=60)
MOST_WAITING = 10  # at most one drain and a sweep or two wait where a cluster works
START = "Start the workers: make run, or manage.py supervise (with --no-web for workers alone)."


def broker() -> Finding:
    """Ask the broker for the length of the default queue, within a time limit."""
    kind = urlsplit(settings.BROKER_URL).scheme
    try:
        if kind == "orm":
            waiting = _queue_size()
        else:  # a mute server must not hold the doctor
            waiting = in_time(_queue_size, BROKER_SECONDS, name="doctor")
    except OutOfTime:
        return fail(f"{kind} does not answer within {BROKER_SECONDS:.0f} s", _BROKER_CURE)
    except ImportError as error:
        return fail(
            f"the package “{error.name}” is not installed", f"pip install {error.name or kind}"
        )
    except Exception as error:  # noqa: BLE001 - of a broker; its words may hold its password
        return fail(f"{kind} cannot be used ({type(error).__name__})", _BROKER_CURE)
    if waiting > MOST_WAITING:
        return warn(
            f"{kind} answers, but {waiting:,} wake-ups wait: no cluster takes them",
            f"{START} They are harmless: events wait in their rows.",
        )
    return ok(f"{kind} answers, {number(waiting, 'wake-up')} waiting")


_BROKER_CURE = "Check BROKER_URL and that its server is up. Until then events are stored, and wait."


def _queue_size() -> int:
    return int(get_broker("default").queue_size() or 0)


def schedule() -> Finding:
    row = Schedule.objects.filter(func=SWEEP).order_by("pk").first()
    if row is None:
        return fail(
            "the sweep is not scheduled: lost wake-ups and retries wait for ever",
            "In the admin, add a scheduled task: func briefs.tasks.sweep, every 1 minute, "
            "repeats -1, cluster default.",
        )
    cure = "Correct the scheduled task “sweep” in the admin."
    if row.cluster != "default":
        return fail(f"the sweep is for the cluster {row.cluster or '(none)'}, not default", cure)
    if row.repeats == 0 or row.schedule_type != Schedule.MINUTES or row.minutes != 1:
        return fail("the sweep is not scheduled every minute for ever", cure)
    late = _overdue(row)
    if late > LATE:
        return fail(f"the sweep was due {length(late)} ago: no cluster runs schedules", START)
    return ok("the sweep, every minute")


def _overdue(row: Schedule) -> timedelta:
    return database_now() - row.next_run if row.next_run else timedelta.max


def sweep() -> Finding:
    """A sweep silences the bell, so the bell tells when the last one ran."""
    at = Bell.objects.filter(pk=1).values_list("silenced_at", flat=True).first()
    if at is None:
        return _never_swept()
    age = database_now() - at
    if age > LATE:
        return fail(f"the last one ran {length(age)} ago; one is due every minute", START)
    return ok(f"the last one ran {length(age)} ago")


def _never_swept() -> Finding:
    row = Schedule.objects.filter(func=SWEEP, cluster="default").first()
    if Bell.objects.exists() or row is None or _overdue(row) > LATE:
        return fail("none has ever run: the workers do not run", START)
    # The bell is made by the first event; until then only the schedule moves.
    return ok("the schedule moves on; no event has rung yet")


def events() -> Finding:
    waiting = WebhookEvent.objects.all().waiting()
    count = waiting.count()
    if progress.is_drain_stuck():
        return fail(f"{number(count, 'event')} waiting, and none is claimed", START)
    due = waiting.filter(Q(available_at=None) | Q(available_at__lte=Now()))
    oldest = due.aggregate(at=Min("received_at"))["at"]
    if oldest is None:
        return ok(f"{count:,} put off after a failure" if count else "none waiting")
    age = database_now() - oldest
    told = f"{number(count, 'event')} waiting, the oldest for {length(age)}"
    if age > SLOW:
        return warn(told, "The workers catch up, or are too few: manage.py supervise --no-web.")
    return ok(told)


def failed_events() -> Finding:
    dead = WebhookEvent.objects.filter(status=WebhookEvent.Status.DEAD).count()
    if dead:
        return warn(
            f"{number(dead, 'event')} failed on every try",
            "The reason stands with each in the admin; mend it, then "
            "manage.py reprocess_events --status dead.",
        )
    return ok("none")


def deliveries() -> Finding:
    """What the receiver answered since yesterday, as far as it was other than well."""
    rows = (
        Tally.objects.filter(hour__gte=Now() - timedelta(hours=24))
        .values_list("answer")
        .annotate(count=Sum("count"), at=Max("last_at"))
    )
    seen = {answer: (count, at) for answer, count, at in rows}
    taken = max(
        (seen[a][1] for a in (Answer.STORED, Answer.DUPLICATE, Answer.QUARANTINED) if a in seen),
        default=None,
    )
    refused, refused_at = seen.get(Answer.WRONG_SIGNATURE, (0, None))
    if refused and (taken is None or refused_at > taken):
        tell = fail if taken is None else warn  # anybody may send us nonsense
        return tell(
            f"{refused:,} refused for a wrong signature in 24 hours, and none taken since",
            "If they are Customer.io's, CIO_WEBHOOK_SECRET is not this webhook's signing key, and "
            "all that follows is held back until one is taken.",
        )
    not_stored, _ = seen.get(Answer.NOT_STORED, (0, None))
    if not_stored:
        return warn(
            f"{not_stored:,} could not be stored in 24 hours (answered 503)",
            "The database was down, slow or full; Customer.io sends them again.",
        )
    stored, _ = seen.get(Answer.STORED, (0, None))
    return ok(f"{number(stored, 'event')} stored in 24 hours")


def research() -> Finding:
    if progress.is_research_stuck():
        return fail("questions are due, and none is asked", START)
    policy = ResearchPolicy.objects.filter(pk=1).first() or ResearchPolicy()
    if policy.paused_at and not policy.is_paused_by_mavera:
        return warn(
            f"paused: {policy.paused_reason or 'no reason given'}",
            "Briefs stand on the playbook. Resume in the admin, under Research policy.",
        )
    if held := pacing.why_waiting(policy, Priority.LOW):
        return warn(held, "Briefs stand on the playbook. See Research policy in the admin.")
    failed = Brief.objects.open().filter(research__status=Research.Status.FAILED).count()
    if failed:
        return warn(
            f"{number(failed, 'open brief')} without research, which failed",
            "Its reason stands on the brief, with a button to try again.",
        )
    return ok(f"{number(Research.objects.active().count(), 'question')} under way")
