"""What a customer is worth, as a number, read from the attributes by the terms that the team set.

An amount that cannot be read is NULL, which means unknown, and never 0.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Now
from django.db.models.lookups import Exact

from personas.models import shapes
from personas.models.attributes import CustomerFacts, Found
from personas.models.letters import folding
from personas.models.numbers import number

if TYPE_CHECKING:
    from personas.models.personas import AttributeName

ROLES = ("value", "plan", "company")
READING = 2  # raise it where the same attributes are read in another way: all rows are read anew
MONTHS = 12  # of a year
_LARGEST = 1e13  # more is no amount that a customer pays
_CENT = Decimal("0.01")
# A sign that only one currency has. A dollar sign is that of the currency the team set.
_SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₪": "ILS", "₫": "VND", "₺": "TRY",
          "₴": "UAH", "₦": "NGN", "₱": "PHP", "₽": "RUB", "฿": "THB"}  # fmt: skip
_WRITTEN_CODE = re.compile(
    r"(?<![A-Za-z])(AED|ARS|AUD|BGN|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS"
    r"|INR|ISK|JPY|KES|KRW|MXN|MYR|NGN|NOK|NZD|PEN|PHP|PLN|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH"
    r"|USD|UYU|VND|ZAR)(?![A-Za-z])",
    re.IGNORECASE,
)
CURRENCY = re.compile(r"[A-Z]{3}")


class ValuePeriod(models.TextChoices):
    MONTH = "month", "a month"
    YEAR = "year", "a year"

    @property
    def other(self) -> "ValuePeriod":
        return ValuePeriod.YEAR if self == ValuePeriod.MONTH else ValuePeriod.MONTH


class ValueLevel(models.TextChoices):
    PERSON = "person", "the person alone"
    COMPANY = "company", "the whole company"  # all its people have the same amount


class Valued(models.Model):
    """What a row knows of a customer's worth. `value_month` is compared, the rest is shown.

    All but the amounts are empty where they are not known; the amounts are NULL then.
    """

    plan = models.CharField(max_length=60, blank=True, default="", db_default="")
    company = models.CharField(max_length=200, blank=True, default="", db_default="")
    value_amount = models.DecimalField(
        "value", max_digits=16, decimal_places=2, null=True, blank=True,
        help_text="As the attribute states it. Empty: unknown.",
    )  # fmt: skip
    value_currency = models.CharField(
        "currency", max_length=3, blank=True, default="", db_default=""
    )
    value_period = models.CharField(
        "for", max_length=5, choices=ValuePeriod.choices, blank=True, default="", db_default=""
    )
    value_level = models.CharField(
        "is of", max_length=7, choices=ValueLevel.choices, blank=True, default="", db_default=""
    )
    value_month = models.DecimalField(
        "value a month", max_digits=16, decimal_places=2, null=True, blank=True,
        help_text="By which values are compared. Empty: unknown.",
    )  # fmt: skip

    class Meta:
        abstract = True

    @property
    def value_words(self) -> str:
        """`USD 4,200 a month`; empty if it is unknown."""
        if self.value_amount is None:
            return ""
        period = ValuePeriod(self.value_period or ValuePeriod.MONTH).label
        return f"{money(self.value_currency, self.value_amount)} {period}"

    @property
    def month_words(self) -> str:
        """`USD 4,200`, of any period: by this, values of a list can be compared."""
        month = self.value_month
        if month is None:
            return ""
        return money(self.value_currency, round(month) if abs(month) >= 100 else month)

    @property
    def worth(self) -> dict[str, Any]:
        """All of it, by the names of the columns."""
        return {name: getattr(self, name) for name in WORTH}


def is_company(name: str, column: str = "company") -> Exact:
    """A condition: the row's company has this name, in any case.

    The database folds both sides, as it does where companies are grouped; indexes on
    Lower("company") serve it. The empty name is that of every row without a company.
    """
    fold = folding(name)
    return Exact(fold(column), fold(Value(name)))


WORTH = ("plan", "company", "value_amount", "value_currency", "value_period", "value_level",
         "value_month")  # fmt: skip
UNKNOWN: dict[str, Any] = {
    "value_amount": None, "value_currency": "", "value_period": "", "value_level": "",
    "value_month": None,
}  # fmt: skip


def money(currency: str, amount: Decimal | int) -> str:
    """`USD 4,200` or `EUR 99.50`."""
    whole = amount == int(amount)
    return f"{currency} {amount:,.{0 if whole else 2}f}".strip()


@dataclass(frozen=True, slots=True)
class Terms:
    """How the team said that values, plans and companies are to be read."""

    roles: dict[str, list[str]] = field(default_factory=dict)
    currency: str = ""
    currency_attribute: str = ""
    period: str = ValuePeriod.MONTH
    other_period_names: tuple[str, ...] = ()
    level: str = ValueLevel.COMPANY

    @classmethod
    def load(cls) -> Self:
        """Read them in one query."""
        from personas.models.personas import AttributeName  # its form checks by this module

        rows = {row.role: row for row in AttributeName.objects.filter(role__in=ROLES)}
        roles = {role: row.name_list for role, row in sorted(rows.items())}
        return cls(roles, *_of_amounts(rows["value"])) if "value" in rows else cls(roles)

    @property
    def fingerprint(self) -> str:
        """Another one for other terms: rows that were read by others are to be read anew."""
        return hashlib.sha256(f"{READING}{self!r}".encode()).hexdigest()[:16]

    def read(self, attributes: Mapping[str, object]) -> dict[str, Any]:
        """The columns of `Valued` for a customer with these attributes."""
        facts = CustomerFacts(attributes, self.roles)
        told = {
            "plan": shapes.storable(facts.find("plan").shown(60)) if "plan" in self.roles else "",
            "company": _one_spaced(shapes.storable(facts.find("company").shown(200)))
            if "company" in self.roles
            else "",
        }
        if "value" not in self.roles:
            return {**told, **UNKNOWN}
        return {**told, **self._amount(facts.find("value"), facts)}

    def _amount(self, found: Found, facts: CustomerFacts) -> dict[str, Any]:
        texts = shapes.parts(found.value)
        amount = _amount(texts[0]) if len(texts) == 1 else None  # of several, which one counts?
        currency = self._currency(texts[0], facts) if amount is not None else ""
        if amount is None or not currency:
            return UNKNOWN
        is_other = found.name.casefold() in self.other_period_names
        period = ValuePeriod(self.period).other if is_other else ValuePeriod(self.period)
        month = amount if period == ValuePeriod.MONTH else (amount / MONTHS).quantize(_CENT)
        return {
            "value_amount": amount,
            "value_currency": currency,
            "value_period": period.value,
            "value_level": str(self.level),
            "value_month": month,
        }

    def _currency(self, amount: str, facts: CustomerFacts) -> str:
        """By the attribute that names it, else as written beside the amount, else as set.

        Empty if the attribute holds something else than a currency's three letters.
        """
        if self.currency_attribute:
            named = facts.find(self.currency_attribute).value.strip().upper()
            if named:
                return named if CURRENCY.fullmatch(named) else ""
        if written := _WRITTEN_CODE.search(amount):
            return written[1].upper()
        return next((code for sign, code in _SIGNS.items() if sign in amount), self.currency)


def _one_spaced(name: str) -> str:
    """A company is told by its name, and no page shows that one has two spaces."""
    return " ".join(name.split())


def _of_amounts(row: "AttributeName") -> tuple[str, str, str, tuple[str, ...], str]:
    others = tuple(sorted(name.casefold() for name in row.other_period_list))
    return row.currency, row.currency_attribute.strip(), row.period, others, row.level


def _amount(text: str) -> Decimal | None:
    """The amount of money, or None if the text is none. A percentage is none."""
    read = None if "%" in text else number(text)
    if read is None or abs(read) >= _LARGEST:
        return None
    return Decimal(str(read)).quantize(_CENT)


class ValueReading(models.Model):
    """One row: by which terms values are read anew, and how far that has come.

    A second round reads those again who were looked up meanwhile, perhaps by the terms of before.
    """

    fingerprint = models.CharField(max_length=16, blank=True, help_text="Of the terms.")
    done_to = models.BigIntegerField(default=0, help_text="The last customer that was read anew.")
    since = models.DateTimeField(
        null=True, blank=True, help_text="The second round: customers looked up after this."
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it goes on.")
    counted_at = models.DateTimeField(null=True, blank=True, help_text="The medians.")

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="valuereading_is_one_row")]

    def __str__(self) -> str:
        return "finished" if self.finished_at else f"done up to customer {self.done_to}"

    @classmethod
    def locked(cls) -> "ValueReading":
        """The row, locked until the transaction ends, so that one worker at a time goes on."""
        cls.objects.get_or_create(pk=1)
        return cls.objects.select_for_update().get(pk=1)

    @classmethod
    def is_done(cls, fingerprint: str) -> bool:
        """Whether all is read by these terms."""
        return cls.objects.filter(pk=1, fingerprint=fingerprint, finished_at__isnull=False).exists()

    def go_by(self, fingerprint: str) -> None:
        """Begin anew if the terms are others than those that all was read by."""
        if self.fingerprint != fingerprint:
            ValueReading.objects.filter(pk=1).update(
                fingerprint=fingerprint, done_to=0, since=None, started_at=Now(), finished_at=None
            )
            self.refresh_from_db()

    def reached(self, key: int) -> None:
        """Customers up to this one are read."""
        self.done_to = key
        self.save(update_fields=["done_to"])

    def end_round(self) -> None:
        """The first round is over: begin the second. The second is over: finished."""
        rows = ValueReading.objects.filter(pk=1)
        if self.since is None:
            rows.update(done_to=0, since=models.F("started_at"))
        else:
            rows.update(finished_at=Now())
        self.refresh_from_db()
