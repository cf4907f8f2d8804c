"""The outbox: a row for each message, tried again by schedule until it is sent or given up.

A row is inserted in the transaction that causes the message. One sender at a time claims one row at
a time under the lock of the targets, commits the claim, and only then sends. If the outcome is not
known, because no answer came or the sender was killed, the message counts as not sent: it may
arrive twice, but no alarm is lost with the worker that was sending it.
"""

import logging
import time
import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from briefs.models import (
    Alarm,
    Brief,
    Cause,
    Notification,
    NotificationTarget,
    PriorityThreshold,
    sealing,
)
from briefs.notifying import messages, sending
from briefs.permissions import people_who
from briefs.reading.first_steps import FirstSteps
from personas.models import AttributeName
from webhooks import waking
from webhooks.logs.ids import about

logger = logging.getLogger(__name__)

TASK = "briefs.tasks.notify"
RUN_SECONDS = 20.0  # of one task; with the last message far below the cluster's time-out
MOST_SINGLE = 5  # messages about briefs to one target within WINDOW; more become a digest
WINDOW = timedelta(minutes=1)
LARGEST_DIGEST = 1000
# A message on a brief that a message of Customer.io caused waits so long: if many customers do the
# same, all are told as one incident.
HELD = timedelta(seconds=5)

LEADS = "briefs.change_workingtime"  # who sets after how long a brief is forgotten

Kind = Notification.Kind
# What is joined in a digest if there are too many, and what the briefs are called there.
_TOLD_OF: dict[str, str] = {
    Kind.BRIEF: "new briefs",
    Kind.ASSIGNED: "briefs assigned to you",
    Kind.WOKEN: "briefs of yours that woke up",
}
JOINED = tuple(_TOLD_OF)


def tell_of_briefs(briefs: Collection[Brief]) -> None:
    """Insert the messages about these briefs, one for each target. Needs an open transaction.

    Skips briefs that wait for their profile. A target is told of a brief once, even if this is
    called for it again, and of an incident's first day once for all of its briefs.
    """
    causes = {brief.cause_id for brief in briefs if brief.cause_id}
    told_already = (
        Cause.objects.told_for_all().filter(pk__in=causes) if causes else Cause.objects.none()
    )
    incidents = set(told_already.values_list("pk", flat=True))
    ready = [
        brief
        for brief in briefs
        if brief.is_open and not brief.is_waiting_for_profile and brief.cause_id not in incidents
    ]
    if not ready:
        return
    # Whoever asked for urgent briefs is told of the highest priority that there can be.
    highest = PriorityThreshold.highest()
    targets = NotificationTarget.objects.filter(is_active=True, minimum_priority__isnull=False)
    wanted = [
        (target, brief)
        for target in targets
        for brief in ready
        if brief.priority >= min(target.minimum_priority or 0, highest)
    ]
    if not wanted:
        return
    roles = {item.role: item.name_list for item in AttributeName.objects.all()}
    first_steps = FirstSteps(ready)
    told = {brief.pk: messages.about_brief(brief, roles, first_steps) for _, brief in wanted}
    held_until = Now() + HELD
    insert(
        Notification(
            target=target,
            kind=Kind.BRIEF,
            brief=brief,
            dedupe_key=f"brief:{brief.pk}",
            subject=told[brief.pk][0],
            body=told[brief.pk][1],
            available_at=held_until if brief.cause_id else None,
        )
        for target, brief in wanted
    )


def tell_after_all(briefs: Iterable[Brief], since: datetime) -> None:
    """Put back the messages about these briefs that were cancelled since then: they are open again.

    A message that is not wanted for another reason is cancelled again when its turn comes.
    """
    cancelled = Notification.objects.filter(
        kind__in=JOINED,
        brief__in=[brief.pk for brief in briefs],
        status=Notification.Status.CANCELLED,
        digest=None,
        finished_at__gte=since,
    )
    if cancelled.restore():
        transaction.on_commit(wake)


def tell_of_incident(cause: Cause) -> int:
    """Insert one message for each target that is told of new briefs; returns how many.

    Needs an open transaction.
    """
    subject, body = messages.about_incident(cause)
    return insert(
        Notification(
            target=target,
            kind=Kind.INCIDENT,
            dedupe_key=f"incident:{cause.pk}",
            subject=subject,
            body=body,
        )
        for target in NotificationTarget.objects.filter(
            is_active=True, minimum_priority__isnull=False
        )
    )


def tell_of_alarm(alarm: Alarm) -> int:
    """Insert the messages about this alarm; returns how many targets are told."""
    subject, body = messages.about_alarm(alarm)
    state = f"told {alarm.times_told}" if alarm.is_open else "over"
    key = f"alarm:{alarm.kind}:{alarm.opened_at:%Y%m%dT%H%M%S.%f}:{state}"
    return insert(
        Notification(target=target, kind=Kind.ALARM, dedupe_key=key, subject=subject, body=body)
        for target in NotificationTarget.objects.filter(is_active=True, gets_alarms=True)
    )


def tell_of_forgotten(briefs: QuerySet[Brief], day: str) -> int:
    """Insert the day's list of forgotten briefs; returns how many targets are told.

    Those are told that were ticked for it; as long as none is, the leads who want to be told in
    person. A target is told once a day. Without a brief there is no list.
    """
    key = f"forgotten:{day}"
    targets = NotificationTarget.objects.filter(is_active=True)
    if targets.filter(gets_forgotten=True).exists():
        targets = targets.filter(gets_forgotten=True)
    else:
        targets = targets.filter(person__in=people_who(LEADS))
    untold = list(targets.exclude(notifications__dedupe_key=key))
    if not untold:
        return 0
    found = list(briefs.select_related("persona")[:LARGEST_DIGEST])
    if not found:
        return 0
    subject, body = messages.about_forgotten(found)
    return insert(
        Notification(target=target, kind=Kind.FORGOTTEN, dedupe_key=key, subject=subject, body=body)
        for target in untold
    )


def tell_test(target: NotificationTarget) -> Notification:
    subject, body = messages.about_test(target.name)
    return Notification.objects.create(
        target=target,
        kind=Kind.TEST,
        dedupe_key=f"test:{uuid.uuid4()}",
        subject=subject,
        body=body,
    )


def insert(rows: Iterable[Notification]) -> int:
    new = list(rows)
    if new:
        Notification.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
        transaction.on_commit(wake)
    return len(new)


def wake() -> bool:
    return waking.wake(TASK, "default")


def wake_for_held() -> None:
    """Wake a sender if a message was held until a moment ago."""
    just_now = (Now() - 2 * HELD, Now())
    if Notification.objects.due().filter(available_at__range=just_now).exists():
        wake()


def wake_if_due() -> None:
    """Wake a sender if a message is due. While the broker is away, send it here and now."""
    if _due_or_lost().exists() and not wake():
        send_due()


def send_due() -> int:
    """Send due messages one by one until none is due or the time is used up; returns how many."""
    stop_at = time.monotonic() + RUN_SECONDS
    number = 0
    while time.monotonic() < stop_at:
        notification = claim_next()
        if notification is None:
            return number
        send(notification)
        number += 1
    wake()
    return number


def send(notification: Notification) -> None:
    """Send a claimed row and record the outcome. No transaction is open while it is sent."""
    token = notification.lease_token
    if token is None:
        return
    with about(notification=notification.pk, brief=notification.brief_id):
        try:
            notification.target.seal_anew()
            address = notification.target.present_address
            sending.deliver(address, notification.subject, notification.body)
        except (sending.NotDelivered, sealing.Unreadable) as error:
            _record_failure(notification, token, str(error))
        else:
            notification.sent(token)


def _record_failure(notification: Notification, token: uuid.UUID, reason: str) -> None:
    logger.warning("notification %d not sent: %s", notification.pk, reason)
    notification.try_again(token, reason)


def claim_next() -> Notification | None:
    """Claim the next row to send; None if none is due or another sender is at work."""
    if not _due_or_lost().exists():
        return None
    with transaction.atomic():
        # Locked in a fixed order, in a statement of its own, before everything below is read.
        # NO KEY, so that new rows, which refer to their target, can be inserted meanwhile.
        ordered = NotificationTarget.objects.select_related("person").order_by("pk")
        locked = ordered.select_for_update(of=("self",), no_key=True)
        targets = sorted(locked, key=lambda target: (target.tried_at is not None, target.tried_at))
        for lost in Notification.objects.lost():
            if lost.lease_token:
                _record_failure(
                    lost, lost.lease_token, "its sender ended before the outcome was known"
                )
        if Notification.objects.under_way().exists():
            return None
        waited_for = set(Notification.objects.due().values_list("target", flat=True))
        for target in targets:  # first the target whose last try is the longest ago
            if target.pk in waited_for and (claimed := _claim_for(target)):
                NotificationTarget.objects.filter(pk=target.pk).update(tried_at=Now())
                return claimed
    return None


def _due_or_lost() -> QuerySet[Notification]:
    """Rows that are due, and rows whose sender ended before it recorded the outcome."""
    return Notification.objects.due() | Notification.objects.lost()


def _claim_for(target: NotificationTarget) -> Notification | None:
    due = Notification.objects.due().filter(target=target)
    if not target.is_active:
        due.exclude(kind=Kind.TEST).cancel("the target is switched off")
    if target.person:
        of_theirs = due.filter(kind__in=(Kind.ASSIGNED, Kind.WOKEN))
        not_theirs = of_theirs.exclude(brief__assignee=target.person)
        not_theirs.cancel("the brief is not theirs any more")
        if not target.person.is_active:
            due.cancel("the person has left")
    of_incident = due.filter(kind=Kind.BRIEF, brief__cause__in=Cause.objects.told_for_all())
    of_incident.cancel("told as an incident")
    of_closed = due.filter(brief__state=Brief.State.CLOSED).exclude(kind=Kind.MENTION)
    of_closed.cancel("the brief was closed meanwhile")
    chosen = due.exclude(kind__in=JOINED).order_by("pk").first() or _brief_or_digest(target, due)
    if chosen is None or chosen.claim() is None:
        return None
    return chosen


def _brief_or_digest(
    target: NotificationTarget, due: QuerySet[Notification]
) -> Notification | None:
    """The message on the most urgent brief, or one digest if there are too many; None for later."""
    briefs = due.filter(kind__in=JOINED)
    waiting = briefs.count()
    if not waiting:
        return None
    recent = target.notifications.filter(
        kind__in=(*JOINED, Kind.DIGEST), started_at__gt=Now() - WINDOW
    )
    kinds = list(recent.values_list("kind", flat=True))
    if len(kinds) + waiting <= MOST_SINGLE:
        return briefs.order_by("-brief__priority", "pk").first()
    if Kind.DIGEST in kinds or len(kinds) >= MOST_SINGLE:
        return None
    return _digest(target, briefs)


def _digest(target: NotificationTarget, briefs: QuerySet[Notification]) -> Notification:
    """Join the waiting messages into one, the most urgent first."""
    parts = list(
        briefs.order_by("-brief__priority", "pk").select_related("brief__persona")[:LARGEST_DIGEST]
    )
    told = [part.brief for part in parts if part.brief]
    kinds = {part.kind for part in parts}
    kind = _TOLD_OF[kinds.pop()] if len(kinds) == 1 else "briefs"
    subject, body = messages.about_briefs(told, kind)
    digest = Notification.objects.create(
        target=target,
        kind=Kind.DIGEST,
        dedupe_key=f"digest:{uuid.uuid4()}",
        subject=subject,
        body=body,
    )
    keys = Q(pk__in=[part.pk for part in parts])
    Notification.objects.filter(keys).cancel("told in a digest", digest)
    return digest
