"""Compares Customer.io's list of the segment with our rows, once a night, page by page.

Whoever is listed and has no open brief is taken out, whoever put them in: the segment is
Savedesk's alone. Whoever we put in and is not listed is told again, a few nights long.

A page begins at a place in the list. Where somebody leaves, all others move forward, and some would
be on no page: so the list is then read from its first page, until nobody leaves meanwhile.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as Time
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Q

from briefs.models import SavingSegment, SegmentMembership, WorkingTime
from briefs.saving import halving
from personas.people.pacing import ask_for_job, background_app_api
from providers.addresses import folded
from providers.customerio import AppApi, LookupFailed
from providers.customerio_track import Refused, TrackApi
from providers.segments import Member
from webhooks.clock import database_now

T = TypeVar("T")
logger = logging.getLogger(__name__)

PAGE = 1000  # people; all of them can be taken out by one request
BUDGET_SECONDS = 10.0  # of a page, which nobody waits for
AGAIN_FOR = timedelta(hours=1)  # then a comparison goes on to its end, whoever leaves meanwhile
AT_NIGHT = Time(3)  # in the team's time zone
# Customer.io may list somebody a while after it took the request.
SLOW = timedelta(minutes=10)


class NotReady(LookupFailed):
    """The segment is being built: its list is partial."""


@dataclass(slots=True)
class _Asked:
    """By cio_id, whom this run took out, whom Customer.io refused, and who was put off after that.

    Nobody is asked for twice. `is_still_listed` says that a page since the first one names somebody
    who was taken out, whom Customer.io may list for a while, or who was put off.
    """

    taken: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    put_off: set[str] = field(default_factory=set)
    is_still_listed: bool = False

    @property
    def all(self) -> set[str]:
        return self.taken | self.refused | self.put_off

    @property
    def to_leave(self) -> set[str]:
        """Who will not be listed for ever. Where nobody can be taken out, those put off stay."""
        return self.taken | self.put_off if self.taken else set()


def is_possible() -> bool:
    return background_app_api().is_configured


def is_due(segment: SavingSegment) -> bool:
    """Whether the night has come, or a comparison is under way."""
    return is_possible() and segment.compare_at <= database_now()


def compare(segment: SavingSegment, track: TrackApi, stop_at: float) -> None:
    """Go on with the pages, until the last one is compared or the time is used up.

    Needs the lease: nobody else may tell meanwhile. Raises NotOurTurn, TrackFailed, LookupFailed,
    and of these HeldBack while others look people up.
    """
    number = segment.segment_id
    if segment.comparing_since is None:
        segment.renew()
        if not _ask(lambda api: api.segment(number), stop_at).is_ready:
            raise NotReady("Customer.io is still building the segment")
        segment.begin_comparing()
    asked = _Asked()
    while time.monotonic() < stop_at:
        segment.renew()
        page = _ask(lambda api: api.segment_members(number, segment.cursor, PAGE), stop_at)
        has_taken = _compare_page(segment, track, page.people, asked)
        if has_taken and begin_again(segment):
            asked.is_still_listed = False
        elif page.next:
            segment.page_compared(page.next)
        elif segment.is_emptying and asked.is_still_listed:
            segment.not_compared("", SLOW)
            return
        else:
            _after_last_page(segment)
            return


def begin_again(segment: SavingSegment) -> bool:
    """Go back to the first page, if a comparison is under way; False after an hour of that."""
    since = segment.comparing_since
    if since is None or database_now() - since > AGAIN_FOR:
        return False
    segment.page_compared("")
    return True


def _ask(question: Callable[[AppApi], T], stop_at: float) -> T:
    """Raises HeldBack if look-ups leave no moment for it in time."""
    return ask_for_job(question, BUDGET_SECONDS, stop_at)


def _compare_page(
    segment: SavingSegment, track: TrackApi, people: list[Member], asked: _Asked
) -> bool:
    """Whether somebody was taken out."""
    known = _rows_of(people)
    rows = SegmentMembership.objects.filter(pk__in=set().union(*known.values()))
    wanted = rows.none() if segment.is_emptying else rows.wanted()
    kept = set(wanted.values_list("pk", flat=True))
    strangers = {one.cio_id for one in people if one.cio_id and kept.isdisjoint(known[one])}
    has_taken = _take_out(segment, track, list(strangers - asked.all), asked)
    if not asked.to_leave.isdisjoint(strangers):
        asked.is_still_listed = True
    rows.exclude(pk__in=kept).delete()
    SegmentMembership.objects.filter(pk__in=kept).seen()
    return has_taken


def _take_out(segment: SavingSegment, track: TrackApi, cio_ids: list[str], asked: _Asked) -> bool:
    """Whether somebody was. A refused one is passed over, and tried again in a later run."""
    if not cio_ids:
        return False
    before = len(asked.taken)
    random.shuffle(cio_ids)  # else the same refused ones would put the same others off each time

    def request(some: list[str]) -> None:
        segment.renew()
        track.remove(segment.segment_id, "cio_id", some)

    def refused(one: str, error: Refused) -> None:
        logger.warning("somebody without an open brief was not taken out: %s", error)
        asked.refused.add(one)

    halving.tell(
        request, cio_ids, done=asked.taken.update, refused=refused, put_off=asked.put_off.update
    )
    number = len(asked.taken) - before
    logger.info("%d people without an open brief were taken out", number)
    return number > 0


def _rows_of(people: list[Member]) -> dict[Member, set[int]]:
    """By person: the rows of the customer that it is, found as the customer is named to them.

    There are several of one person until a look-up says that their customers are the same.
    """
    named = {
        "cio_id": {one.cio_id: one for one in people if one.cio_id},
        "id": {one.id: one for one in people if one.id},
        "email": {folded(one.email.strip()): one for one in people if one.email},
    }
    rows = SegmentMembership.objects.select_related("customer").filter(
        Q(customer__cio_id__in=named["cio_id"])
        | Q(customer__cio_id=None, customer__external_id__in=named["id"])
        | Q(customer__cio_id=None, customer__external_id=None, customer__email__in=named["email"])
    )
    found: dict[Member, set[int]] = {one: set() for one in people}
    for row in rows:
        kind, value = row.identifier or ("", "")
        if one := named.get(kind, {}).get(value):
            found[one].add(row.pk)
    return found


def _after_last_page(segment: SavingSegment) -> None:
    """Judge the rows that no page named."""
    since = segment.comparing_since or database_now()
    rows = SegmentMembership.objects.filter(Q(seen_at=None) | Q(seen_at__lt=since))
    failed = rows.failed()
    (failed if segment.is_emptying else failed.unwanted()).delete()  # they are not in
    # Without `told_at`: refused when we told them, then listed, since another hand put them in.
    is_told_for_long = Q(told_at=None) | Q(told_at__lt=since - SLOW)
    rows.filter(is_told_for_long, is_member=True).not_listed()
    for row in rows.failed().select_related("customer"):
        row.name_or_begin_anew()
    segment.compared(next_night(database_now()))


def next_night(now: datetime) -> datetime:
    """Three o'clock of the next day, in the team's time zone."""
    zone = ZoneInfo(WorkingTime.current().time_zone)
    today = now.astimezone(zone).date()
    return datetime.combine(today + timedelta(days=1), AT_NIGHT, zone)
