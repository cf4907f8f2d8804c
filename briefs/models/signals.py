"""A signal: what the rules understood of one event, linked to what the event caused."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now

from briefs.models.briefs import Brief
from personas.models import Customer, Effect, Persona, Severity, SignalKind, SignalRule
from webhooks.models import WebhookEvent

# Customer.io reports one click on "unsubscribe" about the person, about the message, or both.
SAME_ACT_WITHIN = timedelta(hours=1)
# All that `briefs.reading.channels` asks about. A customer may have thousands of others, such as
# conversions.
ABOUT_CHANNELS = (
    SignalKind.UNSUBSCRIBED, SignalKind.SUBSCRIBED, SignalKind.ALL_TOPICS_OFF,
    SignalKind.TOPIC_OPT_IN, SignalKind.SPAM_COMPLAINT, SignalKind.ADDRESS_GONE,
    SignalKind.DROPPED, SignalKind.BOUNCED, SignalKind.MAILBOX_FULL, SignalKind.BLOCKED,
)  # fmt: skip


class SignalQuerySet(models.QuerySet["Signal"]):
    def about_channels(self) -> Self:
        """Signals that open or close a channel to the customer, however old they are."""
        return self.filter(kind__in=ABOUT_CHANNELS)


class Signal(models.Model):
    """One event as the rules understood it. It links the event to all it caused."""

    event = models.OneToOneField(
        WebhookEvent, on_delete=models.SET_NULL, null=True, blank=True, related_name="signal"
    )
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="signals")
    rule = models.ForeignKey(SignalRule, on_delete=models.SET_NULL, null=True, blank=True)
    persona = models.ForeignKey(Persona, on_delete=models.SET_NULL, null=True, blank=True)
    brief = models.ForeignKey(
        Brief, on_delete=models.SET_NULL, null=True, blank=True, related_name="signals"
    )
    kind = models.CharField(max_length=20, choices=SignalKind.choices)
    detail = models.CharField(
        max_length=300,
        blank=True,
        default="",
        db_default="",
        help_text="What exactly: the channel or the topics by their names.",
    )
    effect = models.CharField(max_length=12, choices=Effect.choices)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices)
    level = models.CharField(max_length=8)
    why = models.TextField(help_text="Names rule, persona, attribute and value.")
    message = models.JSONField(
        default=dict, help_text="Channel, campaign, subject and the like, as far as sent."
    )
    same_act_as = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="echoes",
        help_text="The signal that reported this very act first.",
    )
    happened_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    objects = SignalQuerySet.as_manager()

    class Meta:
        ordering = ["-happened_at", "-pk"]
        indexes = [
            models.Index(fields=["customer", "-happened_at"], name="signal_timeline"),
            models.Index(fields=["-happened_at"], name="signal_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.customer}"

    def is_same_act(self, other: "Signal") -> bool:
        """Whether the other signal reports the same act: of the other level, or repeated."""
        return self._is_other_side_of(other) or self._is_soft_duplicate_of(other)

    def _is_other_side_of(self, other: "Signal") -> bool:
        return (
            self.kind == other.kind == SignalKind.UNSUBSCRIBED
            and self.level != other.level
            and abs(self.happened_at - other.happened_at) <= SAME_ACT_WITHIN
        )

    def _is_soft_duplicate_of(self, other: "Signal") -> bool:
        """The same kind, level, delivery and second, under another event id."""
        return (
            self.kind == other.kind
            and self.level == other.level
            and self.happened_at == other.happened_at
            and self.message.get("delivery_id") == other.message.get("delivery_id")
        )
