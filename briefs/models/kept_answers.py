"""Answers to requests that a program may send again, because it does not know what became of them.

A program names a request by an Idempotency-Key. The same request again gets the same answer, and
nothing is done twice.
"""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from briefs.models.briefs import Brief

KEPT_FOR = timedelta(hours=24)


class KeptAnswerQuerySet(models.QuerySet["KeptAnswer"]):
    def over(self) -> Self:
        """Those that were kept long enough, by the database's clock."""
        return self.filter(at__lte=Now() - KEPT_FOR)

    def forget(self) -> int:
        return self.over().delete()[0]


class KeptAnswer(models.Model):
    """One answer. It is written in the transaction of what it tells, or not at all."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token = models.CharField(
        max_length=64, blank=True, help_text="A digest of the token; empty for a session."
    )
    key = models.CharField(max_length=255)
    request = models.CharField(max_length=64, help_text="A digest of what was asked for.")
    # With the brief goes what the answer says of its customer. An act on many says nothing of them.
    brief = models.ForeignKey(Brief, on_delete=models.CASCADE, related_name="+", null=True)
    at = models.DateTimeField(db_default=Now())
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)

    objects = KeptAnswerQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "token", "key"], name="keptanswer_one_a_key")
        ]
        indexes = [models.Index(fields=["at"], name="keptanswer_at")]

    def __str__(self) -> str:
        return f"{self.key}: {self.status}"
