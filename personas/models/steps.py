"""What to do first about a signal: the team's first steps, by kind of signal and by persona.

`personas.rules.steps` says which of them is for a case.
"""

import re
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import ProtectedError
from simple_history.models import HistoricalRecords

from personas.models.personas import Persona
from personas.models.signals import Effect, SignalKind, SignalRule

DETAIL = "{detail}"
# Kinds whose detail is the name of a channel or of topics. That of a link scanner names a company.
DETAILED = (SignalKind.CHANNEL_OPT_OUT, SignalKind.TOPIC_OPT_OUT)
MOST_HOURS = 400  # about ten weeks of work
_PLACEHOLDER = re.compile(r"\{[^{}]*\}|[{}]")


class StepChannel(models.TextChoices):
    """By which way a step contacts the customer; keys as `briefs.reading.channels` names them."""

    EMAIL = "email", "E-mail"
    PHONE = "phone", "Phone call"
    SMS = "sms", "SMS"
    WHATSAPP = "whatsapp", "WhatsApp"
    PUSH = "push", "Push"
    IN_APP = "in_app", "In-app message"
    LETTER = "letter", "Letter"
    IN_PERSON = "in_person", "In person"


def kinds_in_use() -> set[str]:
    """The kinds of signals that a brief may have: those that a rule gives, and link scanners."""
    opening = SignalRule.objects.filter(effect=Effect.OPENS_BRIEF)
    return {*opening.values_list("kind", flat=True), SignalKind.SCANNER.value}


class FirstStepQuerySet(models.QuerySet["FirstStep"]):
    def of_signals(self) -> Self:
        """The signals' own steps, which hold for all personas."""
        return self.filter(persona=None)

    def kinds_left_without(self) -> list[str]:
        """Labels of the kinds in use that would have no own step if these steps were deleted."""
        touched = set(self.of_signals().values_list("kind", flat=True)) & kinds_in_use()
        others = FirstStep.objects.of_signals().exclude(pk__in=self.values("pk"))
        left = touched - set(others.values_list("kind", flat=True))
        return [str(kind.label) for kind in SignalKind if kind.value in left]

    @transaction.atomic
    def delete(self) -> tuple[int, dict[str, int]]:
        """Raises ProtectedError if a kind in use would be left without a step."""
        _lock()
        if labels := self.kinds_left_without():
            raise ProtectedError(last_words(labels), set(self))
        return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]  # no template may call it
    delete.queryset_only = True  # type: ignore[attr-defined]  # as Django's own


def _lock() -> None:
    """Two people who delete the last two steps of a kind at once must not both succeed."""
    list(FirstStep.objects.order_by("pk").select_for_update().values_list("pk", flat=True))


def last_words(labels: list[str]) -> str:
    names = " and ".join(f"“{label}”" for label in labels)
    return (
        f"This is the last first step of {names}, and briefs are opened for that. Add another one "
        "for it first."
    )


def channel_keys(value: Any) -> None:
    known = set(StepChannel.values)
    if not isinstance(value, list) or len(value) != len({*map(str, value)}) or {*value} - known:
        raise ValidationError(f"Name each channel once, out of: {', '.join(StepChannel.values)}.")


class FirstStep(models.Model):
    """One sentence: what to do first. Of several for one case, the first that fits is shown."""

    kind = models.CharField("signal", max_length=20, choices=SignalKind.choices)
    persona = models.ForeignKey(
        Persona,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="first_steps",
        help_text="Only for customers of this persona; it goes before the signal's own steps. "
        "Empty: the signal's own step, for everybody.",
    )
    position = models.PositiveIntegerField(
        "order",
        default=10,
        help_text="Of several steps for one case, they are tried in this order.",
    )
    text = models.CharField(
        "what to do",
        max_length=300,
        help_text=f"One sentence: who does what. In steps for channels and topics, {DETAIL} stands "
        "for the name of the channel or of the topics.",
    )
    channels = models.JSONField(
        default=list,
        blank=True,
        validators=[channel_keys],
        help_text="How it contacts the customer. If one of these is closed for a customer, the "
        "next step is shown. None: the step contacts nobody, so it always fits.",
    )
    is_wait = models.BooleanField(
        "waits", default=False, help_text="It waits for the customer, so it is never overdue."
    )
    within_hours = models.PositiveSmallIntegerField(
        "within working hours",
        default=8,
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_HOURS)],
        help_text="How many working hours it may take. Empty for a step that waits.",
    )
    history = HistoricalRecords()

    objects = FirstStepQuerySet.as_manager()

    class Meta:
        ordering = ["kind", "persona__position", "position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_wait=True, within_hours=None)
                | models.Q(is_wait=False, within_hours__gt=0),
                name="firststep_waits_or_has_a_time",
                violation_error_message="A step either waits or has a time.",
            )
        ]

    def __str__(self) -> str:
        of = f" of “{self.persona}”" if self.persona_id else ""
        return f"{self.get_kind_display()}{of}: {self.text[:60]}"

    def get_channels_display(self) -> str:
        """The channels in words, as lists and the history show them."""
        labels = [StepChannel(key).label for key in self.channels if key in StepChannel.values]
        return ", ".join(map(str, labels)) or "none"

    @property
    def time_words(self) -> str:
        if self.is_wait:
            return "waits"
        return f"within {self.within_hours} working hour{'' if self.within_hours == 1 else 's'}"

    def clean(self) -> None:
        self.text = " ".join(self.text.split())
        if self.is_wait and self.within_hours is not None:
            raise ValidationError(
                {"within_hours": "A step that waits has no time: leave it empty."}
            )
        if not self.is_wait and self.within_hours is None:
            words = "Say within how many working hours, or that the step waits."
            raise ValidationError({"within_hours": words})
        self._refuse_placeholders()
        before = FirstStep.objects.filter(pk=self.pk).first() if self.pk else None
        if before and (self.persona_id or self.kind != before.kind):
            labels = FirstStep.objects.filter(pk=self.pk).kinds_left_without()
            if labels:
                raise ValidationError(last_words(labels))

    def _refuse_placeholders(self) -> None:
        used = set(_PLACEHOLDER.findall(self.text))
        if used - {DETAIL}:
            raise ValidationError({"text": f"In braces, only {DETAIL} is understood."})
        if used and self.kind not in DETAILED:
            names = " and ".join(f"“{kind.label}”" for kind in DETAILED)
            raise ValidationError({"text": f"{DETAIL} is only for the signals {names}."})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Raises ProtectedError if it is the last step of a kind in use."""
        with transaction.atomic():
            _lock()
            if labels := FirstStep.objects.filter(pk=self.pk).kinds_left_without():
                raise ProtectedError(last_words(labels), {self})
            return super().delete(*args, **kwargs)
