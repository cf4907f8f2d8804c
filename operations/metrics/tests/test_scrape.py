"""`/metrics`: what the rows say at this moment, who may read it, and what a failure leaves out."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from briefs.models import MaveCall, MaveHealth, ResearchPolicy
from briefs.notifying.tests.listener import make_notification
from briefs.tests.factories import make_brief, make_event, make_research
from config.proxies import networks
from operations.metrics import backlog, collector
from operations.metrics.tests.scraping import Scrape, scrape
from personas.models import AppApiPace
from webhooks.models import ServiceBeat

TOKEN = "a token of the tests that nobody else has"


def ago(**length):
    return timezone.now() - timedelta(**length)


# What it says


@pytest.mark.django_db
def test_backlog_is_told_by_stage_and_state_with_the_age_of_the_oldest(client):
    make_event(received_at=ago(seconds=30))
    make_event(received_at=ago(seconds=300))
    make_event(received_at=ago(hours=1), available_at=ago(hours=-1), tries=1)
    make_event(received_at=ago(hours=2), available_at=ago(hours=-1), put_off_at=ago(hours=1))
    make_event(received_at=ago(seconds=5), lease_until=ago(seconds=-60), tries=1)
    make_event(received_at=ago(days=3), status="processed")
    make_research(created_at=ago(minutes=2))
    make_research(status="recovering", created_at=ago(minutes=4))
    make_brief(is_waiting_for_profile=True, created_at=ago(minutes=3))
    make_notification(created_at=ago(minutes=1))

    found = scrape(client)

    def backlog(stage, state):
        labels = {"stage": stage, "state": state}
        age = found.value("savedesk_backlog_oldest_seconds", **labels)
        return found.value("savedesk_backlog", **labels), pytest.approx(age, abs=10)

    assert backlog("events", "due") == (2, 300)
    assert backlog("events", "retry") == (1, 3600)
    assert backlog("events", "put_off") == (1, 7200)
    assert backlog("events", "under_way") == (1, 5)
    assert backlog("research", "due") == (1, 120)
    assert backlog("research", "recovering") == (1, 240)
    assert backlog("profiles", "due") == (1, 180)
    assert backlog("notifications", "due") == (1, 60)
    assert found.value("savedesk_events_waiting") == 5


@pytest.mark.django_db
def test_of_many_events_the_oldest_are_told_by_state_and_all_are_counted(client, monkeypatch):
    monkeypatch.setattr(backlog, "MOST_COUNTED", 2)
    for _ in range(3):
        make_event()

    found = scrape(client)

    assert found.value("savedesk_backlog", stage="events", state="due") == 2
    assert found.value("savedesk_events_waiting") == 3


@pytest.mark.django_db
def test_what_a_limit_of_the_other_side_holds_back_is_rate_limited(client):
    make_research()
    make_brief(is_waiting_for_profile=True)
    MaveHealth.current().hold(60, "429")
    AppApiPace.objects.update_or_create(pk=1, defaults={"held_until": ago(seconds=-60)})

    found = scrape(client)

    for stage in ("research", "profiles"):
        assert found.value("savedesk_backlog", stage=stage, state="rate_limited") == 1
        assert found.value("savedesk_backlog", stage=stage, state="due") == 0
    assert 50 < found.value("savedesk_mave_held_seconds") <= 60


@pytest.mark.django_db
def test_research_is_told_with_its_budget_as_insights_says_it(client):
    MaveCall.objects.create(outcome="answered", credits=40, finished_at=timezone.now())
    MaveCall.objects.create(outcome="pending", credits=75)
    make_research(status="running", lease_until=ago(seconds=-60))
    ResearchPolicy.current().pause("enough")

    found = scrape(client)

    assert found.value("savedesk_mave_in_flight") == 1
    assert found.value("savedesk_research_paused") == 1
    assert found.value("savedesk_research_budget_credits", period="day") == 1000
    assert found.value("savedesk_research_budget_used_credits", period="day") == 40
    assert found.value("savedesk_research_budget_reserved_credits", period="month") == 75
    assert found.value("savedesk_research_budget_left_credits", period="month") == 5000 - 115


@pytest.mark.django_db
def test_workers_of_a_host_that_says_nothing_any_more_are_none(client):
    ServiceBeat.objects.all().note("one.example", {"queue": 2, "web": 1})
    ServiceBeat.objects.all().note("two.example", {"queue": 2})
    ServiceBeat.objects.filter(host="two.example").update(at=ago(minutes=2))

    found = scrape(client)

    assert found.value("savedesk_workers", host="one.example", service="queue") == 2
    assert found.value("savedesk_workers", host="two.example", service="queue") == 0


@pytest.mark.django_db
def test_version_and_silence_are_told(client):
    make_event(received_at=ago(minutes=7), last_received_at=ago(minutes=7))

    found = scrape(client)

    assert found.value("savedesk_feed_silence_seconds") == pytest.approx(420, abs=10)
    assert found.labels("savedesk_info")[0]["version"] == "0.1.0"


@pytest.mark.django_db
@pytest.mark.on_postgresql
def test_sizes_of_tables_and_connections_are_told_on_postgresql(client, settings):
    found = scrape(client)

    assert found.value("savedesk_table_bytes", table="webhooks_webhookevent") > 0
    assert found.value("savedesk_table_rows", table="briefs_brief") >= 0
    assert found.value("savedesk_database_bytes") > 1_000_000
    ours = f"savedesk-{settings.SERVICE}@{settings.HOST_NAME}"[:63]
    assert found.value("savedesk_database_connections", application=ours) >= 1


@pytest.mark.django_db
def test_no_statement_is_asked_twice_in_one_scrape(client, settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"
    make_brief(research=make_research(created_at=ago(minutes=3)))
    make_event(received_at=ago(minutes=3))
    make_event(status="dead")
    make_event(status="quarantined")
    scrape(client)  # the first one makes rows that there is one of

    with CaptureQueriesContext(connection) as asked:
        scrape(client)

    statements = Counter(one["sql"] for one in asked.captured_queries)
    assert [sql for sql, number in statements.items() if number > 1] == []


# What fails


@pytest.mark.django_db
def test_part_that_fails_is_left_out_and_named(client, monkeypatch):
    def fail(figures):
        raise ValueError("robin@example.com")

    monkeypatch.setitem(collector.PARTS, "backlog", fail)

    found = scrape(client)

    assert not found.labels("savedesk_backlog")
    assert found.value("savedesk_scrape_errors", part="backlog") == 1
    assert found.value("savedesk_scrape_errors", part="troubles") == 0
    assert found.value("savedesk_database_up") == 1
    assert "robin" not in found.text


def test_database_that_is_away_is_asked_once_and_told(client, monkeypatch):
    asked = []

    def away(*given):
        asked.append(1)
        raise OperationalError

    monkeypatch.setattr(collector, "Figures", away)

    found = scrape(client)

    assert found.value("savedesk_database_up") == 0
    assert {found.value("savedesk_scrape_errors", part=one) for one in collector.PARTS} == {1}
    assert len(asked) == 1


# Who may read it


@pytest.fixture
def _nothing_read(monkeypatch):
    monkeypatch.setattr(collector, "PARTS", {})
    monkeypatch.setattr(collector, "Figures", lambda: None)


def status(client, **headers):
    return client.get("/metrics", **headers).status_code


@pytest.mark.usefixtures("_nothing_read")
def test_without_a_token_only_the_own_machine_may_read(client):
    assert status(client, REMOTE_ADDR="127.0.0.1") == 200
    assert status(client, REMOTE_ADDR="::1") == 200

    refused = client.get("/metrics", REMOTE_ADDR="203.0.113.9")

    assert refused.status_code == 403
    assert "Set METRICS_TOKEN" in refused.content.decode()


@pytest.mark.usefixtures("_nothing_read")
def test_client_behind_a_proxy_on_the_same_machine_is_no_own_machine(client, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.0/8"]
    proxied = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1, 203.0.113.9"}

    assert status(client, **proxied) == 403


@pytest.mark.usefixtures("_nothing_read")
def test_with_a_token_nobody_may_read_without_it(client, settings):
    settings.METRICS_TOKEN, settings.METRICS_ADDRESSES = TOKEN, ()

    refused = client.get("/metrics")

    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="metrics"'
    assert "METRICS_TOKEN" in refused.content.decode()
    for wrong in (f"Bearer {TOKEN}x", "Bearer ", f"Basic {TOKEN}", "Bearer ü"):
        assert status(client, HTTP_AUTHORIZATION=wrong) == 401
    assert status(client, HTTP_AUTHORIZATION=f"Bearer {TOKEN}") == 200


@pytest.mark.usefixtures("_nothing_read")
def test_addresses_that_are_named_may_read_without_the_token(client, settings):
    settings.METRICS_TOKEN = TOKEN
    settings.METRICS_ADDRESSES = networks(["10.0.3.0/24"])

    assert status(client, REMOTE_ADDR="10.0.3.7") == 200
    assert status(client, REMOTE_ADDR="10.0.4.7") == 401


@pytest.mark.usefixtures("_nothing_read")
def test_scrape_begins_no_session_and_is_not_redirected_to_https(client, settings):
    settings.PUBLIC_URL = "https://localhost"

    response = client.get("/metrics")

    assert response.status_code == 200
    assert not response.cookies
    assert "no-store" in response.headers["Cache-Control"]
    assert Scrape(response.content.decode()).families
