"""By when the first steps of briefs are to be done, read once for a batch."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property

from briefs.models import Brief, Calendar, Signal
from briefs.reading.channels import MAY_CLOSE
from briefs.reading.first_steps import FirstSteps
from personas.models import FirstStep
from personas.rules.steps import Steps


class Deadlines:
    """The team's working time, and the first steps of these briefs.

    Read when the first brief is asked about. The step that the brief shows counts. Each brief needs
    its customer and persona loaded.
    `unsaved`: signals of their customers that are not stored yet.
    """

    def __init__(self, briefs: Iterable[Brief], unsaved: Iterable[Signal] = ()) -> None:
        self._shown = FirstSteps(briefs, unsaved)

    @cached_property
    def _calendar(self) -> Calendar:
        return Calendar.load()

    @cached_property
    def _steps(self) -> Steps:
        return Steps.read()

    def of(self, brief: Brief, moment: datetime) -> datetime | None:
        """By when the brief's first step is to be done, if its time begins now.

        None for a step that waits, and where nobody is contacted: nothing is overdue then. Without
        any step of its own there is one working day.
        """
        if brief.customer.is_deleted:
            return None
        steps = self._steps.for_case(brief.persona_id, brief.kind)
        if not steps:
            return self._calendar.after(moment, self._calendar.day)
        is_clear = _is_the_same_whichever_are_closed(steps)
        hours = steps[0].within_hours if is_clear else self._shown.of(brief).within_hours
        return None if hours is None else self._calendar.after(moment, timedelta(hours=hours))


def _is_the_same_whichever_are_closed(steps: Sequence[FirstStep]) -> bool:
    """Whether all steps that may be shown have one time.

    Then nobody's channels need be looked at, which costs a third of what else an event costs.
    """
    hours = set()
    for step in steps:
        hours.add(step.within_hours)
        if MAY_CLOSE.isdisjoint(step.channels):
            return len(hours) == 1
    return False  # perhaps nobody may be contacted
