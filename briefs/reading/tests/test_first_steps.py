"""The first step that a brief shows, by its case and the channels that its customer closed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.models import Brief
from briefs.reading.first_steps import FirstSteps
from briefs.tests.factories import make_brief, make_customer, make_persona, make_signal, make_step
from briefs.triage import closing
from briefs.triage.closing import Ending
from briefs.triage.freshness import Seen
from personas.models import FirstStep

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def shown(brief):
    return FirstSteps([brief]).of(brief)


def test_complaint_shows_its_own_step_and_not_one_by_mail():
    brief = make_brief(kind="spam_complaint")
    make_signal(brief=brief, kind="spam_complaint")
    make_step(kind="spam_complaint", text="Write to them.", channels=["email"])
    make_step(kind="spam_complaint", text="Send nothing.", channels=[], position=20)

    step = shown(brief)

    assert (step.text, step.source) == ("Send nothing.", "for “Spam complaint”")
    assert step.reason.startswith("instead of a step that uses e-mail (a complaint suppresses")


def test_without_an_open_channel_it_says_no_contact_and_why():
    brief = make_brief()
    make_signal(brief=brief)
    make_step(channels=["email"])

    step = shown(brief)

    assert step.text.startswith("No contact: closed for this customer are marketing e-mail (unsub")
    assert (step.channels, step.within_hours, step.is_wait) == ([], None, False)


def test_nobody_contacts_a_deleted_person():
    make_step()
    brief = make_brief(customer=make_customer(is_deleted=True))

    assert shown(brief).text == "No contact: Customer.io no longer knows this person."


@pytest.mark.parametrize(
    ("kind", "detail", "words"),
    [
        ("channel_opt_out", "SMS", "Leave SMS."),
        ("channel_opt_out", "E-mail and push", "Leave e-mail and push."),
        ("topic_opt_out", "Product news", "Leave “Product news”."),
        ("topic_opt_out", "see evil.example/x", "Leave these topics."),
        ("channel_opt_out", "", "Leave this channel."),
    ],
)
def test_step_names_the_channel_or_the_topics(kind, detail, words):
    make_step(kind=kind, text="Leave {detail}.")

    assert shown(make_brief(kind=kind, detail=detail)).text == words


def test_persona_that_has_a_step_for_the_signal_says_so():
    persona = make_persona(name="Enterprise")
    make_step(), make_step(persona=persona, text="The owner calls.")

    step = shown(make_brief(persona=persona))

    assert (step.text, step.source) == ("The owner calls.", "for “Unsubscribed” of “Enterprise”")


def test_came_back_is_good_news_after_all_that_spoke_of_leaving():
    brief = make_brief(happened_at=NOW)
    make_signal(brief=brief, happened_at=NOW)
    assert FirstSteps([brief]).came_back(brief) is None

    at = NOW + timedelta(minutes=2)
    news = make_signal(brief=brief, kind="subscribed", effect="good_news", happened_at=at)
    assert FirstSteps([brief]).came_back(brief) == news

    make_signal(brief=brief, kind="spam_complaint", happened_at=NOW + timedelta(minutes=5))
    assert FirstSteps([brief]).came_back(brief) is None


def test_closed_brief_keeps_what_it_said_when_steps_change(user):
    brief = make_brief()
    make_step(text="As it was.")
    closing.close(brief, user, str(Seen.of(brief)), Ending("no_response"))

    FirstStep.objects.update(text="As it is now.")

    brief.refresh_from_db()
    assert shown(brief).text == "As it was."
    assert shown(make_brief()).text == "As it is now."


def test_open_brief_follows_an_edit():
    brief = make_brief()
    make_step()
    FirstStep.objects.update(text="As it is now.")

    assert shown(brief).text == "As it is now."


def test_twenty_briefs_need_as_many_queries_as_one(django_assert_num_queries):
    make_step()
    for _ in range(20):
        make_signal(brief=make_brief())
    briefs = list(Brief.objects.select_related("customer", "persona"))

    with django_assert_num_queries(2):  # steps, signals
        steps = FirstSteps(briefs)
        assert {steps.of(brief).text for brief in briefs} == {"Have the account owner call."}
