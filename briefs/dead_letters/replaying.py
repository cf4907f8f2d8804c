"""Dead letters tried again: what that would do, and doing it, by what each kind has for it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet

from briefs.dead_letters.letters import Choice, Kind
from briefs.models import Brief, Notification, ReprocessingJob, Research
from briefs.notifying import outbox
from briefs.reprocessing import ordering
from briefs.reprocessing.selecting import Selection
from briefs.research import counting, working
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.questions import Asker
from webhooks.replay import Report, chunks, replay, why_unreadable

PERMISSION = ordering.PERMISSION
BUYS = "briefs.buy_research"  # asked for as well where a failed question is asked again
MOST = 2_000  # of one request: more would keep a page waiting for the workers

_WOULD = {
    Kind.EVENT: "read and processed again, by the present rules",
    Kind.QUARANTINED: "read and processed",
    Kind.RESEARCH: "asked again, unless the lost answer is found or nobody waits for it",
    Kind.MESSAGE: "sent again, unless it is out of date by now",
    Kind.JOB: "goes on after its last batch",
}


@dataclass(slots=True)
class Outcome:
    """What became of the dead letters, or would: how many of each kind, and why some stay."""

    done: Counter[Kind] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    most_credits: int = 0  # of a look before
    beyond: int = 0  # that were chosen and are more than one request takes

    @property
    def number(self) -> int:
        return sum(self.done.values())

    @property
    def would(self) -> list[tuple[int, str, str]]:
        """How many of which kind, and what would become of them."""
        return [
            (self.done[kind], str(kind.label), _WOULD[kind]) for kind in Kind if self.done[kind]
        ]

    @property
    def stays(self) -> list[tuple[str, int]]:
        """Why some stay, and how many."""
        return self.left.most_common()

    @property
    def words(self) -> str:
        left = sum(self.left.values())
        why = "; ".join(f"{number:,} × {words}" for words, number in self.left.most_common(3))
        more = f" {self.beyond:,} more are still there: replay them too." if self.beyond else ""
        return f"{self.number:,} replayed" + (f", {left:,} left: {why}." if left else ".") + more


def look(choice: Choice, actor: Any, limit: int | None = MOST) -> Outcome:
    """What a replay would do, and how many credits it may cost at most. Changes nothing."""
    outcome, room = Outcome(), _Room(limit)
    asked = opened = 0
    for kind, rows in _allowed(choice, actor):
        taken = room.take(rows, outcome)
        if kind == Kind.QUARANTINED:
            _read_again(taken, outcome)
        else:
            outcome.done[kind] = taken.count()
        if kind in (Kind.EVENT, Kind.QUARANTINED):
            opened += outcome.done[kind]
        elif kind == Kind.RESEARCH:
            asked = Research.objects.filter(pk__in=taken.order_by().values("pk")).wanted().count()
        elif kind == Kind.JOB:
            opened += sum(_left_to_do(job) for job in taken)
    outcome.most_credits = RESERVED_CREDITS * (asked + _questions_of(opened))
    return outcome


def _read_again(rows: QuerySet[Any], outcome: Outcome) -> None:
    """Whether each could be read now; as many at a time as fit into memory."""
    for keys in chunks(rows):
        for row in rows.filter(pk__in=keys).defer("headers", "history"):
            why = why_unreadable(row)
            outcome.done[Kind.QUARANTINED] += not why
            outcome.left.update([why] if why else [])


def _left_to_do(job: ReprocessingJob) -> int:
    """How many events or briefs of a job may still open a question."""
    if job.is_dry_run or job.kind == ReprocessingJob.Kind.UNDO:
        return 0
    total = job.total
    if total is None:  # it failed before it knew
        is_of_events = job.kind == ReprocessingJob.Kind.EVENTS
        selection = Selection.of(job.selectors)
        total = selection.count() if is_of_events else Brief.objects.open().count()
    return max(0, total - job.done)


def _questions_of(rows: int) -> int:
    """At most: each row may open one, but there are no more than the present rules can ask."""
    return min(rows, counting.count_at_present(Asker.load().wording).questions) if rows else 0


def replay_letters(choice: Choice, actor: Any, limit: int | None = MOST) -> Outcome:
    """Try them again. What was replayed is no dead letter any more, so a second time finds none.

    actor: who asks for it; None: the command. Raises PermissionDenied.
    """
    outcome, room = Outcome(), _Room(limit)
    for kind, rows in _allowed(choice, actor):
        taken = room.take(rows, outcome)
        _REPLAYS[kind](kind, taken, actor, outcome)
    return outcome


class _Room:
    """How many more one request takes."""

    def __init__(self, limit: int | None) -> None:
        self._left = limit

    def take(self, rows: QuerySet[Any], outcome: Outcome) -> QuerySet[Any]:
        """The oldest of these rows; the others are counted."""
        if self._left is None:
            return rows.order_by("pk")
        number = rows.count()
        taken = min(number, self._left)
        outcome.beyond += number - taken
        self._left -= taken
        if taken == number:
            return rows.order_by("pk")
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:taken])
        return rows.filter(pk__in=keys).order_by("pk")


def _allowed(choice: Choice, actor: Any) -> list[tuple[Kind, QuerySet[Any]]]:
    """The kinds that are meant, with their rows. Raises PermissionDenied."""
    if actor is not None and not actor.has_perm(PERMISSION):
        raise PermissionDenied(PERMISSION)
    found = [(kind, choice.rows(kind)) for kind in choice.kinds or Kind]
    buys = any(kind == Kind.RESEARCH and rows.exists() for kind, rows in found)
    if buys and actor is not None and not actor.has_perm(BUYS):
        raise PermissionDenied(BUYS)
    return found


def _replay_events(kind: Kind, rows: QuerySet[Any], actor: Any, outcome: Outcome) -> None:
    report: Report = replay(rows)
    outcome.done[kind] += report.queued
    outcome.left.update(report.reasons)


def _replay_research(kind: Kind, rows: QuerySet[Any], actor: Any, outcome: Outcome) -> None:
    for research in rows:
        if research.retry(actor):
            outcome.done[kind] += 1
        else:
            outcome.left["its question is under way already"] += 1
    if outcome.done[kind]:
        transaction.on_commit(working.wake, robust=True)


def _replay_messages(kind: Kind, rows: QuerySet[Any], actor: Any, outcome: Outcome) -> None:
    keys = list(rows.values_list("pk", flat=True))
    outcome.done[kind] += Notification.objects.filter(pk__in=keys).retry()
    if outcome.done[kind]:
        transaction.on_commit(outbox.wake, robust=True)


def _replay_jobs(kind: Kind, rows: QuerySet[Any], actor: Any, outcome: Outcome) -> None:
    for job in rows:
        outcome.done[kind] += ordering.resume(job)


_REPLAYS: dict[Kind, Callable[[Kind, QuerySet[Any], Any, Outcome], None]] = {
    Kind.EVENT: _replay_events,
    Kind.QUARANTINED: _replay_events,
    Kind.RESEARCH: _replay_research,
    Kind.MESSAGE: _replay_messages,
    Kind.JOB: _replay_jobs,
}
