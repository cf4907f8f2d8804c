"""What is wrong, judged in one place: since when, what it does to whom, and the cure.

Health page, alarms, doctor, `/readyz` and supervisor choose from this list by kind and age, so
none of them can contradict another. A threshold stands beside the kind that it makes, in this
room; who tells of what is in docs/operations.md.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from operations.figures import Figures
from operations.troubles import feed, openings, pruning, refusals, research, segment, sending, work
from operations.troubles.kinds import ANY_AGE, TOLD_AFTER, Ages, Choice, Kind, Trouble

__all__ = ["ANY_AGE", "TOLD_AFTER", "Ages", "Choice", "Kind", "Trouble", "choose", "judge", "look"]

# A look may tell several kinds, of which only one holds at a time.
LOOKS: dict[Kind, Callable[[Figures], Iterator[Trouble]]] = {
    Kind.NOT_STORED: refusals.not_stored,
    Kind.NO_KEY: refusals.no_key,
    Kind.WRONG_SIGNATURE: refusals.wrong_signature,
    Kind.OTHER_SIGNATURE: refusals.wrong_signature,
    Kind.TOO_OLD: refusals.too_old,
    Kind.TOO_LARGE: refusals.too_large,
    Kind.REFUSED_BEFORE: refusals.refused_before,
    Kind.UNSIGNED: refusals.unsigned,
    Kind.SILENCE: feed.silence,
    Kind.QUIET: feed.silence,
    Kind.MAIL_REFUSED: sending.mail_refused,
    Kind.SOME_MAIL_REFUSED: sending.mail_refused,
    Kind.NO_BRIEFS: openings.no_briefs,
    Kind.FEWER_BRIEFS: openings.no_briefs,
    Kind.NOT_TAKEN: work.not_taken,
    Kind.BEHIND: work.not_taken,
    Kind.UNSWEPT: work.unswept,
    Kind.UNSCHEDULED: work.unscheduled,
    Kind.NOT_ASKED: research.not_asked,
    Kind.PAUSED: research.paused,
    Kind.MAVE_FAILS: research.mave_fails,
    Kind.FAILED: work.failed,
    Kind.JOB_FAILED: work.job_failed,
    Kind.QUARANTINED: feed.quarantined,
    Kind.LISTS: feed.lists,
    Kind.NO_EVENT_ID: feed.without_id,
    Kind.DELIVERED_AGAIN: feed.delivered_again,
    Kind.SEGMENT: segment.not_kept,
    Kind.SEGMENT_ROWS: segment.failed_rows,
    Kind.SEGMENT_UNCOMPARED: segment.uncompared,
    Kind.NOT_PRUNED: pruning.not_pruned,
    Kind.NOT_ERASED: pruning.not_erased,
    Kind.FAILED_GO: pruning.failed_go,
    Kind.UNVERIFIED: feed.unverified,
}


def look(now: datetime | None = None, kinds: Iterable[Kind] = tuple(Kind)) -> list[Trouble]:
    """All of these kinds that hold now, by the database's clock; problems first."""
    return judge(Figures(now), kinds)


def judge(figures: Figures, kinds: Iterable[Kind] = tuple(Kind)) -> list[Trouble]:
    """What is wrong with these figures. Only what the kinds need is read."""
    wanted = set(kinds)
    looks = dict.fromkeys(look for kind, look in LOOKS.items() if kind in wanted)
    found = [trouble for look in looks for trouble in look(figures) if trouble.kind in wanted]
    return sorted(found, key=lambda trouble: trouble.level != "problem")


def choose(figures: Figures, choice: Choice) -> list[Trouble]:
    """The troubles whose kind and age are in the choice."""
    return [
        trouble
        for trouble in judge(figures, choice)
        if choice[trouble.kind].hold(figures.now - trouble.since)
    ]
