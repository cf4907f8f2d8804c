"""What the priority and the order of briefs are measured by, beside the brief itself."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from briefs.models.priority import SCANNER, Bounds, Judgement, Priority, judge
from personas.models import Customer, Persona, SignalKind, Valued

_JUST_AFTER = Decimal("0.0001")  # less than a cent: no known value is between
# Until any value is known: unknown is not 0, so it comes before it.
_BEFORE_ZERO = Decimal("0.0001")


class PriorityThreshold(models.Model):
    """For one currency: from where a value is in the top tenth, and below what in the bottom half.

    They never move by themselves. Values are those of a month.
    """

    currency = models.CharField(
        max_length=3,
        unique=True,
        validators=[RegexValidator(r"^[A-Z]{3}$", "Three capital letters, such as USD.")],
        help_text="In three letters. Each currency has thresholds of its own.",
    )
    top_from = models.DecimalField(
        "top tenth from",
        max_digits=16,
        decimal_places=2,
        help_text="A month’s value of this or more raises a brief by one step. With a severe "
        "signal it makes the brief Urgent.",
    )
    low_below = models.DecimalField(
        "bottom half below",
        max_digits=16,
        decimal_places=2,
        help_text="A month’s value below this, and 0, lowers a brief by one step.",
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["currency"]
        verbose_name = "priority threshold"
        constraints = [
            models.CheckConstraint(
                condition=Q(top_from__gt=0, low_below__gte=0, top_from__gte=F("low_below")),
                name="prioritythreshold_in_order",
            )
        ]

    def __str__(self) -> str:
        return f"Thresholds in {self.currency}"

    def clean(self) -> None:
        given = (getattr(self, "top_from", None), getattr(self, "low_below", None))
        if None in given:  # the form has refused it
            return
        if self.top_from <= 0:
            raise ValidationError({"top_from": "Enter an amount above 0."})
        if self.low_below < 0:
            raise ValidationError({"low_below": "Enter 0 or an amount above it."})
        if self.low_below > self.top_from:
            words = "The bottom half must end below the beginning of the top tenth."
            raise ValidationError({"low_below": words})

    @classmethod
    def are_set(cls) -> bool:
        """Whether any brief can be Urgent."""
        return cls.objects.exists()

    @classmethod
    def highest(cls) -> Priority:
        """The highest priority that a new brief can have: High, as long as none can be Urgent."""
        return Priority.URGENT if cls.are_set() else Priority.HIGH


class PersonaMedian(models.Model):
    """The median of the known values of a persona's briefs: unknown ones are sorted after it.

    The row without a persona is that of all briefs. The sweep counts them.
    """

    persona = models.OneToOneField(Persona, on_delete=models.CASCADE, null=True, blank=True)
    month = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.persona or 'all personas'}: {self.month}"


@dataclass(frozen=True, slots=True)
class Yardstick:
    """Thresholds and medians, read once for many briefs."""

    bounds: dict[str, Bounds]
    medians: dict[int | None, Decimal]  # by persona; None: of all

    @classmethod
    def load(cls) -> Self:
        """Read them in two queries."""
        rows = PriorityThreshold.objects.values_list("currency", "top_from", "low_below")
        bounds = {currency: Bounds(top, low) for currency, top, low in rows}
        return cls(bounds, dict(PersonaMedian.objects.values_list("persona", "month")))

    def judge(
        self, severity: int, persona: Persona, customer: Customer, worth: Valued, kind: str = ""
    ) -> Judgement:
        """How urgent a brief of this worth is. A customer who was deleted makes it low."""
        if kind == SignalKind.SCANNER:
            return SCANNER
        return judge(severity, persona, worth, self.bounds, is_deleted=customer.is_deleted)

    def place(self, persona_id: int, month: Decimal | None) -> Decimal:
        """The number by which a brief is sorted: its value, or just after its persona's median."""
        if month is not None:
            return month
        median = self.medians.get(persona_id, self.medians.get(None))
        return _BEFORE_ZERO if median is None else median - _JUST_AFTER

    def value(self, brief: Any, customer: Customer) -> None:
        """Let the brief have what is known of the customer's worth. Saves nothing."""
        for name, given in customer.worth.items():
            setattr(brief, name, given)
        brief.value_sort = self.place(brief.persona_id, brief.value_month)
