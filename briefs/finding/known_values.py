"""Which values are known: how many, where their top tenth begins, and what a list is worth."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db import connection
from django.db.models import Case, Count, Max, Q, QuerySet, Sum, Value, When

from briefs.finding import counting
from briefs.models import Brief, PriorityThreshold
from personas.models import ValueLevel
from personas.models.letters import Folded
from personas.models.value import money

NEEDED = 100  # known values, before thresholds can be set
NEWEST = 5_000  # briefs by which they are suggested
COUNTED_ANEW = 1_000  # briefs of a list: of a longer one the sums may be a minute old
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
    number: Any = cache.get_or_set("known-values", _count_known, counting.KEPT_SECONDS)
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
        return _added(_counted(rows))
    return counting.kept("value", rows.query.sql_with_params(), lambda: _added(_counted(rows)))


def value_by_cause(briefs: QuerySet[Brief]) -> dict[int, Sums]:
    """The value behind the briefs of each cause, where every one of these briefs has a cause."""
    by_cause: dict[int, list[_Counted]] = defaultdict(list)
    for row in _counted(briefs.order_by(), "cause"):
        by_cause[row.by[0]].append(row)
    return {cause: _added(rows) for cause, rows in by_cause.items()}


class _Counted(NamedTuple):
    """The rows of one currency."""

    by: tuple[Any, ...]
    currency: str
    month: Decimal | float | None  # a float on SQLite; None: no value is known
    unknown: int
    alone: int


def _counted(valued: QuerySet[Any], *by: str) -> list[_Counted]:
    """By currency and, before that, by these columns; one query.

    Django itself cannot add up by currency what it found by company.
    """
    company = Case(When(_BY_COMPANY, then=Folded("company")), default=Value(""))
    by_company = valued.values(*by, "value_currency", named=company).annotate(
        most=Max("value_month"),
        total=Sum("value_month"),
        unknown=Count("pk", filter=Q(value_month=None)),
        alone=Count("pk", filter=Q(value_level=ValueLevel.COMPANY, company="")),
    )
    asked = counting.sql_of(by_company)
    if asked is None:
        return []
    sql, given = asked
    columns = ", ".join(connection.ops.quote_name(name) for name in (*by, "value_currency"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns}, SUM(CASE WHEN named = '' THEN total ELSE most END), "  # noqa: S608 - our own names
            f"SUM(unknown), SUM(alone) FROM ({sql}) AS by_company GROUP BY {columns}",
            given,
        )
        return [_Counted(row[: len(by)], *row[len(by) :]) for row in cursor.fetchall()]


def _added(rows: Iterable[_Counted]) -> Sums:
    """The rows are those of the currencies."""
    sums, unknown, alone = [], 0, 0
    for row in rows:
        if row.month is not None:
            sums.append(Worth(row.currency, Decimal(row.month).quantize(_CENT)))
        unknown, alone = unknown + int(row.unknown), alone + int(row.alone)
    return Sums(sorted(sums, key=lambda one: (-one.month, one.currency)), unknown, alone)


def why_no_thresholds() -> str:
    """In words, why values decide no priority yet; empty if thresholds are set."""
    if PriorityThreshold.are_set():
        return ""
    known = count_known()
    alone = "severity and persona decide alone, and nothing is Urgent"
    if known < NEEDED:
        return f"{known} of the {NEEDED} values that it takes are known: until then {alone}."
    return f"{known:,} values are known, but no thresholds are set: until then {alone}."
