"""Which services run on which host, as their supervisors say: for monitoring of all hosts."""

from collections.abc import Mapping
from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

FRESH = timedelta(seconds=90)  # a supervisor says it every half a minute
KEPT = timedelta(days=1)  # a host that vanished is shown without workers for so long


class ServiceBeatQuerySet(models.QuerySet["ServiceBeat"]):
    def note(self, host: str, workers: Mapping[str, int]) -> None:
        """Say how many workers of each service live on this host at this moment."""
        self.bulk_create(
            [
                ServiceBeat(host=host, service=service, workers=number, at=Now())
                for service, number in workers.items()
            ],
            update_conflicts=True,
            unique_fields=["host", "service"],
            update_fields=["workers", "at"],
        )

    def forget(self) -> None:
        """Delete what hosts said that have not been heard of for a day."""
        self.filter(at__lt=Now() - KEPT).delete()


class ServiceBeat(models.Model):
    host = models.CharField(max_length=100)
    service = models.CharField(max_length=20)
    workers = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())

    objects = ServiceBeatQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host", "service"], name="service_beat_of_one_host")
        ]

    def __str__(self) -> str:
        return f"{self.service} on {self.host}: {self.workers}"
