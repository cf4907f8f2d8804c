"""By when the first steps of briefs are to be done, read once for a batch."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property

from briefs.models import Brief, Calendar, Signal
from briefs.reading.first_steps import NOT_KNOWN, FirstSteps


class Deadlines:
    """The team's working time, and the first steps of these briefs.

    Read when the first brief is asked about. The step that the brief shows counts. Each brief needs
    its customer and persona loaded.
    `unsaved`: signals of their customers that are not stored yet.
    """

    def __init__(self, briefs: Iterable[Brief], unsaved: Iterable[Signal] = ()) -> None:
        self._steps = FirstSteps(briefs, unsaved)

    @cached_property
    def _calendar(self) -> Calendar:
        return Calendar.load()

    def of(self, brief: Brief, moment: datetime) -> datetime | None:
        """By when the brief's first step is to be done, if its time begins now.

        None for a step that waits, and where nobody is contacted: nothing is overdue then. Without
        any step of its own there is one working day.
        """
        step = self._steps.of(brief)
        if step.text == NOT_KNOWN:
            return self._calendar.after(moment, self._calendar.day)
        if step.within_hours is None:
            return None
        return self._calendar.after(moment, timedelta(hours=step.within_hours))
