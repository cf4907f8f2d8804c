"""Checks of what happens after an event is stored: wake-ups, the clusters' progress, research."""

from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django_q.brokers import get_broker
from django_q.models import Schedule

from briefs.models import Brief, Priority, ReprocessingJob, Research, ResearchPolicy
from briefs.research import pacing
from briefs.times import length
from operations import progress
from operations.doctor.findings import Finding, counted, fail, ok, troubles_found, warn
from operations.figures import Figures
from operations.troubles import ANY_AGE, TOLD_AFTER, Ages, Choice, Kind
from personas.models import CustomerSegment, PersonaCondition, SegmentList
from personas.models.conditions import SEGMENTS
from personas.models.segments import named, names_in, unheard_of
from providers.deadlines import OutOfTime, in_time
from webhooks.clock import database_now
from webhooks.models import Answer, WebhookEvent

BROKER_SECONDS = 6.0
# Which troubles each check reports. The doctor reports them at once, except a sweep that is only a
# little late: a drain or a slow notification may delay it.
SCHEDULE: Choice = {Kind.UNSCHEDULED: Ages(TOLD_AFTER)}
SWEEPS: Choice = {Kind.UNSWEPT: Ages(TOLD_AFTER)}
EVENTS: Choice = {Kind.NOT_TAKEN: ANY_AGE, Kind.BEHIND: ANY_AGE}
FAILED_EVENTS: Choice = {Kind.FAILED: ANY_AGE}
JOBS: Choice = {Kind.JOB_FAILED: ANY_AGE}
DELIVERIES: Choice = {
    Kind.NOT_STORED: ANY_AGE,
    Kind.WRONG_SIGNATURE: ANY_AGE,
    Kind.OTHER_SIGNATURE: ANY_AGE,
    Kind.TOO_OLD: ANY_AGE,
    Kind.TOO_LARGE: ANY_AGE,
    Kind.REFUSED_BEFORE: ANY_AGE,
    Kind.SILENCE: ANY_AGE,
}
OUR_MAIL: Choice = {Kind.MAIL_REFUSED: ANY_AGE, Kind.SOME_MAIL_REFUSED: ANY_AGE}
OPENINGS: Choice = {Kind.NO_BRIEFS: ANY_AGE, Kind.FEWER_BRIEFS: ANY_AGE}
RESEARCH: Choice = {Kind.NOT_ASKED: ANY_AGE, Kind.PAUSED: ANY_AGE, Kind.MAVE_FAILS: ANY_AGE}
SEGMENT: Choice = {
    Kind.SEGMENT: ANY_AGE,
    Kind.SEGMENT_ROWS: ANY_AGE,
    Kind.SEGMENT_UNCOMPARED: ANY_AGE,
}
LATE = timedelta(days=2)  # two nights
MOST_WAITING = 10  # where a cluster works, at most one drain and two sweeps wait
START = "Start the workers: make run, or manage.py supervise (with --no-web for workers alone)."


def broker() -> Finding:
    """Ask the broker for the length of the default queue, within a time limit."""
    kind = urlsplit(settings.BROKER_URL).scheme
    try:
        if kind == "orm":
            waiting = _queue_size()
        else:  # a server that does not answer must not block the doctor
            waiting = in_time(_queue_size, BROKER_SECONDS, name="doctor")
    except OutOfTime:
        return fail(f"{kind} does not answer within {BROKER_SECONDS:.0f} s", _BROKER_CURE)
    except ImportError as error:
        return fail(
            f"the package “{error.name}” is not installed", f"pip install {error.name or kind}"
        )
    except Exception as error:  # noqa: BLE001 - any broker's; the text may name its password
        return fail(f"{kind} cannot be used ({type(error).__name__})", _BROKER_CURE)
    if waiting > MOST_WAITING:
        return warn(
            f"{kind} answers, but {waiting:,} wake-ups wait: no cluster takes them",
            f"{START} They are harmless: events wait in their rows.",
        )
    return ok(f"{kind} answers, {counted(waiting, 'wake-up')} waiting")


_BROKER_CURE = "Check BROKER_URL and that its server is up. Until then briefs come a little later."


def _queue_size() -> int:
    return int(get_broker("default").queue_size() or 0)


def schedule() -> Finding:
    row = Schedule.objects.filter(func=progress.SWEEP).order_by("pk").first()
    if row is None:
        return fail(
            "the sweep is not scheduled: lost wake-ups and retries wait for ever",
            "manage.py doctor --repair makes its schedule.",
        )
    cure = "manage.py doctor --repair corrects its schedule."
    if row.cluster != "default":
        return fail(f"the sweep is for the cluster {row.cluster or '(none)'}, not default", cure)
    if row.repeats == 0 or row.schedule_type != Schedule.MINUTES or row.minutes != 1:
        return fail("the sweep is not scheduled every minute for ever", cure)
    return troubles_found(SCHEDULE) or ok("the sweep, every minute")


def sweep() -> Finding:
    """Each sweep silences the bell, so the row of the bell says when the last sweep ran."""
    if found := troubles_found(SWEEPS):
        return found
    at = Figures().looked_at
    if at is None:  # the first event creates the bell; until then only the schedule can be checked
        return ok("no event has needed one yet")
    return ok(f"the last one ran {length(database_now() - at)} ago")


def events() -> Finding:
    if found := troubles_found(EVENTS):
        return found
    count = WebhookEvent.objects.all().waiting().count()
    since = progress.event_due_since()
    if since is None:
        return ok(f"{count:,} put off after a failure" if count else "none waiting")
    age = database_now() - since
    return ok(f"{counted(count, 'event')} waiting, the oldest for {length(age)}")


def failed_events() -> Finding:
    return troubles_found(FAILED_EVENTS) or ok("none")


def jobs() -> Finding:
    """Reprocessing jobs."""
    if found := troubles_found(JOBS):
        return found
    number = ReprocessingJob.objects.under_way().count()
    return ok(f"{counted(number, 'reprocessing job')} under way")


def deliveries() -> Finding:
    """Webhooks of the last 24 hours that were refused or not stored, and silence."""
    if found := troubles_found(DELIVERIES):
        return found
    seen = Figures().seen(Answer.STORED)
    return ok(f"{counted(seen.count if seen else 0, 'event')} stored in 24 hours")


def our_mail() -> Finding:
    """Whether receiving servers refuse our mail because of us."""
    return troubles_found(OUR_MAIL) or ok("no server refused it in 24 hours")


def briefs() -> Finding:
    """Whether signals still lead to briefs."""
    return troubles_found(OPENINGS) or ok("signals lead to them as usual, or too few to tell")


def research() -> Finding:
    if found := troubles_found(RESEARCH):
        return found
    policy = ResearchPolicy.objects.filter(pk=1).first() or ResearchPolicy()
    if held := pacing.why_waiting(policy, Priority.LOW):
        return warn(held, "Briefs go without research. See Research policy in the admin.")
    failed = Brief.objects.open().filter(research__status=Research.Status.FAILED).count()
    if failed:
        return warn(
            f"{counted(failed, 'open brief')} without research, which failed",
            "The brief shows the reason, with a button to try again.",
        )
    return ok(f"{counted(Research.objects.active().count(), 'question')} under way")


def segment() -> Finding:
    """Whether the segment in Customer.io holds everybody with an open brief, if it is on."""
    if found := troubles_found(SEGMENT):
        return found
    figures = Figures()
    if figures.segment is None:
        return ok("off: Savedesk writes nothing to Customer.io")
    return ok(
        f"“{figures.segment.name}”: {figures.segment_members.of('customer')} in it, "
        f"{figures.segment_waiting} waiting"
    )


def named_segments() -> Finding:
    """Whether Customer.io has the segments that conditions name, and who is in them was read."""
    conditions = PersonaCondition.objects.filter(operator__in=SEGMENTS)
    names = names_in(conditions)
    if not names:
        return ok("no condition names one")
    listing = SegmentList.known()
    if listing.listed_at is None:
        why = listing.trouble or "it is read within minutes, if CIO_APP_KEY is set"
        return warn(
            f"the list of segments was never read: {why}",
            "Until then no condition on a segment holds. The App API key needs the right to read "
            "segments.",
        )
    if strange := unheard_of(conditions):
        told = [f"“{name}”" + (f" (“{near}”?)" if near else "") for name, near in strange]
        return fail(
            f"Customer.io has no segment called {' or '.join(told)}",
            "Correct the name in the conditions of the persona, under Personas in the admin.",
        )
    rows = {row.pk: row for name in names if (row := named(CustomerSegment.objects.all(), name))}
    now = database_now()
    late = [row for row in rows.values() if row.read_at is None or now - row.read_at > LATE]
    if late:
        told = [
            f"“{row.name}” ({length(now - row.read_at) + ' old' if row.read_at else 'never read'}"
            f"{': ' + row.trouble if row.trouble else ''})"
            for row in late
        ]
        return warn(
            f"who is in them is out of date: {', '.join(told)}",
            "They are read at night, while look-ups leave room. If this stays, see “App API”.",
        )
    return ok(f"{counted(len(rows), 'segment')} read at night")
