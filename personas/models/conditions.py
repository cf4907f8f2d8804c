"""One line of a rule: a field, an operator, a value."""

import math

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property


def fold(text: str) -> str:
    """The text in lower case, with single spaces: two texts that fold alike count as equal."""
    return " ".join(text.split()).casefold()


class Operator(models.TextChoices):
    EQUALS = "equals", "is"
    NOT_EQUALS = "not_equals", "is not"
    IN = "in", "is one of"
    NOT_IN = "not_in", "is none of"
    CONTAINS = "contains", "contains"
    NOT_CONTAINS = "not_contains", "does not contain"
    GT = "gt", "is more than"
    GTE = "gte", "is at least"
    LT = "lt", "is less than"
    LTE = "lte", "is at most"
    EXISTS = "exists", "is filled in"
    NOT_EXISTS = "not_exists", "is missing"


NUMERIC = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
WITHOUT_VALUE = (Operator.EXISTS, Operator.NOT_EXISTS)


class MatchMode(models.TextChoices):
    ALL = "all", "all conditions hold"
    ANY = "any", "any condition holds"


class Condition(models.Model):
    """Case and surrounding space never matter, and an empty value counts as missing."""

    field = models.CharField(max_length=150)
    operator = models.CharField(max_length=12, choices=Operator.choices, default=Operator.EQUALS)
    value = models.TextField(
        blank=True,
        help_text="For “is one of”: values separated by commas. For “is more than”: a number.",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """The condition as the team typed it: `industry is one of banking, insurance`."""
        value = "" if self.operator in WITHOUT_VALUE else self.value.strip()
        return f"{self.field} {Operator(self.operator).label} {value}".strip()

    @property
    def values(self) -> list[str]:
        return [value.strip() for value in self.value.split(",") if value.strip()]

    @cached_property
    def folded(self) -> str:
        """The value as it is compared; kept, because a batch compares it thousands of times."""
        return fold(self.value)

    @cached_property
    def folded_values(self) -> frozenset[str]:
        return frozenset(fold(value) for value in self.values)

    def clean(self) -> None:
        if self.operator in WITHOUT_VALUE:
            self.value = ""
        elif not self.values:
            raise ValidationError({"value": "Say what to compare with."})
        elif self.operator in NUMERIC and number(self.value) is None:
            raise ValidationError({"value": f"“{self.value}” is not a number."})


def number(text: str) -> float | None:
    """Read `1,200.50`, `$99` or `12`; None if it is not a finite number."""
    try:
        value = float(text.strip().lstrip("$€£").replace(",", "").replace(" ", ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
