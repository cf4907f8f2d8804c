"""Tokens with which programs use the REST API."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from knox.models import AbstractAuthToken, AuthTokenManager

from accounts.models.roles import Role, role_of

LIFETIMES = {3: "3 months", 6: "6 months", 12: "12 months", 24: "24 months"}
USUAL_LIFETIME = 12
TAKEN_OVER_FOR = timedelta(days=90)  # tokens of the release that kept them readable
WARNED_FOR = timedelta(days=14)
LAST_USE_EVERY = timedelta(minutes=1)


class NoToken(Exception):
    """Why no token can be made, in words."""


class TokenQuerySet(models.QuerySet["ApiToken"]):
    def of(self, user: Any) -> "TokenQuerySet":
        return self.filter(user=user)

    def valid(self) -> "TokenQuerySet":
        """Those that are accepted now, by the database's clock."""
        return self.filter(Q(expiry__isnull=True) | Q(expiry__gt=Now()), user__is_active=True)

    def end(self) -> int:
        """Revoke them for good; returns how many."""
        return self.delete()[0]

    def note_use(self) -> int:
        """Write down that they are used now, at most once a minute for each."""
        is_old = Q(last_used_at__isnull=True) | Q(last_used_at__lte=Now() - LAST_USE_EVERY)
        return self.filter(is_old).update(last_used_at=Now())


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

    objects = AuthTokenManager.from_queryset(TokenQuerySet)()

    class Meta:
        verbose_name = "API token"
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"  # never the digest, and never the token

    @classmethod
    def make(cls, user: Any, *, name: str, role: Role, months: int) -> "tuple[ApiToken, str]":
        """Make a token; returns its row and the token itself, which is stored nowhere.

        Raises NoToken if the person has no role, or if the token's would be higher.
        """
        own = role_of(user)
        if not own or not user.is_active:
            raise NoToken("Only somebody with a role can have a token.")
        if role not in own.up_to:
            raise NoToken(f"The role of a token cannot be higher than the person's, {own}.")
        lifetime = timedelta(days=months * 365 // 12)
        made: tuple[ApiToken, str] = cls.objects.create(
            user=user, expiry=lifetime, name=name, role=role
        )
        return made

    @property
    def is_from_before(self) -> bool:
        """Whether it was taken over from the release that had no roles."""
        return not self.role

    def is_expired(self, now: datetime) -> bool:
        return self.expiry is not None and self.expiry <= now

    def expires_soon(self, now: datetime) -> bool:
        """Whether these are its last 14 days, so that somebody must replace it."""
        return self.expiry is not None and now < self.expiry <= now + WARNED_FOR
