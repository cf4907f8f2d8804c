"""Spending beside the ledger: the budget levels people were told of, and Mavera's own count."""

from datetime import datetime

from django.db import models
from django.db.models.functions import Now


class BudgetLevel(models.Model):
    """One row a kind of period: up to which level people were told of its budget."""

    class Period(models.TextChoices):
        DAY = "day", "day"
        MONTH = "month", "month"

    period = models.CharField(max_length=5, choices=Period.choices, unique=True)
    starts_at = models.DateTimeField(null=True, blank=True, help_text="Of the period told of.")
    budget = models.PositiveIntegerField(null=True, blank=True, help_text="Then, in credits.")
    level = models.PositiveSmallIntegerField(default=0, help_text="Per cent; 0: nothing told.")

    def __str__(self) -> str:
        return f"{self.level} % of the {self.get_period_display()}"

    def rises_to(self, level: int, starts_at: datetime, budget: int | None) -> bool:
        """Store the level that was found; True if it is higher than the last one told.

        Within one period and budget the stored level never falls: a reservation that is settled
        lower would otherwise cause the same alarm again. A new period starts at 0. After a change
        of the budget the stored level may fall. Needs the lock of the period's alarm.
        """
        told = self.level if self.starts_at == starts_at else 0
        if self.budget != budget:
            told = min(told, level)
        self.starts_at, self.budget, self.level = starts_at, budget, max(told, level)
        self.save(update_fields=["starts_at", "budget", "level"])
        return level > told


class UsageReading(models.Model):
    """Mavera's figures for a billing period, beside those of our ledger at that moment."""

    at = models.DateTimeField(db_default=Now(), db_index=True)
    period_start = models.DateTimeField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    used = models.PositiveIntegerField(help_text="Credits, as Mavera counts them.")
    included = models.PositiveIntegerField(null=True, blank=True)
    remaining = models.PositiveIntegerField(null=True, blank=True)
    has_auto_recharge = models.BooleanField(default=False)
    ledger = models.PositiveIntegerField(
        null=True, blank=True, help_text="What our ledger knows to be charged in this period."
    )
    reserved = models.PositiveIntegerField(
        default=0, help_text="Reserved there for calls under way or of unknown outcome."
    )

    def __str__(self) -> str:
        return f"{self.used} credits used"

    @property
    def unexplained(self) -> int:
        """Credits that Mavera counts and our ledger does not, even if all reserved were charged."""
        return 0 if self.ledger is None else max(0, self.used - self.ledger - self.reserved)

    @property
    def is_suspicious(self) -> bool:
        """More is unexplained than rounding and delays would be."""
        ours = (self.ledger or 0) + self.reserved
        return self.unexplained > 100 and 10 * self.unexplained > ours
