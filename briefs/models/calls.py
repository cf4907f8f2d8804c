"""The ledger: every request to Mavera, and what it cost."""

from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from briefs.models.research import Research

READ_FOR = timedelta(minutes=5)  # far longer than any request that only reads
KEEP_IN_MIND = timedelta(days=7)  # a sweep every minute need not read the whole ledger


class CallQuerySet(models.QuerySet["MaveCall"]):
    def chats(self) -> Self:
        """The calls that cost something."""
        return self.filter(purpose=MaveCall.Purpose.CHAT)

    def maybe_paid(self) -> Self:
        """All but those that certainly cost nothing."""
        unpaid = (MaveCall.Outcome.REFUSED, MaveCall.Outcome.NOT_SENT)
        return self.chats().exclude(outcome__in=unpaid)

    def end_forgotten_reads(self) -> int:
        """Settle free requests whose worker died. A paid one is settled when it is looked for."""
        pending = self.exclude(purpose=MaveCall.Purpose.CHAT).filter(
            outcome=MaveCall.Outcome.PENDING,
            started_at__lt=Now() - READ_FOR,
            started_at__gte=Now() - KEEP_IN_MIND,
        )
        return pending.update(
            outcome=MaveCall.Outcome.UNKNOWN,
            finished_at=Now(),
            detail="the worker was gone before the answer came",
        )


class MaveCall(models.Model):
    """One HTTP request to Mavera, written before it is sent."""

    class Purpose(models.TextChoices):
        CHAT = "chat", "Research"
        THREADS = "threads", "Looking for a lost answer"
        USAGE = "usage", "Reading the balance"

    class Outcome(models.TextChoices):
        PENDING = "pending", "Under way"  # credits are reserved
        ANSWERED = "answered", "Answered"  # credits as the reply says, else as reserved
        REFUSED = "refused", "Refused"  # Mavera answered with an error: nothing is charged
        NOT_SENT = "not_sent", "Not sent"  # no connection: nothing is charged
        UNKNOWN = "unknown", "Outcome unknown"  # may have been charged: counted as reserved

    research = models.ForeignKey(
        Research, on_delete=models.CASCADE, null=True, blank=True, related_name="calls"
    )
    purpose = models.CharField(max_length=8, choices=Purpose.choices, default=Purpose.CHAT)
    reference = models.CharField(max_length=60, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who bought it by hand. Empty: Savedesk.",
    )
    started_at = models.DateTimeField(db_default=Now(), db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.PENDING)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    credits = models.PositiveIntegerField(default=0, help_text="Reserved, then as charged.")
    is_repeat = models.BooleanField(
        default=False, help_text="An earlier call for this question may have been paid already."
    )
    is_fault = models.BooleanField(
        default=False, help_text="Mave failed, not the question: such calls open the breaker."
    )
    is_recovered = models.BooleanField(
        default=False, help_text="Its answer was lost and found again in Mave's threads."
    )
    thread_id = models.CharField(max_length=200, blank=True, db_index=True)
    detail = models.CharField(max_length=300, blank=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        verbose_name = "Mave call"

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}, {self.get_outcome_display().lower()}"

    @property
    def is_open(self) -> bool:
        """Whether its outcome may still change. PENDING will be settled, UNKNOWN may be."""
        return self.outcome in (self.Outcome.PENDING, self.Outcome.UNKNOWN)

    def disprove(self) -> None:
        """UNKNOWN -> REFUSED: something answered in Mave's place, and Mave never began it."""
        unknown = MaveCall.objects.filter(pk=self.pk, outcome=self.Outcome.UNKNOWN)
        unknown.update(outcome=self.Outcome.REFUSED, credits=0)

    def settle(
        self,
        outcome: "MaveCall.Outcome",
        *,
        credits: int | None = None,
        **facts: Any,
    ) -> None:
        """End the call. If the reply names no price, the reserved credits count as charged.

        An unknown outcome is replaced by a known one: the worker that made the call may report
        after another worker gave it up. facts: further fields of the row.
        """
        fields: dict[str, Any] = {"outcome": outcome, "finished_at": Now(), **facts}
        fields["detail"] = str(facts.get("detail", ""))[:300]
        if outcome in (self.Outcome.REFUSED, self.Outcome.NOT_SENT):
            fields["credits"] = 0
        elif credits is not None:
            fields["credits"] = credits
        before = [self.Outcome.PENDING]
        if outcome != self.Outcome.UNKNOWN:
            before.append(self.Outcome.UNKNOWN)
        MaveCall.objects.filter(pk=self.pk, outcome__in=before).update(**fields)
