"""What is wrong with the removal of old rows, and what it is about to remove that people need."""

from collections.abc import Iterator
from datetime import timedelta

from briefs.links import admin_url
from briefs.times import length
from operations.figures import Figures
from operations.troubles.kinds import Kind, Trouble
from webhooks.models import RetentionPolicy
from webhooks.models.retention import TOLD_BEFORE

# Three nights, and the hours that the third one may take.
MISSED = timedelta(days=3, hours=6)


def not_pruned(figures: Figures) -> Iterator[Trouble]:
    """A run that fails at once; one that did not come after three nights."""
    row = figures.pruning
    if row is None:
        return
    if row.failing_since is not None:
        why, since = f": {row.trouble}", row.failing_since
    else:
        since = row.finished_at or row.made_at
        if figures.now - since < MISSED:
            return
        why = f" for {length(figures.now - since)}"
    yield Trouble(
        Kind.NOT_PRUNED,
        "hint",
        since,
        f"What is older than the retention policy allows was not removed{why}. Tables grow, and "
        "personal data stay for longer than the team decided.",
        "Read the log of the research cluster for “not removed”. manage.py prune does it now and "
        "says what stops it.",
    )


def failed_go(figures: Figures) -> Iterator[Trouble]:
    """Failed events that could still be retried are told a week before they are removed."""
    row = figures.pruning
    if row is None or row.told_at is None or row.told_days is None:
        return
    first = max(row.told_at + TOLD_BEFORE, figures.now)
    days = RetentionPolicy.current().failed_days or row.told_days
    url = admin_url("webhooks_webhookevent_changelist")
    yield Trouble(
        Kind.FAILED_GO,
        "hint",
        row.told_at,
        f"Failed or quarantined events will soon be {days} days old. From "
        f"{first:%-d %b %Y} on those that are older are removed for good.",
        "Retry those that still matter. The number of days is in the retention policy.",
        url=f"{url}?status__exact=dead" if url else "",
        link="Failed events" if url else "",
    )
