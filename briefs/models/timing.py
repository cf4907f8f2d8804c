"""When a brief is due, how long it sleeps, and what wakes it."""

from typing import Any, Self, TypeVar

from django.db import models, transaction
from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from briefs.models.activities import Activity

Row = TypeVar("Row", bound=models.Model)

# Ends a snooze, whatever else the same update does.
AWAKE: dict[str, Any] = {"snoozed_until": None, "is_snoozed_for_signal": False}

IS_AWAKE = ~Q(state__in=("closed", "snoozed"))
# Awake, and the next act was due before now, by the database's clock.
IS_OVERDUE = IS_AWAKE & Q(due_at__lt=Now())


class TimedQuerySet(models.QuerySet[Row]):
    def awake(self) -> Self:
        return self.filter(IS_AWAKE)

    def overdue(self) -> Self:
        return self.filter(IS_OVERDUE)

    @transaction.atomic
    def wake(self, why: str, actor: Any = None, **fields: Any) -> int:
        """SNOOZED -> IN_PROGRESS with an assignee, or NEW without, for all of these at once.

        `why` is for the timeline; `fields` are set by the same update. Returns how many slept.
        """
        asleep = self.filter(state="snoozed")
        keys = list(
            asleep.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True)
        )
        awake = Case(
            When(assignee=None, then=Value("new")),
            default=Value("in_progress"),
        )
        self.model._default_manager.filter(pk__in=keys).update(state=awake, **AWAKE, **fields)
        Activity.objects.bulk_create(
            Activity(brief_id=key, text=why, actor=actor, code=Activity.Code.WOKEN) for key in keys
        )
        return len(keys)

    def slept_enough(self) -> Self:
        """Those whose snooze is over, by the database's clock."""
        return self.filter(state="snoozed", snoozed_until__lte=Now())


class Timed(models.Model):
    """The part of a brief that says when the next act is due.

    `due_at` is set at opening from the first step. A contact ends it or moves it to its next date,
    a snooze moves it, and a new act that wakes a brief sets it anew. Empty: nothing is due.
    """

    due_at = models.DateTimeField(null=True, blank=True, help_text="When the next act is due.")
    due_moved_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person first moved it. The next one is asked why."
    )
    first_touch_at = models.DateTimeField(
        "first touch", null=True, blank=True, help_text="The first logged contact."
    )
    forgotten_at = models.DateTimeField(
        null=True, blank=True, help_text="When it last became unassigned because nobody acted."
    )
    snoozed_until = models.DateTimeField(null=True, blank=True)
    is_snoozed_for_signal = models.BooleanField(
        default=False, db_default=False, help_text="Until the customer signals again."
    )

    class Meta:
        abstract = True
        indexes = [
            models.Index(
                fields=["due_at"],
                include=["state", "is_waiting_for_profile"],  # for the number of the tab
                condition=~Q(state="closed") & Q(due_at__isnull=False),
                name="brief_due_covering",
            ),
            models.Index(
                fields=["snoozed_until"], condition=Q(state="snoozed"), name="brief_snoozed"
            ),
            models.Index(
                fields=["first_touch_at"],
                condition=Q(first_touch_at__isnull=False),
                name="brief_first_touch",
            ),
        ]

    @property
    def is_overdue(self) -> bool:
        is_awake = getattr(self, "state", "") not in ("closed", "snoozed")
        return is_awake and self.due_at is not None and self.due_at < timezone.now()

    @property
    def is_due_moved(self) -> bool:
        """Whether moving it again asks why."""
        return self.due_at is not None and self.due_moved_at is not None
