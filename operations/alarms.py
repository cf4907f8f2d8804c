"""What counts as trouble, looked for once a minute, and when people are told of it.

What the supervisor does about its processes, it reports when it happens. People are told when
trouble begins, every six hours while it lasts, when research is paused for another reason than it
was, and once when it is over. Trouble that comes back
within five minutes never went away.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, Max, Min, Q, Sum
from django.db.models.functions import Coalesce

from briefs.models import Alarm, MaveHealth, ResearchPolicy
from briefs.models.notifications import CALM, TELL_AGAIN_AFTER
from briefs.notifying import outbox
from operations import budget_levels, figures
from webhooks.clock import database_now
from webhooks.models import Answer, Tally, WebhookEvent
from webhooks.models.tallies import HOLDING_BACK

logger = logging.getLogger(__name__)

HELD_BACK_FOR = timedelta(minutes=10)
WRONG_SIGNATURES = 3  # within an hour; a scanner does not guess Customer.io's headers thrice
WAITING_TOO_LONG = timedelta(minutes=10)
FAILING_TOO_LONG = timedelta(minutes=10)
USUAL_GAPS = 6
SHORTEST_SILENCE = timedelta(minutes=10)


def sweep() -> None:
    """Look for trouble, and wake a sender if anything is due. Never raises: others sweep on."""
    try:
        check()
        outbox.wake_if_due()
    except Exception:
        logger.exception("alarms were not checked")


def check() -> None:
    """Open, repeat and close alarms by what is found now."""
    now = database_now()
    for kind, look in LOOKS.items():
        report(kind, look(now), now)
    budget_levels.check(now)


def report(kind: Alarm.Kind, words: str, now: datetime) -> None:
    """What is known of one kind as of now: words of trouble, or none."""
    with transaction.atomic():
        alarm, _ = Alarm.objects.get_or_create(kind=kind)
        settle(Alarm.objects.select_for_update().get(pk=alarm.pk), words, now)


def settle(alarm: Alarm, words: str, now: datetime) -> None:
    """Carry one look's outcome into the row: words of trouble, or none."""
    if words:
        is_news = alarm.is_open and _is_other_pause(alarm, words)
        if alarm.is_open:
            alarm.go_on(words)
        else:
            alarm.open(words)
        last = alarm.last_told_at
        if is_news or last is None or now - last >= TELL_AGAIN_AFTER:
            _tell(alarm)
    elif alarm.is_open and alarm.quiet_since is None:
        alarm.grow_quiet()
    elif alarm.is_open and alarm.quiet_since and now - alarm.quiet_since >= CALM:
        alarm.close()
        if alarm.times_told:
            _tell(alarm)


def _is_other_pause(alarm: Alarm, words: str) -> bool:
    """Whether research is paused for another reason now, or resumes in another way.

    What follows the first colon; before it stands only since when.
    """
    told, found = (text.partition(": ")[2] for text in (alarm.words, words))
    return alarm.kind == Alarm.Kind.PAUSED and told != found


def _tell(alarm: Alarm) -> None:
    if outbox.tell_of_alarm(alarm):
        alarm.was_told()


# Looks: each returns what is wrong, what it does to whom, and the cure; or an empty string.


def held_back(now: datetime) -> str:
    """Answers other than 2xx to requests that were Customer.io's."""
    answers = (*HOLDING_BACK, Answer.TOO_OLD)
    bad = Tally.objects.filter(answer__in=answers, last_at__gte=now - HELD_BACK_FOR)
    found = {Answer(tally.answer): tally.last_at for tally in bad.order_by("last_at")}
    if not found:
        return ""
    what = "; ".join(f"{_HOLDS[answer]} (last at {_clock(at)})" for answer, at in found.items())
    cures = " ".join(_CURES[answer] for answer in found)
    return (
        f"Webhooks of Customer.io were refused: {what}. Customer.io sends each again, and holds "
        f"back all that follow for up to 7 days. {cures}"
    )


_HOLDS = {
    Answer.NOT_STORED: "they could not be stored",
    Answer.TOO_LARGE: "they were over 64 MiB",
    Answer.TOO_OLD: "they were signed too long ago",
}
_CURES = {
    Answer.NOT_STORED: "Look at the database: is it up, is its disk full, is it locked? Once it "
    "stores again, the next retry clears the queue by itself.",
    Answer.TOO_LARGE: "Turn off Body Content for that webhook, or ask Customer.io's support to "
    "drop the event.",
    Answer.TOO_OLD: "Set CIO_MAX_AGE_SECONDS to 0 and restart: retries carry their first "
    "timestamp, and event ids stop replays anyway.",
}


def wrong_signature(now: datetime) -> str:
    wrong = Tally.objects.filter(
        answer=Answer.WRONG_SIGNATURE, last_at__gte=now - timedelta(hours=1)
    ).aggregate(count=Sum("count", default=0), last=Max("last_at"))
    if not wrong["count"] or (wrong["count"] < WRONG_SIGNATURES and _taken_since(wrong["last"])):
        return ""
    is_one = wrong["count"] == 1
    were = "1 webhook" if is_one else f"{wrong['count']:,} webhooks"
    they_are, them = ("it is", "it") if is_one else ("they are", "them")
    return (
        f"{were} with a signature that does not match {'was' if is_one else 'were'} rejected in "
        f"the last hour or so (last at {_clock(wrong['last'])}). If {they_are} Customer.io's, it "
        f"keeps {them}, retries hourly for 7 days and then drops {them}. Compare "
        "CIO_WEBHOOK_SECRET with the signing key on Customer.io's page of this webhook; two "
        "secrets may stand there, with a comma between, while a key changes. If the key is "
        f"right, somebody else sends {them} and nothing is lost."
    )


def _taken_since(moment: datetime) -> bool:
    """Whether anything signed was accepted later: then the odd one was somebody else's.

    Customer.io itself sends one request and waits an hour, so one alone must ring.
    """
    accepted = (Answer.STORED, Answer.DUPLICATE, Answer.QUARANTINED)
    return Tally.objects.filter(answer__in=accepted, last_at__gt=moment).exists()


def silence(now: datetime) -> str:
    """Nothing came for six times the usual gap, nor for as long as any gap that is known."""
    newest = WebhookEvent.objects.order_by("-received_at").first()
    gaps = figures.gaps(now)
    if newest is None or gaps.usual is None or gaps.longest is None:
        return ""
    usual = gaps.usual
    last = max(newest.received_at, newest.last_received_at)
    if now - last < max(USUAL_GAPS * usual, gaps.longest, SHORTEST_SILENCE):
        return ""
    return (
        f"No webhook has come since {_clock(last)}, while one usually comes every "
        f"{_length(usual)}. Churn signals may be missed. In Customer.io, look whether the "
        "reporting webhook is active and what its log says; from outside, look whether "
        "/webhooks/customerio/ answers (405 to a browser is right). What Customer.io could not "
        "deliver it sends again for 7 days."
    )


def waiting(now: datetime) -> str:
    """Events that have been due for too long: nothing of a retry that is yet to come."""
    since = WebhookEvent.objects.filter(
        Q(available_at=None) | Q(available_at__lte=now), status=WebhookEvent.Status.PENDING
    ).aggregate(oldest=Min(Coalesce(F("available_at"), F("received_at"))))["oldest"]
    if since is None or now - since < WAITING_TOO_LONG:
        return ""
    return (
        f"Events have been waiting since {_clock(since)} without being processed. Customer.io is "
        "answered as ever and nothing is lost, but no brief opens. Look whether the workers run "
        "(`manage.py supervise`) and whether their log repeats an error, then restart them."
    )


def paused(now: datetime) -> str:
    policy = ResearchPolicy.current()
    if policy.paused_at is None:
        return ""
    cure = "Once the reason is settled, resume it in the admin under “Research policy”."
    if policy.is_paused_by_mavera:
        cure = (
            "Mavera is asked again for free, at least every quarter of an hour, and research "
            "resumes by itself; at once, if you resume it in the admin under “Research policy”."
        )
    return (
        f"Research is paused since {_clock(policy.paused_at)}: {policy.paused_in_full}. "
        f"Customer.io is not affected; briefs open as ever and stand on their playbooks. {cure}"
    )


def mave_fails(now: datetime) -> str:
    """The breaker has been open for long, so this is no hiccup."""
    health = MaveHealth.current()
    if health.opened_at is None or now - health.opened_at < FAILING_TOO_LONG:
        return ""
    return (
        f"Mave has been failing since {_clock(health.opened_at)}: {health.breaker_in_full}. "
        "Customer.io is not affected; briefs open as ever and stand on their playbooks, and no "
        "question is lost. One question tries every quarter of an hour, and the first answer "
        "sets all going again. See Mavera's status page; once it says that all is well, “Close "
        "the breaker now” in the admin under “Research policy” saves the wait."
    )


def stuck(now: datetime) -> str:
    """Nothing to find: a report holds until the next look, and then grows quiet."""
    return ""


LOOKS: dict[Alarm.Kind, Callable[[datetime], str]] = {
    Alarm.Kind.HELD_BACK: held_back,
    Alarm.Kind.WRONG_SIGNATURE: wrong_signature,
    Alarm.Kind.SILENCE: silence,
    Alarm.Kind.WAITING: waiting,
    Alarm.Kind.PAUSED: paused,
    Alarm.Kind.STUCK: stuck,
    Alarm.Kind.MAVE_FAILS: mave_fails,
}


def _clock(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at:%H:%M} UTC on {at.day} {at:%b}"


def _length(gap: timedelta) -> str:
    seconds = gap.total_seconds()
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{round(seconds / 3600)} h"
