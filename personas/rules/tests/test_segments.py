"""A persona that asks for a segment: who gets it, and what the reason says."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.tests.factories import make_customer, make_persona
from personas.models import CustomerSegment, PersonaCondition, SegmentMember
from personas.rules.rulebook import Rulebook

pytestmark = pytest.mark.django_db


@pytest.fixture
def trials(starter):
    """A persona for people in the segment, before all others."""
    persona = make_persona(name="Trial users", position=1)
    PersonaCondition.objects.create(
        persona=persona, field="customer", operator="in_segment", value="Trials"
    )
    return persona


def make_segment(*cio_ids, **kw):
    """A segment that was read three hours ago."""
    row = CustomerSegment.objects.create(
        number=7, name="Trials", is_named=True, reading=2,
        read_at=timezone.now() - timedelta(hours=3), **kw,
    )  # fmt: skip
    SegmentMember.objects.bulk_create(
        SegmentMember(segment=row, reading=2, cio_id=one) for one in cio_ids
    )
    return row


def persona_of(cio_id):
    customer = make_customer(cio_id=cio_id)
    return Rulebook.load().persona_for(customer)


def test_who_is_in_the_segment_gets_the_persona(trials):
    make_segment("aa")

    match = persona_of("aa")

    assert match.persona == trials
    assert match.why == "persona “Trial users”: in segment “Trials” (read 3 hours ago)"
    assert match.question_facts == ["customer is in segment Trials"]


def test_who_is_not_in_it_gets_another_one(trials):
    make_segment("aa")

    match = persona_of("bb")

    assert match.persona != trials
    assert "segment" not in match.why


def test_reason_says_that_nobody_knows_who_is_in_it(trials):
    match = persona_of("aa")

    assert match.persona != trials
    assert match.why.endswith("; who is in the segment “Trials” is not known")


def test_rows_of_a_reading_that_is_not_complete_do_not_count(trials):
    row = make_segment("aa")
    SegmentMember.objects.create(segment=row, reading=3, cio_id="bb")

    assert persona_of("bb").persona != trials


def test_rules_that_name_no_segment_cost_no_query_more(starter, django_assert_num_queries):
    customer = make_customer()

    with django_assert_num_queries(7):
        rulebook = Rulebook.load()
        rulebook.read_memberships([customer])
        rulebook.persona_for(customer)


def test_customers_of_a_batch_cost_one_query(trials, django_assert_num_queries):
    make_segment("aa")
    customers = [make_customer(cio_id=f"a{n}") for n in range(5)]
    rulebook = Rulebook.load()

    with django_assert_num_queries(2):  # the segments, then their people
        rulebook.read_memberships(customers)
        for customer in customers:
            rulebook.persona_for(customer)


def test_days_count_from_the_time_of_the_rulebook(trials):
    PersonaCondition.objects.update(field="seen", operator="older", value="30")
    seen = timezone.now() - timedelta(days=31)
    customer = make_customer(attributes={"seen": seen.isoformat()})
    rulebook = Rulebook.load()

    assert rulebook.persona_for(customer).persona == trials
    assert abs(rulebook.now - timezone.now()) < timedelta(minutes=1)
