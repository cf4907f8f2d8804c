"""How fast the App API is asked, by all processes of all hosts together."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

LIMIT = 10  # requests a second for the whole workspace, says Customer.io
JOB_LIMIT = 3  # while as many were sent within a second, a job that nobody waits for sends none
# One request may be sent late or be slow on the network while the next ones are not.
LATE = timedelta(seconds=0.1)
WINDOW = timedelta(seconds=1) + LATE + timedelta(seconds=0.1)
LONGEST_HOLD = timedelta(minutes=5)
LONGEST_AHEAD = timedelta(seconds=30)  # longer than any process waits for its moment


class AppApiPace(models.Model):
    """One row, shared by all processes: the moments at which requests may be sent.

    Moments are seconds since 1970 by the database's clock, in ascending order.
    """

    moments = models.JSONField(default=list, help_text="The last ten, the oldest first.")
    held_until = models.DateTimeField(
        null=True, blank=True, help_text="Customer.io asked for silence until then."
    )

    class Meta:
        verbose_name = verbose_name_plural = "App API pace"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="appapipace_is_one_row")]

    def __str__(self) -> str:
        return f"held back until {self.held_until}" if self.held_until else "not held back"

    @classmethod
    def locked(cls) -> "AppApiPace":
        """The row, locked until the transaction ends. Read the clock only in a later statement."""
        row = cls.objects.select_for_update().filter(pk=1)
        if pace := row.first():
            return pace
        cls._create()
        return row.get()

    @classmethod
    def hold_back(cls, seconds: float) -> None:
        """Allow no request for this many seconds, or longer if the row already says so."""
        until = Now() + min(timedelta(seconds=seconds), LONGEST_HOLD)
        cls._create()
        cls.objects.filter(Q(held_until=None) | Q(held_until__lt=until), pk=1).update(
            held_until=until
        )

    @staticmethod
    def _create() -> None:
        AppApiPace.objects.bulk_create([AppApiPace(pk=1)], ignore_conflicts=True)

    def next_free(self, now: datetime, ahead: float = 0.0) -> float:
        """The first moment from `ahead` seconds after now on that keeps to the limit.

        Any eleven moments in a row span more than a second.
        """
        moments = self._believable(now)
        earliest = [now.timestamp() + ahead, self._held_until(now), *moments[-1:]]
        if len(moments) >= LIMIT:
            earliest.append(moments[-LIMIT] + WINDOW.total_seconds())
        return max(earliest)

    def leaves_room_for_jobs(self, now: datetime) -> bool:
        """Whether fewer than three requests, of whomever, were reserved in the last second."""
        since = now.timestamp() - WINDOW.total_seconds()
        return sum(moment > since for moment in self._believable(now)) < JOB_LIMIT

    def reserve(self, moment: float) -> None:
        """Record a moment from `next_free`. Needs the same lock as that call."""
        self.moments = [*self.moments, moment][-LIMIT:]
        self.save(update_fields=["moments"])

    def _believable(self, now: datetime) -> list[float]:
        """The moments; if the database's clock was set back since, all are replaced by now."""
        latest = now.timestamp()
        if any(moment > latest + LONGEST_AHEAD.total_seconds() for moment in self.moments):
            self.moments = [latest] * LIMIT
        return list(self.moments)

    def _held_until(self, now: datetime) -> float:
        is_held = self.held_until and now < self.held_until <= now + LONGEST_HOLD
        return self.held_until.timestamp() if self.held_until and is_held else 0.0
