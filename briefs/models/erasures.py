"""Who erased somebody, when, by which way, and how much went: without a word about whom."""

import uuid
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

LEASE = timedelta(minutes=10)  # longer than an erasure at a million events, which holds no lock
MAX_TRIES = 5


class ErasureQuerySet(models.QuerySet["Erasure"]):
    def due(self) -> Self:
        """Ordered, and no worker is at it."""
        free = Q(lease_until=None) | Q(lease_until__lt=Now())
        return self.filter(free, ended_at=None, customer__isnull=False, tries__lt=MAX_TRIES)

    def claim(self, key: int | None = None) -> "Erasure | None":
        """Take the oldest that is due, or this one; None if there is none."""
        row = (self.due() if key is None else self.due().filter(pk=key)).order_by("pk").first()
        if row is None:
            return None
        taken = self.due().filter(pk=row.pk, lease_token=row.lease_token)
        changed = taken.update(
            lease_token=uuid.uuid4(), lease_until=Now() + LEASE, tries=F("tries") + 1
        )
        return self.get(pk=row.pk) if changed else None


class Erasure(models.Model):
    """One erasure. As long as it is not done it knows the key of the customer, and then no more."""

    class Way(models.TextChoices):
        COMMAND = "command", "Command"
        ADMIN = "admin", "Admin"
        API = "api", "API"
        LOOKUP = "lookup", "Look-up"  # a profile of somebody erased, under another id

    way = models.CharField("by which way", max_length=7, choices=Way.choices)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,  # whoever acted is deactivated, never deleted: the name stays
        null=True,
        blank=True,
        related_name="+",
        verbose_name="who",
        help_text="Empty: whoever could use the command on Savedesk's machine, or a look-up.",
    )
    begun_at = models.DateTimeField("when", db_default=Now())
    ended_at = models.DateTimeField("done", null=True, blank=True)
    customer = models.PositiveBigIntegerField(null=True, help_text="Only until it is done.")
    counts = models.JSONField(default=dict, help_text="How many rows of which table.")
    left = models.JSONField(default=list, help_text="What still names the person, for the team.")
    tries = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    objects = ErasureQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["id"], condition=Q(ended_at=None), name="erasure_under_way"),
        ]

    def __str__(self) -> str:
        return f"Erasure {self.pk}"

    def end(self, counts: dict[str, int], left: list[str]) -> None:
        self._write(
            counts=counts, left=left, ended_at=Now(), customer=None,
            lease_token=None, lease_until=None,
        )  # fmt: skip

    def give_up_lease(self) -> None:
        """It failed; another worker tries again in a minute."""
        self._write(lease_token=None, lease_until=Now() + timedelta(minutes=1))

    def _write(self, **fields: Any) -> None:
        Erasure.objects.filter(pk=self.pk).update(**fields)
        self.refresh_from_db()
