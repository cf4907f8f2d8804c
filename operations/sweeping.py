"""The sweep: once a minute, the work that no wake-up announced."""

from contextlib import ExitStack

from briefs.finding.words import indexing
from briefs.forgetting import ordering as erasing
from briefs.models import KeptAnswer, MaveCall
from briefs.pipeline import causing, draining, naming, profiles, revaluing, scanners
from briefs.reprocessing import working as reprocessing
from briefs.research import sharing, working
from briefs.saving import telling
from briefs.triage import bulk_undoing, forgetting, snoozing
from operations import alarms
from operations.metrics import counting
from operations.pruning import working as pruning
from personas.models import SegmentList
from personas.people import names, segments
from webhooks import scrubbing, waking

READ_SEGMENTS = "briefs.tasks.read_segments"


def sweep() -> None:
    """Take up lost wake-ups, retries whose time has come, and leases that ran out.

    Every step runs, even if another one fails: people must be told above all of an error that
    stops the drain. An error is raised after the last step, with earlier ones as its context.
    """
    with ExitStack() as steps:  # the last one is called first
        steps.callback(counting.count)
        steps.callback(indexing.sweep)
        steps.callback(working.wake)
        steps.callback(reprocessing.sweep)
        steps.callback(MaveCall.objects.end_forgotten_reads)
        steps.callback(sharing.upgrade_briefs)
        steps.callback(telling.wake_if_due)  # after all that opens and closes briefs
        steps.callback(bulk_undoing.forget)
        steps.callback(forgetting.sweep)
        steps.callback(snoozing.sweep)  # before: a brief that wakes now is not forgotten
        steps.callback(naming.check_open)
        steps.callback(KeptAnswer.objects.forget)
        steps.callback(scrubbing.sweep)
        steps.callback(erasing.sweep)
        steps.callback(causing.sweep)  # after: what a scanner caused is no incident
        steps.callback(scanners.fold)  # for a worker that ended just before it
        steps.callback(revaluing.catch_up)
        steps.callback(profiles.catch_up)
        steps.callback(names.refresh)
        steps.callback(wake_reader_of_segments)
        steps.callback(pruning.wake_if_due)
        steps.callback(alarms.sweep)
        steps.callback(draining.drain)


def wake_reader_of_segments() -> None:
    """Wake a worker of research, which are used to slow calls, if a segment is to be read.

    While the broker is away nobody reads: what is known of the segments serves for longer.
    """
    if segments.is_due() and SegmentList.may_wake():
        waking.wake(READ_SEGMENTS, telling.CLUSTER)
