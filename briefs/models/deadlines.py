"""By when the first steps of briefs are to be done, read once for a batch."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from briefs.models.working_time import Calendar
from personas.rules.steps import Steps

if TYPE_CHECKING:
    from briefs.models.briefs import Brief


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The team's working time and first steps.

    The step of the case counts, also where a closed channel lets another one be shown.
    """

    calendar: Calendar
    steps: Steps

    @classmethod
    def load(cls) -> Self:
        return cls(Calendar.load(), Steps.read())

    def of(self, brief: "Brief", moment: datetime) -> datetime | None:
        """By when the brief's first step is to be done, if its time begins now.

        None for a step that waits. Without any step there is one working day.
        """
        step = self.steps.step_for(brief.persona_id, brief.kind)
        if step is None:
            return self.calendar.after(moment, self.calendar.day)
        if step.within_hours is None:
            return None
        return self.calendar.after(moment, timedelta(hours=step.within_hours))
