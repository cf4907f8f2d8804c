"""Everything that writes questions and briefs, at once: no two transactions deadlock."""

import random

import pytest
from django.db import connection, transaction

from briefs.models import Brief, MaveCall, Research, ResearchPolicy
from briefs.research import breaker, pacing, settling, sharing
from briefs.research.renewal import renew, restart
from briefs.tests.factories import make_customer, make_persona
from providers.mavera import Answer, MaveError
from webhooks.tests.threads import at_once

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"
    ),
]
ROUNDS = 60


def drain(chance, personas):
    """Briefs with several questions, as one batch of events opens them."""
    briefs = [
        Brief(
            customer=customer,
            persona=chance.choice(personas),
            kind="unsubscribed",
            priority=chance.randint(1, 4),
            happened_at=customer.fetched_at,
        )
        for customer in (make_customer(), make_customer(), make_customer())
    ]
    with transaction.atomic():
        older = Brief.objects.order_by("?").values_list("pk", flat=True)[:3]
        list(Brief.objects.filter(pk__in=list(older)).order_by("pk").select_for_update())
        sharing.attach(briefs)
        Brief.objects.bulk_create(briefs)


def work(chance, personas):
    """One call that is refused, put off or answered."""
    claimed = pacing.claim_next()
    if not isinstance(claimed, pacing.Ticket):
        return
    held = claimed.research, claimed.token, claimed.call
    match chance.randint(0, 4):
        case 0:
            settling.settle_error(*held, MaveError("refused", is_permanent=True, http_status=400))
        case 1:
            settling.settle_error(*held, MaveError("busy", http_status=429))
        case _:
            sources = [{"title": "", "url": "", "domain": "", "snippet": ""}]
            settling.save(*held, Answer("It is so.", sources, [], {}, "t", 10, {}))


def renew_or_restart(chance, personas):
    """A person asks for a fresh answer, or starts a failed question again."""
    for brief in Brief.objects.select_related("research").order_by("?")[:3]:
        chance.choice([renew, restart])(brief, None)


def limit(chance, personas):
    with transaction.atomic():
        policy = ResearchPolicy.locked()
        policy.concurrency = chance.randint(1, 10)
        policy.save()
    breaker.failed(MaveCall.objects.create(), "a fault")
    sharing.upgrade_briefs()


@pytest.mark.first
def test_writers_of_the_same_rows_never_deadlock(threaded_db, settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"
    personas = [make_persona(reuse_hours=0) for _ in range(5)]
    ResearchPolicy.objects.create(
        pk=1, day_budget=None, month_budget=None, requests_per_minute=10**6
    )
    roles = [drain, drain, work, work, work, renew_or_restart, renew_or_restart, limit]

    def play(number):
        chance = random.Random(number)
        for _ in range(ROUNDS):
            roles[number](chance, personas)

    at_once(len(roles), play)

    assert MaveCall.objects.filter(outcome="answered").exists()
    assert Research.objects.count() > len(personas)
    assert sharing.upgrade_briefs() is None
