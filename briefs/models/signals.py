"""A signal: what the rules understood of one event, linked to what the event caused."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import models
from django.db.models.functions import Now

from briefs.models.briefs import Brief, titled
from personas.models import Customer, Effect, Persona, Severity, SignalKind, SignalRule
from webhooks.models import WebhookEvent

# Customer.io reports one click on "unsubscribe" about the person, about the message, or both. The
# two reports state the moment of the click, seconds apart, however late they arrive.
SAME_ACT_WITHIN = timedelta(minutes=5)
# All that `briefs.reading.channels` asks about. A customer may have thousands of others, such as
# conversions.
ABOUT_CHANNELS = (
    SignalKind.UNSUBSCRIBED, SignalKind.SUBSCRIBED, SignalKind.ALL_TOPICS_OFF,
    SignalKind.TOPIC_OPT_IN, SignalKind.SPAM_COMPLAINT, SignalKind.ADDRESS_GONE,
    SignalKind.DROPPED, SignalKind.BOUNCED, SignalKind.MAILBOX_FULL, SignalKind.BLOCKED,
    SignalKind.CHANNEL_OPT_OUT, SignalKind.CHANNEL_OPT_IN, SignalKind.REACHED,
)  # fmt: skip


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
    # A plain number: a foreign key would be checked for each row of a batch.
    rules_version = models.IntegerField(
        "version of the rules", null=True, blank=True, help_text="By which it was understood."
    )
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

    class Meta:
        ordering = ["-happened_at", "-pk"]
        indexes = [
            models.Index(fields=["customer", "-happened_at"], name="signal_timeline"),
            models.Index(fields=["happened_at"], name="signal_happened_at"),
        ]

    def __str__(self) -> str:
        return f"{self.title} of {self.customer}"

    @property
    def title(self) -> str:
        """What happened and, where it is known, to what: “Topic opt-out: Product updates”."""
        return titled(self.get_kind_display(), self.detail)

    @property
    def turned(self) -> set[str]:
        """The channels that a preference or a reply turned on or off, by their keys."""
        return {key.strip() for key in self.message.get("turned", "").split(",")} - {""}

    def is_undone_by(self, opt_ins: "Iterable[Signal]") -> bool:
        """Whether each channel that this one turned off was turned on again later."""
        if self.kind != SignalKind.CHANNEL_OPT_OUT or not self.turned:
            return False
        later = (s for s in opt_ins if s.happened_at > self.happened_at)
        return self.turned <= {channel for signal in later for channel in signal.turned}

    def is_same_act(self, other: "Signal", between: "Iterable[Signal]") -> bool:
        """Whether the other signal, reported earlier, reports the same act.

        between: what the customer did at about that time. An act of the other direction, or an
        answer by the team that ended the other's brief, makes this one a new act.
        """
        is_duplicate = self._is_soft_duplicate_of(other)
        if not (is_duplicate or self._is_other_side_of(other)):
            return False
        if any(_is_back(signal) and signal._lies_between(self, other) for signal in between):
            return False
        return is_duplicate or not (other.brief and other.brief.was_closed_before(self.happened_at))

    def _is_other_side_of(self, other: "Signal") -> bool:
        return (
            self.kind == other.kind == SignalKind.UNSUBSCRIBED
            and self.level != other.level
            and abs(self.happened_at - other.happened_at) <= SAME_ACT_WITHIN
        )

    def _lies_between(self, one: "Signal", other: "Signal") -> bool:
        """By the time of happening; within one second, by the order in which events came."""
        first, last = sorted((one._order, other._order))
        return first < self._order < last

    @property
    def _order(self) -> tuple[datetime, int]:
        return self.happened_at, self.event_id or 0

    def _is_soft_duplicate_of(self, other: "Signal") -> bool:
        """The same kind, level, delivery and second, under another event id."""
        return (
            self.kind == other.kind
            and self.level == other.level
            and self.detail == other.detail
            and self.happened_at == other.happened_at
            and self.message.get("delivery_id") == other.message.get("delivery_id")
        )


def _is_back(signal: Signal) -> bool:
    return signal.kind in (
        SignalKind.SUBSCRIBED, SignalKind.CHANNEL_OPT_IN, SignalKind.TOPIC_OPT_IN,
    )  # fmt: skip
