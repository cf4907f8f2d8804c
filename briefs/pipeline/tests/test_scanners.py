"""People whom a mail gateway unsubscribed are one brief of low priority."""

from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.db import connection
from django.utils import timezone

from briefs.dossier.dossier import Dossier
from briefs.models import Brief, Cause
from briefs.pipeline import draining, scanners
from briefs.reading.first_steps import FirstSteps
from briefs.tests.factories import make_event, make_events, make_payload
from operations import sweeping
from personas.models import Customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter", "sandbox")]

BEGIN = None
SIX = ["ann", "bob", "cem", "dee", "eva", "flo"]


@pytest.fixture(autouse=True)
def company(sandbox):
    profile = {"plan": "enterprise", "industry": "insurance", "usage_tier": "high"}
    for name in SIX:
        sandbox.people.add(name, email=f"{name}@acme.example", attributes=profile)


@pytest.fixture(autouse=True)
def begin(monkeypatch):
    """All acts of a test happen from the same moment on, however slowly the test runs."""
    monkeypatch.setattr(f"{__name__}.BEGIN", timezone.now() - timedelta(seconds=60))


def sent(name, metric, after=0.0, **data):
    happened = BEGIN + timedelta(seconds=after)
    data = {"recipient": f"{name}@acme.example", "subject": "News", **data}
    payload = make_payload(
        object_type="email", metric=metric, data={"identifiers": {"id": name}, **data}
    )
    return make_event(payload, occurred_at=happened)


def clicked(name, after=0.0, machine=True):
    return sent(name, "clicked", after, machine=machine, href="https://e.example", link_id=1)


def unsubscribe_all(names=SIX, apart=0.4):
    for number, name in enumerate(names):
        sent(name, "unsubscribed", after=number * apart)


def test_six_people_of_one_company_beside_machine_clicks_are_one_low_brief():
    clicked("ann")
    unsubscribe_all()

    draining.drain()

    brief = Brief.objects.open().get()
    assert (brief.kind, brief.get_priority_display()) == ("scanner", "Low")
    assert brief.detail == "6 people of acme.example within 2 s"
    assert (brief.research, brief.basis, brief.researched_at) == (None, "playbook", None)
    assert FirstSteps([brief]).of(brief).text.startswith("Ask one of them")
    assert Brief.objects.filter(outcome="withdrawn").count() == 5
    assert brief.activities.filter(text__contains="flo").exists()


def test_what_a_scanner_caused_is_no_incident_of_its_newsletter(monkeypatch):
    monkeypatch.setattr("briefs.models.causes.MOST_WITHOUT_HISTORY", 4)
    clicked("ann")
    for number, name in enumerate(SIX):
        sent(name, "unsubscribed", after=number * 0.4, newsletter_id=5)

    draining.drain()

    assert not Cause.objects.incidents()
    assert not Brief.objects.exclude(cause=None)


def test_clicks_of_a_large_mailing_do_not_hide_theirs(monkeypatch):
    monkeypatch.setattr(scanners, "MOST_CLICKS", 2)
    for number in range(3):
        clicked(f"other-{number}", machine=False)
    clicked("cem")
    unsubscribe_all()

    draining.drain()

    assert Brief.objects.open().count() == 1


def test_machine_click_may_arrive_after_the_briefs_were_opened():
    unsubscribe_all()
    draining.drain()
    assert Brief.objects.open().count() == 6

    clicked("cem", after=3)
    draining.drain()

    assert Brief.objects.open().count() == 1


def test_people_who_arrive_later_join_the_one_brief():
    clicked("ann")
    unsubscribe_all(SIX[:3])
    draining.drain()
    kept = Brief.objects.open().get()
    for number, name in enumerate(SIX[3:], start=3):
        sent(name, "unsubscribed", after=number * 0.4)

    draining.drain()

    assert Brief.objects.open().get() == kept
    kept.refresh_from_db()
    assert kept.detail == "6 people of acme.example within 2 s"


@pytest.mark.parametrize("machine", [False, None, "no"])
def test_beside_clicks_of_people_each_brief_stays(machine):
    clicked("ann", machine=machine)
    unsubscribe_all()

    draining.drain()

    assert Brief.objects.open().count() == 6


def test_sweep_folds_what_a_killed_worker_did_not(monkeypatch):
    clicked("ann")
    unsubscribe_all()
    with monkeypatch.context() as killed:
        killed.setattr(scanners, "fold", Mock(side_effect=SystemExit))
        with pytest.raises(SystemExit):
            draining.drain()
    assert Brief.objects.open().count() == 6

    sweeping.sweep()

    assert Brief.objects.open().count() == 1


def test_playbook_has_no_first_step_of_its_own():
    clicked("ann")
    unsubscribe_all()
    draining.drain()

    titles = [part.title for part in Dossier(Brief.objects.open().get()).advice]

    assert "Channel" in titles
    assert "First step" not in titles


def test_two_people_are_no_burst():
    clicked("ann")
    unsubscribe_all(SIX[:2])

    draining.drain()

    assert Brief.objects.open().count() == 2


def test_people_minutes_apart_are_no_burst():
    clicked("ann")
    unsubscribe_all(SIX[:4], apart=15)

    draining.drain()

    assert Brief.objects.open().count() == 4


def test_brief_that_somebody_took_stays_as_it_is(django_user_model):
    unsubscribe_all()
    draining.drain()
    taken = Brief.objects.order_by("pk").first()
    user = django_user_model.objects.create_user("ann")
    taken.assign(user, user)
    clicked("bob")

    draining.drain()

    taken.refresh_from_db()
    assert (taken.kind, taken.state) == ("unsubscribed", "in_progress")
    assert Brief.objects.open().count() == 2


def test_domain_of_a_public_provider_joins_nobody():
    people = [Customer(email=f"{name}@gmail.com") for name in SIX]
    briefs = [
        Brief(pk=number, customer=person, happened_at=timezone.now())
        for number, person in enumerate(people)
    ]

    assert list(scanners.bursts(briefs)) == []


@pytest.mark.on_postgresql
def test_clicks_are_found_without_reading_the_rest_of_a_mailing():
    make_events(timezone.now() - timedelta(seconds=number / 10) for number in range(2_000))
    clicked("ann")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE webhooks_webhookevent")

    assert "event_clicked" in scanners._clicks().explain()
