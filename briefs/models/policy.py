"""What bounds research over all machines: the team's limits, and what Mavera asks of us."""

from datetime import datetime

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords


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
    paused_status = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="The answer of Mavera that paused it. Empty: a person did, and must resume it.",
    )
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

    @property
    def is_paused_by_mavera(self) -> bool:
        """Paused by an answer of hers: such a pause ends by itself."""
        return self.paused_at is not None and self.paused_status is not None

    def pause(self, reason: str, status: int | None = None) -> bool:
        """Stop all research; False if it is paused already, for its own reason since its own time.

        status: Mavera's answer that made us do it, so that we may resume by ourselves. A person's
        pause takes the place of such a one: then only a person resumes it.
        """
        weaker = Q(paused_at=None)
        if status is None:
            weaker |= Q(paused_status__isnull=False)
        paused = ResearchPolicy.objects.filter(weaker, pk=1).update(
            paused_at=Now(), paused_reason=reason[:300], paused_status=status
        )
        self.refresh_from_db()
        if paused:
            self.remember("paused")
        return bool(paused)

    def resume(self) -> None:
        resumed = ResearchPolicy.objects.filter(pk=1, paused_at__isnull=False).update(
            paused_at=None, paused_reason="", paused_status=None
        )
        self.refresh_from_db()
        if resumed:
            self.remember("resumed")

    def remember(self, what: str) -> None:
        """Enter the row as it is in the history, by whoever is signed in, if anybody.

        The arrows are plain updates, which leave nothing there.
        """
        self._change_reason = what
        self.save(update_fields=["paused_at", "paused_reason", "paused_status"])


class MaveHealth(models.Model):
    """One row: what Mavera's latest answers ask of us. Written under the policy's lock.

    Held: she asked to wait. Open breaker: she fails too often. Probing: she refused the key or the
    account, and is asked for free whether that is over.
    """

    held_until = models.DateTimeField(null=True, blank=True)
    held_reason = models.CharField(max_length=300, blank=True)
    spaced_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then few requests are left, and each waits a while."
    )
    space_seconds = models.FloatField(default=0, help_text="Between two of them.")
    opened_at = models.DateTimeField(null=True, blank=True, help_text="The breaker, at first.")
    breaker_until = models.DateTimeField(null=True, blank=True, help_text="Then one call may try.")
    breaker_pause_seconds = models.PositiveIntegerField(default=0)
    breaker_reason = models.CharField(max_length=300, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="Older faults do not count.")
    probe_at = models.DateTimeField(null=True, blank=True, help_text="The next free request.")
    probe_pause_seconds = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = "Mave health"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="mavehealth_is_one_row")]

    def __str__(self) -> str:
        return self.breaker_reason or self.held_reason or "answers"

    @property
    def now(self) -> datetime:
        """The database's time when `current` read the row."""
        at: datetime = self.__dict__["read_at"]
        return at

    @property
    def next_probe_at(self) -> datetime:
        """When Mavera is asked for free whether a pause of hers is over."""
        return max(self.probe_at or self.now, self.now)

    @classmethod
    def close_breaker(cls) -> bool:
        """Open -> closed, by hand. Faults until now no longer count. Needs the policy's lock."""
        closed = MaveHealth.objects.filter(pk=1, breaker_until__isnull=False).update(
            opened_at=None,
            breaker_until=None,
            breaker_pause_seconds=0,
            breaker_reason="",
            closed_at=Now(),
        )
        return bool(closed)

    @classmethod
    def current(cls) -> "MaveHealth":
        row = MaveHealth.objects.annotate(read_at=Now())
        found = row.filter(pk=1).first()
        if found is None:
            MaveHealth.objects.bulk_create([MaveHealth(pk=1)], ignore_conflicts=True)
            found = row.get(pk=1)
        return found
