"""What is due in the rows and nobody takes: a supervisor gives it to its own clusters.

Usually a wake-up comes through the broker within a fraction of a second. It is lost with a broker
that is away, frozen or purged. So every supervisor looks at the rows every few seconds, and gives
tasks past the broker. Several hosts may bring the same work at the same time: its rows are leased,
and who finds nothing ends at once.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from briefs.finding.words import indexing
from briefs.notifying import outbox
from briefs.research import pacing
from briefs.research.working import TASK as RESEARCH
from operations import progress, scheduling
from operations.supervising.beats import Beats

DRAIN: str = settings.WEBHOOKS_WAKE_TASK
PATIENCE = timedelta(seconds=2)  # wake-ups through a broker that is well come sooner


def bring_events(beats: Beats) -> bool:
    """Start the sweep if it is due, and a drain if events wait that nobody works on."""
    if scheduling.claim():
        beats.give(progress.SWEEP)
    outbox.wake_for_held()
    if indexing.is_due():
        beats.give(indexing.TASK)
    if progress.event_due_since(PATIENCE) is None or progress.is_draining(Now(), PATIENCE):
        return False
    beats.give(DRAIN)
    return True


def bring_questions(beats: Beats) -> bool:
    """Start as many workers as find a question that may be asked now."""
    if progress.question_due_since(PATIENCE) is None:
        return False
    wanted = _workers_wanted()
    if wanted:
        beats.give(RESEARCH, wanted)
    return wanted > 0


def wake_queue(beats: Beats) -> None:
    """Give a sweep. A dead cluster may have taken the last wake-up and all that came with it."""
    beats.give(progress.SWEEP)


def wake_research(beats: Beats) -> None:
    beats.give(RESEARCH, max(1, _workers_wanted()))  # one shows that it works


def _workers_wanted() -> int:
    workers: int = settings.Q_CLUSTER["ALT_CLUSTERS"]["research"]["workers"]
    return min(pacing.workers_wanted(), workers)
