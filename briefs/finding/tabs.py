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


def counts(briefs: BriefQuerySet, who: Any) -> dict[str, int]:
    """How many of these briefs each tab holds, by its value, to EXACT + 1; one query."""
    return _counted({tab.value: tab.chosen(briefs, who) for tab in ALL if tab.is_tab})


def true_counts(briefs: BriefQuerySet, who: Any) -> dict[str, int]:
    """Like `counts`: exact to EXACT, and beyond it KEPT_SECONDS old at most."""
    return {
        value: number if number <= EXACT else kept(BY_VALUE[value].chosen(briefs, who))
        for value, number in counts(briefs, who).items()
    }


def kept(rows: QuerySet[Any]) -> int:
    """How many these are, counted within the last KEPT_SECONDS."""
    rows = rows.order_by()
    key = "tab:" + hashlib.sha256(str(rows.query).encode()).hexdigest()
    number: Any = cache.get_or_set(key, rows.count, KEPT_SECONDS)
    return int(number)


def _counted(chosen: Mapping[str, BriefQuerySet]) -> dict[str, int]:
    """Each counted to EXACT + 1. A limit within a part of UNION is not possible on SQLite."""
    numbers = dict.fromkeys(chosen, 0)
    parts: list[str] = []
    given: list[Any] = []
    asked: list[str] = []
    for value, briefs in chosen.items():
        some = briefs.order_by().values("pk")[: EXACT + 1]
        try:
            sql, values = some.query.sql_with_params()
        except EmptyResultSet:  # Django knows without asking that there is none
            continue
        parts.append(f"(SELECT COUNT(*) FROM ({sql}) AS counted)")  # noqa: S608 - Django's own
        given += values
        asked.append(value)
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(parts)}", given)
            numbers.update(zip(asked, cursor.fetchone(), strict=True))
    return numbers
