"""What django-q2 runs. A task carries no data: the rows say what is to be done."""

from briefs import pipeline
from briefs.notifying import outbox
from briefs.research import work


def drain() -> None:
    pipeline.drain()


def sweep() -> None:
    pipeline.sweep()


def research() -> None:
    work()


def notify() -> None:
    outbox.send_due()


def knock() -> None:
    """The supervisor asks whether tasks are taken here; that it began is the answer."""
