"""How long rows are kept: the team's numbers, the nightly removal, and a record of sizes.

What ends, and how, is in `operations/pruning/`.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from simple_history.models import HistoricalRecords

# Customer.io tries again for 7 days. An event that it sends once more after its row is gone would
# be a new one, so no row goes before that: every number of days has to be larger.
LEAST_DAYS = 8
LEAST_LOGIN_DAYS = 31  # an address from which somebody signed in is known for 30 days
LEAST_VERSIONS = 50
# People are told for so long before events that they could still retry are deleted.
TOLD_BEFORE = timedelta(days=7)
LEASE = timedelta(seconds=90)  # longer than a batch and the wait after it
WAKE_AGAIN_AFTER = timedelta(minutes=10)  # all workers of the cluster may be busy for minutes

FOR_EVER = "0 or empty: for ever."


def _days(name: str, default: int, help_text: str) -> Any:
    return models.PositiveIntegerField(
        name, null=True, blank=True, default=default, db_default=default,
        help_text=f"Days. {help_text} {FOR_EVER}",
    )  # fmt: skip


class RetentionPolicy(models.Model):
    """One row: after how many days what is removed. None and 0 mean for ever."""

    body_days = _days(
        "raw bodies",
        35,
        "What Customer.io sent, byte for byte. After that an event can no longer be processed "
        "again, and the rules can no longer be tried on it. What became of it stays.",
    )
    ignored_days = _days("ignored events", 90, "Events that led to nothing, and signed tests.")
    event_days = _days(
        "other events",
        400,
        "Events that became a signal, and the hourly counts of answers. Signals and briefs stay, "
        "and so do all figures. The event of an open brief stays as long as the brief is open.",
    )
    failed_days = _days(
        "failed and quarantined events",
        90,
        "Events that failed on every try or were quarantined, with their bodies, because they can "
        "still be retried. Webhook health says so a week before the first of them goes.",
    )
    notification_days = _days(
        "notifications", 180, "Messages that were sent, failed or were not needed."
    )
    login_days = _days("log-ins", 90, "Who signed in or failed to, from which address.")
    search_days = _days("recent searches", 90, "What somebody searched for last.")
    task_days = _days("tasks of the queue", 30, "Rows of the queue about tasks that ended.")
    rule_versions = models.PositiveIntegerField(
        "versions of the rules",
        null=True,
        blank=True,
        default=200,
        db_default=200,
        help_text="So many of the newest keep all their rules. Of older ones those do by which a "
        "brief or a signal was made; of the others stays who changed what, when and why, "
        f"and they can no longer be restored. {FOR_EVER}",
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = verbose_name_plural = "retention policy"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="retentionpolicy_is_one_row")]

    def __str__(self) -> str:
        return "Retention policy"

    @classmethod
    def current(cls) -> "RetentionPolicy":
        """The row; one with the defaults where nobody has saved any."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    def clean(self) -> None:
        """Refuse what would remove a row that is still needed; each field says why."""
        errors = {}
        for name in ("body_days", "ignored_days", "event_days", "failed_days"):
            if (days := getattr(self, name)) and days < LEAST_DAYS:
                errors[name] = (
                    f"At least {LEAST_DAYS} days: Customer.io sends an event again for up to 7 "
                    "days, and it must be known by then."
                )
            elif name != "body_days" and days and self.body_days and days < self.body_days:
                errors[name] = (
                    f"At least as long as bodies, {self.body_days} days: the body goes with its "
                    "event."
                )
        if self.login_days and self.login_days < LEAST_LOGIN_DAYS:
            errors["login_days"] = (
                f"At least {LEAST_LOGIN_DAYS} days: an address from which somebody signed in "
                "within 30 days is not locked with the name."
            )
        if self.rule_versions and self.rule_versions < LEAST_VERSIONS:
            errors["rule_versions"] = f"At least {LEAST_VERSIONS}: the last edits can be undone."
        if errors:
            raise ValidationError(errors)

    def before(self, field: str, now: datetime) -> datetime | None:
        """What is older than this moment is over by this number of days; None: nothing is."""
        days = getattr(self, field)
        return now - timedelta(days=days) if days else None


class Pruning(models.Model):
    """One row: the nightly removal of what is over, who is at it, and what came of it.

    | from      | arrow                                    | to                             |
    |---|---|---|
    | waiting   | `claim` by the night's task or a command | held by one worker             |
    | held      | `begin`, `removed_some` for each batch   | a run is under way             |
    | held      | `release`: the worker's time is over     | under way, free to be claimed  |
    | held      | `finish`: nothing is left                | waiting for the next night     |
    | held      | `failed`                                 | waiting for an hour            |
    """

    made_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(help_text="Not begun before, unless by the command.")
    woken_at = models.DateTimeField(null=True, blank=True, help_text="A wake-up is on its way.")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    begun_at = models.DateTimeField(null=True, blank=True, help_text="A run is under way.")
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When the last run ended.")
    removed = models.JSONField(default=dict, help_text="Rows of this or the last run, by kind.")
    seconds = models.FloatField(default=0, help_text="Of work in it, without the pauses.")
    trouble = models.CharField(max_length=200, blank=True, default="")
    failing_since = models.DateTimeField(null=True, blank=True)
    # Since when Webhook health tells of failed events that are going to be deleted.
    told_at = models.DateTimeField(null=True, blank=True)
    told_days = models.PositiveIntegerField(null=True, blank=True, help_text="By which number.")

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="pruning_is_one_row")]

    def __str__(self) -> str:
        return f"finished {self.finished_at}" if self.finished_at else "never finished"

    @classmethod
    def known(cls) -> "Pruning | None":
        """The row; None before the first sweep."""
        return cls.objects.filter(pk=1).first()

    @classmethod
    def made(cls, due_at: datetime) -> "Pruning":
        """The row; one that is new is due at this moment."""
        Pruning.objects.bulk_create([Pruning(pk=1, due_at=due_at)], ignore_conflicts=True)
        return cls.objects.get(pk=1)

    def may_wake(self) -> bool:
        """Note that a wake-up is sent; False if none is needed: nothing is due, or it is held."""
        none = Q(woken_at=None) | Q(woken_at__lt=Now() - WAKE_AGAIN_AFTER)
        return bool(self._free().filter(none, due_at__lte=Now()).update(woken_at=Now()))

    def claim(self, *, is_asked: bool = False) -> bool:
        """Take the row; False while another worker has it, or if nothing is due nor asked for."""
        rows = self._free() if is_asked else self._free().filter(due_at__lte=Now())
        token = uuid.uuid4()
        taken = rows.update(lease_token=token, lease_until=Now() + LEASE)
        self.refresh_from_db()
        self.lease_token = token  # never that of another worker
        return bool(taken)

    # Arrows of who holds it. False if the lease is lost: then nothing is written.

    def begin(self) -> bool:
        """Begin a run, unless one is under way, with which this goes on."""
        if self.begun_at is not None:
            return self._write()
        return self._write(begun_at=Now(), removed={}, seconds=0)

    def removed_some(self, key: str, number: int, seconds: float) -> bool:
        """Count a batch. In its transaction, so that one without the lease is taken back."""
        removed = {**self.removed, key: self.removed.get(key, 0) + number}
        return self._write(removed=removed, seconds=F("seconds") + seconds)

    def hold(self) -> bool:
        return self._write()

    def tell(self, days: int | None) -> bool:
        """Failed events are going to be deleted by this number of days; None: none are.

        A smaller number is told anew: it reaches events of which nobody was told.
        """
        if days is None:
            return self._write(told_at=None, told_days=None)
        if self.told_days is None or days < self.told_days:
            return self._write(told_at=Now(), told_days=days)
        return self._write(told_days=days)

    def finish(self, due_at: datetime) -> bool:
        return self._write(
            begun_at=None, finished_at=Now(), due_at=due_at, trouble="", failing_since=None,
        )  # fmt: skip

    def failed(self, why: str, pause: timedelta) -> bool:
        return self._write(
            trouble=why[:200],
            failing_since=Coalesce("failing_since", Now()),
            due_at=Now() + pause,
        )

    def release(self) -> bool:
        return self._write(lease_token=None, lease_until=None, woken_at=None)

    def _write(self, **fields: Any) -> bool:
        mine = Pruning.objects.filter(pk=1, lease_token=self.lease_token)
        changed = mine.update(**{"lease_until": Now() + LEASE, **fields})
        if changed:
            self.refresh_from_db()
        return bool(changed)

    def _free(self) -> models.QuerySet["Pruning"]:
        return Pruning.objects.filter(Q(lease_until=None) | Q(lease_until__lt=Now()), pk=1)


class DailySize(models.Model):
    """What the tables took on one day, in UTC: from two of them follows the growth."""

    day = models.DateField(primary_key=True)
    tables = models.JSONField(default=dict, help_text="Bytes, or null, and rows, by table.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.day)
