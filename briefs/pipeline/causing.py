"""Which message many briefs come from, and whether they are more than it usually causes.

The rows of causes are made in a transaction of their own before the batch, which only refers to
them; briefs are counted after it. So no batch waits for another one's.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now

from briefs.models import Brief, Cause
from briefs.models.causes import (
    FOLDED_FROM,
    HISTORY,
    WITHIN,
    CauseQuerySet,
    message_key,
    most_usual,
)
from briefs.notifying import outbox
from briefs.pipeline.drafts import PROCESSED, Draft
from briefs.pipeline.recording import describe_message

# Of what is kept with a signal, all that is the message's own and not one person's.
_OF_MESSAGE = (
    "campaign_name", "campaign_id", "broadcast_name", "broadcast_id", "newsletter_name",
    "newsletter_id", "transactional_message_id", "subject", "action_id", "channel",
)  # fmt: skip
MOST_DAYS = 30  # of a message's history, the latest

Key = tuple[str, str]  # the message and the kind of signal


def name(drafts: Iterable[Draft]) -> None:
    """Set the cause of each draft that names a message and wants a brief."""
    by_key: dict[Key, list[Draft]] = defaultdict(list)
    for draft in drafts:
        may_open = draft.status == PROCESSED and draft.customer and draft.opens_brief
        if may_open and (message := message_key(draft.data)):
            by_key[message, draft.rule.kind].append(draft)
    if not by_key:
        return
    current: dict[Key, Cause | None] = dict(_current(by_key))
    for key, some in by_key.items():
        some.sort(key=lambda draft: draft.happened_at)
        for draft in some:
            cause = current.get(key)
            if cause is None or (draft.happened_at > cause.lasts_until and not cause.is_incident):
                cause = current[key] = _begin(key, draft, cause)
            draft.cause = cause if cause and _takes(cause, draft.happened_at) else None
        if late := [draft for draft in some if draft.cause is None]:
            _name_late(key, late)


def _takes(cause: Cause, moment: datetime) -> bool:
    """Whether the cause takes what happened then, perhaps as its first act.

    Another batch may bring its last act in this very moment: then its briefs are of a day and a
    little more. To rule that out, one batch would have to wait for the other.
    """
    if moment < cause.first_at and moment >= cause.may_begin_at:  # which is read only then
        cause.begin_earlier(moment)
    return cause.takes(moment)


def _name_late(key: Key, late: list[Draft]) -> None:
    """Let what is reported after the message has a newer cause be of the cause of its own day.

    The drafts are in the order of happening. A cause without a brief may be deleted any moment.
    """
    message, kind = key
    first, last = late[0].happened_at, late[-1].happened_at
    ended = Cause.objects.filter(
        Exists(Brief.objects.filter(cause=OuterRef("pk"))),
        message=message,
        kind=kind,
        ended_at__isnull=False,
        first_at__range=(first - WITHIN, last),
    )
    causes = list(ended.order_by("-first_at"))
    for draft in late:
        of_day = (c for c in causes if c.first_at <= draft.happened_at <= c.lasts_until)
        draft.cause = next(of_day, None)


def _current(keys: Collection[Key]) -> dict[Key, Cause]:
    found = Cause.objects.current().filter(message__in={message for message, _ in keys})
    return {(cause.message, cause.kind): cause for cause in found}


@transaction.atomic
def _begin(key: Key, draft: Draft, before: Cause | None) -> Cause | None:
    """The current cause from this draft on; another worker may have begun it just now.

    None in the rare case that it was ended in the same moment: the brief has none then.
    """
    if before is not None:
        before.end()
    message, kind = key
    usual, most = most_usual(_sizes(message, kind))
    said = describe_message(draft.event.object_type, draft.data)
    begun = Cause(
        message=message,
        kind=kind,
        described={name: said[name] for name in _OF_MESSAGE if name in said},
        first_at=draft.happened_at,
        usual=usual,
        most=most,
    )
    Cause.objects.bulk_create([begun], ignore_conflicts=True)
    return Cause.objects.current().filter(message=message, kind=kind).first()


def _sizes(message: str, kind: str) -> list[int]:
    """How many briefs each earlier day of the message had, without incidents."""
    days = Cause.objects.filter(
        message=message, kind=kind, incident_at=None, first_at__gt=Now() - HISTORY
    )
    counted = days.counted().filter(number__gt=0).order_by("-first_at")
    return list(counted.values_list("number", flat=True)[:MOST_DAYS])


def notice(drafts: Iterable[Draft]) -> None:
    """Let causes become incidents that have too many briefs since this batch."""
    touched = {draft.cause.pk for draft in drafts if draft.cause and not draft.cause.is_incident}
    if touched:
        _notice(Cause.objects.filter(pk__in=touched))


def sweep() -> None:
    """Notice what a worker that ended had no time for, and end causes whose day is over."""
    _notice(Cause.objects.all())
    for cause in Cause.objects.over().order_by("pk"):
        cause.end()
    Cause.objects.left_empty().delete()


def _notice(causes: CauseQuerySet) -> None:
    counted = causes.current().filter(incident_at=None).counted()
    for cause in counted.filter(number__gte=FOLDED_FROM, number__gt=F("most")).order_by("pk"):
        with transaction.atomic():
            if cause.becomes_incident():
                outbox.tell_of_incident(cause)
