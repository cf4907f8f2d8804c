"""The states that a list of briefs can be asked for, which are tabs, and how many each holds.

The inbox and the REST API share the names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as written
from functools import lru_cache, partial
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, Q, QuerySet

from briefs.finding import counting
from briefs.models import Brief
from briefs.models.queryset import IS_IN_INBOX, IS_OPEN, BriefQuerySet
from briefs.models.timing import IS_OVERDUE

ARCHIVE = "all"  # the state of the list of all briefs
EXACT = 1_000  # up to here a tab's number is counted for every page; beyond it one is kept

State = Brief.State


@dataclass(frozen=True, slots=True)
class Tab:
    value: str  # in the address, and for programs
    label: str
    holds: Callable[[Any], Q]  # which briefs, for this person
    order: str = "-priority"  # unless another one is asked for
    is_tab: bool = True
    is_personal: bool = False  # whether it depends on who asks

    def chosen(self, briefs: BriefQuerySet, who: Any) -> BriefQuerySet:
        """Of these briefs, for this person."""
        return briefs.filter(self.holds(who))


# To be worked on now.
_AWAKE = IS_IN_INBOX & ~Q(state=State.SNOOZED)


def held_by(who: Any) -> Q:
    """The briefs of this person; none of somebody who is not signed in."""
    return Q(assignee=who) if who is not None and who.pk else Q(pk__in=[])


# In the order of the tabs. One line here makes a tab, a filter of the API and a number.
ALL = (
    Tab("open", "Open", lambda who: _AWAKE),
    Tab("mine", "Mine", lambda who: _AWAKE & held_by(who), is_personal=True),
    Tab("unassigned", "Unassigned", lambda who: _AWAKE & Q(assignee=None)),
    Tab("overdue", "Overdue", lambda who: _AWAKE & IS_OVERDUE, "due"),
    Tab("snoozed", "Snoozed", lambda who: Q(state=State.SNOOZED)),
    Tab("waiting", "Waiting for profile", lambda who: IS_OPEN & Q(is_waiting_for_profile=True)),
    Tab("closed", "Closed", lambda who: Q(state=State.CLOSED), "-closed"),
    Tab(ARCHIVE, "All", lambda who: Q(), "age"),
    # Asked for by programs, and by addresses from before.
    Tab("new", "New", lambda who: IS_IN_INBOX & Q(state=State.NEW), is_tab=False),
    Tab("in_progress", "In progress",
        lambda who: IS_IN_INBOX & Q(state=State.IN_PROGRESS), is_tab=False),
)  # fmt: skip
BY_VALUE = {tab.value: tab for tab in ALL}
STATES = [(tab.value, tab.label) for tab in ALL]
DEFAULT = "open"


def of_state(value: str, briefs: BriefQuerySet, who: Any) -> BriefQuerySet:
    return BY_VALUE[value].chosen(briefs, who)


def label_of(state: str) -> str:
    """What the way back to a list in this state is called."""
    return f"Inbox: {BY_VALUE[state].label}" if state in BY_VALUE and state != DEFAULT else "Inbox"


def true_counts(briefs: BriefQuerySet, who: Any) -> dict[str, int]:
    """How many of these briefs each tab holds, by its value.

    Exact to EXACT, and beyond it `counting.KEPT_SECONDS` old at most.
    """
    if briefs.query.where:
        return _counts_of_few(briefs, who)
    shown = [tab for tab in ALL if tab.is_tab]
    asked = {tab.value: sql for tab in shown if (sql := _sql(tab, briefs, who))}
    numbers = {tab.value: 0 for tab in shown} | counting.counted(asked)
    return {
        value: number
        if number <= EXACT
        else _kept(asked[value], partial(of_state, value, briefs, who))
        for value, number in numbers.items()
    }


def _counts_of_few(briefs: BriefQuerySet, who: Any) -> dict[str, int]:
    """The same of filtered briefs: no index of a tab finds them, so the open ones are read once."""
    numbers = _counts_of_open(briefs, who)
    closed = of_state("closed", briefs, who)
    number = closed.order_by()[: EXACT + 1].count()
    numbers["closed"] = number if number <= EXACT else kept(closed)
    numbers["all"] += numbers["closed"]
    return numbers


def _counts_of_open(briefs: BriefQuerySet, who: Any) -> dict[str, int]:
    """How many open ones of these each tab holds."""
    columns, of_columns = _number_of_each(None if who is None else who.pk)
    asked = counting.sql_of(briefs.open().order_by().values("pk"))
    if asked is None:
        return dict.fromkeys(columns, 0)
    sql, given = asked
    _, _, rows = sql.partition(_FROM)  # the same tables and conditions
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(columns.values())}{_FROM}{rows}",
            [*of_columns, *given],
        )
        return dict(zip(columns, cursor.fetchone(), strict=True))


_FROM = " FROM "


@lru_cache(maxsize=1_000)
def _number_of_each(who: int | None) -> tuple[dict[str, str], list[Any]]:
    """By tab the expression that counts its briefs, and what all of them are given.

    Written once for each person: Django takes longer for it than the database for the numbers.
    """
    person = None if who is None else get_user_model()(pk=who)
    query = Brief.objects.order_by().query
    compiler = query.get_compiler(connection=connection)
    columns, given = {}, []
    for tab in ALL:
        if not tab.is_tab:
            continue
        number = Count("pk", filter=tab.holds(person)).resolve_expression(query)
        try:
            columns[tab.value], values = compiler.compile(number)
        except EmptyResultSet:  # Django knows without asking that it holds none
            columns[tab.value], values = "0", ()
        given += values
    return columns, given


def _sql(tab: Tab, briefs: BriefQuerySet, who: Any) -> counting.Sql | None:
    """Counts the tab's briefs to EXACT."""
    if tab.is_personal:
        return counting.sql_of(tab.chosen(briefs, who).order_by().values("pk")[: EXACT + 1])
    return _sql_of_all(tab, EXACT)


@written
def _sql_of_all(tab: Tab, most: int) -> counting.Sql | None:
    """The same for everybody, where nothing is filtered: written once, it takes no time."""
    chosen = tab.chosen(Brief.objects.all(), None)
    return counting.sql_of(chosen.order_by().values("pk")[: most + 1])


def kept(rows: QuerySet[Any]) -> int:
    """How many these are, counted within the last `counting.KEPT_SECONDS`."""
    return _kept(rows.order_by().query.sql_with_params(), lambda: rows)


def _kept(sql: counting.Sql, rows: Callable[[], QuerySet[Any]]) -> int:
    """`rows`: makes them, where they are counted anew."""
    return counting.kept("tab", sql, lambda: rows().order_by().count())
