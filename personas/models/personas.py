"""Who the customer is to us: personas, the conditions that pick one, and the attribute names."""

from collections.abc import Collection
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import ProtectedError, Q
from django.utils import timezone
from django.utils.functional import cached_property
from simple_history.models import HistoricalRecords

from personas.models import privacy
from personas.models.conditions import Condition, MatchMode
from personas.models.value import CURRENCY, ValueLevel, ValuePeriod


class AttributeName(models.Model):
    """A role that conditions speak of, and where a workspace keeps its value."""

    role = models.CharField(
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]*$", "Lower-case letters, digits and _.")],
        help_text="The word that conditions use: plan, industry, usage, value, …",
    )
    label = models.CharField(max_length=60, help_text="How briefs call it.")
    names = models.TextField(
        help_text="The attributes of Customer.io that may hold it, one a line, tried in this "
        "order. The first that is not empty counts."
    )
    help = models.CharField(max_length=200, blank=True, help_text="What the team should know.")
    # Of the role `value` alone: what its amounts mean.
    currency = models.CharField(
        max_length=3,
        default="USD",
        db_default="USD",
        help_text="In three letters: USD, EUR, GBP. For amounts that do not say it themselves.",
    )
    currency_attribute = models.CharField(
        "attribute with the currency",
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="If an attribute of each customer names it, in three letters. Empty: none does.",
    )
    period = models.CharField(
        "amounts are for",
        max_length=5,
        choices=ValuePeriod.choices,
        default=ValuePeriod.MONTH,
        db_default=ValuePeriod.MONTH,
        help_text="Values are compared by their amount for a month.",
    )
    other_period_names = models.TextField(
        "names of the other period",
        blank=True,
        default="",
        db_default="",
        help_text="Of the names above those with amounts for a year where the others are for a "
        "month, or the other way round, such as arr beside mrr. One a line.",
    )
    level = models.CharField(
        "an amount is of",
        max_length=7,
        choices=ValueLevel.choices,
        default=ValueLevel.COMPANY,
        db_default=ValueLevel.COMPANY,
        help_text="A company’s amount counts once in every sum, however many of its people "
        "signal. It needs the role company; without it each customer counts by themselves.",
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.role

    @property
    def name_list(self) -> list[str]:
        return [name.strip() for name in self.names.splitlines() if name.strip()]

    @property
    def other_period_list(self) -> list[str]:
        return [name.strip() for name in self.other_period_names.splitlines() if name.strip()]

    def clean(self) -> None:
        if not self.name_list:
            raise ValidationError({"names": "Name at least one attribute."})
        self.currency = self.currency.strip().upper()
        if self.role == "value" and not CURRENCY.fullmatch(self.currency):
            raise ValidationError({"currency": "Write the currency’s three letters, such as EUR."})
        known = {name.casefold() for name in self.name_list}
        if strange := [name for name in self.other_period_list if name.casefold() not in known]:
            words = f"“{strange[0]}” is none of the names above."
            raise ValidationError({"other_period_names": words})


class Assigns(models.TextChoices):
    """Who gets the new briefs of a persona."""

    NOBODY = "nobody", "Nobody: whoever takes it"
    PERSON = "person", "A person"
    GROUP = "group", "The members of a group in turn"
    OWNER = "owner", "The account owner named in an attribute"


class PersonaQuerySet(models.QuerySet["Persona"]):
    def in_use(self) -> Self:
        """Those that customers are compared with, and the two that serve all others."""
        return self.filter(retired_at=None)


class Persona(models.Model):
    """A kind of customer. The first persona in order whose conditions hold is the customer's."""

    class Value(models.TextChoices):
        HIGH = "high", "High"
        STANDARD = "standard", "Standard"
        LOW = "low", "Low"

    position = models.PositiveIntegerField(
        default=100, help_text="Personas are tried in this order."
    )
    name = models.CharField(max_length=100)
    description = models.TextField(help_text="Who they are and why they matter.")
    value = models.CharField(
        max_length=8,
        choices=Value.choices,
        default=Value.STANDARD,
        help_text="High: briefs are one step more urgent than their signal. Urgent are only those "
        "of a severe signal whose value is in the top tenth.",
    )
    opens_brief = models.BooleanField(
        default=True, help_text="Whether a churn signal of such a customer is worth a brief."
    )
    match = models.CharField("holds if", max_length=3, choices=MatchMode.choices, default="all")
    research_focus = models.TextField(
        blank=True,
        help_text="What Mave should look into for this persona. No names, no personal data.",
    )
    playbook = models.TextField(
        help_text="What to know and to keep to before any research is there, in Markdown. What to "
        "do first is told above it, by the signal: see “First steps”."
    )
    reuse_hours = models.PositiveIntegerField(
        default=168, help_text="How long an answer of Mave stays good for the same question."
    )
    month_budget = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="Credits that research for this persona may cost in a month (UTC), within the "
        "budgets of all. Empty: no limit of its own.",
    )
    assigns = models.CharField(
        "new briefs go to",
        max_length=8,
        choices=Assigns.choices,
        default=Assigns.NOBODY,
        db_default=Assigns.NOBODY.value,
    )
    assign_person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="this person",
    )
    assign_group = models.ForeignKey(
        "auth.Group",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="the members of this group",
        help_text="Those of them who work on briefs, one after the other.",
    )
    assign_attribute = models.CharField(
        "the person named in",
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text="A role or an attribute, such as account_owner, that holds a user name, a full "
        "name or a mail address of somebody here. If it names nobody, the brief stays unassigned.",
    )
    is_default = models.BooleanField(
        default=False, editable=False, help_text="Serves customers that no other persona fits."
    )
    is_unknown = models.BooleanField(
        default=False, editable=False, help_text="Serves customers whose attributes are unknown."
    )
    retired_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="No rule knows it any more; its briefs still do.",
    )
    history = HistoricalRecords()

    objects = PersonaQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=Q(retired_at=None),
                name="persona_name",
                violation_error_message="There is a persona of this name already.",
            ),
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="persona_one_default"
            ),
            models.UniqueConstraint(
                fields=["is_unknown"], condition=Q(is_unknown=True), name="persona_one_unknown"
            ),
            models.CheckConstraint(
                condition=~Q(is_default=True, is_unknown=True), name="persona_default_or_unknown"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def condition_list(self) -> "list[PersonaCondition]":
        """All conditions, read once: a batch asks for them thousands of times."""
        return list(self.conditions.all())

    @property
    def is_fixed(self) -> bool:
        """Default and unknown serve all customers that no other persona fits: they must stay."""
        return self.is_default or self.is_unknown

    @property
    def buys_research(self) -> bool:
        return self.opens_brief and not self.is_unknown

    @property
    def named(self) -> str:
        """Whom its new briefs go to, in words for the log of a brief."""
        if self.assigns == Assigns.GROUP:
            return f"the group “{self.assign_group or 'that is gone'}”"
        name = self.assign_person and self.assign_person.get_full_name()
        return name or str(self.assign_person or "the person whom the persona named")

    def clean(self) -> None:
        """Whom the choice speaks of must be named."""
        needed = {
            Assigns.PERSON: ("assign_person", "Name the person."),
            Assigns.GROUP: ("assign_group", "Name the group."),
            Assigns.OWNER: ("assign_attribute", "Name the attribute."),
        }
        field, words = needed.get(Assigns(self.assigns), ("", ""))
        if field and not getattr(self, field):
            raise ValidationError({field: words})

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Refuse e-mail addresses in the form's fields that are sent to Mave."""
        super().clean_fields(exclude)
        told = {"name", "description", "research_focus"} - set(exclude or ())
        faults = {field: privacy.refusals(getattr(self, field)) for field in told}
        if any(faults.values()):
            raise ValidationError({field: why for field, why in faults.items() if why})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        if self.is_fixed:
            raise ProtectedError(f"“{self}” serves customers that no other persona fits.", {self})
        return super().delete(*args, **kwargs)

    @transaction.atomic
    def remove(self) -> bool:
        """Delete it or, if briefs rest on it, retire it; returns whether it was deleted.

        Raises ProtectedError for the two that must stay. The row is locked first: a brief that a
        worker opens for it is either seen here or refused.
        """
        Persona.objects.select_for_update().get(pk=self.pk)
        try:
            with transaction.atomic():
                self.delete()
        except ProtectedError:
            if self.is_fixed:
                raise
            self.retired_at = timezone.now()
            self.save(update_fields=["retired_at"])
            return False
        return True


class PersonaCondition(Condition):
    is_about_customer = True

    persona = models.ForeignKey(Persona, on_delete=models.CASCADE, related_name="conditions")
    history: Any = HistoricalRecords()

    class Meta:
        ordering = ["pk"]
        verbose_name = "condition on the customer"
