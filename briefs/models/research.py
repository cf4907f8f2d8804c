"""Questions to Mave, the ledger of every request, and the policy that bounds both."""

import uuid
from datetime import timedelta
from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from briefs.models.briefs import Brief, Priority
from personas.models import Persona, SignalKind

LEASE = timedelta(seconds=240)  # longer than the research cluster's time-out
MAX_TRIES = 8
# Eight tries over a little more than a day: a long outage of Mave loses no question.
BACKOFF = [timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 420, 840)]


class ResearchQuerySet(models.QuerySet["Research"]):
    def active(self) -> Self:
        """Queued, running or being recovered: a further brief with this question joins it."""
        return self.filter(status__in=Research.ACTIVE)

    def due(self) -> Self:
        """Queued and due, or left behind by a worker whose lease ran out."""
        ready = Q(available_at=None) | Q(available_at__lte=Now())
        abandoned = Q(lease_until=None) | Q(lease_until__lt=Now())
        return self.active().filter(ready & abandoned)

    def in_flight(self) -> Self:
        return self.filter(status=Research.Status.RUNNING, lease_until__gte=Now())

    def held_by(self, token: uuid.UUID) -> Self:
        return self.filter(status=Research.Status.RUNNING, lease_token=token)


class Research(models.Model):
    """One question to Mave. All briefs with the same question share its answer."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting for its turn"  # due at available_at
        RUNNING = "running", "Being researched"  # leased by a worker that asks Mave
        RECOVERING = "recovering", "Looking for a lost answer"  # asked, outcome unknown
        DONE = "done", "Answered"  # the briefs rest on it
        FAILED = "failed", "Failed, can be retried"  # no further try by itself
        CANCELLED = "cancelled", "Cancelled"  # nobody needed it any more

    ACTIVE = (Status.QUEUED, Status.RUNNING, Status.RECOVERING)

    persona = models.ForeignKey(Persona, on_delete=models.PROTECT, related_name="research")
    kind = models.CharField("signal", max_length=20, choices=SignalKind.choices)
    template_version = models.CharField(max_length=20)
    question = models.TextField(help_text="As sent, without the reference.")
    question_hash = models.CharField(max_length=64)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.MEDIUM)

    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    status_reason = models.TextField(blank=True)
    tries = models.PositiveIntegerField(default=0)
    available_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    answer = models.TextField(blank=True, help_text="Markdown, as Mave wrote it.")
    sources = models.JSONField(default=list, blank=True)
    personas_used = models.JSONField(default=list, blank=True)
    validation = models.JSONField(default=dict, blank=True)
    thread_id = models.CharField(max_length=200, blank=True)
    credits = models.PositiveIntegerField(null=True, blank=True)
    raw_reply = models.JSONField(null=True, blank=True)

    objects = ResearchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "research"
        constraints = [
            models.UniqueConstraint(
                fields=["question_hash"],
                condition=Q(status__in=["queued", "running", "recovering"]),
                name="research_one_active_per_question",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-priority", "created_at"],
                condition=Q(status__in=["queued", "running", "recovering"]),
                name="research_to_do",
            ),
            models.Index(fields=["question_hash", "-finished_at"], name="research_reusable"),
        ]

    def __str__(self) -> str:
        return f"{self.persona} · {self.get_kind_display()}"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def confidence(self) -> int | None:
        """Per cent, or None where Mave gave no validation. Never invented."""
        value = self.validation.get("confidence_score", self.validation.get("confidence"))
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return round(value * 100 if value <= 1 else value)

    # Arrows. Each writes only while the lease is still ours and says whether it did.

    def claim(self) -> uuid.UUID:
        """QUEUED (or abandoned) -> RUNNING. Needs the policy's lock and an open transaction."""
        token = uuid.uuid4()
        Research.objects.filter(pk=self.pk).update(
            status=self.Status.RUNNING,
            status_reason="",
            tries=F("tries") + 1,
            lease_token=token,
            lease_until=Now() + LEASE,
            started_at=Now(),
        )
        self.refresh_from_db()
        return token

    def still_held(self, token: uuid.UUID) -> bool:
        return Research.objects.held_by(token).filter(pk=self.pk, lease_until__gte=Now()).exists()

    def finish(self, token: uuid.UUID, **answer: Any) -> bool:
        """RUNNING -> DONE, and every brief that waits is upgraded in place."""
        done = self._leave(
            token, status=self.Status.DONE, status_reason="", finished_at=Now(), **answer
        )
        if done:
            Brief.objects.filter(research=self).research_arrived()
        return done

    def try_again(self, token: uuid.UUID, reason: str, retry_after: float | None = None) -> bool:
        """RUNNING -> QUEUED after a passing fault, or FAILED after the last try."""
        if self.tries >= MAX_TRIES:
            return self.fail(token, f"{reason} (try {self.tries}, the last)")
        delay = BACKOFF[min(self.tries, len(BACKOFF)) - 1]
        if retry_after is not None:
            delay = max(delay, timedelta(seconds=retry_after))
        return self._leave(
            token, status=self.Status.QUEUED, status_reason=reason, available_at=Now() + delay
        )

    def give_back(self, token: uuid.UUID, reason: str, retry_after: float | None = None) -> bool:
        """RUNNING -> QUEUED without using up a try: the fault was not this question's."""
        delay = timedelta(seconds=retry_after or 0)
        return self._leave(
            token,
            status=self.Status.QUEUED,
            status_reason=reason,
            tries=F("tries") - 1,
            available_at=Now() + delay,
        )

    def fail(self, token: uuid.UUID, reason: str) -> bool:
        """RUNNING -> FAILED: trying again by itself would not help."""
        return self._leave(
            token, status=self.Status.FAILED, status_reason=reason, finished_at=Now()
        )

    def cancel(self, reason: str) -> None:
        """QUEUED (or abandoned) -> CANCELLED. Needs the policy's lock."""
        Research.objects.due().filter(pk=self.pk).update(
            status=self.Status.CANCELLED,
            status_reason=reason,
            lease_token=None,
            lease_until=None,
            finished_at=Now(),
        )

    def retry(self) -> bool:
        """FAILED or CANCELLED -> QUEUED, by hand. False if the question is under way already."""
        if self.status not in (self.Status.FAILED, self.Status.CANCELLED):
            return False
        if Research.objects.active().filter(question_hash=self.question_hash).exists():
            return False
        try:
            with transaction.atomic():
                changed = Research.objects.filter(pk=self.pk, status=self.status).update(
                    status=self.Status.QUEUED,
                    status_reason="started again by hand",
                    tries=0,
                    available_at=Now(),  # due as of now: no cluster has neglected it
                    finished_at=None,
                )
        except IntegrityError:  # a brief asked the same at this very moment
            return False
        return bool(changed)

    def _leave(self, token: uuid.UUID, **fields: Any) -> bool:
        changed = (
            Research.objects.held_by(token)
            .filter(pk=self.pk)
            .update(lease_token=None, lease_until=None, **fields)
        )
        self.refresh_from_db()
        return bool(changed)


class MaveCall(models.Model):
    """The ledger: one row per HTTP request to Mavera, written before the request is sent."""

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
    started_at = models.DateTimeField(db_default=Now(), db_index=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.PENDING)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    credits = models.PositiveIntegerField(default=0, help_text="Reserved, then as charged.")
    is_repeat = models.BooleanField(
        default=False, help_text="An earlier call for this question may have been paid already."
    )
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = "Mave call"

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}, {self.get_outcome_display().lower()}"

    def settle(
        self,
        outcome: "MaveCall.Outcome",
        *,
        credits: int | None = None,
        http_status: int | None = None,
        detail: str = "",
    ) -> None:
        """End the call. Without a figure in the reply the reservation stands as charged."""
        fields: dict[str, Any] = {
            "outcome": outcome,
            "finished_at": Now(),
            "http_status": http_status,
            "detail": detail[:300],
        }
        if outcome in (self.Outcome.REFUSED, self.Outcome.NOT_SENT):
            fields["credits"] = 0
        elif credits is not None:
            fields["credits"] = credits
        MaveCall.objects.filter(pk=self.pk, outcome=self.Outcome.PENDING).update(**fields)


class ResearchPolicy(models.Model):
    """One row, locked before any call is claimed, so that its limits hold over all machines."""

    concurrency = models.PositiveSmallIntegerField(
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="Mave calls at once. Mavera allows 10 for one key.",
    )
    requests_per_minute = models.PositiveIntegerField(
        default=50,
        validators=[MinValueValidator(1)],
        help_text="All requests to Mavera. A Starter key allows 60; leave some to other tools.",
    )
    day_budget = models.PositiveIntegerField(
        null=True, blank=True, default=1000, help_text="Credits a day (UTC). Empty: no limit."
    )
    month_budget = models.PositiveIntegerField(
        null=True, blank=True, default=5000, help_text="Credits a month (UTC). Empty: no limit."
    )
    urgent_reserve = models.PositiveIntegerField(
        default=100, help_text="Credits of both budgets that only urgent briefs may use."
    )
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.CharField(max_length=300, blank=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "research policy"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="researchpolicy_is_one_row")]

    def __str__(self) -> str:
        return "Research policy"

    @classmethod
    def current(cls) -> "ResearchPolicy":
        return cls.objects.get_or_create(pk=1)[0]

    @classmethod
    def locked(cls) -> "ResearchPolicy":
        """The row, locked until the transaction ends. Count only in a later statement."""
        cls.current()
        return cls.objects.select_for_update().get(pk=1)

    def pause(self, reason: str) -> None:
        """Stop all research. A pause that is on already keeps its reason and its time."""
        self.paused_reason = self.paused_reason or reason[:300]
        ResearchPolicy.objects.filter(pk=1, paused_at=None).update(
            paused_at=Now(), paused_reason=reason[:300]
        )

    def resume(self) -> None:
        self.paused_at, self.paused_reason = None, ""
        ResearchPolicy.objects.filter(pk=1).update(paused_at=None, paused_reason="")
