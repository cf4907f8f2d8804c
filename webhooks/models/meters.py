"""Counts that only grow, for monitoring: they stay when the rows that they counted are deleted."""

from collections.abc import Mapping
from datetime import UTC, datetime

from django.db import connection, models

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # before any row

_ADD_SQL = """
    INSERT INTO webhooks_metercount (name, label, value) VALUES {rows}
    ON CONFLICT (name, label) DO UPDATE SET value = webhooks_metercount.value + excluded.value
"""


class Meter(models.Model):
    """One row: up to when the meters have counted. Counting locks it, so nothing counts twice."""

    counted_until = models.DateTimeField()
    tallied_until = models.DateTimeField(
        default=BEGINNING, help_text="Start of the first hour whose answers are not counted yet."
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="meter_is_one_row")]

    def __str__(self) -> str:
        return f"counted until {self.counted_until}"


class MeterCountQuerySet(models.QuerySet["MeterCount"]):
    def add(self, counts: Mapping[tuple[str, str], float]) -> None:
        """Add to these (name, label). Raw SQL because the ORM cannot add on conflict."""
        if not counts:
            return
        rows = ", ".join(["(%s, %s, %s)"] * len(counts))
        with connection.cursor() as cursor:
            cursor.execute(
                _ADD_SQL.format(rows=rows),
                [part for key, value in sorted(counts.items()) for part in (*key, value)],
            )


class MeterCount(models.Model):
    """What one meter shows: how often, or how many seconds or credits in all."""

    name = models.CharField(max_length=40)
    label = models.CharField(max_length=40, help_text="Which outcome, answer or bucket.")
    value = models.FloatField(default=0)

    objects = MeterCountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "label"], name="meter_count_of_one_label")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.label}: {self.value:g}"
