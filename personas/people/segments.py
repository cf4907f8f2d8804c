"""Reads Customer.io's list of segments daily, and at night who is in those that conditions name.

Page by page, slowly, and only while look-ups leave room. A run ends after some seconds, and the
next one goes on from the page that it came to.
"""

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction

from personas.models import AppApiHealth, PersonaCondition
from personas.models.conditions import SEGMENTS
from personas.models.segments import (
    CustomerSegment,
    Overtaken,
    SegmentList,
    SegmentMember,
    named,
    names_in,
)
from personas.people import erased
from personas.people.pacing import ask_for_job, paced_app_api
from providers.customerio import BadRequest, HeldBack, LookupFailed, TooMuch

logger = logging.getLogger(__name__)

PAGE = 5_000  # people: about 600 kB, far below what one answer may have
SMALLER_PAGE = 1_000  # after an answer that was too large or came too late
BUDGET_SECONDS = 10.0  # of a request, which nobody waits for
RUN_SECONDS = 20.0
DELETED_AT_ONCE = 5_000  # rows
AFTER_FAILURE = timedelta(minutes=5)
FOR_A_PERSON = timedelta(hours=1)  # of what only a person can cure
UNFINISHED = timedelta(minutes=10)  # Customer.io is still building the segment
TOO_OLD = timedelta(days=1)  # a reading that takes longer begins anew


def is_due() -> bool:
    """Whether a worker should be woken: the list or a segment is to be read, or one forgotten."""
    if not paced_app_api().is_configured or AppApiHealth.is_closed():
        return False
    _mark_named()
    return SegmentList.is_due() or any(
        rows.exists()
        for rows in (CustomerSegment.objects.to_read(), CustomerSegment.objects.to_forget())
    )


def run(next_night: datetime) -> bool:
    """Read what is due until nothing is or the time is used up; False if it is not our turn.

    next_night: when a segment that was read is due again. Must be called outside a transaction.
    Failures are noted in the rows and never raised.
    """
    if not paced_app_api().is_configured:
        return False
    listing = SegmentList.claim()
    if listing is None:
        return False
    try:
        _run(listing, next_night, time.monotonic() + RUN_SECONDS)
    except HeldBack as error:
        logger.info("segments are read on in the next minute: %s", error)
    except Overtaken:
        logger.info("another worker reads the segments")
    finally:
        listing.release()
    return True


def _run(listing: SegmentList, next_night: datetime, stop_at: float) -> None:
    if SegmentList.is_due():
        _read_list(listing, stop_at)
        _mark_named()
    for segment in CustomerSegment.objects.to_forget():
        segment.forget()
    for segment in CustomerSegment.objects.all():
        if not _tidied(segment, stop_at):
            return
    for segment in CustomerSegment.objects.to_read():
        if time.monotonic() >= stop_at:
            return
        _read(segment, next_night, stop_at)
        _tidied(segment, stop_at)


def _mark_named() -> None:
    """Note which segments conditions name; one that is not in the list may be a new one."""
    names = names_in(PersonaCondition.objects.filter(operator__in=SEGMENTS))
    rows = list(CustomerSegment.objects.all())
    found = [named(rows, name) for name in names]
    keys = {one.pk for one in found if one}
    for row in rows:
        if row.is_named != (row.pk in keys):
            CustomerSegment.objects.filter(pk=row.pk).update(is_named=row.pk in keys)
    if any(one is None or not one.is_listed for one in found):
        SegmentList.lacks_one()


def _read_list(listing: SegmentList, stop_at: float) -> None:
    try:
        found = ask_for_job(lambda api: api.segments(), BUDGET_SECONDS, stop_at)
    except HeldBack:
        raise
    except LookupFailed as error:  # no word to AppApiHealth: people can be looked up all the same
        logger.warning("the list of segments was not read: %s", error)
        listing.failed(str(error), _pause(error))
    else:
        listing.learn((one.id, one.name) for one in found)


def _tidied(segment: CustomerSegment, stop_at: float) -> bool:
    """Delete rows of earlier readings, some at a time; False if the time was not enough."""
    while keys := list(segment.superfluous().values_list("pk", flat=True)[:DELETED_AT_ONCE]):
        SegmentMember.objects.filter(pk__in=keys).delete()
        if time.monotonic() >= stop_at:
            return False
    return True


def _read(segment: CustomerSegment, next_night: datetime, stop_at: float) -> None:
    """Read on from where the last run ended. Raises HeldBack and Overtaken."""
    try:
        if segment.is_older(TOO_OLD):
            segment.failed("a reading took longer than a day", timedelta(0), begin_anew=True)
            return  # the next run first deletes what was read
        if segment.begun_at is None:
            if not _is_finished(segment, stop_at):
                segment.failed("Customer.io is still building it", UNFINISHED)
                return
            segment.begin()
        while not _read_page(segment, next_night, stop_at):
            if time.monotonic() >= stop_at:
                return
    except HeldBack:
        raise
    except LookupFailed as error:
        logger.warning("segment %d was not read: %s", segment.number, error)
        if error.http_status == 404:
            segment.is_gone()
            return
        # A page that Customer.io refuses: its cursor is too old.
        segment.failed(str(error), _pause(error), begin_anew=isinstance(error, BadRequest))


def _is_finished(segment: CustomerSegment, stop_at: float) -> bool:
    number = segment.number
    return ask_for_job(lambda api: api.segment(number), BUDGET_SECONDS, stop_at).is_ready


def _read_page(segment: CustomerSegment, next_night: datetime, stop_at: float) -> bool:
    """Read and keep one page; whether it was the last one.

    Before the last one is believed the segment is asked for again: it may have been changed, and
    be built anew, while its pages were read.
    """
    number, start = segment.number, segment.cursor
    most = SMALLER_PAGE if segment.trouble else PAGE
    try:
        page = ask_for_job(
            lambda api: api.segment_members(number, start, most), BUDGET_SECONDS, stop_at
        )
    except TooMuch:
        page = ask_for_job(
            lambda api: api.segment_members(number, start, SMALLER_PAGE), BUDGET_SECONDS, stop_at
        )
    people = [one.cio_id for one in page.people if one.cio_id]
    if page.next:
        with transaction.atomic():
            segment.page_read(erased.allowed_members(people), page.next)
    elif _is_finished(segment, stop_at):
        with transaction.atomic():
            segment.complete(erased.allowed_members(people), next_night)
    else:
        segment.failed("Customer.io builds it anew", UNFINISHED, begin_anew=True)
    return not page.next


def _pause(error: LookupFailed) -> timedelta:
    is_for_a_person = error.is_permanent and not isinstance(error, BadRequest)
    return FOR_A_PERSON if is_for_a_person else AFTER_FAILURE
