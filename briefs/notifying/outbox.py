"""The outbox: rows in, messages out, tried again by schedule until they are sent or given up.

Rows are inserted in the transaction of what they tell. One sender at a time claims one row at a
time under the lock of the targets, commits the claim, and only then sends. A sending whose outcome
is not known, since no answer came or the sender was killed, counts as not sent: a message may
arrive twice, and an alarm is not lost with the worker that was sending it.
"""

import logging
import time
import uuid
from collections.abc import Collection, Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from briefs.models import Alarm, Brief, Notification, NotificationTarget, sealing
from briefs.notifying import messages, sending
from personas.models import AttributeName
from webhooks import waking

logger = logging.getLogger(__name__)

TASK = "briefs.tasks.notify"
RUN_SECONDS = 20.0  # of one task; with the last sending well within the cluster's time-out
HANDFUL = 5  # messages on briefs to one target within WINDOW; more become a digest
WINDOW = timedelta(minutes=1)
LARGEST_DIGEST = 1000

Kind = Notification.Kind


def tell_of_briefs(briefs: Collection[Brief]) -> None:
    """Insert what the targets are told of these briefs. Needs an open transaction.

    Skips briefs that wait for their profile. A target hears of a brief once, however often it is
    named here.
    """
    ready = [brief for brief in briefs if brief.is_open and not brief.is_waiting_for_profile]
    if not ready:
        return
    targets = NotificationTarget.objects.filter(
        is_active=True, minimum_priority__lte=max(brief.priority for brief in ready)
    )
    wanted = [
        (target, brief)
        for target in targets
        for brief in ready
        if brief.priority >= (target.minimum_priority or 0)
    ]
    if not wanted:
        return
    roles = {item.role: item.name_list for item in AttributeName.objects.all()}
    told = {brief.pk: messages.about_brief(brief, roles) for _, brief in wanted}
    _insert(
        Notification(
            target=target,
            kind=Kind.BRIEF,
            brief=brief,
            dedupe_key=f"brief:{brief.pk}",
            subject=told[brief.pk][0],
            body=told[brief.pk][1],
        )
        for target, brief in wanted
    )


def tell_of_alarm(alarm: Alarm) -> int:
    """Insert what the targets are told of this alarm; returns how many are told."""
    subject, body = messages.about_alarm(alarm)
    state = f"told {alarm.times_told}" if alarm.is_open else "over"
    key = f"alarm:{alarm.kind}:{alarm.opened_at:%Y%m%dT%H%M%S.%f}:{state}"
    return _insert(
        Notification(target=target, kind=Kind.ALARM, dedupe_key=key, subject=subject, body=body)
        for target in NotificationTarget.objects.filter(is_active=True, gets_alarms=True)
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


def _insert(rows: Iterable[Notification]) -> int:
    new = list(rows)
    if new:
        Notification.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
        transaction.on_commit(wake)
    return len(new)


def wake() -> None:
    """Wake a sender."""
    waking.wake(TASK, "default")


def wake_if_due() -> None:
    if _work().exists():
        wake()


def send_due() -> int:
    """Send what is due, one after the other, until nothing is or the time is used; how many."""
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
    """Send a claimed row and record how it went. No transaction is open meanwhile."""
    token = notification.lease_token
    if token is None:
        return
    try:
        sending.deliver(notification.target.address, notification.subject, notification.body)
    except (sending.NotSent, sealing.Unreadable) as error:
        _not_sent(notification, token, str(error))
    else:
        notification.sent(token)


def _not_sent(notification: Notification, token: uuid.UUID, reason: str) -> None:
    logger.warning("notification %d not sent: %s", notification.pk, reason)
    notification.try_again(token, reason)


def claim_next() -> Notification | None:
    """Lease the next row to send; None if nothing is due or another sender is at work."""
    if not _work().exists():
        return None
    with transaction.atomic():
        # Locked in one order and in a statement of its own; all below is read under the lock.
        # NO KEY, so that a new row of the outbox, which refers to its target, need not wait.
        locked = NotificationTarget.objects.order_by("pk").select_for_update(no_key=True)
        targets = sorted(locked, key=lambda target: (target.tried_at is not None, target.tried_at))
        for lost in Notification.objects.lost():
            if lost.lease_token:
                _not_sent(lost, lost.lease_token, "its sender ended before the outcome was known")
        if Notification.objects.under_way().exists():
            return None
        for target in targets:  # the one that waited longest first
            if claimed := _claim_for(target):
                NotificationTarget.objects.filter(pk=target.pk).update(tried_at=Now())
                return claimed
    return None


def _work() -> QuerySet[Notification]:
    """Due rows, and those that a sender left behind."""
    return Notification.objects.due() | Notification.objects.lost()


def _claim_for(target: NotificationTarget) -> Notification | None:
    due = Notification.objects.due().filter(target=target)
    if not target.is_active:
        due.exclude(kind=Kind.TEST).cancel("the target is switched off")
    due.filter(brief__state=Brief.State.CLOSED).cancel("the brief was closed meanwhile")
    chosen = due.exclude(kind=Kind.BRIEF).order_by("pk").first() or _brief_or_digest(target, due)
    if chosen is None or chosen.claim() is None:
        return None
    return chosen


def _brief_or_digest(
    target: NotificationTarget, due: QuerySet[Notification]
) -> Notification | None:
    """The most urgent brief, or one digest of all if they are too many; None to wait for more."""
    briefs = due.filter(kind=Kind.BRIEF)
    waiting = briefs.count()
    if not waiting:
        return None
    recent = target.notifications.filter(
        kind__in=(Kind.BRIEF, Kind.DIGEST), started_at__gt=Now() - WINDOW
    )
    kinds = list(recent.values_list("kind", flat=True))
    if len(kinds) + waiting <= HANDFUL:
        return briefs.order_by("-brief__priority", "pk").first()
    if Kind.DIGEST in kinds or len(kinds) >= HANDFUL:
        return None
    return _digest(target, briefs)


def _digest(target: NotificationTarget, briefs: QuerySet[Notification]) -> Notification:
    """Put the waiting briefs into one message, the most urgent first."""
    parts = list(
        briefs.order_by("-brief__priority", "pk").select_related("brief__persona")[:LARGEST_DIGEST]
    )
    subject, body = messages.about_briefs([part.brief for part in parts if part.brief])
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
