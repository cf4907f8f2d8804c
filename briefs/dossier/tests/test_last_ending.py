"""A returned customer's brief begins with how the last one ended."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.desk.tests.pages import text
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_customer

pytestmark = pytest.mark.django_db


def ended(customer, days_ago, outcome="retained", note="Paused for a month.", actor=None):
    brief = make_brief(customer=customer)
    brief.close(outcome, note, actor)
    Brief.objects.filter(pk=brief.pk).update(closed_at=timezone.now() - timedelta(days=days_ago))
    return brief


def test_page_says_how_the_last_brief_ended_by_whom_and_with_which_note(signed_in, user):
    customer = make_customer()
    last = ended(customer, 10, actor=user)

    words = text(signed_in.get(make_brief(customer=customer).get_absolute_url()))

    told = "Returned: the last brief ended as “Retained” 10 d ago robin closed it."
    assert told in words
    assert f"Paused for a month. Brief {last.pk}" in words
    assert words.index(told) < words.index("What happened")


def test_latest_of_several_counts(signed_in):
    customer = make_customer()
    ended(customer, 20, "churned"), ended(customer, 5, "no_response")

    words = text(signed_in.get(make_brief(customer=customer).get_absolute_url()))

    assert "the last brief ended as “No response” 5 d ago" in words


@pytest.mark.parametrize(("days", "outcome"), [(61, "retained"), (5, "withdrawn")])
def test_long_ago_and_withdrawn_ones_do_not_count(signed_in, days, outcome):
    customer = make_customer()
    ended(customer, days, outcome)

    words = text(signed_in.get(make_brief(customer=customer).get_absolute_url()))

    assert "Returned:" not in words


def test_briefs_of_others_and_later_ones_do_not_count(signed_in):
    customer = make_customer()
    ended(make_customer(), 5)
    first = ended(customer, 1)

    assert "Returned:" not in text(signed_in.get(first.get_absolute_url()))
