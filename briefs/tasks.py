"""The names by which rows of the queue, the schedule and the settings know our tasks.

The tasks live in `operations.tasks`. Hosts of the release before know only these names, and rows
that they wrote may still wait, so the names stay for this release. They are resolved when a task
runs: this room imports nothing of the one above it.
"""

from django.utils.module_loading import import_string


def drain() -> None:
    import_string("operations.tasks.drain")()


def sweep() -> None:
    import_string("operations.tasks.sweep")()


def research() -> None:
    import_string("operations.tasks.research")()


def notify() -> None:
    import_string("operations.tasks.notify")()


def index() -> None:
    import_string("operations.tasks.index")()


def segment() -> None:
    import_string("operations.tasks.segment")()


def reprocess() -> None:
    import_string("operations.tasks.reprocess")()


def read_segments() -> None:
    import_string("operations.tasks.read_segments")()


def prune() -> None:
    import_string("operations.tasks.prune")()


def erase() -> None:
    import_string("operations.tasks.erase")()


def knock() -> None:
    import_string("operations.tasks.knock")()
