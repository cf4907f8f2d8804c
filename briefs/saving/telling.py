"""Tells Customer.io who came into the segment and who left it, in batches of one kind of id.

One worker at a time, by a lease that is renewed before each request: so a run ends as soon as the
segment is turned off, or another one is to be kept. A row is inserted before the request that it is
about, and deleted after the request that takes the customer out. So a worker that was killed, and a
request whose outcome is unknown, leave a row behind, and the next run repeats what may be repeated.
"""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.db import IntegrityError, transaction

from briefs.models import SavingSegment, SegmentMembership
from briefs.models.saving import MembershipQuerySet, NotOurTurn, missing
from briefs.saving import comparing, halving, sharing
from personas.people import erased
from providers.customerio import HeldBack, LookupFailed
from providers.customerio_track import MOST_IDS, IdType, Refused, TrackApi, TrackFailed
from webhooks import waking

logger = logging.getLogger(__name__)

TASK = "briefs.tasks.segment"
# The workers of research are used to slow calls. One that hangs in the other cluster would keep a
# SQLite installation's only worker from the events.
CLUSTER = "research"
RUN_SECONDS = 20.0
AFTER_REFUSALS = timedelta(hours=1)
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=5)
# Of what only a person can cure. It is tried again all the same: then it heals by itself.
FOR_A_PERSON = timedelta(minutes=15)
Fault = SavingSegment.Fault
Rows = list[SegmentMembership]


def wake_if_due() -> None:
    """Wake a worker if something is to be told. While the broker is away, tell it here and now."""
    segment = SavingSegment.due()
    if segment is None or not TrackApi().is_configured or not _is_due(segment):
        return
    if SavingSegment.may_wake() and not waking.wake(TASK, CLUSTER):
        run()


def _is_due(segment: SavingSegment) -> bool:
    rows = SegmentMembership.objects.all()
    if comparing.is_due(segment) or segment.failures:  # if nothing is left to fail, that is noted
        return True
    if segment.is_emptying:
        return rows.to_tell().exists() or not _is_somebody_left()
    left = (missing(), rows.to_add(), rows.to_remove(), rows.given_up())
    return any(some.exists() for some in left)


def run() -> bool:
    """Tell what is due, until nothing is or the time is used up; False if it is not our turn.

    Must be called outside a transaction. Failures are noted in the rows and never raised.
    """
    api = TrackApi()
    if not api.is_configured:
        return False
    segment = SavingSegment.claim()
    if segment is None:
        return False
    try:
        _run(segment, api, time.monotonic() + RUN_SECONDS)
    except TrackFailed as error:
        _note(segment, error)
    except LookupFailed as error:
        _note_not_compared(segment, error)
    except IntegrityError:  # a customer was erased or merged between two statements
        logger.info("the segment is told in the next minute: its rows changed")
    except NotOurTurn:
        logger.info("the run ends: the segment was turned on or off, or another worker tells")
    finally:
        segment.release()
    return True


def _run(segment: SavingSegment, api: TrackApi, stop_at: float) -> None:
    SegmentMembership.objects.all().given_up().delete()
    while (has_taken := _remove(segment, api, stop_at)) or _add(segment, api, stop_at):
        segment.answered()
        if has_taken:
            comparing.begin_again(segment)
        if time.monotonic() >= stop_at:
            return
    if comparing.is_due(segment):
        comparing.compare(segment, api, stop_at)
    segment.answered()
    is_compared = segment.compared_at or not comparing.is_possible()
    if segment.is_emptying and is_compared and not _is_somebody_left():
        segment.emptied()


def _is_somebody_left() -> bool:
    """Whom we may still take out; without the App API nothing else becomes of those that failed."""
    return SegmentMembership.objects.all().not_failed().exists()


def _remove(segment: SavingSegment, api: TrackApi, stop_at: float) -> bool:
    """Take one batch out; False if there is none."""
    rows = SegmentMembership.objects.select_related("customer").order_by("pk")
    batch = list((rows.to_tell() if segment.is_emptying else rows.to_remove())[:MOST_IDS])
    told = [row for row in batch if not _needs_no_word(row)]
    if not segment.is_emptying:
        told = sharing.to_take_out(told)
    keys = {row.pk for row in told}
    _delete([row for row in batch if row.pk not in keys])
    for kind, some in _by_kind(told):
        # Until it is answered nobody knows: whose brief is opened again meanwhile is put in again.
        _rows(some).update(is_member=False)
        _tell(api.remove, segment, kind, some, _delete, stop_at)
    return bool(batch)


def _needs_no_word(row: SegmentMembership) -> bool:
    """Whether Customer.io deleted them or never took them; the comparison finds any error."""
    is_refused = row.fault == row.Fault.REFUSED and row.told_at is None
    return is_refused or row.customer.is_deleted or not row.identifier


def _add(segment: SavingSegment, api: TrackApi, stop_at: float) -> bool:
    """Put one batch in; False if there is none."""
    if segment.is_emptying:
        return False
    with transaction.atomic():
        SegmentMembership.objects.all().begin(MOST_IDS)
    rows = SegmentMembership.objects.select_related("customer").order_by("pk")
    batch = list(rows.to_add()[:MOST_IDS])
    _delete([row for row in batch if not row.identifier])
    gone: Rows = []

    def added(rows: Rows) -> None:
        if _rows(rows).added() < len(rows):
            gone.extend(_gone(rows))

    for kind, some in _by_kind(batch):
        _tell(api.add, segment, kind, some, added, stop_at)
    for kind, some in _by_kind(_erased(gone)):  # an eraser took them out before they were put in
        segment.renew()
        api.remove(segment.segment_id, kind, [row.identifier[1] for row in some if row.identifier])
    return bool(batch)


def _gone(rows: Rows) -> Rows:
    """Whose customers were erased or merged meanwhile."""
    left = set(_rows(rows).values_list("pk", flat=True))
    return [row for row in rows if row.pk not in left]


def _erased(rows: Rows) -> Rows:
    named: list[dict[str, str]] = [dict([row.identifier]) for row in rows if row.identifier]
    with transaction.atomic():
        return [row for row, gone in zip(rows, erased.are_erased(named), strict=True) if gone]


def _by_kind(rows: Iterable[SegmentMembership]) -> list[tuple[IdType, Rows]]:
    """One request names people by one kind of identifier."""
    kinds: dict[IdType, Rows] = {"cio_id": [], "id": [], "email": []}
    for row in rows:
        if row.identifier:
            kinds[row.identifier[0]].append(row)
    return [(kind, some) for kind, some in kinds.items() if some]


def _tell(
    call: Callable[[int, IdType, list[str]], None],
    segment: SavingSegment,
    kind: IdType,
    rows: Rows,
    done: Callable[[Rows], None],
    stop_at: float,
) -> None:
    """Make the request; whoever is refused is tried again later, alone.

    Raises TrackFailed where the fault is no customer's, and NotOurTurn.
    """

    def request(some: Rows) -> None:
        segment.renew()
        call(segment.segment_id, kind, [row.identifier[1] for row in some if row.identifier])

    def refused(row: SegmentMembership, error: Refused) -> None:
        logger.warning("customer %d not told: %s", row.customer_id, error)
        row.try_again(SegmentMembership.Fault.REFUSED, str(error))
        stay([row])

    def put_off(some: Rows) -> None:
        _rows(some).postpone(AFTER_REFUSALS)
        stay(some)

    def stay(some: Rows) -> None:
        """Nothing was done to these: who was in is in."""
        _rows([row for row in some if row.is_member]).update(is_member=True)

    halving.tell(request, rows, done=done, refused=refused, put_off=put_off, stop_at=stop_at)


def _delete(rows: Rows) -> None:
    _rows(rows).delete()


def _rows(rows: Rows) -> MembershipQuerySet:
    return SegmentMembership.objects.filter(pk__in=[row.pk for row in rows])


def _note(segment: SavingSegment, error: TrackFailed) -> None:
    logger.warning("the segment was not told: %s", error)
    if error.http_status == 404:
        _is_gone(segment)
    elif error.http_status in (401, 403):
        segment.failed(Fault.KEY, str(error), FOR_A_PERSON)
    elif error.http_status == 429:
        seconds = error.retry_after if error.retry_after is not None else 60.0
        segment.failed(Fault.LIMIT, str(error), max(FIRST_PAUSE, timedelta(seconds=seconds)))
    else:
        pause = FIRST_PAUSE * 2 ** min(segment.failures, 10)
        segment.failed(Fault.AWAY, str(error), min(pause, LONGEST_PAUSE))


def _note_not_compared(segment: SavingSegment, error: LookupFailed) -> None:
    if isinstance(error, HeldBack):  # others look people up: the next run goes on
        return
    logger.warning("the segment was not compared: %s", error)
    segment.not_compared(str(error), FOR_A_PERSON)
    if error.http_status == 404:
        _is_gone(segment)


def _is_gone(segment: SavingSegment) -> None:
    """Somebody deleted it in Customer.io. It is asked for again, in case it was our address."""
    if segment.is_emptying:
        segment.emptied()
    else:
        segment.failed(Fault.GONE, "Customer.io has no such segment (404)", FOR_A_PERSON)
