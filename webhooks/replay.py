"""Makes ended events due again, for the command and for the admin.

Nothing is processed here: the rows become due, and one ring of the bell wakes the workers.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import DatabaseError, transaction
from django.db.models import Max, QuerySet

from webhooks.bell import ring
from webhooks.models import WebhookEvent
from webhooks.parsing import Unusable, parse

logger = logging.getLogger(__name__)

CHUNK = 500
_HEAVY = ("body", "headers")  # a body may be large: each is fetched when it is read anew


@dataclass(slots=True)
class Report:
    """How a replay went; `reasons` counts why events were skipped or failed."""

    queued: int = 0
    skipped: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def words(self) -> str:
        """`3 queued, 1 skipped`, and the failures if there were any."""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.queued} queued, {self.skipped} skipped{failed}"


def replay(
    events: QuerySet[WebhookEvent], *, progress: Callable[[int], None] = lambda done: None
) -> Report:
    """Make each of these events due again and ring once; `progress` is told how many are done.

    Each event is read anew: who it is about, what it is and when it happened is what today's
    parser says, and a quarantined one that it understands becomes a waiting event.
    One bad row never stops the others. Repeating a replay is safe: waiting events are skipped.
    """
    report = Report()
    for done, event in enumerate(_in_chunks(events), start=1):
        try:
            reason = make_due(event)
        except Exception as error:  # the outer edge of one row
            logger.exception("replaying event %d failed", event.pk)
            report.failed += 1
            report.reasons[f"{type(error).__name__}"] += 1
        else:
            report.queued += not reason
            report.skipped += bool(reason)
            if reason:
                report.reasons[reason] += 1
        progress(done)
    if report.queued:
        ring()
    return report


def _in_chunks(events: QuerySet[WebhookEvent]) -> Iterator[WebhookEvent]:
    """Go by primary key: a row that drops out of the selection meanwhile causes no gap."""
    events = events.defer(*_HEAVY).order_by("pk")
    # Events that arrive after this moment are not replayed.
    last = events.aggregate(last=Max("pk"))["last"] or 0
    reached = 0
    while chunk := list(events.filter(pk__gt=reached, pk__lte=last)[:CHUNK]):
        yield from chunk
        reached = chunk[-1].pk


def make_due(event: WebhookEvent) -> str:
    """Make one event due; returns "" or why it was skipped."""
    if event.status == WebhookEvent.Status.QUARANTINED:
        return _read_anew(event)
    return "" if event.replay() else "it is waiting to be processed already"


def _read_anew(event: WebhookEvent) -> str:
    """QUARANTINED -> PENDING, with the fields that today's parser reads from the body."""
    body = bytes(event.body)
    if len(body) < event.body_size:
        return "only the start of its body was kept"
    try:
        parsed = parse(body)
    except Unusable as error:
        return str(error)
    if WebhookEvent.objects.filter(event_id=parsed.event_id).exclude(pk=event.pk).exists():
        return "an event with its id is stored already"
    try:
        with transaction.atomic():
            changed = event.release(parsed)
    except DatabaseError as error:  # the row is unchanged: quarantined, with its old reason
        return f"the database refused it again ({type(error).__name__})"
    return "" if changed else "it was replayed by another process meanwhile"
