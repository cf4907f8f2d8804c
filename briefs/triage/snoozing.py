"""Putting a brief aside until a day or until the customer signals again, and waking it."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from briefs.models import Activity, Brief, Calendar
from briefs.notifying import personal
from briefs.times import short_day
from briefs.triage import freshness
from webhooks.clock import database_now

MOST = 500  # in one sweep; the next one goes on
ITS_TIME = "woke up: its time came"
NO_SIGNAL = "woke up: no further signal came"


class Until(models.TextChoices):
    """How long."""

    TOMORROW = "tomorrow", "Until tomorrow"
    MONDAY = "monday", "Until Monday"
    DAY = "day", "Until a day"
    SIGNAL = "signal", "Until they signal again"


class Snoozing(StrEnum):
    """What came of it."""

    SNOOZED = "snoozed"
    CLOSED = "closed"


class Waking(StrEnum):
    """What came of it."""

    AWAKE = "awake"
    ALREADY = "already"  # it does not sleep any more, or is closed


@dataclass(frozen=True, slots=True)
class Snooze:
    """How long somebody puts a brief aside."""

    until: str
    day: date | None = None  # for Until.DAY
    why_moved: str = ""  # asked for if it moves what is due a second time

    @property
    def code(self) -> str | None:
        """Of the entry in the timeline, which alone has the reason."""
        return Activity.Code.SAID if self.why_moved else None

    def last_day(self, calendar: Calendar) -> date | None:
        """The day on which the brief comes back, if nothing wakes it before."""
        now = database_now()
        match self.until:
            case Until.TOMORROW:
                return calendar.tomorrow(now)
            case Until.MONDAY:
                return calendar.next_monday(now)
            case Until.SIGNAL:
                return _latest(calendar)
        return self.day


@transaction.atomic
def snooze(brief: Brief, actor: Any, based_on: str, wanted: Snooze) -> Snoozing:
    """Put the brief aside; it wakes when work begins on its day, or at once when they signal.

    Raises ValidationError with what is missing, Stale and PermissionDenied.
    """
    brief = freshness.locked(brief, actor, "briefs.work_brief")
    if not brief.is_open:
        return Snoozing.CLOSED
    freshness.refuse_stale(brief, actor, based_on)
    calendar = Calendar.load()
    day = wakes_on(wanted, calendar, is_moved=brief.is_due_moved)
    brief.snooze(
        calendar.opening(day),
        words(wanted, day),
        actor,
        calendar.closing(calendar.working_day_from(day)),
        wanted.code,
        for_signal=wanted.until == Until.SIGNAL,
    )
    return Snoozing.SNOOZED


@transaction.atomic
def sweep() -> int:
    """Wake what has slept long enough, and tell the assignees; returns how many.

    What is due then was moved when they fell asleep. Those that wait for a signal have waited as
    long as the team allows.
    """
    rows = Brief.objects.slept_enough().select_related("persona").order_by("pk")
    asleep = list(rows.select_for_update(of=("self",))[:MOST])
    why = {brief.pk: NO_SIGNAL if brief.is_snoozed_for_signal else ITS_TIME for brief in asleep}
    for words in set(why.values()):
        Brief.objects.filter(pk__in=[key for key in why if why[key] == words]).wake(words)
    personal.tell_woken(asleep, why, database_now())
    return len(asleep)


@transaction.atomic
def wake(brief: Brief, actor: Any, based_on: str) -> Waking:
    """Wake it before its time; it is due today. Raises Stale and PermissionDenied."""
    brief = freshness.locked(brief, actor, "briefs.work_brief")
    if brief.state != Brief.State.SNOOZED:
        return Waking.ALREADY
    freshness.refuse_stale(brief, actor, based_on)
    calendar = Calendar.load()
    today = calendar.working_day_from(calendar.local_day(database_now()))
    brief.wake("woke it up", actor, due_at=calendar.closing(today))
    return Waking.AWAKE


def words(wanted: Snooze, day: date) -> str:
    """For the log. `day`: when it wakes."""
    until = short_day(day)
    if wanted.until == Until.SIGNAL:
        until = f"they signal again, at the latest until {until}"
    why = f", because {wanted.why_moved}" if wanted.why_moved else ""
    return f"snoozed it until {until}{why}"


def wakes_on(wanted: Snooze, calendar: Calendar, *, is_moved: bool) -> date:
    """The first working day from the day that is asked for, unless that is too late.

    is_moved: whether somebody moved what is due before. Raises ValidationError with what is wrong
    or missing, by the field of the snooze.
    """
    faults: dict[str, str] = {}
    day, latest = wanted.last_day(calendar), _latest(calendar)
    if wanted.until not in Until.values:
        faults["until"] = "Say until when."
    elif day is None:
        faults["day"] = "Say until which day."
    elif day <= calendar.local_day(database_now()):
        faults["day"] = "Choose a day after today."
    elif day > latest:
        faults["day"] = f"A brief may be snoozed until {short_day(latest)} at the latest."
    if is_moved and not wanted.why_moved:
        faults["why_moved"] = "It was moved before: say why it is moved again."
    if faults or day is None:
        raise ValidationError(faults)
    working_day = calendar.working_day_from(day)
    return working_day if working_day <= latest else day


def _latest(calendar: Calendar) -> date:
    today = calendar.local_day(database_now())
    return today + timedelta(days=calendar.team.longest_snooze_days)
