"""By when the first steps of briefs are to be done, read once for a batch."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from briefs.models.working_time import Calendar, Step, WithinADay
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
        """By when the brief's first step is to be done, if its time begins now; None: it waits."""
        step: Step = self.steps.step_for(brief.persona_id, brief.kind) or WithinADay()
        return self.calendar.due_after(step, moment)
