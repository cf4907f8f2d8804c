"""Keeps the App API to ten requests a second, over all processes and hosts.

Each request reserves a moment: the AppApiPace row is locked first, then the database's clock is
read. The process then sleeps until its moment, with no transaction open. An unused moment is not
given back: it costs a tenth of a second.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction
from django.db.models.functions import Now

from personas.models import AppApiPace
from personas.models.pace import LATE, LIMIT
from providers.customerio import BUDGET_SECONDS, AppApi, HeldBack

T = TypeVar("T")
JOB_WAIT_SECONDS = 0.3
TRIES = 3  # a database that always takes long to answer must not stop all look-ups


@dataclass(frozen=True, slots=True)
class _Turn:
    """A reserved moment: between `earliest` and `latest` by this process's monotonic clock."""

    earliest: float
    latest: float


class SharedPace:
    """The pace that all clients share through the database: see `providers.customerio.Pace`."""

    is_for_job = False

    def wait(self, within: float) -> float:
        """Sleep until a request may be sent, at most `within` seconds; returns the seconds slept.

        Raises HeldBack and reserves no moment if that would take longer.
        """
        began = time.monotonic()
        late = 0.0
        for _ in range(TRIES):
            turn = _reserve(began + within, late, self.is_for_job)
            time.sleep(max(0.0, turn.latest - time.monotonic()))
            # After a pause of the process or a slow commit, the moment may be long over.
            late = time.monotonic() - turn.earliest
            if late <= LATE.total_seconds():
                break
        return time.monotonic() - began

    def hold_back(self, seconds: float) -> None:
        AppApiPace.hold_back(seconds)


class BackgroundPace(SharedPace):
    """A pace that lets all others go first: a request only at a moment that is free at once."""

    def wait(self, within: float) -> float:
        return super().wait(min(within, 0.0))


class JobPace(BackgroundPace):
    """The pace of nightly work: beside it, most of the limit stays free for look-ups of briefs."""

    is_for_job = True


def paced_app_api(budget_seconds: float = BUDGET_SECONDS, base_url: str = "") -> AppApi:
    """A client whose requests keep to the limit. Do not use it inside a transaction."""
    return AppApi(budget_seconds, base_url, pace=SharedPace())


def background_app_api(budget_seconds: float = BUDGET_SECONDS) -> AppApi:
    """The same for look-ups that nobody waits for."""
    return AppApi(budget_seconds, pace=BackgroundPace())


def ask_for_job(question: Callable[[AppApi], T], budget_seconds: float, stop_at: float) -> T:
    """Ask at a moment that a job may use. Raises HeldBack if none comes before `stop_at`.

    stop_at: by the monotonic clock. Raises LookupFailed as the App API does.
    """
    while True:
        try:
            return question(AppApi(budget_seconds, pace=JobPace()))
        except HeldBack:
            if time.monotonic() + JOB_WAIT_SECONDS >= stop_at:
                raise
            time.sleep(JOB_WAIT_SECONDS)


@transaction.atomic(durable=True)
def _reserve(stop_at: float, ahead: float = 0.0, is_for_job: bool = False) -> _Turn:
    """Reserve the next free moment; HeldBack if it comes after `stop_at`."""
    pace = AppApiPace.locked()
    before = time.monotonic()
    now = AppApiPace.objects.values_list(Now(), flat=True).get(pk=1)
    after = time.monotonic()
    if is_for_job and not pace.leaves_room_for_jobs(now):
        raise HeldBack("look-ups come before work that nobody waits for")
    moment = pace.next_free(now, ahead)
    wait = moment - now.timestamp()
    if wait > 0 and after + wait > stop_at:
        raise HeldBack(_why(pace, moment))
    pace.reserve(moment)
    return _Turn(before + wait, after + wait)


def _why(pace: AppApiPace, moment: float) -> str:
    if pace.held_until and pace.held_until.timestamp() >= moment:
        return f"Customer.io asked for silence until {pace.held_until:%H:%M:%S} UTC (429)"
    return f"the limit of {LIMIT} requests a second is used up by other look-ups"
