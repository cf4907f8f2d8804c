"""When the team works, and the reckoning of times in which something is due."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

MOST_DAYS = 3_660  # that are looked through for working hours
DAY = timedelta(days=1)
MONDAY = 0


class Weekday(models.IntegerChoices):
    """As Python counts them."""

    MONDAY = 0, "Monday"
    TUESDAY = 1, "Tuesday"
    WEDNESDAY = 2, "Wednesday"
    THURSDAY = 3, "Thursday"
    FRIDAY = 4, "Friday"
    SATURDAY = 5, "Saturday"
    SUNDAY = 6, "Sunday"


def monday_to_friday() -> list[int]:
    return [0, 1, 2, 3, 4]


def a_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError("No such time zone. Write it like Europe/Berlin or America/New_York.")


class WorkingTime(models.Model):
    """One row: the hours in which the team works, and how long a brief may lie still."""

    time_zone = models.CharField(
        max_length=60,
        default="UTC",
        validators=[a_time_zone],
        help_text="The team's, such as Europe/Berlin or America/New_York.",
    )
    days = models.JSONField("working days", default=monday_to_friday)
    opens_at = models.TimeField("work begins at", default=time(9))
    closes_at = models.TimeField("work ends at", default=time(17))
    longest_snooze_days = models.PositiveSmallIntegerField(
        "snooze at most",
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="Days. A brief that waits for a further signal wakes after that at the latest.",
    )
    forgotten_after_days = models.PositiveSmallIntegerField(
        "forgotten after",
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text="Working days in which nobody did anything with an assigned brief. It becomes "
        "unassigned then.",
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "working time"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="workingtime_is_one_row"),
            models.CheckConstraint(
                condition=Q(closes_at__gt=F("opens_at")), name="workingtime_opens_before_it_closes"
            ),
        ]

    def __str__(self) -> str:
        return "Working time"

    @classmethod
    def current(cls) -> "WorkingTime":
        """The row; as long as nobody has edited it, one with the defaults that is not stored."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    def clean(self) -> None:
        if not self.days or not set(self.days) <= set(Weekday.values):
            raise ValidationError({"days": "Choose at least one day."})
        if self.opens_at and self.closes_at and self.closes_at <= self.opens_at:
            raise ValidationError({"closes_at": "Work must end after it begins."})


class Holiday(models.Model):
    """A day on which the team does not work, though it is one of its working days."""

    day = models.DateField(unique=True)
    name = models.CharField(max_length=80, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.name}".strip()


@dataclass(slots=True)
class Calendar:
    """The team's working time, read once for many briefs. All moments are in UTC."""

    team: WorkingTime
    holidays: Collection[date]
    _zone: ZoneInfo = field(init=False)

    def __post_init__(self) -> None:
        self._zone = ZoneInfo(self.team.time_zone)

    @classmethod
    def load(cls) -> "Calendar":
        days = Holiday.objects.values_list("day", flat=True)
        return cls(WorkingTime.current(), frozenset(days))

    # When something is due.

    def after(self, moment: datetime, length: timedelta) -> datetime:
        """The moment at which this much working time has passed."""
        on = self.local_day(moment)
        for _ in range(MOST_DAYS):
            if self.is_working_day(on):
                opens, closes = self.opening(on), self.closing(on)
                start = max(moment, opens)
                if start + length <= closes:
                    return start + length
                length -= max(closes - start, timedelta())
            on += DAY
        return moment + length

    def days_before(self, moment: datetime, days: int) -> datetime:
        """The same time of day this many working days earlier."""
        local = moment.astimezone(self._zone)
        on = local.date()
        for _ in range(MOST_DAYS):
            if days <= 0:
                break
            on -= DAY
            days -= self.is_working_day(on)
        return datetime.combine(on, local.time(), self._zone).astimezone(UTC)

    # Days.

    @property
    def day(self) -> timedelta:
        """How long a working day is."""
        opens, closes = self.team.opens_at, self.team.closes_at
        return datetime.combine(date.min, closes) - datetime.combine(date.min, opens)

    def local_day(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    def tomorrow(self, moment: datetime) -> date:
        return self.local_day(moment) + DAY

    def next_monday(self, moment: datetime) -> date:
        today = self.local_day(moment)
        return today + DAY * (7 - today.weekday() + MONDAY)

    def is_working_day(self, on: date) -> bool:
        return on.weekday() in self.team.days and on not in self.holidays

    def working_day_from(self, on: date) -> date:
        """This day, or the first working day after it."""
        days = (on + DAY * number for number in range(MOST_DAYS))
        return next((day for day in days if self.is_working_day(day)), on)

    def opening(self, on: date) -> datetime:
        return self._at(on, self.team.opens_at)

    def closing(self, on: date) -> datetime:
        return self._at(on, self.team.closes_at)

    def _at(self, on: date, at: Any) -> datetime:
        return datetime.combine(on, at, self._zone).astimezone(UTC)
