"""The page of an incident, its list, and what people do about it."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.utils import timezone

from accounts.models import Preferences
from briefs.desk.tests.pages import messages, text
from briefs.finding.tests.test_folds import make_folded, worth
from briefs.models import Brief, BulkAct, Cause, Notification
from briefs.models.notifications import BY_MAIL
from briefs.notifying import personal
from briefs.tests.factories import make_brief, make_cause
from conftest import make_user
from personas.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident():
    start = timezone.now() - timedelta(minutes=12)
    cause = make_cause(incident_at=timezone.now(), first_at=start)
    briefs = make_folded(cause, 6)
    for number, brief in enumerate(briefs):
        happened = start + timedelta(minutes=2 * number)
        Brief.objects.filter(pk=brief.pk).update(happened_at=happened)
    return cause


def post(client, cause, act, **data):
    based_on = client.get(cause.get_absolute_url()).context["based_on"]
    return client.post(f"{cause.get_absolute_url()}{act}/", {"based_on": based_on, **data},
                       follow=True)  # fmt: skip


def test_page_tells_message_people_value_and_what_to_do_first(signed_in, incident, settings):
    settings.CIO_PERSON_URL = "https://cio.example/workspaces/1/journeys/people/{cio_id}"
    worth(Brief.objects.first(), 900)

    page = signed_in.get(incident.get_absolute_url())

    words = text(page)
    assert "Spring sale" in words
    assert "6 people within 10 min" in words
    assert "Value behind these signals USD 900 a month" in words
    assert "Look at the message and at who gets it" in words
    assert "More than 20 within a day, for a message without a history." in words
    assert (
        b"https://cio.example/workspaces/1/journeys/broadcasts/newsletter/5/overview/reports"
        in page.content
    )
    assert sum(page.context["series"][0].values) == 6
    assert page.context["unit"] == "minute"


@pytest.mark.parametrize("name", [" ", "\u200b"])
def test_message_of_which_no_name_can_be_seen_is_called_by_its_ids(signed_in, name):
    """A link of that name could not be clicked."""
    make_cause(incident_at=timezone.now(), described={"newsletter_name": name, "subject": name})

    assert ">newsletter 5</a>" in signed_in.get("/incidents/").content.decode()


def test_name_of_a_message_turns_no_text_around(signed_in):
    cause = make_cause(described={"newsletter_name": "\u202eSpring sale"})

    assert "\u202e" not in signed_in.get(cause.get_absolute_url()).content.decode()


@pytest.mark.parametrize(("minutes", "columns"), [(60, 61), (180, 4)], ids=["minutes", "hours"])
@pytest.mark.parametrize("day", [(2026, 10, 25), (2026, 3, 29)], ids=["set back", "set forward"])
def test_columns_are_as_long_where_the_clocks_change(signed_in, user, day, minutes, columns):
    Preferences.objects.create(user=user, time_zone="Europe/Berlin")
    first = datetime(*day, tzinfo=UTC)
    cause = make_cause(first_at=first)
    for moment in (first, first + timedelta(minutes=minutes)):
        make_brief(cause=cause, happened_at=moment)

    page = signed_in.get(cause.get_absolute_url())

    assert page.context["series"][0].values == [1, *[0] * (columns - 2), 1]


def test_message_without_an_incident_says_so(signed_in):
    cause = make_cause()
    make_brief(cause=cause)

    words = text(signed_in.get(cause.get_absolute_url()))

    assert "no more than this message usually causes" in words
    assert "Own this incident" not in words


def test_incident_of_weeks_is_shown_by_days(signed_in, incident):
    began = timezone.now() - timedelta(days=20)
    Brief.objects.filter(pk=Brief.objects.first().pk).update(happened_at=began)
    Cause.objects.update(first_at=began)

    page = signed_in.get(incident.get_absolute_url())

    assert page.context["unit"] == "day"
    assert len(page.context["columns"]) in (20, 21, 22)


def test_older_act_of_one_of_the_customers_makes_the_incident_no_longer(signed_in, incident):
    Brief.objects.filter(pk=Brief.objects.first().pk).update(
        happened_at=timezone.now() - timedelta(days=20)
    )

    page = signed_in.get(incident.get_absolute_url())

    assert "6 people within 10 min" in text(page)
    assert page.context["unit"] == "minute"
    assert sum(page.context["series"][0].values) == 6


def test_incident_is_owned_given_and_given_back(signed_in, user, lead, incident):
    assert "The incident is yours." in messages(post(signed_in, incident, "take"))
    post(signed_in, incident, "give", to=lead.pk)
    incident.refresh_from_db()
    assert incident.assignee == lead

    post(signed_in, incident, "give-back")

    incident.refresh_from_db()
    assert incident.assignee is None
    log = list(incident.entries.values_list("text", flat=True))
    assert log == ["took it", "assigned it to lee", "gave it back: it was lee’s"]


def test_owner_is_told_unless_they_took_it(signed_in, lead, user, incident):
    lead.email = "lee@example.com"
    lead.save()
    personal.choose(lead, BY_MAIL)

    post(signed_in, incident, "take")
    post(signed_in, incident, "give", to=lead.pk)

    told = Notification.objects.get()
    assert (told.kind, told.target.person) == ("incident", lead)
    assert told.subject.startswith("Yours: Incident: 6 people")


def test_closing_asks_what_was_done_and_closes_no_brief(signed_in, incident):
    page = post(signed_in, incident, "close", text=" ")
    assert page.status_code == 422
    assert "Say in a few words what was done." in text(page)

    post(signed_in, incident, "close", text="Stopped the newsletter.")

    incident.refresh_from_db()
    assert (incident.is_open, incident.closing_note) == (False, "Stopped the newsletter.")
    assert Brief.objects.open().count() == 6


def test_closed_incident_is_reopened(signed_in, incident):
    post(signed_in, incident, "close", text="Stopped it.")

    assert "The incident is open again." in messages(post(signed_in, incident, "reopen"))


def test_incident_that_is_reopened_after_its_owner_left_is_nobodys(signed_in, lead, incident):
    post(signed_in, incident, "give", to=lead.pk)
    post(signed_in, incident, "close", text="Stopped it.")
    lead.is_active = False
    lead.save()

    post(signed_in, incident, "reopen")

    incident.refresh_from_db()
    assert (incident.is_open, incident.assignee) == (True, None)
    assert incident.entries.last().text == "nobody owns it: lee no longer works on briefs"
    assert "Nobody owns it yet" in text(signed_in.get("/"))


def test_incident_is_not_reopened_while_its_message_has_a_newer_cause(signed_in, incident):
    post(signed_in, incident, "close", text="Stopped it.")
    newer = make_cause()
    make_brief(cause=newer)

    html = signed_in.get(incident.get_absolute_url()).content.decode()
    assert f'href="/?cause={newer.pk}&amp;state=all">further briefs</a> since' in html
    assert "/reopen/" not in html
    [words] = messages(post(signed_in, incident, "reopen"))

    assert words.startswith("It cannot be reopened: the same message has caused further briefs")
    incident.refresh_from_db()
    assert not incident.is_open


def erased(**kw):
    return make_brief(customer=Customer.erased(), state="closed", outcome="withdrawn",
                      closed_at=timezone.now(), **kw)  # fmt: skip


@pytest.mark.parametrize("is_erased", [False, True], ids=["no brief", "briefs of erased people"])
def test_incident_is_reopened_where_the_newer_cause_has_briefs_of_nobody(
    signed_in, incident, is_erased
):
    """It looked as if something had happened since, of which the list showed nothing to work on."""
    post(signed_in, incident, "close", text="Stopped it.")
    newer = make_cause()
    if is_erased:
        erased(cause=newer)

    html = signed_in.get(incident.get_absolute_url()).content.decode()
    assert "further briefs" not in html
    assert "/reopen/" in html
    assert messages(post(signed_in, incident, "reopen")) == ["The incident is open again."]

    incident.refresh_from_db()
    newer.refresh_from_db()
    assert (incident.is_open, newer.ended_at is None) == (True, False)


def test_incident_whose_people_were_all_erased_is_closed_and_reopened(signed_in):
    cause = make_cause(incident_at=timezone.now())
    erased(cause=cause), erased(cause=cause)
    assert "2 people" in text(signed_in.get(cause.get_absolute_url()))

    post(signed_in, cause, "close", text="Stopped it.")
    post(signed_in, cause, "reopen")

    cause.refresh_from_db()
    assert cause.is_open


def test_newer_incident_stays_open_though_it_has_no_brief(signed_in, incident):
    """People may be doing something about it."""
    post(signed_in, incident, "close", text="Stopped it.")
    newer = make_cause(incident_at=timezone.now())

    [words] = messages(post(signed_in, incident, "reopen"))

    assert words.startswith("It cannot be reopened")
    newer.refresh_from_db()
    assert newer.is_open


def test_reopening_what_is_no_incident_ends_nothing():
    cause = make_cause(ended_at=timezone.now())
    newer = make_cause()

    assert not cause.reopen(None)

    newer.refresh_from_db()
    assert newer.ended_at is None


def test_incident_without_a_brief_says_so_in_one_sentence(signed_in):
    page = signed_in.get(make_cause(incident_at=timezone.now()).get_absolute_url())

    assert "No brief belongs to this message any more" in text(page)
    html = page.content.decode()
    assert "<table" not in html
    assert "All 0" not in html


def test_customer_who_did_it_again_is_one_person(signed_in, incident):
    again = incident.briefs.first()
    again.close("retained")
    make_brief(customer=again.customer, cause=incident, priority=3)

    words = text(signed_in.get(incident.get_absolute_url()))

    assert "6 people within" in words
    assert "Open briefs 6 of 7" in words
    assert "6 people within" in text(signed_in.get("/incidents/"))
    assert "Unsubscribed, 6 people within" in text(signed_in.get("/"))


def test_what_is_counted_by_moment_and_persona_are_briefs(signed_in, incident):
    words = text(signed_in.get(incident.get_absolute_url()))

    assert "Briefs by minute" in words
    assert "Persona Briefs" in words


def test_what_a_colleague_did_meanwhile_is_shown_before_anything_is_done(signed_in, lead, incident):
    based_on = signed_in.get(incident.get_absolute_url()).context["based_on"]
    incident.log("noted: I am stopping it", lead)

    page = signed_in.post(
        f"{incident.get_absolute_url()}close/", {"based_on": based_on, "text": "Left it."}
    )

    assert page.status_code == 409
    assert "I am stopping it" in text(page)
    assert "Left it." in page.content.decode()
    incident.refresh_from_db()
    assert incident.is_open


def test_incident_that_a_colleague_closed_keeps_in_its_log_what_one_meant_to_say(
    signed_in, lead, incident
):
    based_on = signed_in.get(incident.get_absolute_url()).context["based_on"]
    incident.close("Stopped it.", lead)
    sent = {"based_on": based_on, "text": "It was sent twice."}

    for _ in range(2):  # a second click
        page = signed_in.post(f"{incident.get_absolute_url()}close/", sent, follow=True)

    assert "This incident was closed before you. What you wrote is kept in the log." in text(page)
    incident.refresh_from_db()
    assert incident.closing_note == "Stopped it."
    said = incident.entries.filter(text__startswith="meant")
    assert [entry.text for entry in said] == ["meant to close it as well: It was sent twice."]


def test_second_click_notes_and_closes_once(signed_in, incident):
    based_on = signed_in.get(incident.get_absolute_url()).context["based_on"]
    for act in ("note", "note", "close", "close"):
        page = signed_in.post(
            f"{incident.get_absolute_url()}{act}/",
            {"based_on": based_on, "text": "Stopped it."},
            follow=True,
        )

    assert "This incident is closed already." in text(page)
    log = list(incident.entries.values_list("text", flat=True))
    assert log == ["noted: Stopped it.", "closed the incident: Stopped it."]


def test_form_with_a_fault_comes_back_with_what_a_colleague_did_meanwhile(
    signed_in, lead, incident
):
    based_on = signed_in.get(incident.get_absolute_url()).context["based_on"]
    incident.log("noted: I am stopping it", lead)

    page = signed_in.post(f"{incident.get_absolute_url()}note/", {"based_on": based_on})

    assert page.status_code == 422
    assert [entry.actor for entry in page.context["news"].activities] == [lead]


def test_what_arrived_names_the_incident_and_no_brief(signed_in, lead, incident):
    based_on = signed_in.get(incident.get_absolute_url()).context["based_on"]
    incident.log("noted: I am stopping it", lead)
    acts = {"close": {"text": "x"}, "take": {}}

    pages = [
        signed_in.post(f"{incident.get_absolute_url()}{act}/", {"based_on": based_on, **sent})
        for act, sent in acts.items()
    ]

    for page in pages:
        assert "If it is still right, press the button again." in text(page)
        assert "#close-form" not in page.content.decode()


def test_closed_incident_offers_no_button_that_it_has_not(signed_in, user, lead, incident):
    based_on = signed_in.get(incident.get_absolute_url()).context["based_on"]
    incident.close("Stopped it.", lead)

    page = signed_in.post(
        f"{incident.get_absolute_url()}give/", {"based_on": based_on, "to": lead.pk}
    )

    assert page.status_code == 409
    assert "press the button again" not in text(page)


def test_second_click_gives_to_the_same_colleague_without_a_fault(signed_in, lead, incident):
    post(signed_in, incident, "give", to=lead.pk)

    page = post(signed_in, incident, "give", to=lead.pk)

    assert messages(page) == ["The incident is lee’s."]
    assert incident.entries.count() == 1


def test_message_without_an_incident_is_not_closed(signed_in):
    cause = make_cause()

    page = signed_in.post(f"{cause.get_absolute_url()}close/", {"text": "Stopped it."})

    assert "no incident" in text(page)
    assert not cause.entries.exists()


def test_note_is_in_the_log(signed_in, incident):
    post(signed_in, incident, "note", text="Sent twice by mistake.")

    assert "robin noted: Sent twice by mistake." in text(signed_in.get(incident.get_absolute_url()))


def test_all_open_briefs_are_chosen_for_a_bulk_act(signed_in, incident):
    Brief.objects.filter(pk=Brief.objects.first().pk).update(
        state="snoozed", snoozed_until=timezone.now() + timedelta(days=1)
    )
    make_brief()
    page = signed_in.get(incident.get_absolute_url())

    signed_in.post("/bulk/", {"query": page.context["here"], "which": "all", "kind": "close"})

    assert BulkAct.objects.get().parts.count() == 6


def test_after_one_is_closed_the_next_one_of_the_incident_follows(signed_in, incident):
    make_brief()  # more urgent than all of them
    first, second = incident.briefs.order_by("pk")[3:5]
    worth(first, 900)
    worth(second, 500)
    html = signed_in.get(incident.get_absolute_url()).content.decode()
    [address] = re.findall(rf'href="({first.get_absolute_url()}[^"]+)"', html)
    form = signed_in.get(unescape(address)).context

    closed = signed_in.post(
        f"{first.get_absolute_url()}close/",
        {"outcome": "no_response", "based_on": str(form["based_on"]), "from": form["from"]},
        follow=True,
    )

    assert closed.request["PATH_INFO"] == second.get_absolute_url()
    assert closed.context["back"] == f"/?cause={incident.pk}&ordering=-value"


def test_open_incidents_stand_above_the_inbox_until_somebody_owns_them(signed_in, incident):
    words = text(signed_in.get("/"))
    assert "Incident “Spring sale”: Unsubscribed, 6 people within 10 min. Nobody owns it" in words
    assert "Incidents (1 open)" in words

    post(signed_in, incident, "take")

    words = text(signed_in.get("/"))
    assert "Nobody owns it" not in words
    assert "Incidents (1 open)" in words


def test_brief_names_the_incident_that_it_is_a_part_of(signed_in, incident):
    page = signed_in.get(Brief.objects.first().get_absolute_url())

    assert "Part of an incident: Unsubscribed: Spring sale" in text(page)


def test_list_has_open_incidents_first(signed_in, incident):
    make_cause(message="newsletter:6", incident_at=timezone.now(), ended_at=timezone.now(),
               described={"newsletter_name": "Older"})  # fmt: skip
    make_cause(message="newsletter:7", described={"newsletter_name": "No incident"})

    words = text(signed_in.get("/incidents/"))

    assert words.index("Spring sale") < words.index("Older")
    assert "No incident" not in words


def test_list_without_an_incident_says_what_it_is_for(signed_in):
    assert "No incident so far" in text(signed_in.get("/incidents/"))


@pytest.mark.parametrize("act", ["take", "give", "give-back", "note", "close", "reopen"])
def test_reader_does_nothing_about_an_incident(client, django_user_model, incident, act):
    client.force_login(make_user(django_user_model, "vera", "Viewer"))

    answer = client.post(f"{incident.get_absolute_url()}{act}/", {"text": "x"})

    assert answer.status_code == 403
    assert not Cause.objects.get().entries.exists()


def test_queries_do_not_grow_with_the_people(signed_in, incident, django_assert_max_num_queries):
    with django_assert_max_num_queries(60) as few:
        signed_in.get(incident.get_absolute_url())
    make_folded(incident, 15)

    with django_assert_max_num_queries(len(few)):
        signed_in.get(incident.get_absolute_url())
