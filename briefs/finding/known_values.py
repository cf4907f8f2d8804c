"""Which values are known: how many, where their top tenth begins, and what a list is worth."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.db.models.functions import Lower

from briefs.models import Brief, PriorityThreshold
from personas.models import ValueLevel
from personas.models.value import money

NEEDED = 100  # known values, before thresholds can be set
NEWEST = 5_000  # briefs by which they are suggested
COUNTED_ANEW = 1_000  # briefs of a list: of a longer one the sums may be a minute old
KEPT_SECONDS = 60
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the known values of one currency suggest; each customer counts once."""

    currency: str
    known: int
    top_from: Decimal | None = None  # None: none of them is above 0
    low_below: Decimal | None = None

    @property
    def is_enough(self) -> bool:
        return self.known >= NEEDED


def suggestions() -> list[Suggestion]:
    """By the newest briefs, the currency with most values first."""
    seen: dict[int, tuple[str, Decimal | None]] = {}
    rows = Brief.objects.order_by("-created_at").values_list(
        "customer", "value_currency", "value_month"
    )
    for customer, currency, month in rows[:NEWEST]:
        seen.setdefault(customer, (currency, month))
    by_currency: dict[str, list[Decimal]] = {}
    for currency, month in seen.values():
        if month is not None:
            by_currency.setdefault(currency, []).append(month)
    found = [suggest(currency, months) for currency, months in by_currency.items()]
    return sorted(found, key=lambda one: (-one.known, one.currency))


def suggest(currency: str, months: Iterable[Decimal]) -> Suggestion:
    """Thresholds that put at most a tenth of these values on top, and half of them below.

    0 and less are known, but lower a brief anyway: the thresholds are of what is above 0.
    """
    months = list(months)
    paid = sorted((month for month in months if month > 0), reverse=True)
    if not paid:
        return Suggestion(currency, len(months))
    most = len(paid) // 10
    beyond = paid[most]  # the first that is too many: of equal values all are on top, or none
    on_top = [month for month in paid[:most] if month > beyond]
    top_from = on_top[-1] if on_top else beyond + _CENT
    return Suggestion(currency, len(months), top_from, min(paid[len(paid) // 2], top_from))


def count_known() -> int:
    """How many values are known in the currency that has most; at most a minute old."""
    number: Any = cache.get_or_set("known-values", _count_known, KEPT_SECONDS)
    return int(number)


def _count_known() -> int:
    return max((one.known for one in suggestions()), default=0)


# What a list is worth


@dataclass(frozen=True, slots=True)
class Worth:
    """The value behind the signals of a list, in one currency, for a month."""

    currency: str
    month: Decimal

    @property
    def words(self) -> str:
        return f"{money(self.currency, self.month)} a month"


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums per currency: a company counts once, an unknown value not at all."""

    sums: list[Worth]
    unknown: int  # rows
    alone: int  # rows with a company's value whose company is unknown

    def __bool__(self) -> bool:
        return bool(self.sums)


_BY_COMPANY = Q(value_level=ValueLevel.COMPANY) & ~Q(company="") & Q(value_month__isnull=False)


def value_behind(rows: QuerySet[Any], count: int) -> Sums:
    """The value behind these briefs' signals, or of these customers; `count`: how many they are.

    Of a company's rows the largest value counts, in each currency. The sums of a long list are
    kept for a minute, because they read all of it.
    """
    rows = rows.order_by()
    if count <= COUNTED_ANEW:
        return _sums(rows)
    key = "value:" + hashlib.sha256(str(rows.query).encode()).hexdigest()
    kept: Sums | None = cache.get(key)
    if kept is None:
        kept = _sums(rows)
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def value_by_cause(briefs: QuerySet[Brief]) -> dict[int, Sums]:
    """The value behind the briefs of each cause, where every one of these briefs has a cause."""
    briefs = briefs.order_by()
    months = _largest_by_company(briefs.values("cause", "value_currency"))
    found: dict[int, Sums] = {}
    by_cause: dict[int, list[dict[str, Any]]] = {}
    for row in _counted(briefs.values("cause", "value_currency")):
        by_cause.setdefault(row["cause"], []).append(row)
    for cause, rows in by_cause.items():
        of_companies = {row["value_currency"]: months[cause, row["value_currency"]] for row in rows}
        found[cause] = _added(rows, of_companies)
    return found


def _largest_by_company(briefs: Any) -> dict[tuple[int, str], Decimal]:
    """By cause and currency: each company's largest value, together."""
    named = briefs.filter(_BY_COMPANY).annotate(named=Lower("company"), most=Max("value_month"))
    months: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for row in named:
        months[row["cause"], row["value_currency"]] += row["most"]
    return months


def _sums(valued: QuerySet[Any]) -> Sums:
    rows = list(_counted(valued.values("value_currency")))
    of_companies = {
        row["value_currency"]: _of_companies(
            valued.filter(_BY_COMPANY, value_currency=row["value_currency"])
        )
        for row in rows
        if row["of_companies"]
    }
    return _added(rows, of_companies)


def _counted(grouped: Any) -> Any:
    """For each group: the sum of what counts by itself, and how many briefs are of what sort."""
    return grouped.annotate(
        alone_month=Sum("value_month", filter=~_BY_COMPANY),
        of_companies=Count("pk", filter=_BY_COMPANY),
        unknown=Count("pk", filter=Q(value_month=None)),
        alone=Count("pk", filter=Q(value_level=ValueLevel.COMPANY, company="")),
    )


def _added(rows: Iterable[Mapping[str, Any]], of_companies: Mapping[str, Decimal]) -> Sums:
    """The rows are those of the currencies."""
    sums, unknown, alone = [], 0, 0
    for row in rows:
        currency, month = row["value_currency"], row["alone_month"]
        if row["of_companies"]:
            month = (month or 0) + of_companies[currency]
        if month is not None:
            sums.append(Worth(currency, month))
        unknown, alone = unknown + row["unknown"], alone + row["alone"]
    return Sums(sorted(sums, key=lambda one: (-one.month, one.currency)), unknown, alone)


def _of_companies(valued: QuerySet[Any]) -> Decimal:
    """Each company's largest value, together."""
    by_name = valued.annotate(named=Lower("company")).values("named")
    total: Decimal = by_name.annotate(most=Max("value_month")).aggregate(sum=Sum("most"))["sum"]
    return total


def why_no_thresholds() -> str:
    """In words, why values decide no priority yet; empty if thresholds are set."""
    if PriorityThreshold.are_set():
        return ""
    known = count_known()
    alone = "severity and persona decide alone, and nothing is Urgent"
    if known < NEEDED:
        return f"{known} of the {NEEDED} values that it takes are known: until then {alone}."
    return f"{known:,} values are known, but no thresholds are set: until then {alone}."
