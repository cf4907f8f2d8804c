"""What somebody searched for last, which the search box offers to them alone."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

KEPT = 10


class RecentSearchQuerySet(models.QuerySet["RecentSearch"]):
    def of(self, user: Any) -> Self:
        return self.filter(user=user)

    def last_of(self, user: Any) -> list[str]:
        """The newest first."""
        rows = self.of(user).order_by("-at", "-pk")
        return list(rows.values_list("text", flat=True)[:KEPT])

    def note(self, user: Any, text: str) -> None:
        """Put it first. What is asked for again, as by the next page, changes nothing."""
        last = self.last_of(user)
        if last[:1] == [text]:
            return
        self.update_or_create(
            user=user, text=text, defaults={"at": Now()}, create_defaults={"at": Now()}
        )
        self.of(user).exclude(text__in=[text, *last[: KEPT - 1]]).delete()


class RecentSearch(models.Model):
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recent_searches"
    )
    text = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())

    objects = RecentSearchQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "text"], name="recent_search_once")]

    def __str__(self) -> str:
        return self.text
