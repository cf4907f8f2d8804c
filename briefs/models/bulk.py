"""What one person does to many briefs at once: which were chosen, what each was, and its undo."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from briefs.models.briefs import Brief
from briefs.models.contacts import ContactLog

UNDO_WITHIN = timedelta(minutes=1)
KEPT = timedelta(days=1)  # by then nobody asks any more which briefs were left out
TAKES_AT_MOST = timedelta(minutes=10)  # the process of an act that is still not done was ended


class BulkActQuerySet(models.QuerySet["BulkAct"]):
    def undoable(self) -> Self:
        """Done less than a minute ago by the database's clock, and not undone."""
        return self.filter(undone_at=None, done_at__gt=Now() - UNDO_WITHIN)

    def broken_off(self) -> Self:
        """Begun, but the process that did it is gone."""
        return self.filter(done_at=None, begun_at__lt=Now() - TAKES_AT_MOST)

    def over(self) -> Self:
        """No page shows them any more."""
        return self.filter(created_at__lt=Now() - KEPT)


class BulkAct(models.Model):
    """One act on many briefs.

    | from    | arrow   | to                                     |
    |---|---|---|
    | -       | chosen  | not begun: somebody reads the numbers  |
    | -       | `begin` | begun: batch after batch is done       |
    | begun   | `end`   | done, and can be undone for a minute   |
    | done    | `undo`  | undone                                 |
    """

    class Kind(models.TextChoices):
        ASSIGN = "assign", "Assign"
        SNOOZE = "snooze", "Snooze"
        CONTACT = "contact", "Log contact"
        CLOSE = "close", "Close"

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField("act", max_length=8, choices=Kind.choices)
    query = models.CharField(
        max_length=2_000, blank=True, help_text="The list's address, to which the way back leads."
    )
    left_over = models.PositiveIntegerField(
        default=0, help_text="How many more matched than one act takes."
    )
    created_at = models.DateTimeField(db_default=Now())
    begun_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects = BulkActQuerySet.as_manager()

    class Meta:
        default_permissions = ()  # whoever may work on briefs sees their own
        indexes = [models.Index(fields=["created_at"], name="bulk_created")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.pk}"

    @property
    def undo_until(self) -> datetime | None:
        """Until then it can be undone; None if it cannot."""
        is_undoable = BulkAct.objects.undoable().filter(pk=self.pk).exists()
        return self.done_at + UNDO_WITHIN if self.done_at and is_undoable else None

    @property
    def is_half_undone(self) -> bool:
        """Whether an undo is under way, or broke off and goes on when it is asked for again."""
        return bool(self.undone_at) and self.parts.filter(status=BulkPart.Status.DONE).exists()

    # Arrows. Each says whether it led there.

    def begin(self) -> bool:
        return self._write(Q(begun_at=None), begun_at=Now())

    def end(self) -> bool:
        return self._write(Q(begun_at__isnull=False, done_at=None), done_at=Now())

    def undo(self) -> bool:
        """False if its minute is over, or if it was undone before."""
        changed = BulkAct.objects.undoable().filter(pk=self.pk).update(undone_at=Now())
        self.refresh_from_db()
        return bool(changed)

    def _write(self, condition: Q, **fields: Any) -> bool:
        changed = BulkAct.objects.filter(condition, pk=self.pk).update(**fields)
        self.refresh_from_db()
        return bool(changed)


class BulkPart(models.Model):
    """One brief of a bulk act."""

    class Status(models.TextChoices):
        CHOSEN = "chosen", "Chosen"
        DONE = "done", "Done"
        UNDONE = "undone", "As it was before"
        # Left out.
        CLOSED = "closed", "closed already"
        CHANGED = "changed", "changed since you chose them"
        SAME = "same", "assigned to this person already"
        # Not undone.
        CHANGED_SINCE = "since", "changed since"
        LEFT = "left", "whoever had it before does not work on briefs any more"
        ANOTHER_OPEN = "another", "the customer has a new open brief"

    LEFT_OUT = (Status.CLOSED, Status.CHANGED, Status.SAME)
    KEPT = (Status.CHANGED_SINCE, Status.LEFT, Status.ANOTHER_OPEN)

    act = models.ForeignKey(BulkAct, on_delete=models.CASCADE, related_name="parts")
    brief = models.ForeignKey(Brief, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.CHOSEN)
    revision = models.PositiveIntegerField(help_text="The brief's, as it was chosen or left.")
    was = models.JSONField(null=True, blank=True, help_text="What the act changed, as it was.")
    contact = models.ForeignKey(
        ContactLog, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["act", "brief"], name="bulk_brief_once")]

    def __str__(self) -> str:
        return f"{self.brief_id}: {self.get_status_display()}"


def set_status(parts: Iterable[BulkPart], status: str) -> None:
    """Of all of these at once."""
    keys = [part.pk for part in parts]
    BulkPart.objects.filter(pk__in=keys).update(status=status)


def note_done(act: BulkAct, briefs: Iterable[int]) -> None:
    """CHOSEN -> DONE for these briefs, with the revision that the act left."""
    present = Brief.objects.filter(pk=models.OuterRef("brief")).values("revision")
    parts = BulkPart.objects.filter(act=act, brief__in=list(briefs))
    parts.update(status=BulkPart.Status.DONE, revision=models.Subquery(present))
