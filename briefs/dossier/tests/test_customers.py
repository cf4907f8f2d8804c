"""A customer's page: one timeline over all briefs, what they receive, and who they are."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.dossier.customers import CustomerDossier, entries, timeline_keys
from briefs.dossier.dossier import Situation
from briefs.tests.factories import make_brief, make_customer, make_signal
from personas.models import SubscriptionNames

pytestmark = pytest.mark.django_db


def hours_ago(number):
    return timezone.now() - timedelta(hours=number)


def dossier(customer, reader=None):
    return CustomerDossier(customer, Situation(reader))


def timeline(customer):
    return entries(timeline_keys(customer))


def test_timeline_tells_of_all_briefs_and_of_what_led_to_none(user):
    first = make_brief()
    customer = first.customer
    make_signal(brief=first, happened_at=hours_ago(9))
    first.log("took it", user)
    first.close("retained")
    first.activities.update(at=hours_ago(5))
    again = make_brief(customer=customer)
    make_signal(brief=again, kind="spam_complaint", happened_at=hours_ago(3))
    make_signal(customer=customer, kind="converted", effect="good_news", happened_at=hours_ago(1))
    make_signal(happened_at=hours_ago(2))  # somebody else's

    told = [(one.title, one.actor, one.brief_id) for one in timeline(customer)]

    assert told == [
        ("Converted", "", None),
        ("Spam complaint", "", again.pk),
        ("closed it: Retained", "Savedesk", first.pk),
        ("took it", "robin", first.pk),
        ("Unsubscribed", "", first.pk),
    ]


def test_two_reports_of_one_act_are_one_entry_that_names_the_message():
    customer = make_customer()
    act = make_signal(customer=customer)
    make_signal(customer=customer, same_act_as=act, message={"subject": "Hello"})

    (entry,) = timeline(customer)

    assert entry.detail == "Subject: “Hello”"


def test_page_of_the_timeline_is_read_in_as_many_queries_as_any(django_assert_num_queries):
    brief = make_brief()
    for _ in range(30):
        make_signal(brief=brief)
        brief.log("something happened")

    with django_assert_num_queries(4):
        told = entries(timeline_keys(brief.customer)[40:60])

    assert len(told) == 20


def test_channels_are_closed_by_signals_of_briefs_long_closed():
    brief = make_brief(kind="spam_complaint")
    make_signal(brief=brief, kind="spam_complaint")
    brief.close("churned")

    mail = dossier(brief.customer).routes[0]

    assert (mail.channel, mail.answer) == ("E-mail, marketing", "no")


def test_subscriptions_have_the_names_of_the_workspace():
    SubscriptionNames.objects.create(pk=1, topics={"topic_4": {"name": "Product updates"}})
    chosen = {"topics": {"topic_4": False, "topic_5": True}, "channels": {"email": True}}

    found = dossier(make_customer(preferences=chosen))

    assert [(one.name, one.is_on) for one in found.topics] == [
        ("Product updates", False),
        ("topic_5", True),
    ]
    assert [(one.name, one.is_on) for one in found.channels] == [("E-mail", True)]


def test_persona_is_that_of_the_rules_of_today(starter):
    brief = make_brief()

    assert dossier(brief.customer).persona_match.persona.name == "Enterprise, low usage"


def test_without_rules_there_is_no_persona_of_today():
    assert dossier(make_customer()).persona_match is None


def test_open_brief_stands_before_the_past_ones_and_the_last_that_ended_first(user):
    customer = make_customer()
    older, newer = make_brief(customer=customer), None
    older.close("retained", actor=user)
    newer = make_brief(customer=customer)
    newer.close("churned")
    open_ = make_brief(customer=customer)

    found = dossier(customer)

    assert found.open_brief == open_
    assert [(one.brief, one.closed_by) for one in found.past_briefs] == [
        (newer, None),
        (older, user),
    ]
