"""`/livez` and `/readyz`: what monitoring is told."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_q.models import Schedule
from psycopg.errors import DiskFull

from briefs.tests.factories import make_brief, make_event, make_research
from operations.views import probes
from webhooks import storing
from webhooks.models import Bell


@pytest.fixture
def same_thread(monkeypatch, db):
    """Look in the test's own thread, where its transaction is."""
    monkeypatch.setattr(probes, "look_in_time", lambda look: look())
    Schedule.objects.update(next_run=timezone.now())  # the migration's moment may be long ago


def ago(**length):
    return timezone.now() - timedelta(**length)


def checks(response):
    return {
        name: (check["ok"], check["words"]) for name, check in response.json()["checks"].items()
    }


# /livez


def test_livez_answers_without_a_database(client):
    # Without the db fixture any query fails.
    response = client.get("/livez")

    assert (response.status_code, response.content) == (200, b"ok")
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("url", ["/livez", "/readyz"])
def test_probes_cannot_be_posted_to(client, url):
    assert client.post(url).status_code == 405


# /readyz


@pytest.mark.django_db
def test_many_probes_within_a_second_are_one_look(client, monkeypatch):
    looks = []
    monkeypatch.setattr(probes, "FRESH_SECONDS", 60.0)
    monkeypatch.setattr(probes, "look_in_time", lambda look: looks.append(1) or [])

    for _ in range(5):
        client.get("/readyz")

    assert len(looks) == 1


@pytest.mark.usefixtures("same_thread")
def test_readyz_is_ready_when_everything_works(client):
    Bell.objects.create(pk=1, silenced_at=ago(seconds=20))

    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json()["status"] == "ready"
    assert list(checks(response)) == [
        *("database", "migrations", "oldest_waiting", "clusters", "broker"),
    ]
    assert all(is_ok for is_ok, _ in checks(response).values())
    assert checks(response)["clusters"][1].startswith("looked for work 2")


@pytest.mark.usefixtures("same_thread")
def test_readyz_is_ready_before_the_first_event(client):
    response = client.get("/readyz")

    assert response.status_code == 200
    assert checks(response)["clusters"] == (True, "no event has woken them yet")


@pytest.mark.usefixtures("same_thread")
def test_readyz_names_how_many_migrations_are_missing(client):
    MigrationRecorder(connection).record_unapplied("webhooks", "0002_tally")

    response = client.get("/readyz")

    assert response.status_code == 503
    assert checks(response)["migrations"] == (False, "1 not applied: run manage.py migrate")
    assert checks(response)["database"] == (True, "reachable")
    assert not checks(response)["clusters"][0]


@pytest.mark.usefixtures("same_thread")
def test_a_migration_of_a_newer_version_is_no_fault(client):
    MigrationRecorder(connection).record_applied("webhooks", "9999_from_the_future")

    assert client.get("/readyz").status_code == 200


@pytest.mark.usefixtures("same_thread")
def test_readyz_says_how_long_the_oldest_event_is_due(client):
    make_event(received_at=ago(seconds=30))
    fine = client.get("/readyz")
    make_event(received_at=ago(minutes=11))

    late = client.get("/readyz")

    assert fine.status_code == 200
    assert 30 <= fine.json()["checks"]["oldest_waiting"]["seconds"] < 60
    assert late.status_code == 503
    assert "due for 11 min" in checks(late)["oldest_waiting"][1]


@pytest.mark.usefixtures("same_thread")
def test_an_event_put_off_on_purpose_is_not_late(client):
    make_event(received_at=ago(hours=1), available_at=ago(minutes=-5), tries=4)

    assert client.get("/readyz").status_code == 200


@pytest.mark.usefixtures("same_thread")
def test_readyz_notices_a_queue_that_takes_nothing(client):
    make_event(received_at=ago(minutes=2))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert checks(response)["clusters"] == (
        False,
        "events have been due for a minute and none is taken",
    )


@pytest.mark.usefixtures("same_thread")
def test_readyz_notices_that_nobody_sweeps(client):
    Bell.objects.create(pk=1, silenced_at=ago(minutes=5))

    assert checks(client.get("/readyz"))["clusters"] == (
        False,
        "no worker has looked for work for 5 min",
    )


@pytest.mark.usefixtures("same_thread")
def test_readyz_notices_that_nothing_starts_the_sweep(client):
    Schedule.objects.update(next_run=ago(minutes=5))

    check = client.get("/readyz").json()["checks"]["clusters"]

    assert check["words"] == "the sweep was due 5 min ago and nothing starts it"
    assert check["kinds"] == ["unscheduled"]


@pytest.mark.usefixtures("same_thread")
def test_readyz_notices_research_that_nobody_asks(client, settings):
    settings.MAVERA_API_KEY = "key"
    make_brief(research=make_research(created_at=ago(minutes=2)))

    assert "none is asked" in checks(client.get("/readyz"))["clusters"][1]


# When the disk is full

FULL = "the disk of the database is full"


@pytest.mark.usefixtures("same_thread")
def test_readyz_says_that_the_receiver_met_a_full_disk(client, monkeypatch):
    monkeypatch.setattr(storing.committer, "_full_until", time.monotonic() + 60)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert checks(response)["database"] == (
        False,
        f"{FULL}: events are answered with 503 until there is room",
    )
    assert checks(response)["migrations"] == (True, "all applied")


@pytest.mark.usefixtures("same_thread")
def test_readyz_looks_at_the_room_that_is_left(client, monkeypatch):
    monkeypatch.setattr(probes.full_disk, "free_bytes", lambda: 15 * 1024 * 1024)
    full = client.get("/readyz")
    monkeypatch.setattr(probes.full_disk, "free_bytes", lambda: 17 * 1024 * 1024)

    assert FULL in checks(full)["database"][1]
    assert client.get("/readyz").status_code == 200


def test_readyz_names_a_full_disk_that_refuses_connections(client, monkeypatch):
    def refuse():
        raise OperationalError from DiskFull()

    monkeypatch.setattr(probes, "look", refuse)

    assert checks(client.get("/readyz"))["database"] == (False, f"not reachable: {FULL}")


# When the broker is away


@pytest.fixture
def redis(settings, monkeypatch, same_thread):
    """A broker elsewhere; what it does when it is asked is for the test to say."""
    settings.BROKER_URL = "redis://:hidden@host"
    return lambda answer: monkeypatch.setattr(probes, "why_away", answer)


def test_readyz_asks_the_broker(client, redis):
    redis(lambda: "")

    assert checks(client.get("/readyz"))["broker"] == (True, "redis answers")


def test_readyz_is_503_when_the_broker_refuses(client, redis):
    redis(lambda: "ConnectionError")

    response = client.get("/readyz")

    assert response.status_code == 503
    assert checks(response)["broker"] == (
        False,
        "redis does not answer: ConnectionError. Briefs come some seconds later",
    )


def test_readyz_waits_for_no_broker_that_is_frozen(client, redis, monkeypatch):
    monkeypatch.setattr(probes, "BROKER_SECONDS", 0.1)
    end = threading.Event()
    redis(end.wait)

    is_ok, words = checks(client.get("/readyz"))["broker"]
    end.set()

    assert not is_ok
    assert "no answer in time" in words


# When the database is away


def test_readyz_is_503_with_words_when_the_database_refuses(client, monkeypatch):
    def refuse():
        raise OperationalError("password authentication failed for user savedesk")

    monkeypatch.setattr(probes, "look", refuse)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert checks(response)["database"] == (False, "not reachable: OperationalError")
    assert not any(is_ok for is_ok, _ in checks(response).values())
    assert b"savedesk" not in response.content


def test_readyz_answers_in_time_when_the_database_hangs(client, monkeypatch):
    monkeypatch.setattr(probes, "LIMIT_SECONDS", 0.05)
    end = threading.Event()
    monkeypatch.setattr(probes, "look", lambda: end.wait(60) and [])
    began = time.monotonic()

    first, *_, last = [client.get("/readyz") for _ in range(4)]
    took = time.monotonic() - began
    end.set()

    assert took < 50  # each look takes a minute
    assert checks(first)["database"] == (False, "not reachable: no answer in time")
    assert checks(last)["database"] == (False, "not reachable: earlier looks still wait for it")


@pytest.mark.usefixtures("threaded_db")
def test_readyz_looks_through_a_connection_of_its_own(client):
    response = client.get("/readyz")

    assert checks(response)["database"] == (True, "reachable")
    assert checks(response)["migrations"] == (True, "all applied")
