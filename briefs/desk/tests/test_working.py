"""The forms by which people work together on a brief."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from briefs.desk.tests.pages import messages, text
from briefs.desk.tests.test_stale_forms import opened, send
from briefs.models import Brief, ContactLog, Offer
from briefs.tests.factories import make_brief, make_offer, make_reason

pytestmark = pytest.mark.django_db
PHONED = {"channel": "phone", "is_reached": "no", "note": "Rang out."}


def acted(client, name, brief, **data):
    return send(client, name, brief, opened(client, brief), **data)


def test_contact_is_logged_from_the_brief(signed_in, user):
    brief = make_brief()

    response = acted(signed_in, "contact", brief, **PHONED)

    assert messages(response) == ["The contact is logged."]
    assert "logged contact: Phone · no answer · Rang out. · took it" in text(response)
    assert Brief.objects.get().assignee == user


def test_contact_is_logged_from_the_list_and_leads_back_to_it(signed_in):
    brief = make_brief()
    url = reverse("briefs:contact", args=[brief.pk])
    page = signed_in.get(url, {"next": "/?assignee=me"})
    sent = {"based_on": str(page.context["based_on"]), **PHONED}

    back = signed_in.post(url, {**sent, "next": "/?assignee=me"})

    assert 'value="/?assignee=me"' in page.content.decode()
    assert (back.url, ContactLog.objects.count()) == ("/?assignee=me", 1)


def test_list_leads_to_logging_contact_and_back(signed_in):
    brief = make_brief()

    page = signed_in.get("/?state=unassigned").content.decode()

    assert f"/briefs/{brief.pk}/contact/?next=%2F%3Fstate%3Dunassigned" in page


def test_what_is_late_says_so_on_its_page_in_the_list_and_in_its_tab(signed_in):
    late = make_brief(due_at=timezone.now() - timedelta(hours=1))
    make_brief(due_at=timezone.now() + timedelta(hours=3, minutes=1))

    rows = text(signed_in.get("/?state=overdue"))

    assert "1 brief" in rows
    assert "Overdue" in text(signed_in.get("/"))
    assert "Overdue since" in text(signed_in.get(late.get_absolute_url()))
    assert "Due in 3 h" in text(signed_in.get(Brief.objects.latest("pk").get_absolute_url()))


def test_closed_page_without_a_note_leads_with_the_reason(signed_in):
    brief = make_brief()
    reason = make_reason("Moved to a competitor")
    brief.close("churned", closing_reason=reason)

    words = text(signed_in.get(brief.get_absolute_url()))

    assert "closed as “Churned” Moved to a competitor" in words


def test_contact_with_a_fault_still_leads_back_to_the_list(signed_in):
    brief = make_brief()
    form = f"{reverse('briefs:contact', args=[brief.pk])}?next=%2F%3Fstate%3Dunassigned"
    sent = {"based_on": opened(signed_in, brief), "channel": "phone", "next": "/?state=unassigned"}

    faulty = signed_in.post(form, sent, headers={"Referer": f"http://testserver{form}"})

    assert faulty.status_code == 422
    assert faulty.context["back"] == "/?state=unassigned"
    assert b'name="next" value="/?state=unassigned"' in faulty.content


def test_contact_leads_to_no_foreign_site(signed_in):
    brief = make_brief()
    sent = {"based_on": opened(signed_in, brief), "next": "https://example.org/", **PHONED}

    back = signed_in.post(reverse("briefs:contact", args=[brief.pk]), sent)

    assert back.url == brief.get_absolute_url()


def test_form_with_a_fault_comes_back_with_what_was_entered(signed_in):
    brief = make_brief()

    response = acted(signed_in, "contact", brief, channel="phone", note="Half a thought")

    assert response.status_code == 422
    assert "Say whether you reached them." in text(response)
    assert "Half a thought" in text(response)


def test_form_that_is_stale_comes_back_with_what_was_entered(signed_in, lead):
    brief = make_brief()
    seen = opened(signed_in, brief)
    brief.log("called them", lead)

    response = send(signed_in, "comment", brief, seen, text="Shall I call?")

    assert response.status_code == 409
    assert "Shall I call?" in text(response)
    assert "lee called them" in text(response)


def test_brief_is_given_to_a_colleague_and_made_unassigned(signed_in, lead):
    brief = make_brief()

    given = acted(signed_in, "give", brief, to=lead.pk)
    back = acted(signed_in, "give_back", brief)

    assert messages(given) == ["The brief is lee's."]
    assert messages(back) == ["The brief is unassigned."]


def test_second_click_gives_to_the_same_colleague_without_a_fault(signed_in, lead):
    brief = make_brief()
    seen = opened(signed_in, brief)

    for _ in range(2):
        response = send(signed_in, "give", brief, seen, to=lead.pk)

    assert messages(response) == ["This brief is lee's already."]


def test_brief_is_snoozed_and_woken(signed_in):
    brief = make_brief()

    snoozed = acted(signed_in, "snooze", brief, until="signal")
    woken = acted(signed_in, "wake", brief)

    assert "It wakes at once if they signal again." in messages(snoozed)[0]
    assert messages(woken) == ["The brief is awake."]


def test_comment_says_whom_it_does_not_mention(signed_in, lead):
    brief = make_brief()

    response = acted(signed_in, "comment", brief, text="@lee and @nemo, look.")

    assert "Nobody is mentioned by @nemo" in messages(response)[1]


def test_closing_as_churned_asks_for_reason_and_offer_at_their_fields(signed_in):
    brief = make_brief()

    response = acted(signed_in, "close", brief, outcome="churned")

    assert response.status_code == 422
    assert list(response.context["close_form"].errors) == ["reason", "offer"]


def test_reason_that_is_not_offered_any_more_is_refused(signed_in):
    brief, old = make_brief(), make_reason(is_active=False)

    response = acted(signed_in, "close", brief, outcome="churned", reason=old.pk, offer="nothing")

    assert "reason" in response.context["close_form"].errors


def offered(client, brief, form="close_form"):
    """What the form of the brief's page lets one choose from."""
    page = client.get(brief.get_absolute_url())
    return [words for _, words in page.context[form].fields["offer"].choices]


def test_offers_are_those_of_the_team_in_its_order_with_what_they_ask_for(signed_in):
    make_offer("A trip", position=1)
    make_offer("A dinner", code="dinner", is_active=False)

    assert offered(signed_in, make_brief()) == [
        "Not said",
        "A trip",
        "Nothing",
        "Help",
        "A pause",
        "A discount (say how many per cent)",
        "Something else (say what it was, in words)",
    ]


@pytest.mark.parametrize(
    ("asks", "field"), [("percent", "offer_percent"), ("words", "offer_words")]
)
def test_what_an_offer_asks_for_is_asked_at_its_field(signed_in, asks, field):
    brief = make_brief()
    make_offer(asks=asks)

    response = acted(signed_in, "close", brief, outcome="no_response", offer="trip")

    assert list(response.context["close_form"].errors) == [field]


def test_what_the_offer_does_not_ask_for_is_not_kept(signed_in):
    brief = make_brief()
    said = {"offer": "help", "offer_percent": "20", "offer_words": "Anything."}

    acted(signed_in, "close", brief, outcome="no_response", **said)

    assert "Offered: Help. " in text(signed_in.get(brief.get_absolute_url()))
    brief.refresh_from_db()
    assert (brief.offer_percent, brief.offer_words) == (None, None)


@pytest.mark.parametrize("code", ["gone", "trip"])
def test_offer_that_is_unknown_or_switched_off_is_refused(signed_in, code):
    brief = make_brief()
    make_offer(is_active=False)

    response = acted(signed_in, "close", brief, outcome="no_response", offer=code)

    assert list(response.context["close_form"].errors) == ["offer"]
    assert Brief.objects.get().is_open


def test_offer_that_was_switched_off_stays_when_the_ending_is_corrected(signed_in):
    brief = make_brief()
    acted(signed_in, "close", brief, outcome="no_response", offer="pause")
    Offer.objects.filter(code="pause").update(is_active=False)

    assert "A pause" in offered(signed_in, brief, "correct_form")
    acted(signed_in, "correct", brief, outcome="not_at_risk", offer="pause")

    brief.refresh_from_db()
    assert (brief.outcome, brief.offer_id) == ("not_at_risk", "pause")


def test_ending_is_corrected_and_the_brief_reopened(signed_in):
    brief = make_brief()
    acted(signed_in, "close", brief, outcome="no_response")

    corrected = acted(signed_in, "correct", brief, outcome="not_at_risk", note="They moved.")
    reopened = acted(signed_in, "reopen", brief, why="They called.")

    assert messages(corrected) == ["Corrected: it ended as Not at risk."]
    assert messages(reopened) == ["The brief is open again, and yours."]
    assert Brief.objects.get().is_open


def test_customer_with_another_open_brief_is_shown_that(signed_in):
    brief = make_brief()
    brief.close("no_response")
    other = make_brief(customer=brief.customer)

    response = acted(signed_in, "reopen", brief)

    assert response.redirect_chain[-1][0] == other.get_absolute_url()
