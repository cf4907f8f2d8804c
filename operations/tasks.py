"""What django-q2 runs. A task carries no data: the rows say what is to be done."""

from briefs.finding.words import indexing
from briefs.forgetting import ordering as forgetting
from briefs.notifying import outbox
from briefs.pipeline import draining
from briefs.reprocessing import working as reprocessing
from briefs.research.working import work
from briefs.saving import comparing, telling
from operations import sweeping
from operations.pruning import working as pruning
from personas.people import segments
from webhooks.clock import database_now


def drain() -> None:
    draining.drain()


def sweep() -> None:
    sweeping.sweep()


def research() -> None:
    work()


def notify() -> None:
    outbox.send_due()


def index() -> None:
    indexing.run()


def segment() -> None:
    telling.run()


def reprocess() -> None:
    reprocessing.run()


def read_segments() -> None:
    segments.run(comparing.next_night(database_now()))


def prune() -> None:
    pruning.run()


def erase() -> None:
    forgetting.run()


def knock() -> None:
    """Do nothing. That a worker began it tells the supervisor that tasks are taken here."""
