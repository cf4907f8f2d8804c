"""A company that leaves person by person: its people, their briefs and what they signalled.

A person belongs to the company that their profile names at present, a brief to the one that was
named when it was last worked out. Case does not matter in names.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    Max,
    OuterRef,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Now

from briefs.dossier.customers import personas_of
from briefs.dossier.endings import Ended, ended
from briefs.dossier.loading import for_tables
from briefs.models import Brief, ContactLog, Signal
from briefs.models.queryset import BriefQuerySet
from personas.models import Customer, Effect, Persona, SignalKind, ValueLevel
from personas.models.value import is_company

RECENT = timedelta(days=30)
A_YEAR = timedelta(days=365)
NO_TIME = timedelta()
MOST_OPEN = 25  # briefs: the inbox has the rest
LATEST = 10  # briefs that ended, and entries of the contact log: a look back
_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def signalled_lately(company: str) -> QuerySet[Customer]:
    """The people of this company with a signal in the last 30 days that may open a brief.

    Good news is none, and nor is what was taken for a link scanner.
    """
    signals = Signal.objects.filter(
        customer=OuterRef("pk"), effect=Effect.OPENS_BRIEF, happened_at__gt=Now() - RECENT
    ).exclude(brief__kind=SignalKind.SCANNER)
    return Customer.objects.filter(is_company(company)).filter(Exists(signals))


def others_in_words(customer: Customer) -> str:
    """Who else of the customer's company signalled lately; empty if nobody did.

    Empty too if no company is known: no attribute is mapped, or the customer has none.
    """
    if not customer.company:
        return ""
    others = signalled_lately(customer.company).exclude(pk=customer.pk).count()
    if not others:
        return ""
    number = _NUMBERS[others] if others < len(_NUMBERS) else f"{others:,}"
    people = "person" if others == 1 else "people"
    return f"{number} more {people} of this company signalled in the last {RECENT.days} days"


def _newest(rows: QuerySet[Any], at: str, most: int = LATEST) -> list[int]:
    """The keys of the newest rows by the time in this field, of thousands that a company may have.

    PostgreSQL follows an index in this order through the rows of all companies. None has the sum.
    """
    moment = ExpressionWrapper(F(at) + NO_TIME, DateTimeField())
    return list(rows.order_by(moment.desc(), "-pk").values_list("pk", flat=True)[:most])


class _IsOneOf(Func):
    """Whether a column is one of the keys that a subquery finds, which are few among many rows.

    PostgreSQL looks each up in an index then. For IN, or a join, it reads all rows to compare them.
    """

    template = "%(expressions)s"
    arg_joiner = " IN "
    output_field = BooleanField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        an_array: dict[str, Any] = {"template": "%(expressions)s)", "arg_joiner": " = ANY(ARRAY"}
        return self.as_sql(compiler, connection, **an_array, **extra)


@dataclass(frozen=True, slots=True)
class Someone:
    """A person of the company, and how they stand."""

    customer: Customer
    persona: Persona | None  # of today; None before the starter rules are loaded
    brief: Brief | None  # the open one, or else the last that ended
    last_signal: Signal | None


@dataclass(frozen=True, slots=True)
class OfKind:
    """How often a kind of act was seen; several reports of one act count once."""

    label: str
    acts: int
    people: int
    last_at: datetime


def find(name: str) -> "Company | None":
    """The company of this name, written as most write it, if a customer or a brief names it."""
    if not name:
        return None
    for model in (Customer, Brief):
        rows = model._default_manager.filter(is_company(name)).values("company")
        usual = rows.annotate(number=Count("pk")).order_by("-number", "company").first()
        if usual:
            return Company(usual["company"])
    return None


class Company:
    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def people(self) -> QuerySet[Customer]:
        return Customer.objects.filter(is_company(self.name))

    @property
    def _briefs(self) -> BriefQuerySet:
        briefs: BriefQuerySet = Brief.objects.filter(is_company(self.name))
        return briefs

    # How many.

    @cached_property
    def has_one_value(self) -> bool:
        """Whether the value is the whole company's, and not of each person."""
        whole = self.people.filter(value_level=ValueLevel.COMPANY, value_month__isnull=False)
        # For exists(), PostgreSQL may read the table in place of the index, in hope of the first.
        return whole.count() > 0

    @cached_property
    def signalled_lately(self) -> int:
        return signalled_lately(self.name).count()

    @cached_property
    def _by_outcome(self) -> dict[str, int]:
        """Briefs by their outcome; the open ones have an empty one."""
        rows = self._briefs.order_by().values("outcome").annotate(number=Count("pk"))
        return dict(rows.values_list("outcome", "number"))

    @property
    def open_count(self) -> int:
        return self._by_outcome.get("", 0)

    @property
    def past_count(self) -> int:
        return sum(self._by_outcome.values()) - self.open_count

    @property
    def outcomes(self) -> list[tuple[str, int]]:
        """Each outcome that occurred, with its number of briefs."""
        counted = self._by_outcome
        return [(one.label, counted[one]) for one in Brief.Outcome if one in counted]

    # People.

    def people_in_order(self) -> Any:
        """Their keys: first those with an open brief, then by their last signal.

        With LIMIT each person's brief is looked up; for EXISTS PostgreSQL reads all open ones.
        """
        signals = Signal.objects.filter(customer=OuterRef("pk")).order_by("-happened_at", "-pk")
        open_ones = Brief.objects.open().filter(customer=OuterRef("pk"))
        return (
            self.people.annotate(
                open_key=Subquery(open_ones.values("pk")[:1]),
                last_at=Subquery(signals.values("happened_at")[:1]),
            )
            .order_by(
                Case(When(open_key=None, then=1), default=0),
                F("last_at").desc(nulls_last=True),
                "pk",
            )
            .values_list("pk", flat=True)
        )

    def shown(self, keys: list[int]) -> list[Someone]:
        """These people in this order, in a few queries for all."""
        signals = Signal.objects.filter(customer=OuterRef("pk")).order_by("-happened_at", "-pk")
        briefs = Brief.objects.filter(customer=OuterRef("pk"))
        newest = briefs.order_by(F("closed_at").desc(nulls_first=True), "-pk")
        people: Any = Customer.objects.defer("devices", "preferences").annotate(
            brief_key=Subquery(newest.values("pk")[:1]),
            signal_key=Subquery(signals.values("pk")[:1]),
        )
        found = people.in_bulk(keys)
        briefs_shown = Brief.objects.only("state", "outcome", "closed_at")
        by_brief = briefs_shown.in_bulk([one.brief_key for one in found.values()])
        signals_shown = Signal.objects.only("kind", "detail", "happened_at")
        by_signal = signals_shown.in_bulk([one.signal_key for one in found.values()])
        personas = personas_of(found.values())
        return [
            Someone(
                found[key],
                personas[key].persona if key in personas else None,
                by_brief.get(found[key].brief_key),
                by_signal.get(found[key].signal_key),
            )
            for key in keys
            if key in found
        ]

    # Briefs, signals, contacts.

    @property
    def open_briefs(self) -> list[Brief]:
        return [self._listed[key] for key in self._open_keys if key in self._listed]

    @cached_property
    def past_briefs(self) -> list[Ended]:
        """The last that ended come first."""
        return ended(self._listed[key] for key in self._past_keys if key in self._listed)

    @cached_property
    def _open_keys(self) -> list[int]:
        most_urgent = self._briefs.open().by_urgency()
        return list(most_urgent.values_list("pk", flat=True)[:MOST_OPEN])

    @cached_property
    def _past_keys(self) -> list[int]:
        return _newest(self._briefs.filter(state=Brief.State.CLOSED), "closed_at")

    @cached_property
    def _listed(self) -> dict[int, Brief]:
        """The briefs of all lists, and those of the contact log, in one query."""
        contacted = [entry.brief_id for entry in self._contacts]
        keys = {*self._open_keys, *self._past_keys, *contacted}
        return for_tables(Brief.objects.all()).in_bulk(keys)

    @cached_property
    def signals_of_a_year(self) -> list[OfKind]:
        """Of its people in the last 12 months, the most frequent kind first."""
        signals = Signal.objects.filter(
            is_company(self.name, "customer__company"),
            same_act_as=None,
            happened_at__gt=Now() - A_YEAR,
        )
        rows = signals.order_by().values_list("kind")
        counted = rows.annotate(Count("pk"), Count("customer", distinct=True), Max("happened_at"))
        found = [OfKind(SignalKind(kind).label, *numbers) for kind, *numbers in counted]
        return sorted(found, key=lambda one: (-one.acts, one.label))

    @cached_property
    def contacts(self) -> list[ContactLog]:
        """The newest tries to reach its people."""
        shown = self._contacts[:LATEST]
        found = [entry for entry in shown if entry.brief_id in self._listed]
        for entry in found:
            entry.brief = self._listed[entry.brief_id]
        return found

    @cached_property
    def _contacts(self) -> list[ContactLog]:
        is_theirs = _IsOneOf(F("brief_id"), Subquery(self._briefs.order_by().values("pk")))
        of_company = ContactLog.objects.filter(is_theirs)
        keys = _newest(of_company, "at", LATEST + 1)  # one more tells that there are more
        rows = ContactLog.objects.filter(pk__in=keys).select_related("actor")
        return list(rows.order_by("-at", "-pk"))

    @property
    def has_more_contacts(self) -> bool:
        return len(self._contacts) > LATEST
