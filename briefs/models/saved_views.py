"""Searches of the inbox that somebody gave a name, for themselves or for the whole team."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from personas.models.letters import is_same


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def seen_by(self, user: Any) -> Self:
        """A person's own and the team's."""
        return self.filter(Q(owner=user) | Q(is_team=True))


class SavedView(models.Model):
    """A name for what the inbox's address asks for: tab, filters, words and order."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="saved_views",
        help_text="Who made it.",
    )
    is_team = models.BooleanField(
        "for the whole team", default=False, help_text="Everybody sees it."
    )
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2_000, blank=True, help_text="As it is in the address.")
    created_at = models.DateTimeField(db_default=Now())

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = [Lower("name"), "pk"]
        default_permissions = ("change",)  # of those that others made for the team
        constraints = [
            models.UniqueConstraint(
                Lower("name"), "owner", condition=Q(is_team=False), name="saved_view_own_name"
            ),
            models.UniqueConstraint(
                Lower("name"), condition=Q(is_team=True), name="saved_view_team_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def shares_its_name(self) -> bool:
        """Whether there is another view of this name, in any case.

        The constraints say the same, on SQLite of the letters of ASCII alone.
        """
        others = SavedView.objects.exclude(pk=self.pk).filter(is_team=self.is_team)
        if not self.is_team:
            others = others.filter(owner=self.owner)
        return others.filter(is_same("name", self.name)).exists()

    def may_be_changed_by(self, user: Any) -> bool:
        """Of the team's by whoever made it and those who may; of one's own by oneself alone."""
        if not user.has_perm("briefs.work_brief"):
            return False
        may = self.is_team and user.has_perm("briefs.change_savedview")
        return bool(may or self.owner_id == user.pk)
