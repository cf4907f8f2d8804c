"""After an erasure no table holds anything that says who the person was, in any spelling."""

import pytest
from django.db import connection

from briefs.forgetting import erasing, people
from briefs.forgetting.tests import everything
from briefs.insights.costs import Period, cost_report
from briefs.models import Brief, Comment, Erasure, MaveCall
from personas.models import Customer, RuleVersion
from personas.rules import documents
from webhooks.clock import database_now
from webhooks.models import Tally, WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]


def erase(term=everything.EMAIL):
    return erasing.erase(people.find(term), Erasure.objects.create(way="command"))


def test_a_dump_holds_nothing_of_an_erased_person():
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:  # what was deleted before an erasure is for --vacuum
            cursor.execute("PRAGMA secure_delete = ON")
    everything.make_person()
    assert set(everything.left_in(everything.dump())) >= {"testfrau", "oberammergau", "müllër"}
    foreseen = erasing.count(people.find(everything.ID))

    erasure = erase(everything.FORMER)

    assert everything.left_in(everything.dump()) == []
    if connection.vendor == "sqlite":
        assert everything.left_in(connection.connection.serialize().decode("latin-1").lower()) == []
    assert erasure.counts == foreseen
    assert foreseen["webhooks.WebhookEvent"] == 8
    assert erasing.count(people.find(everything.EMAIL)) == {}


def test_figures_stay_as_they_were():
    everything.make_person()
    Tally.objects.all().add({"stored": 7})
    period = Period(database_now().date(), 7)
    events, before = WebhookEvent.objects.count(), cost_report(period)

    erase()

    assert cost_report(period) == before
    assert MaveCall.objects.get().credits == 40
    assert WebhookEvent.objects.count() == events
    assert Brief.objects.get(outcome="churned").customer == Customer.erased()
    assert Tally.objects.get().count == 7


def test_what_others_wrote_stays_but_for_the_person():
    everything.make_person()

    erase()

    text = Comment.objects.get().text
    assert text.startswith("Ann knows [erased], [erased] or [erased]")
    version = RuleVersion.objects.get(why="[erased] asked for it")
    assert version.digest == documents.digest(version.document)
    assert "[erased]" in str(version.document)
    assert "ann@example.com" in str(version.document)
