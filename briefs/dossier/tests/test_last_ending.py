"""A returned customer's brief begins with how the last one ended."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.desk.tests.pages import text
from briefs.dossier.dossier import Dossier
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_customer, make_reason

pytestmark = pytest.mark.django_db


def ended(customer, days_ago, outcome="retained", note="Paused for a month.", actor=None, **fields):
    brief = make_brief(customer=customer)
    brief.close(outcome, note, actor)
    closed_at = timezone.now() - timedelta(days=days_ago)
    Brief.objects.filter(pk=brief.pk).update(closed_at=closed_at, **fields)
    return brief


def test_page_says_how_the_last_brief_ended_by_whom_why_and_with_which_offer_and_note(
    signed_in, user
):
    customer = make_customer()
    reason = make_reason(name="Too dear")
    last = ended(
        customer, 10, actor=user, closing_reason=reason, offer_id="discount", offer_percent=20
    )

    words = text(
        signed_in.get(make_brief(customer=customer, returned_from=last).get_absolute_url())
    )

    told = "Returned: the last brief ended as “Retained” 10 d ago robin closed it."
    assert told in words
    assert "Reason: Too dear. Offered: A discount, 20 %." in words
    assert f"Paused for a month. Brief {last.pk}" in words
    assert words.index(told) < words.index("What happened")


def test_last_ending_is_read_together_with_its_reason_and_offer(django_assert_num_queries):
    customer = make_customer()
    last = ended(customer, 10, closing_reason=make_reason("Too dear"), offer_id="help")
    dossier = Dossier(make_brief(customer=customer, returned_from=last))

    with django_assert_num_queries(2):  # the brief, and who closed it
        ending = dossier.last_ending.brief

        assert str(ending.closing_reason) == "Too dear"
        assert ending.offer_in_words == "Help"


def test_last_brief_that_was_reopened_has_no_ending(signed_in, user):
    customer = make_customer()
    last = ended(customer, 10, actor=user)
    again = make_brief(customer=customer, returned_from=last)
    again.close("retained", "", user)
    last.reopen("reopened it", user, None)

    assert "Returned:" not in text(signed_in.get(again.get_absolute_url()))


def test_brief_that_returned_from_none_says_nothing(signed_in):
    customer = make_customer()
    ended(customer, 61)

    words = text(signed_in.get(make_brief(customer=customer).get_absolute_url()))

    assert "Returned:" not in words
