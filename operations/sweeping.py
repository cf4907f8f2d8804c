"""Once a minute: whatever no wake-up announced."""

from contextlib import ExitStack

from briefs.models import MaveCall
from briefs.pipeline import draining, profiles
from briefs.research import sharing, working
from operations import alarms


def sweep() -> None:
    """Once a minute: whatever no bell announced. Lost wake-ups, retries, leases that ran out.

    Each step has its turn, whatever happens to another: what keeps the drain from working is just
    what people must hear of. The first fault is raised once all have had it.
    """
    with ExitStack() as steps:  # carried out from the last to the first
        steps.callback(working.wake)
        steps.callback(MaveCall.objects.end_forgotten_reads)
        steps.callback(sharing.upgrade_briefs)
        steps.callback(profiles.catch_up)
        steps.callback(alarms.sweep)
        steps.callback(draining.drain)
