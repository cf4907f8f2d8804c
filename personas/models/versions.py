"""All rules as they were at one moment, and whether the newest version still tells the present."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class RuleVersionQuerySet(models.QuerySet["RuleVersion"]):
    def whole(self) -> Self:
        """Those whose rules are still there."""
        return self.filter(document_ended_at=None)

    def end(self) -> int:
        """Remove their rules; who changed what, when and why stays."""
        return self.whole().update(document={}, document_ended_at=Now())


class RuleVersion(models.Model):
    """The whole rulebook after one change. Rows are added, and never deleted.

    Nothing of them changes, but that the rules of an old one may end (`end`). The numbers have no
    gaps: a version is made under the lock of `RulesState`.
    """

    number = models.PositiveIntegerField(primary_key=True)
    made_at = models.DateTimeField("when", db_default=Now())
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="who",
    )
    made_by_name = models.CharField(
        max_length=150, blank=True, help_text="Kept when the account is deleted."
    )
    what = models.TextField(help_text="What was done, in words.")
    why = models.TextField(blank=True, help_text="As the person wrote it.")
    document = models.JSONField(help_text="All rules in the form of an export.")
    document_ended_at = models.DateTimeField(
        null=True, blank=True, help_text="When its rules were removed: see the retention policy."
    )
    digest = models.CharField(max_length=64, help_text="SHA-256 of the document.")
    is_reconstructed = models.BooleanField(
        default=False, help_text="Put together later, from the histories of single rules."
    )
    restores = models.PositiveIntegerField(
        null=True, blank=True, help_text="The version whose rules it brought back."
    )
    accepted = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="The sentences about what it does that its author was shown and accepted.",
    )
    briefs_left = models.FloatField(
        null=True, blank=True, help_text="The share of all briefs that stays by these sentences."
    )

    objects = RuleVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        default_permissions = ("view",)
        verbose_name = "version of the rules"
        verbose_name_plural = "versions of the rules"

    def __str__(self) -> str:
        return f"Version {self.number}"

    @property
    def who(self) -> str:
        """The person's name; Savedesk where nobody is known."""
        user = self.made_by
        name = (user.get_full_name() or user.get_username()) if user else self.made_by_name
        return name or "Savedesk"

    @property
    def accepted_by(self) -> str:
        """Who read and accepted what it does, at the beginning of a sentence."""
        return self.who if self.made_by_name else "Whoever ran the command"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("a version of the rules is never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("a version of the rules is never deleted")


class RulesState(models.Model):
    """One row. Triggers raise `edits` with every write to a table of rules (`watching`).

    Whoever writes rules holds its lock until the end of the transaction, so edits come one after
    the other. `version` tells the present rules while `version_edits` is equal to `edits`.
    """

    edits = models.BigIntegerField(default=0)
    version = models.PositiveIntegerField(null=True)
    version_edits = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="rulesstate_is_one_row")]

    def __str__(self) -> str:
        return f"{self.edits} edits, version {self.version}"

    @classmethod
    def read(cls) -> Self:
        """The row as it is now, without a lock."""
        return cls.objects.filter(pk=1).first() or cls()

    @classmethod
    def locked(cls) -> Self:
        """The row, locked until the transaction ends. Read rules only in a later statement."""
        cls.objects.bulk_create([cls(pk=1)], ignore_conflicts=True)
        return cls.objects.select_for_update().get(pk=1)

    @property
    def is_told(self) -> bool:
        """Whether `version` tells the rules as they are."""
        return self.version is not None and self.edits == self.version_edits

    def is_told_by(self, version: RuleVersion) -> None:
        """Note that this version tells the present rules. Needs the lock, after all edits."""
        RulesState.objects.filter(pk=1).update(
            version=version.number, version_edits=models.F("edits")
        )
