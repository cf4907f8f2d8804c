"""Tokens with which programs use the REST API."""

from datetime import datetime, timedelta

from django.db import models
from knox.models import AbstractAuthToken

from accounts.models.roles import Role

LIFETIMES = {3: "3 months", 6: "6 months", 12: "12 months", 24: "24 months"}
TAKEN_OVER_FOR = timedelta(days=90)  # tokens of the release that kept them readable


class ApiToken(AbstractAuthToken):  # type: ignore[misc]  # the package is not typed
    """A token of one person. Only its SHA-512 is stored, so it can be shown only once.

    Its rights are those that both the person and the token's role have.
    """

    name = models.CharField(max_length=80, help_text="What uses it, for example “weekly report”.")
    role = models.CharField(
        max_length=10,
        choices=Role.choices,
        blank=True,
        help_text="Empty: all that the person may do. So are tokens from before there were roles.",
    )
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"  # never the digest, and never the token

    def is_expired(self, now: datetime) -> bool:
        return self.expiry is not None and self.expiry <= now
