"""The states that a list of briefs can be asked for, which are tabs, and how many each holds.

The inbox and the REST API share the names.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from briefs.models import Brief
from briefs.models.queryset import BriefQuerySet

EXACT = 1_000  # up to here a tab's number is counted for every page
KEPT_SECONDS = 60  # and beyond it at most once in this time

State = Brief.State


@dataclass(frozen=True, slots=True)
class Tab:
    value: str  # in the address, and for programs
    label: str
    chosen: Callable[[BriefQuerySet, Any], BriefQuerySet]  # of these briefs, for this person
    order: str = "-priority"  # unless another one is asked for
    is_tab: bool = True


def _awake(briefs: BriefQuerySet, who: Any = None) -> BriefQuerySet:
    """To be worked on now: open, not snoozed, not waiting for the profile."""
    return briefs.in_inbox().exclude(state=State.SNOOZED)


def held_by(briefs: BriefQuerySet, who: Any) -> BriefQuerySet:
    """Those of this person; none of somebody who is not signed in."""
    return briefs.filter(assignee=who) if who is not None and who.pk else briefs.none()


# In the order of the tabs. One line here makes a tab, a filter of the API and a number.
ALL = (
    Tab("open", "Open", _awake),
    Tab("mine", "Mine", lambda briefs, who: held_by(_awake(briefs), who)),
    Tab("unassigned", "Unassigned", lambda briefs, who: _awake(briefs).filter(assignee=None)),
    Tab("overdue", "Overdue", lambda briefs, who: _awake(briefs).overdue(), "due"),
    Tab("snoozed", "Snoozed", lambda briefs, who: briefs.filter(state=State.SNOOZED)),
    Tab("waiting", "Waiting for profile",
        lambda briefs, who: briefs.open().filter(is_waiting_for_profile=True)),
    Tab("closed", "Closed", lambda briefs, who: briefs.filter(state=State.CLOSED), "-closed"),
    Tab("all", "All", lambda briefs, who: briefs, "age"),
    # Asked for by programs, and by addresses from before.
    Tab("new", "New", lambda briefs, who: briefs.in_inbox().filter(state=State.NEW), is_tab=False),
    Tab("in_progress", "In progress",
        lambda briefs, who: briefs.in_inbox().filter(state=State.IN_PROGRESS), is_tab=False),
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
    """How many of these briefs each tab holds, by its value; one query.

    Exact to EXACT, and beyond it KEPT_SECONDS old at most.
    """
    chosen = {tab.value: tab.chosen(briefs, who) for tab in ALL if tab.is_tab}
    asked = {value: sql for value, some in chosen.items() if (sql := _sql_of_some(some))}
    numbers = dict.fromkeys(chosen, 0) | _counted(asked)
    return {
        value: number if number <= EXACT else _kept(chosen[value], asked[value])
        for value, number in numbers.items()
    }


def kept(rows: QuerySet[Any]) -> int:
    """How many these are, counted within the last KEPT_SECONDS."""
    return _kept(rows, rows.order_by().query.sql_with_params())


Sql = tuple[str, tuple[Any, ...]]


def _kept(rows: QuerySet[Any], sql: Sql) -> int:
    key = "tab:" + hashlib.sha256(repr(sql).encode()).hexdigest()
    number: Any = cache.get_or_set(key, rows.order_by().count, KEPT_SECONDS)
    return int(number)


def _sql_of_some(briefs: BriefQuerySet) -> Sql | None:
    """Of EXACT + 1 of them; None where Django knows without asking that there is none."""
    try:
        return briefs.order_by().values("pk")[: EXACT + 1].query.sql_with_params()
    except EmptyResultSet:
        return None


def _counted(asked: Mapping[str, Sql]) -> dict[str, int]:
    """A limit within a part of UNION is not possible on SQLite."""
    if not asked:
        return {}
    parts = [f"(SELECT COUNT(*) FROM ({sql}) AS counted)" for sql, _ in asked.values()]  # noqa: S608 - Django's own
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(parts)}", [one for _, given in asked.values() for one in given]
        )
        return dict(zip(asked, cursor.fetchone(), strict=True))
