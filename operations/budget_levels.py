"""Tells of 50, 75, 90 and 100 % of the day's and the month's research budget: once each.

Unlike other alarms they are not repeated, and no message says that the day or month is over.
"""

from datetime import datetime

from django.db import transaction

from briefs.models import Alarm, BudgetLevel, ResearchPolicy
from briefs.notifying import outbox
from briefs.research import spending

KINDS = {
    BudgetLevel.Period.DAY: Alarm.Kind.DAY_BUDGET,
    BudgetLevel.Period.MONTH: Alarm.Kind.MONTH_BUDGET,
}


def check(now: datetime) -> None:
    """Tell of the highest level that is reached, if people were not told of it before."""
    for spent in spending.account(ResearchPolicy.current(), now):
        with transaction.atomic():
            alarm, _ = Alarm.objects.get_or_create(kind=KINDS[spent.period])
            # This lock guards the row of the level as well.
            alarm = Alarm.objects.select_for_update().get(pk=alarm.pk)
            row, _ = BudgetLevel.objects.get_or_create(period=spent.period)
            if row.rises_to(spent.level, spent.starts_at, spent.limit):
                alarm.open(spent.words)
            elif not row.level and alarm.is_open:
                alarm.grow_quiet()
                alarm.close()
            elif alarm.is_open:
                alarm.go_on(spent.words)
            if alarm.is_open and not alarm.times_told and outbox.tell_of_alarm(alarm):
                alarm.was_told()
