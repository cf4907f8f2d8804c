"""An answer is bought once, however often and by however many people it is asked for."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from briefs.desk.tests.pages import messages, text
from briefs.models import MaveCall, Research, ResearchPolicy
from briefs.research.renewal import Renewal, renew, restart
from briefs.research.working import run_next
from briefs.tests.factories import make_brief, make_persona, make_research, question_for
from briefs.triage.freshness import Seen
from webhooks.tests.threads import at_once

pytestmark = pytest.mark.django_db


def asked(persona, **fields):
    question = question_for(persona, "unsubscribed", [])
    return make_research(
        persona=persona, question=question.text, question_hash=question.hash, **fields
    )


def answered(minutes, persona=None):
    """A brief that rests on an answer of its own, so many minutes old."""
    persona = persona or make_persona()
    at = timezone.now() - timedelta(minutes=minutes)
    done = asked(persona, status="done", answer="Old.", credits=20, finished_at=at)
    return make_brief(persona=persona, research=done, basis="new")


def sharing(brief):
    """Another brief that rests on the same answer."""
    return make_brief(persona=brief.persona, research=brief.research, basis="shared")


def press(client, brief, name="renew"):
    brief.refresh_from_db()
    url = reverse(f"briefs:{name}", args=[brief.pk])
    return client.post(url, {"based_on": str(Seen.of(brief))}, follow=True)


# How old an answer must be.


@pytest.mark.parametrize(
    ("minutes", "limit", "outcome"),
    [
        (12, 60, Renewal.TOO_YOUNG),
        (61, 60, Renewal.ASKED),
        (0, 0, Renewal.ASKED),
        (61, 120, Renewal.TOO_YOUNG),
    ],
)
def test_policy_says_how_old_an_answer_must_be(user, minutes, limit, outcome):
    ResearchPolicy.current()
    ResearchPolicy.objects.update(fresh_after_minutes=limit)

    assert renew(answered(minutes), user) == outcome

    assert Research.objects.active().exists() == (outcome == Renewal.ASKED)


def test_young_answer_is_offered_in_place_of_the_button(signed_in):
    page = text(signed_in.get(answered(12).get_absolute_url()))

    assert "This answer is 12 minutes old. A fresh one can be bought from " in page
    assert "Ask for a fresh answer" not in page


@pytest.mark.begins_at("2026-12-01T21:52")
def test_press_on_an_old_page_says_from_when_on_a_fresh_one_can_be_bought(signed_in):
    [said] = messages(press(signed_in, answered(12)))

    assert said.startswith(
        "This answer is 12 minutes old. A fresh one can be bought from 22:40 (UTC) on;"
    )


def test_question_under_way_for_others_is_joined_for_nothing_however_young(signed_in, user):
    persona = make_persona()
    brief = answered(12, persona)
    other = asked(persona)
    assert "Yes, share its answer" in text(signed_in.get(brief.get_absolute_url()))

    assert renew(brief, user) == Renewal.JOINED

    brief.refresh_from_db()
    other.refresh_from_db()
    assert (brief.renewal, brief.is_renewal_shared, other.asked_by) == (other, True, None)


def test_newer_answer_of_another_brief_is_taken_over_however_young(user):
    persona = make_persona()
    brief = answered(12, persona)
    answered(5, persona)

    assert renew(brief, user) == Renewal.ANSWERED


def test_failed_question_may_be_retried_at_any_age(user):
    brief = make_brief(research=make_research(status="failed", finished_at=timezone.now()))

    assert restart(brief, user) == Renewal.ASKED


# How often it is bought.


def test_four_presses_by_one_person_buy_one_answer(signed_in, sandbox):
    brief = answered(90)

    said = [messages(press(signed_in, brief))[0] for _ in range(2)]
    run_next()
    said += [messages(press(signed_in, brief))[0] for _ in range(2)]

    assert MaveCall.objects.chats().count() == 1
    assert [words.split(".")[0] for words in said] == [
        "A fresh answer was asked for",
        "A fresh answer is under way already",
        *["This answer is less than a minute old"] * 2,
    ]
    assert not Research.objects.active().exists()


def test_two_people_with_two_briefs_of_one_question_buy_one_answer(user, lead, sandbox):
    first = answered(90)
    second = sharing(first)

    assert renew(first, user) == Renewal.ASKED
    assert renew(second, lead) == Renewal.JOINED
    run_next()
    assert renew(first, lead) == renew(second, user) == Renewal.TOO_YOUNG

    assert MaveCall.objects.chats().count() == 1


@pytest.mark.parametrize("is_one_brief", [True, False])
def test_people_who_press_at_the_same_moment_buy_one_answer(
    threaded_db, user, lead, sandbox, is_one_brief
):
    brief = answered(90)
    briefs = [brief, brief if is_one_brief else sharing(brief)]

    came = at_once(4, lambda number: renew(briefs[number % 2], (user, lead)[number % 2]))

    assert came.count(Renewal.ASKED) == 1
    assert Research.objects.active().count() == 1


# Who bought it.


def test_ledger_names_the_person_who_bought_a_fresh_answer(user, lead, sandbox):
    first = answered(90)
    second = sharing(first)
    renew(first, user)
    renew(second, lead)  # joins, and buys nothing

    run_next()

    assert MaveCall.objects.chats().get().asked_by == user


def test_ledger_names_the_person_who_started_a_question_again(user, sandbox):
    brief = make_brief(research=make_research(status="failed"))
    restart(brief, user)

    run_next()

    assert MaveCall.objects.chats().get().asked_by == user


def test_what_savedesk_buys_by_itself_names_nobody(sandbox):
    make_brief(research=make_research())

    run_next()

    assert MaveCall.objects.chats().get().asked_by is None


def test_pages_of_ledger_and_research_name_the_buyer(admin_client, user):
    research = make_research(status="done", asked_by=user)
    MaveCall.objects.create(research=research, asked_by=user, credits=24)
    MaveCall.objects.create(research=make_research(), credits=17)
    ledger = reverse("admin:briefs_mavecall_changelist")

    assert "robin" in text(admin_client.get(ledger))
    assert "Savedesk" in text(admin_client.get(ledger))
    for address in (ledger, reverse("admin:briefs_research_changelist")):
        only = admin_client.get(address, {"asked_by__id__exact": user.pk})
        assert only.context["cl"].result_count == 1
    assert "robin" in text(
        admin_client.get(reverse("admin:briefs_research_change", args=[research.pk]))
    )


def test_research_started_again_in_the_admin_names_its_buyer(admin_client, admin_user):
    research = make_research(status="failed")

    admin_client.post(
        reverse("admin:briefs_research_changelist"),
        {"action": "start_again", "_selected_action": [research.pk]},
    )

    research.refresh_from_db()
    assert (research.status, research.asked_by) == ("queued", admin_user)
