"""What is wrong with the removal of old rows and of people, and what is about to be removed that
people need.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from briefs.links import admin_url
from briefs.models import Erasure
from briefs.models.erasures import MAX_TRIES
from briefs.times import length
from operations.figures import Figures
from operations.statements import written_once
from operations.troubles.kinds import Kind, Trouble
from personas.models import Customer
from webhooks.clock import aware
from webhooks.models import RetentionPolicy
from webhooks.models.retention import TOLD_BEFORE

# Three nights, and the hours that the third one may take.
MISSED = timedelta(days=3, hours=6)
ERASED_WITHIN = timedelta(hours=1)  # it takes a minute or two; a lease of a killed worker, ten


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


def not_erased(figures: Figures) -> Iterator[Trouble]:
    """Somebody was to be erased and is still here. Whom another order erased is told no more."""
    rows = _late_erasures()
    if not rows:
        return
    since, key = aware(rows[0][0]), rows[0][1]
    url = admin_url("briefs_erasure_changelist")
    more = f", and {len(rows) - 1} more," if len(rows) > 1 else ""
    yield Trouble(
        Kind.NOT_ERASED,
        "problem",
        since,
        f"Customer {key}{more} was to be erased {length(figures.now - since)} ago and is still "
        "here: every try failed, or no worker looks for it.",
        f"manage.py erase_customer customer:{key} does it now and says what stops it. The log of "
        "the research cluster has “erasure … failed”.",
        url=url,
        link="Erasures" if url else "",
    )


@written_once
def _late_erasures() -> QuerySet[Any, Any]:
    late = Q(tries__gte=MAX_TRIES) | Q(begun_at__lt=Now() - ERASED_WITHIN)
    ordered = Erasure.objects.filter(
        late, ended_at=None, customer__in=Customer.objects.values("pk")
    )
    return ordered.order_by("begun_at").values_list("begun_at", "customer")


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
