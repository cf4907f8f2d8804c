"""The page of a customer: who they are, what they receive, and all that happened."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Preferences
from briefs.desk.tests.pages import queries_of, text
from briefs.models import Signal
from briefs.pipeline.merging import merge
from briefs.tests.factories import make_brief, make_customer, make_reason, make_signal
from conftest import make_user
from personas.models import AttributeName

pytestmark = pytest.mark.django_db


def page(client, customer, **query):
    return client.get(f"/customers/{customer.pk}/", query)


def words(client, customer, **query):
    return text(page(client, customer, **query))


def test_page_says_who_of_what_value_company_and_persona(signed_in, starter):
    customer = make_customer(
        attributes={"name": "Ada Moreau", "plan": "enterprise", "usage_tier": "low", "seats": "9"},
        company="Acme", value_amount=9100, value_month=9100, value_currency="USD",
        value_period="month", value_level="company",
    )  # fmt: skip

    html = page(signed_in, customer).content.decode()
    told = words(signed_in, customer)

    assert "Value USD 9,100 a month of the whole company Plan enterprise" in told
    assert "Persona of today Enterprise, low usage" in told
    assert "1 other attribute" not in told  # name and seats
    assert "2 other attributes name Ada Moreau seats 9" in told
    assert '<a href="/companies/?name=Acme">Acme</a>' in html


def test_ways_to_reach_them_and_closed_channels_are_there(signed_in):
    AttributeName.objects.create(role="plan", label="Plan", names="plan")
    customer = make_customer(phone="+44 20 7946 0000")
    make_signal(customer=customer, kind="spam_complaint")

    html = page(signed_in, customer).content.decode()

    assert 'href="tel:+442079460000"' in html
    assert "mailto:" not in html
    assert "E-mail, marketing no a complaint suppresses the address" in text(
        page(signed_in, customer)
    )


def test_viewer_is_shown_no_way_to_use_at_once(client, django_user_model):
    client.force_login(make_user(django_user_model, "kim", "Viewer"))

    response = page(client, make_customer(phone="+44 20 7946 0000"))

    assert response.status_code == 200
    assert "tel:" not in response.content.decode()


def test_subscriptions_are_told_as_they_are_known(signed_in):
    chosen = {"topics": {"topic_4": False}, "channels": {"email": True}}
    customer = make_customer(
        preferences=chosen,
        is_unsubscribed=True,
        subscription_changed_at=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
    )

    told = words(signed_in, customer)

    assert "Subscribed no unsubscribed 2 Nov 2026, 09:30 UTC" in told
    assert "Channels E-mail on Topics topic_4 off" in told


def test_nothing_known_of_subscriptions_is_said(signed_in):
    told = words(signed_in, make_customer())

    assert "Subscribed unknown They chose no channel and no topic." in told


def test_briefs_open_and_past_are_linked_with_how_they_ended(signed_in, user):
    customer = make_customer()
    last = make_brief(customer=customer)
    last.close("retained", "A pause.", user, closing_reason=make_reason("Too dear"))
    open_ = make_brief(customer=customer, kind="bounced")

    html = page(signed_in, customer).content.decode()
    told = words(signed_in, customer)

    assert f'href="{last.get_absolute_url()}"' in html
    assert f'href="{open_.get_absolute_url()}"' in html
    assert "Bounced, cause unclear New, unassigned, opened just now" in told
    assert "Unsubscribed: Retained" in told
    assert "Reason: Too dear. Note: A pause." in told


@pytest.mark.parametrize(("number", "has_more"), [(50, False), (51, True)])
def test_older_briefs_are_said_to_be_left_out_where_they_are(signed_in, number, has_more):
    customer = make_customer()
    for _ in range(number):
        make_brief(customer=customer).close("retained")

    response = page(signed_in, customer)

    assert ("Older briefs are not listed" in text(response)) == has_more
    assert len(response.context["dossier"].past_briefs) == 50


def test_timeline_spans_all_briefs_and_is_cut_into_pages_of_50(signed_in):
    first = make_brief()
    first.log("took it")
    first.close("retained")
    brief = make_brief(customer=first.customer)
    now = timezone.now()
    rows = [{"kind": "converted", "effect": "good_news", "severity": 1,
             "happened_at": now + timedelta(seconds=n)} for n in range(60)]  # fmt: skip
    Signal.objects.bulk_create(Signal(customer=first.customer, **row) for row in rows)
    brief.log("commented: who knows them?")

    newest, oldest = (words(signed_in, first.customer, page=page) for page in (1, 2))

    assert "1–50 of 63" in newest
    assert newest.count("Good news") == 50
    assert oldest.count("Good news") == 10
    assert f"commented: who knows them? Brief {brief.pk}" in oldest
    assert f"took it Brief {first.pk}" in oldest


def test_queries_do_not_grow_with_the_story(signed_in, user):
    customer = make_customer(company="Acme", preferences={"topics": {"topic_4": True}})

    def grow():
        brief = make_brief(customer=customer)
        make_signal(brief=brief)
        brief.log("took it", user)
        brief.close("churned", actor=user)

    grow()
    before = queries_of(signed_in, f"/customers/{customer.pk}/")
    for _ in range(10):
        grow()

    assert queries_of(signed_in, f"/customers/{customer.pk}/") == before <= 25


def test_customer_who_was_deleted_says_so(signed_in):
    told = words(signed_in, make_customer(is_deleted=True))

    assert "This person was deleted in Customer.io." in told


def test_merged_customer_is_told_on_the_row_that_stays_and_at_the_old_address(signed_in):
    older = make_customer(cio_id=None, external_id=None, email="ada@example.com")
    newer = make_customer(external_id="ada-2", email="moreau@example.com")
    brief = make_brief(customer=newer)

    merge(older.pk, newer.pk)

    kept = words(signed_in, older)
    assert "Known before as address" in kept
    assert "turned out to be the same person and was merged into this one" in kept
    assert brief.title in kept
    gone = page(signed_in, newer)
    assert gone.status_code == 404
    assert f"Customer {newer.pk} is not here" in text(gone)
    assert "the two were merged, or they were erased" in text(gone)


def test_only_who_may_open_it_is_led_to_the_admin(client, django_user_model):
    customer = make_customer()
    link = f"/admin/personas/customer/{customer.pk}/change/"

    shown = {}
    for role in ("Agent", "Editor"):
        client.force_login(make_user(django_user_model, role.lower(), role))
        shown[role] = link in page(client, customer).content.decode()

    assert shown == {"Agent": False, "Editor": True}


def test_times_are_in_the_readers_time_zone(signed_in, user):
    customer = make_customer()
    make_signal(customer=customer, happened_at=datetime(2026, 11, 2, 23, 30, tzinfo=UTC))
    Preferences.objects.create(user=user, time_zone="Asia/Tokyo")

    assert "3 Nov 2026, 08:30 JST" in words(signed_in, customer)
