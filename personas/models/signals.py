"""Which events mean something: the rules that turn an event into a signal."""

from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property
from simple_history.models import HistoricalRecords

from personas.models.conditions import Condition, MatchMode


class SignalKind(models.TextChoices):
    UNSUBSCRIBED = "unsubscribed", "Unsubscribed"
    SPAM_COMPLAINT = "spam_complaint", "Spam complaint"
    ALL_TOPICS_OFF = "all_topics_off", "All topics off"
    CHANNEL_OPT_OUT = "channel_opt_out", "Channel opt-out"
    TOPIC_OPT_OUT = "topic_opt_out", "Topic opt-out"
    ADDRESS_GONE = "address_gone", "Address gone"
    BOUNCED = "bounced", "Bounced, cause unclear"
    MAILBOX_FULL = "mailbox_full", "Mailbox full or busy"
    BLOCKED = "blocked", "Blocked by policy"
    OTHER_ADDRESS = "other_address", "Another address, not theirs"
    DROPPED = "dropped", "Dropped"
    SCANNER = "scanner", "Probably a link scanner"
    SUBSCRIBED = "subscribed", "Subscribed again"
    CHANNEL_OPT_IN = "channel_opt_in", "Channel opt-in"
    TOPIC_OPT_IN = "topic_opt_in", "Topic opt-in"
    REACHED = "reached", "Reached again"
    CONVERTED = "converted", "Converted"
    NOT_SENT = "not_sent", "Could not be sent"
    OTHER = "other", "Other"


class Effect(models.TextChoices):
    OPENS_BRIEF = "opens_brief", "Opens a brief, if the persona is worth one"
    GOOD_NEWS = "good_news", "Good news on the customer's timeline"
    TIMELINE = "timeline", "An entry on the customer's timeline, nothing more"
    NOTICE = "notice", "No brief: a notice for the engineer"
    IGNORE = "ignore", "Nothing: the reason is kept with the event"


class Severity(models.IntegerChoices):
    LOW = 1, "Low"
    MEDIUM = 2, "Medium"
    HIGH = 3, "High"


class Level(models.TextChoices):
    ANY = "any", "either"
    PERSON = "person", "about the person"
    DELIVERY = "delivery", "about one message"


def _words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",") if word.strip()]


class SignalRule(models.Model):
    """Says which events lead to which signal. The first active rule that fits an event decides."""

    position = models.PositiveIntegerField(default=100, help_text="Rules are tried in this order.")
    name = models.CharField(max_length=100, unique=True)
    is_active = models.BooleanField(default=True)
    object_types = models.CharField(
        max_length=200,
        blank=True,
        help_text="email, customer, sms, push, … separated by commas. Empty: any.",
    )
    metrics = models.CharField(
        max_length=300, help_text="unsubscribed, bounced, … separated by commas."
    )
    level = models.CharField(
        max_length=8,
        choices=Level.choices,
        default=Level.ANY,
        help_text="Customer.io reports one click on “unsubscribe” about the person, about the "
        "message, or both.",
    )
    match = models.CharField("holds if", max_length=3, choices=MatchMode.choices, default="all")
    kind = models.CharField("signal", max_length=20, choices=SignalKind.choices)
    effect = models.CharField(max_length=12, choices=Effect.choices, default=Effect.OPENS_BRIEF)
    severity = models.PositiveSmallIntegerField(choices=Severity.choices, default=Severity.MEDIUM)
    note = models.CharField(
        max_length=300, blank=True, help_text="Added to the reason that the event shows."
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["position", "pk"]
        indexes = [models.Index(fields=["position"], name="signalrule_position")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if not _words(self.metrics):
            raise ValidationError({"metrics": "Name at least one metric."})
        steps: Any = apps.get_model("personas", "FirstStep")  # its module imports this one
        is_known = not self.kind or steps.objects.of_signals().filter(kind=self.kind).exists()
        if self.effect == Effect.OPENS_BRIEF and not is_known:
            # Of no field: the list of rules has no field for the signal, and is checked too.
            raise ValidationError(
                f"“{self.get_kind_display()}” has no first step, so its briefs could not say what "
                "to do. Add one for this signal, without a persona, under “First steps”; then save "
                "this rule."
            )

    @cached_property
    def metric_list(self) -> list[str]:
        return _words(self.metrics)

    @cached_property
    def object_type_list(self) -> list[str]:
        return _words(self.object_types)

    @cached_property
    def condition_list(self) -> "list[SignalCondition]":
        """All conditions, read once: a batch asks for them thousands of times."""
        return list(self.conditions.all())

    def covers(self, object_type: str, metric: str, level: str) -> bool:
        """Whether the rule is about this kind of event; its conditions are checked separately."""
        types = self.object_type_list
        return (
            metric in self.metric_list
            and (not types or object_type in types)
            and self.level in (Level.ANY, level)
        )


class SignalCondition(Condition):
    rule = models.ForeignKey(SignalRule, on_delete=models.CASCADE, related_name="conditions")
    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["pk"]
        verbose_name = "condition on the event"
