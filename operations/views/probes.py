"""For machines that watch: `/livez` says that the process answers, `/readyz` that all of it works.

No login, and nothing in the answers that a stranger may not know.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from briefs.times import length
from operations import figures, progress
from providers.deadlines import OutOfTime, in_time
from webhooks import clock
from webhooks.models import Bell

LIMIT_SECONDS = 2.5  # whatever the database does
_NAMES = ("database", "migrations", "oldest_waiting", "clusters")
_slots = threading.BoundedSemaphore(2)  # looks that hang pile up no higher


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    is_ok: bool
    words: str
    seconds: int | None = None


@never_cache
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Every check with its words; 503 if one fails. Answers within 3 seconds."""
    checks = look_in_time(lambda: list(look()))
    is_ready = all(check.is_ok for check in checks)
    told = {
        check.name: {"ok": check.is_ok, "words": check.words}
        | ({} if check.seconds is None else {"seconds": check.seconds})
        for check in checks
    }
    answer = {"status": "ready" if is_ready else "not ready", "checks": told}
    return JsonResponse(answer, status=200 if is_ready else 503)


def look_in_time(look: Callable[[], list[Check]]) -> list[Check]:
    """Look in a thread of its own: a database that hangs can only be left behind."""
    stop_at = time.monotonic() + LIMIT_SECONDS
    if not _slots.acquire(timeout=LIMIT_SECONDS):
        return _unreachable("earlier looks still wait for it")

    def run() -> list[Check]:
        try:
            return look()
        except Error as error:
            return _unreachable(type(error).__name__)
        finally:
            connection.close()
            _slots.release()

    try:
        return in_time(run, stop_at - time.monotonic(), name="readyz")
    except OutOfTime:
        return _unreachable("no answer in time")


def look() -> Iterator[Check]:
    missing = unapplied()
    yield Check("database", True, "reachable")
    if missing:
        yield Check("migrations", False, f"{missing} not applied: run manage.py migrate")
        yield from _unknown("the tables are not up to date", _NAMES[2:])
        return
    yield Check("migrations", True, "all applied")
    yield _oldest_waiting()
    yield _clusters()


def unapplied() -> int:
    """How many migrations of this code the database lacks; one query."""
    applied = MigrationRecorder(connection).applied_migrations()
    return len(_migrations() - applied.keys())


@cache
def _migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.nodes)


def _oldest_waiting() -> Check:
    late_since = figures.due_since(figures.LATE)
    since = late_since or figures.due_since()
    if since is None:
        return Check("oldest_waiting", True, "no event is due", 0)
    age = max(clock.database_now() - since, timedelta(0))
    words = f"the oldest event has been due for {length(age)}"
    if late_since:
        words += ": does manage.py supervise run?"
    return Check("oldest_waiting", not late_since, words, int(age.total_seconds()))


def _clusters() -> Check:
    now = clock.database_now()
    bell = Bell.objects.filter(pk=1).first()
    unswept = figures.unswept_since(bell, now)
    stuck = []
    if progress.is_drain_stuck():
        stuck.append("events have been due for a minute and none is taken")
    elif unswept:
        stuck.append(f"no worker has looked for work for {length(now - unswept)}")
    if progress.is_research_stuck():
        stuck.append("research has been due for a minute and none is asked")
    if stuck:
        return Check("clusters", False, "; ".join(stuck))
    if bell and bell.silenced_at:
        return Check("clusters", True, f"looked for work {length(now - bell.silenced_at)} ago")
    return Check("clusters", True, "no event has woken them yet")


def _unreachable(why: str) -> list[Check]:
    first = Check("database", False, f"not reachable: {why}")
    return [first, *_unknown("the database is not reachable", _NAMES[1:])]


def _unknown(why: str, names: tuple[str, ...]) -> list[Check]:
    return [Check(name, False, f"not known: {why}") for name in names]
