"""Leave to send one request to the App API: ten a second, over all processes and hosts.

The row of the pace is locked first; the clock, the database's, is read after. Whoever gets leave
sleeps until its moment with no transaction open. Nothing is ever given back: a moment that nobody
uses costs a tenth of a second.
"""

import time
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now

from personas.models import AppApiPace
from personas.models.pace import LATE, LIMIT
from providers.customerio import BUDGET_SECONDS, AppApi, HeldBack

TRIES = 3  # a database that always takes long to answer must not stop all look-ups


@dataclass(frozen=True, slots=True)
class _Leave:
    """The moment that was reserved, by this process's monotonic clock: it lies between the two."""

    earliest: float
    latest: float


class SharedPace:
    """What a client asks before each request, and tells of a 429."""

    def wait(self, within: float) -> float:
        """Sleep until a request may leave, at most `within` seconds; returns how many it took.

        Raises HeldBack, without a moment reserved, if that would take longer.
        """
        began = time.monotonic()
        late = 0.0
        for _ in range(TRIES):
            leave = _reserve(began + within, ahead=late)
            time.sleep(max(0.0, leave.latest - time.monotonic()))
            # A process that froze, or a commit that took long, may have missed its moment by far.
            late = time.monotonic() - leave.earliest
            if late <= LATE.total_seconds():
                break
        return time.monotonic() - began

    def hold_back(self, seconds: float) -> None:
        AppApiPace.hold_back(seconds)


def paced_app_api(budget_seconds: float = BUDGET_SECONDS, base_url: str = "") -> AppApi:
    """A client whose requests keep to the limit. Not to be used inside of a transaction."""
    return AppApi(budget_seconds, base_url, pace=SharedPace())


@transaction.atomic(durable=True)
def _reserve(stop_at: float, ahead: float = 0.0) -> _Leave:
    """Reserve the next free moment; HeldBack if it comes after `stop_at`."""
    pace = AppApiPace.locked()
    before = time.monotonic()
    now = AppApiPace.objects.values_list(Now(), flat=True).get(pk=1)
    after = time.monotonic()
    moment = pace.next_free(now, ahead)
    wait = moment - now.timestamp()
    if wait > 0 and after + wait > stop_at:
        raise HeldBack(_why(pace, moment))
    pace.reserve(moment)
    return _Leave(before + wait, after + wait)


def _why(pace: AppApiPace, moment: float) -> str:
    if pace.held_until and pace.held_until.timestamp() >= moment:
        return f"Customer.io asked for silence until {pace.held_until:%H:%M:%S} UTC (429)"
    return f"the limit of {LIMIT} requests a second is used up by other look-ups"
