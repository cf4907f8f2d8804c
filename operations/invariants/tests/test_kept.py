"""Work that goes as it should breaks no promise."""

from datetime import UTC, timedelta

import pytest
from django.utils import timezone

from benchmarks import filling
from briefs.finding.words import indexing
from briefs.forgetting import erasing, people
from briefs.models import Brief, Erasure, Notification, NotificationTarget, Research
from briefs.pipeline import draining
from briefs.reprocessing import ordering
from briefs.reprocessing.selecting import Selection
from briefs.reprocessing.tests.making import finish
from briefs.research import working
from briefs.tests.factories import make_event, make_payload
from operations import invariants
from operations.pruning import working as pruning
from webhooks.models import Pruning, WebhookEvent

pytestmark = pytest.mark.django_db


def unsubscribe(*people, **message):
    for person in people:
        make_event(make_payload(data={"identifiers": {"id": person}, **message}))
    draining.drain()


def broken():
    return [str(row) for looked in invariants.check() for row in looked.broken]


@pytest.mark.usefixtures("starter", "sandbox")
def test_day_of_work_breaks_no_promise(user):
    NotificationTarget.objects.create(
        name="Desk", scheme="json", sealed_address="x", minimum_priority=1
    )
    newsletter = {"newsletter_id": 5, "newsletter_name": "Spring sale"}
    unsubscribe(*(f"enterprise-retail-low-{n}" for n in range(6)), **newsletter)
    unsubscribe("enterprise-retail-low-1", "free-games-high-1", "pro-music-low-1", "nobody-1")
    make_event(make_payload(data={"identifiers": {}}))
    make_event(make_payload(metric="opened"))
    draining.drain()
    indexing.sweep()
    while working.run_next():
        pass
    taken, snoozed, closed, *_ = Brief.objects.order_by("pk")
    taken.assign(user, user)
    tomorrow = timezone.now() + timedelta(days=1)
    snoozed.snooze(tomorrow, "asleep", user, tomorrow, for_signal=False)
    closed.close("retained", actor=user)
    for is_dry_run in (True, False):
        every = Selection(status=["processed", "ignored"])
        finish(ordering.reprocess(every, None, is_dry_run=is_dry_run))
    finish(ordering.reapply(None, is_dry_run=False))
    draining.drain()
    Notification.objects.all().cancel("enough")

    found = broken()

    assert found == []
    assert Brief.objects.filter(basis="shared").exists()
    assert Research.objects.filter(status="done").exists()
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"processed", "ignored"}


@pytest.mark.on_sqlite
@pytest.mark.usefixtures("starter")
def test_rows_that_benchmarks_make_up_break_no_promise():
    now = timezone.now().astimezone(UTC).replace(tzinfo=None)
    filling.Filling(400, now).write()
    filling.index()

    assert broken() == []
    assert Brief.objects.filter(is_waiting_for_profile=True).exists()


@pytest.mark.usefixtures("starter", "sandbox")
def test_what_was_erased_and_what_ended_breaks_no_promise():
    unsubscribe(*(f"enterprise-retail-low-{n}" for n in range(3)))
    indexing.sweep()
    Brief.objects.first().close("retained")
    long_ago = timezone.now() - timedelta(days=500)

    erasing.erase(people.find("enterprise-retail-low-1"), Erasure.objects.create(way="command"))
    WebhookEvent.objects.update(received_at=long_ago, finished_at=long_ago)
    state = Pruning.made(timezone.now())
    state.claim(is_asked=True)
    pruning.work(state)

    assert broken() == []
    assert WebhookEvent.objects.count() == 1  # of the brief that is open
