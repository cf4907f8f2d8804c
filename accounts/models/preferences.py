"""How somebody wants to see the pages."""

import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

LONGEST = 60


def check_zone(name: str) -> None:
    if name and zone(name) is None:
        raise ValidationError("There is no time zone of this name.")


def zone(name: str) -> zoneinfo.ZoneInfo | None:
    """The time zone of this name; None if this machine knows none."""
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


class Preferences(models.Model):
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preferences"
    )
    time_zone = models.CharField(
        max_length=LONGEST, blank=True, default="", db_default="", validators=[check_zone],
        help_text="Empty: as Savedesk is set up.",
    )  # fmt: skip
    is_without_keys = models.BooleanField(
        default=False, db_default=False, help_text="Single keys do nothing on the pages."
    )

    class Meta:
        verbose_name_plural = "preferences"
        default_permissions = ()

    def __str__(self) -> str:
        return f"Preferences of {self.user}"
