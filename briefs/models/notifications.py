"""Who is told, what they are told, and the alarms they are told of.

A notification is a row before it is a message. It is tried until it is sent, six times at most. A
sending whose outcome is not known is tried again as well, so a message may arrive twice.
"""

import uuid
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from briefs.models import sealing
from briefs.models.briefs import Brief
from briefs.models.priority import Priority

BY_MAIL = "account://"  # to the mail address of the person, by the mail server of Savedesk
LEASE = timedelta(seconds=30)  # longer than a sending may take
MAX_TRIES = 6
BACKOFF = [timedelta(minutes=m) for m in (1, 5, 15, 60, 180)]
TELL_AGAIN_AFTER = timedelta(hours=6)
CALM = timedelta(minutes=5)  # without trouble, until an alarm is closed: trouble may come back


class NotificationTarget(models.Model):
    """An address that gets messages. It is encrypted, because it contains passwords and tokens."""

    name = models.CharField(max_length=100, unique=True, help_text="Who reads it: “#retention”.")
    scheme = models.CharField(max_length=20, editable=False)
    sealed_address = models.TextField(editable=False)
    minimum_priority = models.PositiveSmallIntegerField(
        "new briefs from",
        choices=Priority.choices,
        null=True,
        blank=True,
        default=Priority.URGENT,
        help_text="Told of new briefs of this priority and above. Empty: of none. As long as no "
        "thresholds are set nothing is Urgent, and Urgent means High.",
    )
    gets_alarms = models.BooleanField(
        default=False,
        help_text="Told when the feed from Customer.io or the research is in trouble.",
    )
    gets_forgotten = models.BooleanField(
        "gets the list of forgotten briefs",
        default=False,
        db_default=False,
        help_text="Told once a day which briefs nobody worked on: they are unassigned by then.",
    )
    is_active = models.BooleanField(default=True)
    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="notification_target",
        help_text="Told of what is assigned to them, and where they are mentioned.",
    )
    tried_at = models.DateTimeField(null=True, blank=True, editable=False)
    history = HistoricalRecords(excluded_fields=["sealed_address", "tried_at", "person"])

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """In clear, for sending only. Raises sealing.Unreadable."""
        return sealing.unseal(self.sealed_address)

    @address.setter
    def address(self, address: str) -> None:
        self.scheme, self.sealed_address = sealing.scheme_of(address), sealing.seal(address)

    @property
    def present_address(self) -> str:
        """The address in clear; for somebody who wants mail, with their mail address of today."""
        address = self.address
        mail = self.person.email if self.person and address == BY_MAIL else ""
        return f"{address}{mail}"

    def seal_anew(self) -> bool:
        """Seal the address by the present key if a former one did; tells whether it did.

        Writes nothing if somebody has entered another address meanwhile. Raises sealing.Unreadable.
        """
        before = self.sealed_address
        if sealing.is_by_present_key(before):
            return False
        self.sealed_address = sealing.seal(self.address)
        same = NotificationTarget.objects.filter(pk=self.pk, sealed_address=before)
        return bool(same.update(sealed_address=self.sealed_address))

    @property
    def masked_address(self) -> str:
        return f"{self.scheme}://…"

    @property
    def trouble(self) -> str:
        """Why nothing can be sent there, in words; empty if it can be tried."""
        try:
            return "" if self.address else "it has no address"
        except sealing.Unreadable as error:
            return str(error)


class NotificationQuerySet(models.QuerySet["Notification"]):
    def due(self) -> Self:
        """To be sent now, by the database's clock."""
        ready = Q(available_at=None) | Q(available_at__lte=Now())
        return self.filter(ready, status=Notification.Status.PENDING)

    def under_way(self) -> Self:
        return self.filter(status=Notification.Status.SENDING, lease_until__gte=Now())

    def lost(self) -> Self:
        """Their worker is gone, and whether they were sent is not known."""
        return self.filter(status=Notification.Status.SENDING, lease_until__lt=Now())

    def held_by(self, token: uuid.UUID) -> Self:
        return self.filter(status=Notification.Status.SENDING, lease_token=token)

    # Arrows for many at once.

    def cancel(self, reason: str, digest: "Notification | None" = None) -> int:
        """PENDING -> CANCELLED, perhaps because a digest tells it; returns how many."""
        return self.filter(status=Notification.Status.PENDING).update(
            status=Notification.Status.CANCELLED,
            status_reason=reason,
            digest=digest,
            finished_at=Now(),
        )

    def retry(self) -> int:
        """FAILED -> PENDING with all its tries, because a person wants it; returns how many."""
        return self.filter(status=Notification.Status.FAILED).update(
            status=Notification.Status.PENDING, tries=0, available_at=Now(), finished_at=None
        )

    def restore(self) -> int:
        """CANCELLED -> PENDING: somebody needs it after all; returns how many."""
        return self.filter(status=Notification.Status.CANCELLED).update(
            status=Notification.Status.PENDING, status_reason="", finished_at=None
        )


class Notification(models.Model):
    """One message to one target: the outbox."""

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting"  # due at available_at
        SENDING = "sending", "Being sent"  # leased by a worker; not sent if the lease runs out
        SENT = "sent", "Sent"  # the other side took it
        FAILED = "failed", "Failed"  # given up after the last try; the reason is that of this try
        CANCELLED = "cancelled", "Cancelled"  # told in a digest, or nobody needs it any more

    class Kind(models.TextChoices):
        BRIEF = "brief", "New brief"
        DIGEST = "digest", "New briefs, in one"
        INCIDENT = "incident", "Incident"
        ALARM = "alarm", "Alarm"
        FORGOTTEN = "forgot", "Forgotten briefs of a day"
        # To one person.
        ASSIGNED = "assigned", "Brief assigned to you"
        WOKEN = "woken", "Your brief woke up"
        BULK = "bulk", "Many briefs assigned to you"
        MENTION = "mention", "You are mentioned"
        TEST = "test", "Test"

    target = models.ForeignKey(
        NotificationTarget, on_delete=models.CASCADE, related_name="notifications"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    brief = models.ForeignKey(
        Brief, on_delete=models.CASCADE, null=True, blank=True, related_name="notifications"
    )
    digest = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="parts"
    )
    dedupe_key = models.CharField(
        max_length=100, help_text="What it tells; one row for each target."
    )
    subject = models.CharField(max_length=200)
    body = models.TextField()

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    status_reason = models.TextField(blank=True)
    tries = models.PositiveIntegerField(default=0)
    available_at = models.DateTimeField(null=True, blank=True, help_text="Empty: at once.")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["target", "dedupe_key"], name="notification_told_once"),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "sending", "sent", "failed", "cancelled"]),
                name="notification_status_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["target", "id"],
                condition=Q(status__in=["pending", "sending"]),
                name="notification_to_do",
            ),
            models.Index(fields=["target", "-started_at"], name="notification_pace"),
            models.Index(fields=["created_at"], name="notification_created_at"),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def max_tries(self) -> int:
        return 1 if self.kind == self.Kind.TEST else MAX_TRIES  # somebody waits for a test

    # Arrows. Each writes only from the state it leads out of and says whether it did.

    def claim(self) -> uuid.UUID | None:
        """PENDING and due -> SENDING; the lease's token, or None if it is not to be sent now."""
        token = uuid.uuid4()
        claimed = (
            Notification.objects.due()
            .filter(pk=self.pk)
            .update(
                status=self.Status.SENDING,
                status_reason="",
                tries=F("tries") + 1,
                lease_token=token,
                lease_until=Now() + LEASE,
                started_at=Now(),
            )
        )
        self.refresh_from_db()
        return token if claimed else None

    def sent(self, token: uuid.UUID) -> bool:
        """SENDING -> SENT."""
        return self._leave(token, status=self.Status.SENT, status_reason="", finished_at=Now())

    def try_again(self, token: uuid.UUID, reason: str) -> bool:
        """SENDING -> PENDING until its next try is due, or FAILED after the last."""
        if self.tries >= self.max_tries:
            return self._leave(
                token, status=self.Status.FAILED, status_reason=reason, finished_at=Now()
            )
        delay = BACKOFF[min(self.tries, len(BACKOFF)) - 1]
        return self._leave(
            token,
            status=self.Status.PENDING,
            status_reason=f"try {self.tries}: {reason}",
            available_at=Now() + delay,
        )

    def cancel(self, reason: str) -> bool:
        """PENDING -> CANCELLED: nobody needs it any more."""
        cancelled = Notification.objects.filter(pk=self.pk).cancel(reason)
        self.refresh_from_db()
        return bool(cancelled)

    def _leave(self, token: uuid.UUID, **fields: object) -> bool:
        changed = (
            Notification.objects.held_by(token)
            .filter(pk=self.pk)
            .update(lease_token=None, lease_until=None, **fields)
        )
        # Whoever it tells of may have been erased while it was being sent.
        if changed or Notification.objects.filter(pk=self.pk).exists():
            self.refresh_from_db()
        return bool(changed)


class Alarm(models.Model):
    """One kind of trouble: since when, in which words, and when it was told last."""

    class Kind(models.TextChoices):
        HELD_BACK = "held_back", "Customer.io is held back"
        WRONG_SIGNATURE = "wrong_signature", "Webhooks are rejected"
        SILENCE = "silence", "No webhooks come in"
        MAIL_REFUSED = "mail_refused", "Our mail is refused"
        NO_BRIEFS = "no_briefs", "Signals arrive and briefs do not"
        WAITING = "waiting", "Events are not processed"
        PAUSED = "paused", "Research is paused"
        STUCK = "stuck", "A process was restarted"
        MAVE_FAILS = "mave_fails", "Mave has been failing for a while"
        DAY_BUDGET = "day_budget", "The day's research budget is being used up"
        MONTH_BUDGET = "month_budget", "The month's research budget is being used up"

    kind = models.CharField(max_length=16, choices=Kind.choices, unique=True)
    words = models.TextField(help_text="What is wrong, what it does, and the cure.")
    reason = models.CharField(
        max_length=400,
        blank=True,
        default="",
        db_default="",  # hosts of the version before do not know it
        help_text="Which trouble of its kind it is: told at once when it becomes another.",
    )
    opened_at = models.DateTimeField(null=True, blank=True)
    quiet_since = models.DateTimeField(
        null=True, blank=True, help_text="Over once it has been quiet for 5 minutes."
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    last_told_at = models.DateTimeField(null=True, blank=True)
    times_told = models.PositiveIntegerField(default=0, help_text="Since it was opened.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(opened_at__isnull=False),
                name="alarm_opened_before_closed",
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None and self.closed_at is None

    # Arrows. They need the row's lock and an open transaction.

    def open(self, words: str, reason: str = "") -> None:
        """Never opened or closed -> open."""
        self._write(
            words=words,
            reason=reason,
            opened_at=Now(),
            quiet_since=None,
            closed_at=None,
            last_told_at=None,
            times_told=0,
        )

    def go_on(self, words: str, reason: str = "") -> None:
        """Open -> open: the trouble lasts, or came back before the alarm was closed."""
        self._write(words=words, reason=reason, quiet_since=None)

    def grow_quiet(self) -> None:
        """Open -> open: the trouble is gone as of now. The alarm is closed after CALM."""
        self._write(quiet_since=Now())

    def close(self) -> None:
        """Open and quiet -> closed, at the time since when it has been quiet."""
        self._write(closed_at=F("quiet_since"))

    def was_told(self) -> None:
        self._write(last_told_at=Now(), times_told=F("times_told") + 1)

    def _write(self, **fields: object) -> None:
        Alarm.objects.filter(pk=self.pk).update(**fields)
        self.refresh_from_db()
