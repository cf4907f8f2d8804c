"""One line of a rule: a field, an operator, a value. docs/conditions.md tells how they compare."""

from functools import lru_cache

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property

from personas.models import listing, shapes
from personas.models.numbers import number, reading


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


MEMBERS = (Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN)
LISTED = (Operator.IN, Operator.NOT_IN)
NUMERIC = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
WITHOUT_VALUE = (Operator.EXISTS, Operator.NOT_EXISTS)
VALUES_SHOWN = 2  # of a long list

_YES, _NO = ("true", "yes", "on"), ("false", "no", "off")
_SHORT = {"1": _YES, "t": _YES, "y": _YES, "0": _NO, "f": _NO, "n": _NO}
BOOLEAN_WORDS = (*_YES, *_NO, *_SHORT)


def alike(word: str) -> tuple[str, ...]:
    """The folded word, and what says the same where it is a boolean.

    Short words, such as 1 or n, are booleans only opposite a spelled one: a gender of f is not n,
    and a grade of 1 is not t.
    """
    for spelled, short in ((_YES, "1ty"), (_NO, "0fn")):
        if word in spelled:
            return (word, *spelled, *short)
    return (word, *_SHORT.get(word, ()))


@lru_cache(maxsize=1024)  # a batch asks for the same lists for each customer
def _values(typed: str) -> tuple[str, ...]:
    try:
        return tuple(listing.read(typed))
    except listing.UnbalancedQuotes:  # stored before quotation marks had a meaning
        return tuple(value.strip() for value in typed.split(",") if value.strip())


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
        return f"{self.field} {Operator(self.operator).label} {self._value_words}".strip()

    @property
    def brief_words(self) -> str:
        """The same with a long list of values shortened."""
        values = self.values if self.operator in LISTED else []
        if len(values) <= VALUES_SHOWN:
            return self.words
        begun = listing.written(values[:VALUES_SHOWN])
        label = Operator(self.operator).label
        return f"{self.field} {label} {begun} and {len(values) - VALUES_SHOWN} more"

    @property
    def _value_words(self) -> str:
        typed = self.value.strip()
        if self.operator in WITHOUT_VALUE:
            return ""
        if self.operator in LISTED and len(typed.splitlines()) > 1:
            return listing.written(self.values)
        return typed if self.operator in LISTED else self.single

    @property
    def values(self) -> list[str]:
        """The values of a list."""
        return list(_values(self.value))

    @property
    def single(self) -> str:
        """The one value of a condition that is no list, without quotation marks around all of it.

        What is contained is taken as it is typed: a text may hold quotation marks.
        """
        if self.operator in (Operator.EQUALS, Operator.NOT_EQUALS) and listing.is_quoted(
            self.value
        ):
            values = self.values
            if len(values) == 1:
                return values[0]
        return self.value.strip()

    @cached_property
    def folded(self) -> str:
        """The value as it is compared; kept, because a batch compares it thousands of times."""
        return fold(self.single)

    @cached_property
    def accepted(self) -> frozenset[str]:
        """Every folded text that is equal to the value, or to one of the values of a list."""
        typed = self.values if self.operator in LISTED else [self.single]
        return frozenset(word for value in typed for word in alike(fold(value)))

    @cached_property
    def limit(self) -> float | None:
        """The value as a number."""
        return number(self.value)

    @property
    def number_words(self) -> str:
        """How the value is read as a number, where somebody could read it in another way."""
        read = reading(self.value) if self.operator in NUMERIC else None
        return read.words if read else ""

    def clean(self) -> None:
        if self.operator in WITHOUT_VALUE:
            self.value = ""
            return
        if self.operator in MEMBERS:
            self._refuse_bad_quotes()
        if not self.values:
            raise ValidationError({"value": "Say what to compare with."})
        if self.operator in NUMERIC and number(self.value) is None:
            raise ValidationError(
                {"value": f"“{self.value}” is not a number. Write it like 1200, 1,200.50 or $99."}
            )
        if self.operator in MEMBERS and all(map(shapes.is_missing, self.values)):
            words = f"“{self.value}” counts as missing: choose “is missing” or “is filled in”."
            raise ValidationError({"value": words})

    def _refuse_bad_quotes(self) -> None:
        if self.operator in LISTED or listing.is_quoted(self.value):
            try:
                listing.read(self.value)
            except listing.UnbalancedQuotes as error:
                raise ValidationError({"value": str(error)}) from error
