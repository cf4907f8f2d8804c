"""Never more calls at once, in a minute, or for more credits than the policy says.

Many processes claim calls from one database with random policies. What they did is read from the
ledger alone. The random numbers are seeded, so a failure can be repeated.
"""

import random
import signal
from datetime import timedelta
from itertools import accumulate

import pytest
from django.db import connection, transaction
from django.db.models import Count, F
from django.urls import reverse
from django.utils import timezone

from briefs.models import MaveCall, Research, ResearchPolicy
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.pacing import MINUTE
from briefs.research.tests.workers import Workers
from briefs.tests.factories import make_brief, make_research

pytestmark = [pytest.mark.processes, pytest.mark.first]

PROCESSES = 6
# SQLite has one writer at a time, and the others poll: they need more time, and pauses.
MANY, PAUSE = (12, 0.1) if connection.vendor == "sqlite" else (80, 0.01)


def more(seed):
    """For make test-all: one seed is proof enough for each change."""
    return pytest.param(seed, marks=pytest.mark.long)


@pytest.fixture(scope="module")
def workers():
    workers = Workers()
    yield workers
    workers.close()


@pytest.fixture
def connected(threaded_db, settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"


def policy(**fields):
    unlimited = {"day_budget": None, "month_budget": None, "urgent_reserve": 0}
    unlimited["requests_per_minute"] = 100_000
    ResearchPolicy.objects.update_or_create(pk=1, defaults={**unlimited, **fields})


def questions(count):
    make_research()
    further_questions(count)


@transaction.atomic  # a worker would cancel a question that has no brief yet
def further_questions(count):
    persona = Research.objects.earliest("pk").persona
    for _ in range(count):
        make_brief(persona=persona, research=make_research(persona=persona))


def hammer(workers, seed):
    return start(workers, "hammer", seed)


def start(workers, job, seed):
    return [workers.start(job, seed=seed * 100 + n, pause=PAUSE) for n in range(PROCESSES)]


def stop(workers, hammering):
    """End them in the middle of what they do; returns how many calls they made."""
    for pid in hammering:
        workers.send(pid, signal.SIGTERM)
    claimed = [workers.result(pid) for pid in hammering]
    assert all(isinstance(number, int) for number in claimed), claimed
    return sum(claimed)


def most_at_once(calls):
    """The largest number of calls that were under way at one moment."""
    begun = [(call.started_at, 1) for call in calls]
    ended = [(call.finished_at, -1) for call in calls if call.finished_at]
    return max(accumulate(change for _, change in sorted(begun + ended)), default=0)


def most_in_a_minute(rows):
    moments = sorted(row.started_at for row in rows)
    return max(
        (sum(1 for at in moments[n:] if at < first + MINUTE) for n, first in enumerate(moments)),
        default=0,
    )


def chats():
    return list(MaveCall.objects.chats().order_by("started_at", "pk"))


def asked_twice():
    calls = MaveCall.objects.chats().values("research").annotate(n=Count("pk"))
    return calls.filter(n__gt=1).exists()


@pytest.mark.parametrize("seed", [1, more(2), more(3)])
def test_never_more_calls_at_once_than_the_policy_says(connected, workers, seed):
    most = random.Random(seed).randint(1, 4)
    policy(concurrency=most)
    questions(2 * MANY)

    hammering = hammer(workers, seed)
    workers.wait_until(lambda: len(chats()) > MANY, "many calls")
    claimed = stop(workers, hammering)

    assert claimed == len(chats())
    assert most_at_once(chats()) <= most
    assert not asked_twice()


@pytest.mark.parametrize("seed", [4, more(5)])
def test_never_more_requests_in_a_minute_than_the_policy_says(connected, workers, seed):
    chance = random.Random(seed)
    most = chance.randint(12, 25)
    policy(concurrency=4, requests_per_minute=most)
    questions(2 * MANY)

    hammering = hammer(workers, seed)
    for _ in range(4):
        workers.wait_until(lambda: no_requests_left(most), "the minute's requests to be used")
        pass_time(chance.uniform(10, 50))
    stop(workers, hammering)

    assert MaveCall.objects.chats().exists()
    assert MaveCall.objects.exclude(purpose="chat").exists()
    assert most_in_a_minute(MaveCall.objects.all()) == most


def no_requests_left(most):
    recent = MaveCall.objects.filter(started_at__gt=timezone.now() - timedelta(seconds=70))
    return recent.count() >= most


def pass_time(seconds):
    """Move all calls this far into the past. The lock keeps others from claiming meanwhile."""
    span = timedelta(seconds=seconds)
    with transaction.atomic():
        ResearchPolicy.locked()
        MaveCall.objects.update(started_at=F("started_at") - span)


@pytest.mark.parametrize("seed", [6, more(7)])
def test_never_more_credits_than_the_budget(connected, workers, seed):
    budget = random.Random(seed).randint(4, 8) * RESERVED_CREDITS
    policy(concurrency=4, day_budget=budget)
    questions(80)

    hammering = hammer(workers, seed)
    workers.wait_until(lambda: nothing_is_left(budget), "the budget to be used")
    stop(workers, hammering)

    spent = list(accumulate(call.credits for call in chats()))
    assert budget - RESERVED_CREDITS < spent[-1] <= budget
    assert not asked_twice()


def nothing_is_left(budget):
    calls = chats()  # as of one moment
    has_ended = all(call.outcome != "pending" for call in calls)
    return has_ended and sum(call.credits for call in calls) > budget - RESERVED_CREDITS


def test_lower_limit_holds_from_the_moment_it_is_saved(connected, workers, admin_client):
    policy(concurrency=4)
    questions(2 * MANY)
    hammering = hammer(workers, 8)
    workers.wait_until(lambda: len(chats()) > 4, "some calls")

    limits = {"concurrency": 1, "requests_per_minute": 100_000, "urgent_reserve": 0,
              "fresh_after_minutes": 60}  # fmt: skip
    answer = admin_client.post(reverse("admin:briefs_researchpolicy_change", args=[1]), limits)
    saved_at = now()
    further_questions(MANY)  # the first questions may have been used up while the page was saved
    workers.wait_until(lambda: chats()[-4].started_at > saved_at, "some further calls")
    stop(workers, hammering)

    assert answer.status_code == 302
    assert most_at_once([call for call in chats() if call.started_at > saved_at]) == 1


def test_pause_holds_from_the_moment_it_is_saved(connected, workers, admin_client):
    policy(concurrency=4)
    questions(2 * MANY)
    hammering = hammer(workers, 9)
    workers.wait_until(lambda: len(chats()) > 4, "some calls")

    answer = admin_client.post(reverse("admin:briefs_researchpolicy_pause"), {"reason": "enough"})
    paused_at = now()
    stop(workers, hammering)

    assert answer.status_code == 302
    assert not MaveCall.objects.filter(started_at__gt=paused_at).exists()


def now():
    """The database's time, by which the ledger is written."""
    return MaveCall.objects.create(purpose="usage", outcome="answered").started_at


def test_mave_itself_never_gets_more_calls_at_once(connected, sandbox, workers):
    # Longer than a claim takes on a busy machine, so that calls overlap if they may.
    sandbox.latency, sandbox.jitter, sandbox.requests_per_minute = 0.5, 0.5, 100_000
    policy(concurrency=3)
    questions(3 * MANY)

    asking = start(workers, "ask", 10)
    workers.wait_until(lambda: len(chats()) > 12 and sandbox.max_in_flight > 1, "some calls")
    asked = stop(workers, asking)

    assert asked == len(chats()) == len(sandbox.requests)
    assert sandbox.max_in_flight <= 3
    assert most_at_once(chats()) <= 3
    assert not asked_twice()
