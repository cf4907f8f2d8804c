"""What an incident is about: how many people within which time, and what to do first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.db.models import Count, Max, Min, Q

from briefs.models import Cause
from briefs.times import length
from personas.models import Customer, SignalKind

_NOTE = "Then note here what was done."
_MEND = f"Stop it or mend it in Customer.io as long as it is being sent. {_NOTE}"
# A bounce is the fault of a list or of the sender more often than of the words.
_STEPS = {
    SignalKind.SPAM_COMPLAINT: "Look at the message and at who gets it: did these people ask for "
    f"it, and do they know the sender? {_MEND}",
    SignalKind.ADDRESS_GONE: "Look at the list to which the message goes: is it old, or imported? "
    f"{_MEND}",
    SignalKind.BOUNCED: "Look at the message and at the sender’s domain: do others bounce as well? "
    f"{_MEND}",
}
_STEP = (
    "Look at the message and at who gets it: is it wrong, sent twice, or sent to the wrong people? "
    f"{_MEND}"
)


def first_step(kind: str) -> str:
    """What to do first about the message, for an incident of this kind of signal."""
    return _STEPS.get(SignalKind(kind), _STEP)


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a cause reaches.

    Briefs may tell of older acts of their customers too, and what was before the cause began is no
    part of it.
    """

    briefs: int
    open: int
    first: datetime | None
    last: datetime | None
    repeated: int = 0  # briefs of people who have another one among these

    @classmethod
    def of(cls, cause: Cause) -> Self:
        return cls.of_all([cause])[cause.pk]

    @classmethod
    def of_all(cls, causes: Iterable[Cause]) -> dict[int, Self]:
        """By the cause's key; one query."""
        # All erased people are one row: nothing may say whether two of their briefs were one's.
        of_erased = Q(briefs__customer__in=Customer.objects.filter(is_erased=True).values("pk"))
        rows = Cause.objects.filter(pk__in=[cause.pk for cause in causes]).annotate(
            of_all=Count("briefs"),
            of_open=Count("briefs", filter=~Q(briefs__state="closed")),
            earliest=Min("briefs__happened_at"),
            latest=Max("briefs__happened_at"),
            repeated=Count("briefs", filter=~of_erased)
            - Count("briefs__customer", filter=~of_erased, distinct=True),
        )
        found = rows.values_list(
            "pk", "first_at", "of_all", "of_open", "earliest", "latest", "repeated"
        )
        return {
            key: cls(n, still_open, first and max(first, began), last and max(last, began), again)
            for key, began, n, still_open, first, last, again in found
        }

    @property
    def people(self) -> int:
        """A customer who did it again, after their brief was closed, has several briefs."""
        return self.briefs - self.repeated

    @property
    def within(self) -> str:
        """`12 min`; empty for a single brief."""
        if self.first is None or self.last is None or self.briefs < 2:
            return ""
        return length(max(self.last - self.first, timedelta(seconds=1)))

    @property
    def words(self) -> str:
        people = "1 person" if self.people == 1 else f"{self.people:,} people"
        return f"{people} within {self.within}" if self.within else people


def usual_words(cause: Cause) -> str:
    """How many are usual for this message."""
    if cause.usual is None:
        return f"More than {cause.most} within a day, for a message without a history."
    return (
        f"Usually {cause.usual:,.0f} within a day on which there are any; more than {cause.most} "
        "are no chance."
    )
