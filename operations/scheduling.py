"""Our one row in the queue's table of schedules: what it must say, and putting it right."""

from typing import Any

from django.db import transaction
from django_q.models import Schedule

from operations import progress

AS_IT_MUST_BE: dict[str, Any] = {
    "schedule_type": Schedule.MINUTES,
    "minutes": 1,
    "repeats": -1,
    "cluster": "default",
    "args": None,
    "kwargs": None,
    "hook": None,  # a function that the queue would run after each sweep
}


@transaction.atomic
def repair() -> list[str]:
    """Put the schedule of the sweep right; returns what was done, one sentence each.

    May be repeated. Schedules of other functions are left alone. Of several schedules of the sweep
    the oldest is kept: two of them would only run it twice a minute.
    """
    ours = Schedule.objects.select_for_update().filter(func=progress.SWEEP)
    rows = list(ours.order_by("pk"))
    if not rows:
        Schedule.objects.create(name="sweep", func=progress.SWEEP, **AS_IT_MUST_BE)
        return ["The sweep is scheduled every minute: its schedule was missing."]
    row, *others = rows
    done = []
    wrong = [name for name, value in AS_IT_MUST_BE.items() if getattr(row, name) != value]
    if wrong:
        Schedule.objects.filter(pk=row.pk).update(**AS_IT_MUST_BE)
        done.append(f"The sweep's schedule was corrected: {', '.join(wrong)}.")
    if others:
        Schedule.objects.filter(pk__in=[other.pk for other in others]).delete()
        done.append(f"Removed {len(others)} more schedules of the sweep: one is enough.")
    return done
