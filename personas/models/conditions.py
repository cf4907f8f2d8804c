"""One line of a rule: a field, an operator, a value. docs/conditions.md tells how they compare."""

from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property

from personas.models import listing, patterns, shapes
from personas.models.dates import DateReading, date_reading
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
    OLDER = "older", "is more than … days ago"
    NEWER = "newer", "is less than … days ago"
    SOON = "soon", "is within the next … days"
    BEFORE = "before", "is before"
    AFTER = "after", "is after"
    EXISTS = "exists", "is filled in"
    NOT_EXISTS = "not_exists", "is missing"
    EMPTY = "empty", "is empty"
    ABSENT = "absent", "does not exist"
    MATCHES = "matches", "matches the pattern"
    NOT_MATCHES = "not_matches", "does not match the pattern"
    IN_SEGMENT = "in_segment", "is in segment"
    NOT_IN_SEGMENT = "not_in_segment", "is not in segment"


MEMBERS = (Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN)
LISTED = (Operator.IN, Operator.NOT_IN)
NUMERIC = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
DAYS = (Operator.OLDER, Operator.NEWER, Operator.SOON)  # the value is a number of days
DATED = (*DAYS, Operator.BEFORE, Operator.AFTER)
UNFILLED = (Operator.EMPTY, Operator.ABSENT)  # together they are “is missing”
WITHOUT_VALUE = (Operator.EXISTS, Operator.NOT_EXISTS, *UNFILLED)
PATTERNS = (Operator.MATCHES, Operator.NOT_MATCHES)
SEGMENTS = (Operator.IN_SEGMENT, Operator.NOT_IN_SEGMENT)
CUSTOMER = "customer"  # stands where a condition on a segment would name a field
MOST_DAYS = 36_500
VALUES_SHOWN = 2  # of a long list

_POSITIVE: dict[str, Operator] = {
    operator: Operator[operator.name.removeprefix("NOT_")]
    for operator in Operator
    if operator.name.startswith("NOT_") and operator not in SEGMENTS
}

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

    is_about_customer = False  # else about an event, which is in no segment

    field = models.CharField(max_length=150)
    operator = models.CharField(max_length=20, choices=Operator.choices, default=Operator.EQUALS)
    value = models.TextField(
        blank=True,
        help_text="For “is one of”: values separated by commas. For “is more than”: a number. For "
        "“is before”: a date. For a segment: its name or its id in Customer.io.",
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """The condition as the team typed it: `industry is one of banking, insurance`."""
        label = str(Operator(self.operator).label)
        subject = CUSTOMER if self.operator in SEGMENTS else self.field
        if "…" in label:
            days = self._value_words
            label = label.replace("… days", "1 day" if days == "1" else f"{days} days")
            return f"{subject} {label}"
        return f"{subject} {label} {self._value_words}".strip()

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
    def asked(self) -> tuple[Operator, bool]:
        """The operator without its negation, and whether it is negated."""
        positive = _POSITIVE.get(self.operator)
        return (positive, True) if positive else (Operator(self.operator), False)

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

    @cached_property
    def date(self) -> DateReading | None:
        """The value as a date."""
        return date_reading(self.value)

    @cached_property
    def pattern(self) -> patterns.Pattern | None:
        """The value as a regular expression; None if it is none."""
        try:
            return patterns.compiled(self.value.strip())
        except patterns.BadPattern:  # stored by other code than a form
            return None

    @property
    def reading_words(self) -> str:
        """How the value is read as a number or date, where somebody could read it otherwise."""
        read: Any = None
        if self.operator in NUMERIC:
            read = reading(self.value)
        elif self.operator in DATED and self.operator not in DAYS:
            read = self.date
        return read.words if read else ""

    def clean(self) -> None:
        if self.operator in SEGMENTS:
            if not self.is_about_customer:
                words = "Only personas can ask for a segment: a rule asks about the event."
                raise ValidationError({"operator": words})
            self.field = CUSTOMER
        elif not self.field.strip():
            raise ValidationError({"field": "Name the field."})
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
        if self.operator in DATED:
            self._refuse_bad_dates()
        if self.operator in PATTERNS:
            try:
                patterns.compiled(self.value.strip())
            except patterns.BadPattern as error:
                raise ValidationError({"value": str(error)}) from error
        if self.operator in MEMBERS and all(map(shapes.is_missing, self.values)):
            words = f"“{self.value}” counts as missing: choose “is missing” or “is filled in”."
            raise ValidationError({"value": words})

    def _refuse_bad_dates(self) -> None:
        if self.operator in DAYS:
            days = number(self.value)
            if days is None or not 0 <= days <= MOST_DAYS:
                raise ValidationError({"value": f"Write a number of days, 0 to {MOST_DAYS:,}."})
        elif date_reading(self.value) is None:
            words = f"“{self.value}” is not a date. Write it like 2026-03-04 or 4 March 2026."
            raise ValidationError({"value": words})

    def _refuse_bad_quotes(self) -> None:
        if self.operator in LISTED or listing.is_quoted(self.value):
            try:
                listing.read(self.value)
            except listing.UnbalancedQuotes as error:
                raise ValidationError({"value": str(error)}) from error
