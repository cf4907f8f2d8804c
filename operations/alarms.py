"""Looks for trouble once a minute, and decides when people are told of it.

The supervisor reports a restart of a process itself, when it happens. People are told when trouble
begins, every six hours while it lasts, when the reason of a pause of research changes, and once
when it is over. Trouble that comes back within five minutes counts as the same trouble.
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

# Which troubles ring which alarm, and how old they must be. People are told only of what does not
# heal by itself: the supervisor restarts a stuck cluster within two minutes, and Mave's breaker
# often closes within ten. An outage of the database can be told only when it is over.
CHOSEN: dict[Alarm.Kind, Choice] = {
    Alarm.Kind.HELD_BACK: {
        Kind.NOT_STORED: ANY_AGE,
        Kind.TOO_OLD: ANY_AGE,
        Kind.TOO_LARGE: ANY_AGE,
        Kind.REFUSED_BEFORE: Ages(most=timedelta(minutes=10)),
    },
    Alarm.Kind.WRONG_SIGNATURE: {Kind.WRONG_SIGNATURE: ANY_AGE, Kind.OTHER_SIGNATURE: ANY_AGE},
    Alarm.Kind.SILENCE: {Kind.SILENCE: ANY_AGE},
    Alarm.Kind.MAIL_REFUSED: {Kind.MAIL_REFUSED: ANY_AGE},
    Alarm.Kind.NO_BRIEFS: {Kind.NO_BRIEFS: ANY_AGE},
    Alarm.Kind.WAITING: {
        Kind.NOT_TAKEN: Ages(TOLD_AFTER),
        Kind.BEHIND: Ages(timedelta(minutes=10)),
        Kind.UNSWEPT: Ages(TOLD_AFTER),
        Kind.UNSCHEDULED: Ages(TOLD_AFTER),
    },
    Alarm.Kind.PAUSED: {Kind.PAUSED: ANY_AGE},
    Alarm.Kind.STUCK: {},  # the supervisor opens it; here it is only closed
    Alarm.Kind.MAVE_FAILS: {Kind.MAVE_FAILS: Ages(timedelta(minutes=10))},
}


def sweep() -> None:
    """Check the alarms, and wake a sender if a message is due. Errors are logged, never raised."""
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
    """Record what was found about one alarm. Empty words mean that there is no trouble."""
    with transaction.atomic():
        alarm, _ = Alarm.objects.get_or_create(kind=kind)
        alarm = Alarm.objects.select_for_update().get(pk=alarm.pk)
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
