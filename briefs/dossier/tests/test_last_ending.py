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

    words = text(
        signed_in.get(make_brief(customer=customer, returned_from=last).get_absolute_url())
    )

    told = "Returned: the last brief ended as “Retained” 10 d ago robin closed it."
    assert told in words
    assert f"Paused for a month. Brief {last.pk}" in words
    assert words.index(told) < words.index("What happened")


def test_brief_that_returned_from_none_says_nothing(signed_in):
    customer = make_customer()
    ended(customer, 61)

    words = text(signed_in.get(make_brief(customer=customer).get_absolute_url()))

    assert "Returned:" not in words
