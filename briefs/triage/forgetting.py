"""Briefs that nobody works on though somebody should go back to the team, and the lead is told.

Forgotten is a brief without any contact by the time when its first step was due, and an assigned
one with which nobody did anything for some working days. Nobody asks for a permission here: the
sweep does it.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from briefs.links import user_name
from briefs.models import Activity, Brief, Calendar
from briefs.models.queryset import BriefQuerySet
from briefs.notifying import outbox
from briefs.times import clock_and_day
from webhooks.clock import database_now

MOST = 500  # of each kind in one sweep; the next one goes on


def sweep() -> int:
    """Give back what was forgotten, and tell the lead once a day; returns how many were."""
    calendar, now = Calendar.load(), database_now()
    forgotten = _without_contact() + _without_acts(calendar, now)
    tell(calendar, now)
    return forgotten


def _without_contact() -> int:
    """Of each brief once: who is given it then is not bound by a time that is over."""
    briefs = Brief.objects.overdue().filter(
        first_touch_at=None, forgotten_at=None, is_waiting_for_profile=False
    )
    return sum(
        _forget(briefs, key, f"no contact by {clock_and_day(due)}") for key, due in _some(briefs)
    )


def _without_acts(calendar: Calendar, now: datetime) -> int:
    days = calendar.team.forgotten_after_days
    since = calendar.days_before(now, days)
    acts = Activity.objects.filter(
        Q(actor__isnull=False) | Q(code__isnull=False), brief=OuterRef("pk"), at__gt=since
    )
    briefs = Brief.objects.awake().filter(~Exists(acts), assignee__isnull=False)
    briefs = briefs.filter(created_at__lt=since)
    # What is put off until a day that is still to come is not forgotten.
    briefs = briefs.filter(Q(due_at=None) | Q(due_at__lt=Now()))
    return sum(
        _forget(briefs, key, f"nothing was done for {days} working days")
        for key, _ in _some(briefs)
    )


def _some(briefs: BriefQuerySet) -> list[tuple[int, datetime | None]]:
    return list(briefs.order_by("pk").values_list("pk", "due_at")[:MOST])


@transaction.atomic
def _forget(forgotten: BriefQuerySet, key: int, why: str) -> bool:
    """Give it back, unless somebody acted since it was found among the forgotten ones."""
    brief = Brief.objects.select_for_update().filter(pk=key).first()
    # Asked under the lock, in a statement of its own: only that one sees what the lock waited for.
    if brief is None or not forgotten.filter(pk=key).exists():
        return False
    if brief.assignee is None:
        brief.log(f"forgotten: {why}", is_raised=True)
        Brief.objects.filter(pk=key).update(forgotten_at=Now())
        return True
    words = f"{why}; it was {user_name(brief.assignee)}'s"
    code = Activity.Code.FORGOTTEN
    return bool(Brief.objects.filter(pk=key).release(words, code=code, forgotten_at=Now()))


def tell(calendar: Calendar, now: datetime) -> int:
    """Once on each working day, when work has begun: what was forgotten since the day before.

    Several hosts may call this at once: one row for each target and day says that it was told.
    """
    today = calendar.local_day(now)
    opens = calendar.opening(today)
    if not calendar.is_working_day(today) or now < opens:
        return 0
    since = calendar.days_before(opens, 1)
    briefs = Brief.objects.open().filter(forgotten_at__gt=since, forgotten_at__lte=opens)
    briefs = briefs.filter(assignee=None)  # those that somebody took since are in hand
    return outbox.tell_of_forgotten(briefs.order_by("-priority", "pk"), f"{today:%Y-%m-%d}")
