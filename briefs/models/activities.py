"""The log of a brief: what people and the desk itself did with it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Activity(models.Model):
    """What people and the desk itself did with a brief."""

    class Code(models.TextChoices):
        """Entries that code looks for. All other entries have words and no code."""

        PROFILE_ARRIVED = "profile_arrived", "The profile arrived"  # and the brief was mapped anew
        CLOSED = "closed", "Closed"  # by its actor; entries from before have no code
        WOKEN = "woken", "Woke up"  # from a snooze
        FORGOTTEN = "forgotten", "Forgotten"  # became unassigned because nobody acted
        SAID = "said", "In somebody’s words"  # a reason, or an ending: no other row has them

    brief = models.ForeignKey("briefs.Brief", on_delete=models.CASCADE, related_name="activities")
    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,  # whoever acted is deactivated, never deleted: the name stays
        null=True,
        blank=True,
    )
    text = models.TextField()
    # Null, so that no database rewrites all entries for it.
    code = models.CharField(max_length=20, choices=Code.choices, null=True, blank=True)

    class Meta:
        ordering = ["at", "pk"]
        verbose_name_plural = "activities"

    def __str__(self) -> str:
        return self.text

    @classmethod
    def keep_endings(cls, briefs: Iterable[Any]) -> None:
        """These briefs are open as if nobody had ended them: the log alone has what people said."""
        ended = cls.objects.filter(brief__in=briefs, code=cls.Code.CLOSED, actor__isnull=False)
        ended.update(code=cls.Code.SAID)

    @classmethod
    def keep_said(cls, briefs: Iterable[Any], actor: Any, since: datetime) -> None:
        """What the actor logged for these briefs since then is in no other row any more."""
        said = cls.objects.filter(brief__in=briefs, actor=actor, at__gte=since, code=None)
        said.update(code=cls.Code.SAID)
