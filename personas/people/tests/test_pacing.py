"""Ten requests a second to the App API and never an eleventh, over all threads and processes."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from config import settings as project
from personas.models import AppApiHealth, AppApiPace, Customer, pace
from personas.models.pace import JOB_LIMIT, LIMIT, LONGEST_AHEAD, WINDOW
from personas.people import lookups, pacing
from personas.people.pacing import paced_app_api
from personas.people.tests.hammer import departures, hammer, reserved
from providers.customerio import AppApi, HeldBack, LookupFailed
from sandbox.server import Sandbox
from webhooks.tests.threads import at_once

BATCH = "customers/attributes"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def naps(monkeypatch):
    """The seconds that would have been slept; the test itself does not sleep."""
    slept = []
    monkeypatch.setattr(pacing, "time", Mock(wraps=time, sleep=slept.append))
    return slept


@pytest.fixture
def long_window(monkeypatch):
    """The limit is one of a minute: on a busy machine a second is over before it is asked again."""
    monkeypatch.setattr(pace, "WINDOW", timedelta(minutes=1))


def never_eleven(moments):
    """Whether at most ten of these moments fall into any one second."""
    moments = sorted(moments)
    return all(late - early >= 1 for early, late in zip(moments, moments[LIMIT:], strict=False))


def use_up():
    """Reserve all that may be sent at once."""
    for _ in range(LIMIT):
        pacing._reserve(time.monotonic() + 1)


# When the next request may leave ------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 0.3)), max_size=60))
def test_eleven_moments_never_fall_into_one_second(asked):
    pace, now, moments = AppApiPace(), NOON, []

    for pause, ahead in asked:
        now += timedelta(seconds=pause)
        moment = pace.next_free(now, ahead)
        pace.moments = [*pace.moments, moment][-LIMIT:]
        moments.append(moment)

    assert never_eleven(moments)
    assert moments == sorted(moments)


@given(st.integers(0, LIMIT - 1))
def test_request_within_the_limit_need_not_wait(used):
    pace = AppApiPace(moments=[NOON.timestamp()] * used)

    assert pace.next_free(NOON) == NOON.timestamp()


def test_eleventh_request_is_sent_when_the_first_is_out_of_the_window():
    pace = AppApiPace(moments=[NOON.timestamp() + tenth / 10 for tenth in range(LIMIT)])

    moment = pace.next_free(NOON + timedelta(seconds=1))

    assert moment - NOON.timestamp() == pytest.approx(WINDOW.total_seconds())


def test_silence_that_was_asked_for_is_kept():
    pace = AppApiPace(held_until=NOON + timedelta(seconds=7))

    assert pace.next_free(NOON) - NOON.timestamp() == 7


def test_clock_that_was_set_back_stops_nobody_for_long():
    ahead = (NOON + timedelta(hours=1)).timestamp()
    pace = AppApiPace(moments=[ahead] * LIMIT, held_until=NOON + timedelta(hours=1))

    moment = pace.next_free(NOON)

    assert moment - NOON.timestamp() == pytest.approx(WINDOW.total_seconds())
    assert pace.next_free(NOON) - NOON.timestamp() < LONGEST_AHEAD.total_seconds()


# Leave --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_reserving_a_moment_takes_at_most_five_statements(django_assert_max_num_queries):
    AppApiPace.locked()

    with django_assert_max_num_queries(5):  # savepoint, lock, clock, update, release
        pacing._reserve(time.monotonic() + 1)


@pytest.mark.django_db
def test_eleventh_request_waits_until_it_may_be_sent(naps):
    use_up()
    first = AppApiPace.objects.get().moments[0]

    pacing.SharedPace().wait(60)

    assert AppApiPace.objects.get().moments[-1] - first >= WINDOW.total_seconds() - 0.001
    assert max(naps, default=0) <= WINDOW.total_seconds()


@pytest.mark.django_db
def test_nothing_is_reserved_where_the_wait_does_not_fit(long_window):
    use_up()
    before = AppApiPace.objects.get().moments

    with pytest.raises(HeldBack, match="limit of 10 requests a second is used up by other"):
        pacing.SharedPace().wait(0.5)

    assert AppApiPace.objects.get().moments == before


@pytest.mark.django_db
def test_moment_that_was_missed_is_not_used(monkeypatch):
    frozen = iter([5.0])
    monkeypatch.setattr(
        pacing.time, "sleep", lambda wait: time_passes(monkeypatch, next(frozen, wait))
    )

    clock = time.monotonic
    began = clock()

    pacing.SharedPace().wait(60)

    first, second, *_ = AppApiPace.objects.get().moments
    took = clock() - began + 0.001  # SQLite's clock has thousandths
    # By that much the database's clock goes on, and the delay is counted from before the reserving.
    assert 5 <= second - first <= 5 + 2 * took


def time_passes(monkeypatch, seconds):
    """Move this process's clock forward by so many seconds."""
    clock = pacing.time.monotonic
    monkeypatch.setattr(pacing.time, "monotonic", lambda: clock() + seconds)


# Clients ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_look_up_that_is_held_back_opens_no_breaker_and_asks_nobody(
    sandbox, long_window, monkeypatch
):
    monkeypatch.setattr(lookups, "paced_app_api", lambda: paced_app_api(budget_seconds=0.5))
    customer = Customer.objects.create(external_id="acme-1003")
    use_up()

    trouble = lookups.refresh([customer])

    assert trouble == "the limit of 10 requests a second is used up by other look-ups"
    assert (sandbox.requests, AppApiHealth.is_closed()) == ([], False)
    assert customer.fetched_at is None


def test_time_used_up_by_good_answers_is_no_failure_of_customerio(sandbox):
    api = AppApi()
    api.profiles("id", ["acme-1003"])
    api._deadline = time.monotonic() + 0.1

    with pytest.raises(HeldBack, match="more people to look up than one look-up has time for"):
        api.profiles("id", ["acme-1004"])

    assert len(sandbox.requests) == 1


@pytest.mark.django_db
def test_429_holds_back_everybody_for_as_long_as_it_says(sandbox):
    sandbox.faults.add(BATCH, "429", retry_after=30)
    with pytest.raises(LookupFailed, match="429"):
        paced_app_api().profiles("id", ["acme-1003"])

    with pytest.raises(HeldBack, match="asked for silence until"):
        paced_app_api().profiles("id", ["acme-1003"])

    assert len(sandbox.requests) == 1


@pytest.mark.django_db
def test_longer_silence_is_not_cut_short_by_a_shorter_one():
    AppApiPace.hold_back(60)
    AppApiPace.hold_back(1)

    with pytest.raises(HeldBack, match="asked for silence"):
        pacing.SharedPace().wait(30)


# Many at once -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("threaded_db")
def test_moments_that_many_threads_reserve_at_once_keep_to_the_limit(monkeypatch):
    monkeypatch.setattr(AppApiPace, "reserve", AppApiPace.reserve)  # put back after the test
    moments = reserved()

    at_once(8, lambda _: [pacing._reserve(time.monotonic() + 60) for _ in range(10)])

    assert len(moments) == 80
    assert never_eleven(moments)


@pytest.fixture
def patient(settings):
    """An App API without a limit: on a busy machine, requests sent apart may arrive together."""
    with Sandbox(latency=0, jitter=0, app_requests_per_second=1_000) as running:
        settings.CIO_APP_BASE_URL, settings.CIO_APP_KEY = running.cio_base_url, running.cio_key
        yield running


@pytest.mark.usefixtures("threaded_db")
def test_threads_that_look_up_for_three_seconds_are_never_eleven_within_one(patient, monkeypatch):
    monkeypatch.setattr(pacing.SharedPace, "wait", pacing.SharedPace.wait)  # put back after it
    leaving = departures()

    seen = at_once(6, lambda _: hammer(3))

    assert never_eleven(leaving)
    assert len(leaving) >= len(patient.requests)
    assert sum(one["answered"] for one in seen) == len(patient.requests) > LIMIT


@pytest.mark.usefixtures("threaded_db")
def test_processes_that_look_up_for_three_seconds_are_never_eleven_within_one(patient):
    processes = [start_hammer(patient) for _ in range(3)]
    seen = [json.loads(process.communicate(timeout=180)[0]) for process in processes]

    assert never_eleven([moment for one in seen for moment in one["departures"]])
    assert sum(one["answered"] for one in seen) == len(patient.requests) > LIMIT
    moments = [moment for one in seen for moment in one["moments"]]
    assert never_eleven(moments)
    assert len(moments) >= len(patient.requests)


def start_hammer(sandbox):
    return subprocess.Popen(
        [sys.executable, "-m", "personas.people.tests.hammer", database_url(),
         sandbox.cio_base_url, sandbox.cio_key, "3"],
        cwd=project.BASE_DIR,
        stdout=subprocess.PIPE,
    )  # fmt: skip


def database_url():
    """The address of the test's own database, for another process."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    server, _, query = os.environ["TEST_DATABASE_URL"].partition("?")
    return f"{server.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


# Work that nobody waits for -----------------------------------------------------------------------


@pytest.mark.django_db
def test_job_sends_three_requests_a_second_and_leaves_the_rest_to_look_ups(long_window):
    for _ in range(JOB_LIMIT):
        pacing.JobPace().wait(0)

    with pytest.raises(HeldBack):
        pacing.JobPace().wait(0)
    pacing.SharedPace().wait(0)  # a look-up goes on


@pytest.mark.django_db
def test_job_sends_nothing_while_look_ups_are_made(long_window):
    for _ in range(JOB_LIMIT):
        pacing.SharedPace().wait(2)

    with pytest.raises(HeldBack, match="look-ups come before"):
        pacing.JobPace().wait(0)


@pytest.mark.django_db
def test_job_asks_again_until_there_is_room_or_its_time_is_over(sandbox, long_window, naps):
    pacing.SharedPace().wait(2)
    found = pacing.ask_for_job(lambda api: api.segments(), 60, time.monotonic() + 60)
    assert [one.name for one in found] == ["Everybody"]

    pacing.SharedPace().wait(2)
    with pytest.raises(HeldBack):
        pacing.ask_for_job(lambda api: api.segments(), 60, time.monotonic())
