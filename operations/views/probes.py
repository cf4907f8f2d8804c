"""For monitoring: `/livez` says that the process answers, `/readyz` that all parts work.

No login is needed, so the answers contain nothing that must be kept from strangers.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from briefs.times import length
from operations.figures import Figures
from operations.troubles import ANY_AGE, TOLD_AFTER, Ages, Choice, Kind, choose
from operations.unapplied import unapplied
from providers.deadlines import OutOfTime, in_time
from webhooks import full_disk, storing
from webhooks.waking import why_away

LIMIT_SECONDS = 2.5  # also if the database hangs
FRESH_SECONDS = 1.0
BROKER_SECONDS = 1.0
_NAMES = ("database", "migrations", "oldest_waiting", "clusters", "broker")
# The troubles that make a check fail: those of LATE `oldest_waiting`, the others `clusters`.
LATE: Choice = dict.fromkeys((Kind.NOT_TAKEN, Kind.BEHIND), Ages(timedelta(minutes=10)))
STUCK: Choice = {
    Kind.NOT_TAKEN: ANY_AGE,
    Kind.UNSWEPT: Ages(TOLD_AFTER),
    Kind.UNSCHEDULED: Ages(TOLD_AFTER),
    Kind.NOT_ASKED: ANY_AGE,
}
_slots = threading.BoundedSemaphore(2)  # at most two looks hang at the same time


@dataclass(frozen=True, slots=True)
class ReadinessCheck:
    name: str
    is_ok: bool
    words: str
    seconds: int | None = None
    kinds: tuple[Kind, ...] = ()


@never_cache
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Every check with its words; 503 if one fails. Answers within 3 seconds."""
    checks = latest.get()
    is_ready = all(check.is_ok for check in checks)
    told = {
        check.name: {"ok": check.is_ok, "words": check.words}
        | ({} if check.seconds is None else {"seconds": check.seconds})
        | ({"kinds": check.kinds} if check.kinds else {})
        for check in checks
    }
    answer = {"status": "ready" if is_ready else "not ready", "checks": told}
    return JsonResponse(answer, status=200 if is_ready else 503)


def look_in_time(look: Callable[[], list[ReadinessCheck]]) -> list[ReadinessCheck]:
    """Look in a thread of its own, because a query that hangs cannot be ended."""
    stop_at = time.monotonic() + LIMIT_SECONDS
    if not _slots.acquire(timeout=LIMIT_SECONDS):
        return _unreachable("earlier looks still wait for it")

    def run() -> list[ReadinessCheck]:
        try:
            return look()
        except Error as error:
            return _unreachable(full_disk.why(error))
        finally:
            connection.close()
            _slots.release()

    try:
        return in_time(run, stop_at - time.monotonic(), name="readyz")
    except OutOfTime:
        return _unreachable("no answer in time")


class Latest:
    """The result of a look, at most a second old, however many ask: one looks, the others wait."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.until, self.checks = 0.0, list[ReadinessCheck]()

    def get(self) -> list[ReadinessCheck]:
        with self.lock:
            if time.monotonic() >= self.until:
                self.checks = look_in_time(lambda: list(look()))
                self.until = time.monotonic() + FRESH_SECONDS
            return self.checks


latest = Latest()


def look() -> Iterator[ReadinessCheck]:
    missing = unapplied()
    yield _database()
    if missing:
        yield ReadinessCheck("migrations", False, f"{missing} not applied: run manage.py migrate")
        yield from _unknown("the tables are not up to date", _NAMES[2:])
        return
    yield ReadinessCheck("migrations", True, "all applied")
    figures = Figures()
    yield _oldest_waiting(figures)
    yield _clusters(figures)
    yield _broker()


def _database() -> ReadinessCheck:
    """Reading works on a full disk, so ask for the room and for what the receiver met."""
    free = full_disk.free_bytes()
    if storing.committer.is_disk_full or (free is not None and free < full_disk.LEAST_BYTES):
        words = f"{full_disk.FULL}: events are answered with 503 until there is room"
        return ReadinessCheck("database", False, words)
    return ReadinessCheck("database", True, "reachable")


def _oldest_waiting(figures: Figures) -> ReadinessCheck:
    late = choose(figures, LATE)
    since = late[0].since if late else figures.event_due_since
    if since is None:
        return ReadinessCheck("oldest_waiting", True, "no event is due", 0)
    age = max(figures.now - since, timedelta(0))
    words = f"the oldest event has been due for {length(age)}"
    if late:
        words += ": does manage.py supervise run?"
    kinds = tuple(trouble.kind for trouble in late)
    return ReadinessCheck("oldest_waiting", not late, words, int(age.total_seconds()), kinds)


_WORDS = {
    Kind.NOT_TAKEN: "events have been due for a minute and none is taken",
    Kind.UNSWEPT: "no worker has looked for work for {age}",
    Kind.UNSCHEDULED: "the sweep was due {age} ago and nothing starts it",
    Kind.NOT_ASKED: "research has been due for a minute and none is asked",
}


def _clusters(figures: Figures) -> ReadinessCheck:
    if found := choose(figures, STUCK):
        words = [_WORDS[one.kind].format(age=length(figures.now - one.since)) for one in found]
        return ReadinessCheck(
            "clusters", False, "; ".join(words), kinds=tuple(trouble.kind for trouble in found)
        )
    if figures.looked_at:
        ago = length(figures.now - figures.looked_at)
        return ReadinessCheck("clusters", True, f"looked for work {ago} ago")
    return ReadinessCheck("clusters", True, "no event has woken them yet")


def _broker() -> ReadinessCheck:
    """A broker that is away stops nothing, but what is due is found some seconds later."""
    kind = urlsplit(settings.BROKER_URL).scheme
    if kind == "orm":
        return ReadinessCheck("broker", True, "the database itself")
    try:
        why = in_time(why_away, BROKER_SECONDS, name="readyz-broker")
    except OutOfTime:
        why = "no answer in time"
    words = f"does not answer: {why}. Briefs come some seconds later" if why else "answers"
    return ReadinessCheck("broker", not why, f"{kind} {words}")


def _unreachable(why: str) -> list[ReadinessCheck]:
    first = ReadinessCheck("database", False, f"not reachable: {why}")
    return [first, *_unknown("the database is not reachable", _NAMES[1:])]


def _unknown(why: str, names: tuple[str, ...]) -> list[ReadinessCheck]:
    return [ReadinessCheck(name, False, f"not known: {why}") for name in names]
