"""What limits research on all machines: the team's policy, and Mavera's latest answers."""

from datetime import datetime, timedelta
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from briefs.models.calls import MaveCall
from briefs.models.research import ResearchQuerySet
from briefs.times import clock
from providers.mavera import in_full

FIRST_PAUSE_SECONDS = 60
LONGEST_PAUSE_SECONDS = 15 * 60
_FEW = "few requests are left in Mavera's minute"


class ResearchPolicy(models.Model):
    """One row, locked before any call is claimed, so that all machines share its limits."""

    class Change(models.TextChoices):
        """Why a version was written to the history, if not by an edit of the limits."""

        PAUSED = "paused", "Paused"
        RESUMED = "resumed", "Resumed"
        CLOSED_BREAKER = "closed the breaker by hand", "Closed the breaker by hand"

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
        default=100,
        help_text="Credits of both budgets that only Urgent briefs may use: those of a severe "
        "signal from the top tenth of values. As long as no thresholds are set nothing is Urgent, "
        "and High briefs may use them.",
    )
    fresh_after_minutes = models.PositiveIntegerField(
        "a fresh answer after",
        default=60,
        db_default=60,
        help_text="Minutes. Nobody can buy a fresh answer while the present one is younger. 0: "
        "everybody always can.",
    )
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_reason = models.CharField(max_length=300, blank=True)
    paused_status = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="The answer of Mavera that paused it. Empty: a person did, and must resume it.",
    )
    paused_code = models.CharField(
        max_length=80, blank=True, default="", db_default="", help_text="Mavera's, with its status."
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
        """Paused by an answer of Mavera's: such a pause ends by itself."""
        return self.paused_at is not None and self.paused_status is not None

    @property
    def paused_in_full(self) -> str:
        """The reason with Mavera's code."""
        return in_full(self.paused_reason, self.paused_code)

    def pause(self, reason: str, status: int | None = None, code: str = "") -> bool:
        """Stop all research; False if a pause goes on, which then keeps its reason and time.

        status, code: Mavera's answer that caused the pause, which then may end by itself. A
        person's pause replaces such a pause: then only a person resumes research.
        """
        weaker = Q(paused_at=None)
        if status is None:
            weaker |= Q(paused_status__isnull=False)
        paused = ResearchPolicy.objects.filter(weaker, pk=1).update(
            paused_at=Now(), paused_reason=reason[:300], paused_status=status, paused_code=code
        )
        self.refresh_from_db()
        if paused:
            self.remember(self.Change.PAUSED)
        return bool(paused)

    def resume(self) -> None:
        resumed = ResearchPolicy.objects.filter(pk=1, paused_at__isnull=False).update(
            paused_at=None, paused_reason="", paused_status=None, paused_code=""
        )
        self.refresh_from_db()
        if resumed:
            self.remember(self.Change.RESUMED)

    def remember(self, what: Change) -> None:
        """Write the row to the history, with the signed-in user if there is one.

        The arrows are plain updates, and those write no history.
        """
        self._change_reason = what.value
        self.save(update_fields=["paused_at", "paused_reason", "paused_status", "paused_code"])


class MaveHealth(models.Model):
    """One row: what Mavera's latest answers ask of us.

    Held: Mavera asked everybody to wait. Breaker open: Mave fails too often. Probing: Mavera
    refused the key or the account, and is asked for free whether that is over. The arrows write
    the row and leave this object as it was read.
    """

    held_until = models.DateTimeField(null=True, blank=True)
    held_reason = models.CharField(max_length=300, blank=True)
    held_code = models.CharField(
        max_length=80, blank=True, default="", db_default="", help_text="Mavera's, with its status."
    )
    spaced_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then few requests are left, and each waits a while."
    )
    space_seconds = models.FloatField(default=0, help_text="Between two of them.")
    opened_at = models.DateTimeField(null=True, blank=True, help_text="The breaker, at first.")
    breaker_until = models.DateTimeField(null=True, blank=True, help_text="Then one call may try.")
    breaker_pause_seconds = models.PositiveIntegerField(default=0)
    breaker_reason = models.CharField(max_length=300, blank=True)
    breaker_code = models.CharField(
        max_length=80, blank=True, default="", db_default="", help_text="Mavera's, with its status."
    )
    closed_at = models.DateTimeField(null=True, blank=True, help_text="Older faults do not count.")
    probe_at = models.DateTimeField(null=True, blank=True, help_text="The next free request.")
    probe_pause_seconds = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = "Mave health"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="mavehealth_is_one_row")]

    def __str__(self) -> str:
        return self.breaker_reason or self.held_reason or "answers"

    @classmethod
    def current(cls) -> "MaveHealth":
        row = MaveHealth.objects.annotate(read_at=Now())
        found = row.filter(pk=1).first()
        if found is None:
            MaveHealth.objects.bulk_create([MaveHealth(pk=1)], ignore_conflicts=True)
            found = row.get(pk=1)
        return found

    @property
    def now(self) -> datetime:
        """The database's time when `current` read the row."""
        at: datetime = self.__dict__["read_at"]
        return at

    # Held.

    @property
    def is_held(self) -> bool:
        """Mavera asked everybody to wait, and the time is not over."""
        return self.held_seconds > 0

    @property
    def held_seconds(self) -> float:
        """Until Mavera may be asked again; 0 if it may be asked now."""
        if self.held_until is None:
            return 0.0
        return max((self.held_until - self.now).total_seconds(), 0.0)

    def hold(self, seconds: float, reason: str, code: str = "") -> None:
        """Begin no request for this long. A hold that already lasts longer is kept."""
        until = Now() + timedelta(seconds=seconds)
        row = MaveHealth.objects.filter(Q(held_until=None) | Q(held_until__lt=until), pk=self.pk)
        row.update(held_until=until, held_reason=reason[:300], held_code=code)

    @property
    def held_in_full(self) -> str:
        """The reason with Mavera's code."""
        return in_full(self.held_reason, self.held_code)

    @property
    def is_spaced(self) -> bool:
        """Few requests are left in Mavera's minute, so they begin one at a time."""
        return self.spaced_until is not None and self.spaced_until > self.now

    def space(self, seconds: float, space_seconds: float) -> None:
        """For `seconds`, keep `space_seconds` between two requests, and before the next one."""
        until = Now() + timedelta(seconds=seconds)
        self._write(spaced_until=until, space_seconds=space_seconds)
        self.hold(space_seconds, _FEW)

    def note_request(self) -> None:
        """A request begins: where few are left, the next one waits. Needs the policy's lock."""
        if self.is_spaced:
            self.hold(self.space_seconds, _FEW)

    # The breaker.

    @property
    def is_breaker_open(self) -> bool:
        """Mave failed too often: open until a single call has shown that it works again."""
        return self.breaker_until is not None

    @property
    def next_trial_at(self) -> datetime:
        """When an open breaker admits the next call."""
        return max(self.breaker_until or self.now, self.now)

    def admits(self, in_flight: ResearchQuerySet) -> bool:
        """Whether the breaker admits a call: always when closed, one at a time after its pause."""
        if self.breaker_until is None:
            return True
        if self.breaker_until > self.now:
            return False
        return not in_flight.filter(started_at__gte=self.opened_at).exists()

    def is_trial(self, call: MaveCall) -> bool:
        """Whether the call was admitted to find out whether Mave works again."""
        return self.opened_at is not None and call.started_at >= self.opened_at

    def open_breaker(self, reason: str, code: str = "") -> int:
        """Closed -> open for a minute; open -> open for twice as long as before.

        Returns the seconds. Needs the policy's lock.
        """
        seconds = _longer(self.breaker_pause_seconds)
        self._write(
            opened_at=self.opened_at or Now(),
            breaker_until=Now() + timedelta(seconds=seconds),
            breaker_pause_seconds=seconds,
            breaker_reason=reason[:300],
            breaker_code=code,
        )
        return seconds

    def close_breaker(self) -> bool:
        """Open -> closed. Faults until now no longer count; False if it is closed already.

        Needs the policy's lock.
        """
        closed = MaveHealth.objects.filter(pk=self.pk, breaker_until__isnull=False).update(
            opened_at=None,
            breaker_until=None,
            breaker_pause_seconds=0,
            breaker_reason="",
            breaker_code="",
            closed_at=Now(),
        )
        return bool(closed)

    @property
    def breaker_in_full(self) -> str:
        """The reason with Mavera's code."""
        return in_full(self.breaker_reason, self.breaker_code)

    @property
    def why_held(self) -> str:
        """Why Mavera is not asked now, in words; empty if it may be."""
        if self.is_breaker_open:
            at = clock(self.next_trial_at)
            return f"Mave fails ({self.breaker_reason}) and is tried again at {at}"
        return self.held_reason if self.is_held else ""

    # Probing, while research is paused by Mavera.

    @property
    def next_probe_at(self) -> datetime:
        """When Mavera is asked for free whether a pause of its own is over."""
        return max(self.probe_at or self.now, self.now)

    def is_probe_due(self, policy: ResearchPolicy) -> bool:
        is_time = self.probe_at is None or self.probe_at <= self.now
        return policy.is_paused_by_mavera and not self.is_held and is_time

    def put_probe_off(self) -> None:
        """The next probe comes after a pause twice as long as the last. Needs the policy's lock."""
        seconds = _longer(self.probe_pause_seconds)
        self._write(probe_at=Now() + timedelta(seconds=seconds), probe_pause_seconds=seconds)

    def end_probing(self) -> None:
        """Mave answered: the next pause is probed soon again. Needs the policy's lock."""
        self._write(probe_pause_seconds=0)

    def _write(self, **fields: Any) -> None:
        MaveHealth.objects.filter(pk=self.pk).update(**fields)


def _longer(seconds: int) -> int:
    """Twice the last pause, but at least the first pause and at most the longest."""
    return min(max(2 * seconds, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
