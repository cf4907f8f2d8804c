"""How the receiver answered, counted by the hour."""

from collections.abc import Mapping

from django.db import connection, models
from django.db.models.functions import Now

from webhooks.clock import NOW_SQL


class Answer(models.TextChoices):
    STORED = "stored", "Accepted"
    DUPLICATE = "duplicate", "Delivered again"
    QUARANTINED = "quarantined", "Quarantined"
    UNSIGNED = "unsigned", "Rejected: no signature"
    WRONG_SIGNATURE = "wrong_signature", "Rejected: wrong signature"
    TOO_OLD = "too_old", "Rejected: signed too long ago"
    TOO_LARGE = "too_large", "Refused: over 64 MiB"
    NOT_STORED = "not_stored", "Could not be stored"


_HOUR_SQL = {
    "postgresql": "DATE_TRUNC('hour', STATEMENT_TIMESTAMP() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'",
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:00:00', 'NOW')",
}
_ADD_SQL = """
    INSERT INTO webhooks_tally (hour, answer, count, last_at) VALUES {rows}
    ON CONFLICT (hour, answer) DO UPDATE
        SET count = webhooks_tally.count + excluded.count, last_at = excluded.last_at
"""


class TallyQuerySet(models.QuerySet["Tally"]):
    def add(self, counts: Mapping[str, int]) -> None:
        """Add to this hour's counts. Raw SQL because the ORM cannot add on conflict."""
        row = f"({_HOUR_SQL[connection.vendor]}, %s, %s, {NOW_SQL[connection.vendor]})"
        # One statement writes all counts or none, so a retry counts nothing twice.
        with connection.cursor() as cursor:
            cursor.execute(
                _ADD_SQL.format(rows=", ".join([row] * len(counts))),
                [value for item in sorted(counts.items()) for value in item],
            )


class Tally(models.Model):
    hour = models.DateTimeField(help_text="Start of the hour, UTC.")
    answer = models.CharField(max_length=16, choices=Answer.choices)
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField(db_default=Now())

    objects = TallyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "tallies"
        constraints = [
            models.UniqueConstraint(fields=["hour", "answer"], name="tally_one_per_hour_and_answer")
        ]

    def __str__(self) -> str:
        return f"{self.get_answer_display()}: {self.count}"
