"""When people are told of trouble: looked for once a minute.

What the supervisor does about its processes, it reports when it happens. People are told when
trouble begins, every six hours while it lasts, when research is paused for another reason than it
was, and once when it is over. Trouble that comes back within five minutes never went away.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction

from briefs.models import Alarm
from briefs.models.notifications import CALM, TELL_AGAIN_AFTER
from briefs.notifying import outbox
from briefs.times import clock_and_day
from operations import budget_levels
from operations.figures import Figures
from operations.troubles import ANY_AGE, TOLD_AFTER, Ages, Choice, Kind, choose

logger = logging.getLogger(__name__)

# Which troubles ring which alarm, and how old they must be. People are called for what does not
# heal by itself: the supervisor ends what stands still within two minutes, and Mave's breaker
# often closes within ten. An outage of the database can only be told once it is over.
CHOSEN: dict[Alarm.Kind, Choice] = {
    Alarm.Kind.HELD_BACK: {
        Kind.NOT_STORED: ANY_AGE,
        Kind.TOO_OLD: ANY_AGE,
        Kind.TOO_LARGE: ANY_AGE,
        Kind.REFUSED_BEFORE: Ages(most=timedelta(minutes=10)),
    },
    Alarm.Kind.WRONG_SIGNATURE: {Kind.WRONG_SIGNATURE: ANY_AGE, Kind.OTHER_SIGNATURE: ANY_AGE},
    Alarm.Kind.SILENCE: {Kind.SILENCE: ANY_AGE},
    Alarm.Kind.WAITING: {
        Kind.NOT_TAKEN: Ages(TOLD_AFTER),
        Kind.BEHIND: Ages(timedelta(minutes=10)),
        Kind.UNSWEPT: Ages(TOLD_AFTER),
        Kind.UNSCHEDULED: Ages(TOLD_AFTER),
    },
    Alarm.Kind.PAUSED: {Kind.PAUSED: ANY_AGE},
    Alarm.Kind.STUCK: {},  # the supervisor reports it; a look that finds nothing ends it
    Alarm.Kind.MAVE_FAILS: {Kind.MAVE_FAILS: Ages(timedelta(minutes=10))},
}


def sweep() -> None:
    """Look for trouble, and wake a sender if anything is due. Never raises: others sweep on."""
    try:
        check()
        outbox.wake_if_due()
    except Exception:
        logger.exception("alarms were not checked")


def check() -> None:
    """Open, repeat and close alarms by what is found now."""
    figures = Figures()
    for kind, choice in CHOSEN.items():
        found = choose(figures, choice)
        words = " ".join(
            f"Since {clock_and_day(one.since)}: {one.text} {one.cure}" for one in found
        )
        report(kind, words, figures.now, reason="; ".join(one.reason for one in found))
    budget_levels.check(figures.now)


def report(kind: Alarm.Kind, words: str, now: datetime, reason: str = "") -> None:
    """What is known of one kind as of now: words of trouble, or none."""
    with transaction.atomic():
        alarm, _ = Alarm.objects.get_or_create(kind=kind)
        settle(Alarm.objects.select_for_update().get(pk=alarm.pk), words, now, reason)


def settle(alarm: Alarm, words: str, now: datetime, reason: str = "") -> None:
    """Carry one look's outcome into the row: words of trouble, or none."""
    if words:
        is_news = alarm.is_open and bool(alarm.reason) and alarm.reason != reason
        if alarm.is_open:
            alarm.go_on(words, reason)
        else:
            alarm.open(words, reason)
        last = alarm.last_told_at
        if is_news or last is None or now - last >= TELL_AGAIN_AFTER:
            _tell(alarm)
    elif alarm.is_open and alarm.quiet_since is None:
        alarm.grow_quiet()
    elif alarm.is_open and alarm.quiet_since and now - alarm.quiet_since >= CALM:
        alarm.close()
        if alarm.times_told:
            _tell(alarm)


def _tell(alarm: Alarm) -> None:
    if outbox.tell_of_alarm(alarm):
        alarm.was_told()
