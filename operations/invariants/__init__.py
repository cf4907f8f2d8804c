"""What Savedesk promises, looked for in the rows: whatever breaks a promise is named.

Each promise is one function. What the database itself refuses is looked at as well where it would
do harm: an index may be damaged, and a restored dump may lack it. Everything is read from one
moment of the database, so a system that works meanwhile breaks nothing.
"""

import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from operations.invariants import briefs, counts, events, research, rules, search, telling
from operations.invariants.promises import MOST, Broken, Promise
from operations.invariants.snapshot import snapshot

__all__ = ["PROMISES", "Broken", "Looked", "Promise", "check", "look_at"]

PROMISES: tuple[Promise, ...] = (
    events.event_is_in_one_state,
    events.event_has_its_effect,
    events.event_has_one_signal,
    events.lease_on_an_event_ends,
    briefs.customer_has_one_open_brief,
    briefs.brief_fits_its_state,
    briefs.snooze_ends,
    briefs.brief_stands_on_its_research,
    briefs.rows_of_a_merged_customer_moved,
    research.question_is_in_one_state,
    research.question_is_under_way_once,
    research.lease_on_a_question_ends,
    research.answer_is_in_the_ledger,
    research.repeat_is_recorded,
    research.reservation_is_settled,
    research.account_is_the_sum_of_its_calls,
    counts.tab_has_its_number,
    counts.fold_has_its_number,
    counts.incident_has_its_number,
    counts.company_has_its_numbers,
    counts.dead_letters_are_all_told,
    counts.insights_add_up,
    counts.health_page_has_its_numbers,
    search.document_is_there,
    search.document_says_what_its_row_says,
    rules.version_tells_the_rules,
    rules.deciding_version_is_there,
    telling.message_is_in_one_state,
    telling.lease_on_a_message_ends,
    telling.lease_on_what_is_done_in_passing_ends,
    telling.job_adds_up,
    telling.segment_has_its_people,
)


@dataclass(frozen=True, slots=True)
class Looked:
    """A promise, and what a look at the rows found."""

    promise: Promise
    rows: int  # that were looked at
    broken: list[Broken]
    seconds: float

    @property
    def found(self) -> str:
        """How many break it."""
        return f"{MOST:,}+" if len(self.broken) > MOST else f"{len(self.broken):,}"


def check(promises: Collection[Promise] = PROMISES) -> Iterator[Looked]:
    """Look for what breaks each of them, in one snapshot of the database; changes nothing."""
    numbers: dict[Any, int] = {}
    with snapshot() as now:
        for one in promises:
            yield look_at(one, now, numbers)


def look_at(one: Promise, now: datetime, numbers: dict[Any, int] | None = None) -> Looked:
    """`numbers`: of the rows of each table, counted once for all promises."""
    began = time.monotonic()
    numbers = {} if numbers is None else numbers
    rows: Any = one.rows
    if rows not in numbers:
        numbers[rows] = (
            rows._default_manager if hasattr(rows, "_default_manager") else rows()
        ).count()
    number = numbers[rows]
    return Looked(one, number, one.broken(now), time.monotonic() - began)
