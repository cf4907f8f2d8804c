"""Every change of a brief raises its revision, whoever makes it."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from briefs.models import Brief, Priority
from briefs.pipeline import draining, merging, profiles, scanners
from briefs.research import renewal, sharing
from briefs.research.working import run_next
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_event,
    make_payload,
    make_research,
    make_signal,
)
from personas.models import Persona, SignalRule
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
PERSON = "enterprise-logistics-low-1"


def event_of(metric="unsubscribed", object_type="customer", **data):
    data = {"identifiers": {"id": PERSON}, **data}
    event = make_event(make_payload(object_type=object_type, metric=metric, data=data))
    draining.drain()
    return event


def revision(brief):
    return Brief.objects.values_list("revision", flat=True).get(pk=brief.pk)


@pytest.fixture
def brief(sandbox):
    """A brief that the pipeline opened."""
    event_of()
    return Brief.objects.get()


def test_new_brief_has_the_revision_0(brief):
    assert revision(brief) == 0


# By the pipeline.


@pytest.mark.parametrize(
    ("metric", "object_type"),
    [
        ("spammed", "email"),  # joins the brief
        ("converted", "email"),  # good news on its timeline
        ("unsubscribed", "email"),  # the same act, reported once more
    ],
)
def test_signal_raises_the_revision(brief, metric, object_type):
    event_of(metric, object_type, subject="News")

    assert brief.signals.count() == 2
    assert revision(brief) > 0


def test_report_of_an_act_whose_brief_is_closed_raises_its_revision(brief):
    brief.close("retained")
    before = revision(brief)

    event_of("unsubscribed", "email", subject="News")

    assert brief.signals.count() == 2
    assert revision(brief) > before


def test_brief_that_is_read_anew_gets_a_higher_revision(brief):
    SignalRule.objects.filter(name="Unsubscribed").update(kind="spam_complaint")
    assert WebhookEvent.objects.get().replay()

    draining.drain()

    brief.refresh_from_db()
    assert brief.kind == "spam_complaint"
    assert brief.revision > 0


def test_brief_that_takes_over_signals_gets_a_higher_revision():
    older, newer = make_customer(cio_id=None, external_id="42"), make_customer(external_id=None)
    kept, doubled = make_brief(customer=older), make_brief(customer=newer)
    make_signal(brief=doubled)

    merging.merge(older.pk, newer.pk)

    assert kept.signals.count() == 1
    assert revision(kept) > 0
    assert revision(doubled) > 0


def test_brief_whose_profile_arrives_gets_a_higher_revision(sandbox):
    customer = make_customer(external_id=PERSON, cio_id=None, fetched_at=None, attributes={})
    unknown = Persona.objects.get(is_unknown=True)
    waiting = make_brief(customer=customer, persona=unknown, is_waiting_for_profile=True)

    profiles.catch_up()

    assert Brief.objects.get().persona != unknown
    assert revision(waiting) > 0


def test_brief_that_stops_waiting_for_its_profile_gets_a_higher_revision(settings):
    settings.CIO_APP_KEY = ""
    waiting = make_brief(is_waiting_for_profile=True)

    profiles.catch_up()

    assert revision(waiting) > 0


def test_research_that_arrives_raises_the_revision(brief):
    run_next()

    brief.refresh_from_db()
    assert brief.basis == "new"
    assert brief.revision > 0


def test_folding_raises_the_revision_of_all_its_briefs():
    briefs = [make_brief(), make_brief()]

    scanners._fold(scanners.Burst("acme.example", briefs))

    assert all(revision(one) > 0 for one in briefs)


# By the arrows, of people and of Savedesk.

ARROWS = {
    "assign": lambda brief, user: brief.assign(user, user),
    "close": lambda brief, user: brief.close("retained", "", user),
    "withdraw": lambda brief, user: brief.withdraw("there is nothing to do"),
    "log": lambda brief, user: brief.log("called them", user),
    "save": lambda brief, user: brief.save(),
    "save some": lambda brief, user: brief.save(update_fields=["detail"]),
    "bulk_update": lambda brief, user: Brief.objects.bulk_update([brief], ["detail"]),
    "research_arrived": lambda brief, user: Brief.objects.all().research_arrived(),
    "renewed_by": lambda brief, user: Brief.objects.all().renewed_by(brief.research),
    "taken_over_by": lambda brief, user: Brief.objects.all().taken_over_by(brief.research),
    "restart": lambda brief, user: renewal.restart(brief, user),
}


@pytest.mark.parametrize("name", ARROWS)
def test_arrow_raises_the_revision(user, name):
    brief = make_brief(research=make_research(status="failed"))

    ARROWS[name](brief, user)

    assert revision(brief) > 0


def test_fresh_answer_that_is_asked_for_raises_the_revision(user):
    long_ago = timezone.now() - timedelta(days=1)
    brief = make_brief(research=make_research(status="done", finished_at=long_ago), basis="new")

    renewal.renew(brief, user)

    assert revision(brief) > 0


def test_saving_costs_no_query_more_and_leaves_a_number(django_assert_num_queries):
    brief = make_brief()
    Brief.objects.filter(pk=brief.pk).update(priority=Priority.LOW)  # which this copy has not seen

    with django_assert_num_queries(1):
        brief.save(update_fields=["detail"])

    assert brief.revision == 1
    assert revision(brief) == 2


def test_saving_no_field_changes_nothing(django_assert_num_queries):
    brief = make_brief()

    with django_assert_num_queries(0):
        brief.save(update_fields=[])

    assert brief.revision == 0


def test_attaching_research_writes_no_brief(sandbox):
    brief = make_brief()

    with transaction.atomic():
        sharing.attach([brief])

    assert revision(brief) == 0
