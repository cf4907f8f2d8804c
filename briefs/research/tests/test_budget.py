"""What may be spent: the budgets of all, the reserve, and a budget for one persona."""

import os
from datetime import timedelta

import pytest
from django.db.models import Sum
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from briefs.models import Brief, MaveCall, Priority, PriorityThreshold, Research, ResearchPolicy
from briefs.research import pacing, spending
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.waiting import Standstill
from briefs.tests.factories import (
    make_brief,
    make_event,
    make_payload,
    make_persona,
    make_research,
    make_threshold,
)
from operations import sweeping, tasks
from personas.models import Persona
from webhooks.clock import database_now
from webhooks.tests.clock import clock
from webhooks.tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.begins_at("2026-11-18T12:00")]


@pytest.fixture(autouse=True)
def _connected(settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"


def policy(**fields):
    """The policy with these limits; all others are too high to matter."""
    unlimited = {
        "day_budget": None,
        "month_budget": None,
        "urgent_reserve": 0,
        "requests_per_minute": 10_000,
        "concurrency": 10,
    }
    ResearchPolicy.objects.update_or_create(pk=1, defaults={**unlimited, **fields})
    return ResearchPolicy.objects.get()


def wanted(persona, **fields):
    """A question that an open brief of this persona waits for."""
    asked = make_research(persona=persona, **fields)
    make_brief(research=asked, persona=persona)
    return asked


def spend(persona, credits, outcome="answered"):
    asked = make_research(persona=persona, status="done")
    return MaveCall.objects.create(research=asked, credits=credits, outcome=outcome)


def taken_of(persona):
    return spending.of_persona(persona, database_now()).taken


# A persona's own budget ---------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["answered", "pending", "unknown"])
def test_call_must_fit_into_what_is_left_of_the_personas_month(outcome):
    policy()
    trial = make_persona(month_budget=100 + RESERVED_CREDITS)
    wanted(trial)
    spend(trial, 101, outcome)

    assert pacing.claim_next() is None
    assert not pacing.may_begin()

    MaveCall.objects.update(credits=100)
    assert pacing.claim_next()


def test_persona_at_its_budget_does_not_block_the_questions_of_others():
    policy()
    trial, enterprise = make_persona(month_budget=100), make_persona()
    wanted(trial, priority=Priority.URGENT)
    later = wanted(enterprise, priority=Priority.LOW)
    spend(trial, 50)

    assert pacing.claim_next().research == later
    assert pacing.claim_next() is None


def test_persona_whose_budget_is_too_small_for_an_answer_is_never_asked_for():
    policy()
    wanted(make_persona(month_budget=RESERVED_CREDITS - 1), priority=Priority.URGENT)

    assert pacing.claim_next() is None


def test_what_others_spend_and_what_was_spent_last_month_does_not_count():
    policy()
    trial = make_persona(month_budget=RESERVED_CREDITS)
    clock.set("2026-11-30T23:59")
    spend(trial, 75)
    clock.set("2026-12-01T00:00")
    spend(make_persona(), 1000)
    wanted(trial)

    assert pacing.claim_next()
    assert taken_of(trial) == RESERVED_CREDITS


def test_waiting_brief_names_the_persona_whose_budget_is_used_up():
    trial = make_persona(name="Trial", month_budget=100)
    limits = policy()
    spend(trial, 26)

    words = pacing.why_waiting(limits, Priority.URGENT, trial)

    assert words == "the month's research budget of “Trial” is used up"
    assert pacing.why_waiting(limits, Priority.URGENT, make_persona(month_budget=100)) == ""
    assert pacing.why_waiting(limits, Priority.URGENT) == ""


def test_page_of_the_waiting_brief_says_so(signed_in):
    policy()
    trial = make_persona(name="Trial", month_budget=0)
    asked = wanted(trial)

    html = signed_in.get(Brief.objects.get(research=asked).get_absolute_url()).content.decode()

    assert "research budget of “Trial” is used up" in html


def test_budgets_of_many_personas_cost_a_claim_no_more_queries_than_that_of_one(
    django_assert_num_queries,
):
    standstill = Standstill(policy())
    assert not standstill.health.is_held
    for _ in range(5):
        persona = make_persona(month_budget=100)
        spend(persona, 50)
        wanted(persona)

    with django_assert_num_queries(5):  # under way, spent, two for the personas, the next question
        assert pacing._most_urgent(standstill) is None


def test_many_claimers_at_once_never_exceed_a_personas_budget(threaded_db):
    policy()
    trial = make_persona(month_budget=4 * RESERVED_CREDITS)
    for _ in range(12):
        wanted(trial)

    tickets = at_once(12, lambda number: pacing.claim_next())

    assert sum(ticket is not None for ticket in tickets) == 4
    assert taken_of(trial) == trial.month_budget


# One account ------------------------------------------------------------------------------------


def test_claim_counts_what_is_reserved_and_a_warning_does_not():
    limits = policy(day_budget=1000)
    spend(make_persona(), 900)
    for _ in range(2):
        MaveCall.objects.create(credits=RESERVED_CREDITS, outcome="pending")

    day = spending.account(limits, database_now()).day

    assert not day.fits()
    assert (day.level, day.unused, day.left) == (90, 100, 0)


def test_account_of_a_persona_is_its_part_of_the_account_of_all():
    limits, now = policy(), database_now()
    trial, enterprise = make_persona(month_budget=100), make_persona()
    spend(trial, 20)
    spend(trial, 75, "pending")
    spend(enterprise, 30)

    month = spending.account(limits, now).month
    parts = spending.of_personas([trial, enterprise], now)

    assert (parts[trial].settled, parts[trial].reserved, parts[trial].limit) == (20, 75, 100)
    assert (parts[enterprise].settled, parts[enterprise].limit) == (30, None)
    assert sum(one.taken for one in parts.values()) == month.taken
    assert spending.used_up_personas(now) == [trial]


# Over the budget ----------------------------------------------------------------------------------


def test_brief_over_the_budget_stands_on_its_playbook_and_is_researched_the_next_day(
    starter, sandbox, signed_in, monkeypatch
):
    policy(day_budget=100)
    MaveCall.objects.create(credits=60, outcome="answered")
    make_event(make_payload(data={"identifiers": {"id": "enterprise-logistics-low-1"}}))
    monkeypatch.setattr("webhooks.waking.async_task", lambda *args, **kw: tasks.research())

    sweeping.sweep()

    brief = Brief.objects.get()
    assert (brief.basis, brief.research.status) == ("playbook", "queued")
    html = signed_in.get(brief.get_absolute_url()).content.decode()
    assert "the research budget is used up for now" in html
    assert sandbox.credits_used == 0

    clock.set("2026-11-19T00:00")
    sweeping.sweep()

    brief.refresh_from_db()
    assert (brief.basis, brief.research.status) == ("new", "done")


# All of it at once --------------------------------------------------------------------------------

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))
limit = st.none() | st.sampled_from([0, 74, 75, 150, 225, 300, 450, 600]) | st.integers(60, 700)
question = st.tuples(st.sampled_from(Priority), st.integers(0, 2))
step = st.one_of(
    st.just(("claim", None)),
    st.just(("claim", None)),  # twice, because claims are the most frequent
    st.tuples(st.just("answered"), st.none() | st.integers(0, RESERVED_CREDITS)),
    st.just(("refused", None)),
)


class Model:
    """The same rules over plain lists, to compare with: what may be asked, and what is left."""

    def __init__(self, day, month, reserve, caps):
        self.budgets = [b for b in (day, month) if b is not None]
        self.reserve, self.caps = reserve, caps
        self.queue, self.charged = [], []  # (priority, number, persona); (persona, credits)

    def fits(self, priority, persona):
        spent = sum(credits for _, credits in self.charged) + RESERVED_CREDITS
        own = sum(credits for p, credits in self.charged if p == persona) + RESERVED_CREDITS
        kept = 0 if priority == Priority.URGENT else self.reserve
        cap = self.caps[persona]
        return all(spent <= b - kept for b in self.budgets) and (cap is None or own <= cap)

    def next(self):
        """The most urgent question that the budgets allow; of two, the older one."""
        fitting = [q for q in self.queue if self.fits(q[0], q[2])]
        return min(fitting, key=lambda q: (-q[0], q[1]), default=None)

    @property
    def is_kept(self):
        spent = sum(credits for _, credits in self.charged)
        caps = enumerate(self.caps)
        own = all(
            cap is None or sum(c for p, c in self.charged if p == persona) <= cap
            for persona, cap in caps
        )
        return own and all(spent <= b for b in self.budgets)


def fill(model, questions):
    """Rows for the model's questions, after deleting those of the example before."""
    for rows in (MaveCall, Brief, Research):
        rows.objects.all().delete()
    Persona.objects.filter(name__startswith="Persona ").delete()
    personas = [make_persona(month_budget=cap) for cap in model.caps]
    began = timezone.now() - timedelta(hours=1)
    for number, (priority, persona) in enumerate(questions):
        at = began + timedelta(seconds=number)
        asked = wanted(personas[persona], priority=priority, created_at=at)
        model.queue.append((priority, number, persona, asked.pk))


def claim(model, under_way):
    expected = model.next()
    ticket = pacing.claim_next()
    assert (ticket and ticket.research.pk) == (expected and expected[3])
    if ticket:
        model.queue.remove(expected)
        model.charged.append((expected[2], RESERVED_CREDITS))
        under_way.append((ticket, len(model.charged) - 1))


def settle(model, under_way, outcome, credits):
    ticket, place = under_way.pop(0)
    ticket.research.fail(ticket.token, "settled")
    ticket.call.settle(MaveCall.Outcome(outcome), credits=credits)
    persona, reserved = model.charged[place]
    charged = 0 if outcome == "refused" else reserved if credits is None else credits
    model.charged[place] = (persona, charged)


@pytest.mark.on_sqlite
@pytest.mark.first
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    day=limit,
    month=limit,
    reserve=st.sampled_from([0, 75, 100]) | st.integers(0, 200),
    caps=st.tuples(limit, limit, limit),
    questions=st.lists(question, min_size=3, max_size=9),
    steps=st.lists(step, min_size=6, max_size=25),
)
def test_no_budget_is_exceeded_and_no_reserve_used_by_any_order_of_calls(
    day, month, reserve, caps, questions, steps
):
    PriorityThreshold.objects.all().delete()  # of the example before
    make_threshold()
    policy(day_budget=day, month_budget=month, urgent_reserve=reserve)
    model, under_way = Model(day, month, reserve, caps), []
    fill(model, questions)

    for what, credits in steps:
        if what == "claim":
            claim(model, under_way)
        elif under_way:
            settle(model, under_way, what, credits)

        assert model.is_kept
        charged = MaveCall.objects.aggregate(sum=Sum("credits", default=0))["sum"]
        assert charged == sum(credits for _, credits in model.charged)
