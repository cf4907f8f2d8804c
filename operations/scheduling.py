"""Our one row in the queue's table of schedules: who sweeps next, and putting it right.

Supervisors start the sweep by this row and by the database's clock. Where none runs, the guard of
a cluster starts it by its host's clock, and the sweep then travels through the broker.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
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


EVERY = timedelta(minutes=1)
# A supervisor comes before the guards, whose clocks differ a little. A guard waits for the broker
# inside a transaction, which on SQLite nobody else can write beside.
AHEAD = timedelta(seconds=15)


def claim() -> bool:
    """Take the next sweep; False if none is due, or another supervisor was faster.

    A sweep far in the future was put there by a guard whose clock is wrong, and is due as well.
    """
    is_due = Q(next_run__lte=Now() + AHEAD) | Q(next_run__gt=Now() + 2 * EVERY)
    due = Schedule.objects.filter(is_due, func=progress.SWEEP).exclude(repeats=0)
    return bool(due.update(next_run=Now() + (EVERY + AHEAD)))


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
