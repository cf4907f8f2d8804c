import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from briefs.desk.tests.pages import messages, text
from briefs.models import (
    Brief,
    ClosingReason,
    MaveCall,
    MaveHealth,
    PriorityThreshold,
    ResearchPolicy,
    Signal,
)
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_persona,
    make_research,
    make_signal,
    make_step,
    make_threshold,
    question_for,
)
from briefs.triage.freshness import Seen
from personas.models import AppApiHealth, AttributeName
from webhooks.tests.clock import clock

pytestmark = [pytest.mark.django_db, pytest.mark.on_sqlite]
ANSWER = "## Why\n\nToo much mail [1]. <script>alert(1)</script> [bad](javascript:alert(1))"
SOURCES = [{"title": "A study", "url": "https://journal.example/1", "domain": "journal.example"}]


@pytest.fixture(autouse=True)
def woken(monkeypatch):
    """Count the attempts to wake workers; no broker is needed."""
    calls = []
    monkeypatch.setattr("briefs.research.working.wake", lambda: calls.append(1))
    return calls


def answered(**kw):
    fields = {"status": "done", "answer": ANSWER, "sources": SOURCES, "credits": 24,
              "finished_at": timezone.now() - timedelta(hours=3), **kw}  # fmt: skip
    return make_research(**fields)


def words(client, brief):
    return text(client.get(brief.get_absolute_url()))


def act(client, name, brief, **data):
    data = {"based_on": str(Seen.of(Brief.objects.get(pk=brief.pk))), **data}
    return client.post(reverse(f"briefs:{name}", args=[brief.pk]), data, follow=True)


# What the page says.


def test_the_head_says_who_what_value_and_first_step(signed_in):
    AttributeName.objects.create(role="value", label="Value", names="mrr")
    customer = make_customer(attributes={"name": "Henrik Sand", "mrr": "12500"})
    brief = make_brief(customer=customer, value_amount=12500, value_month=12500,
                       value_currency="USD", value_period="month")  # fmt: skip
    make_step()

    page = words(signed_in, brief)
    head = page[: page.index(" Research ")]

    for part in ("Henrik Sand", "Urgent", "Unsubscribed", "USD 12,500 a month",
                 "Have the account owner call."):  # fmt: skip
        assert part in head


def test_what_happened_names_the_message(signed_in):
    brief = make_brief(kind="address_gone")
    make_signal(
        brief=brief,
        kind="address_gone",
        message={"channel": "email", "subject": "Hello", "campaign_name": "News",
                 "campaign_id": "12", "failure_message": "550 5.1.1"},
    )  # fmt: skip

    page = words(signed_in, brief)

    assert "the address no longer exists" in page
    assert "Channel E-mail Subject “Hello” Campaign News (no. 12) Reply 550 5.1.1" in page


def test_two_reports_of_one_act_are_one_entry_that_names_the_message(signed_in):
    brief = make_brief()
    first = make_signal(brief=brief)
    make_signal(brief=brief, level="delivery", same_act_as=first, message={"subject": "Hello"})

    response = signed_in.get(brief.get_absolute_url())

    [happening] = response.context["dossier"].happenings
    assert happening.details == [("Subject", "“Hello”")]
    assert "reported 2 times: about the person and about the message" in text(response)


def test_the_person_is_linked_with_each_id_quoted(signed_in, settings):
    settings.CIO_PERSON_URL = "https://cio.example/{cio_id}/{id}?e={email}"
    customer = make_customer(cio_id="0a", external_id="a/b c", email="x+y@example.com")

    page = signed_in.get(make_brief(customer=customer).get_absolute_url()).content.decode()

    assert "https://cio.example/0a/a%2Fb%20c?e=x%2By%40example.com" in page


@pytest.mark.parametrize("template", ["", "https://cio.example/{cio_id}"])
def test_without_address_or_id_the_person_is_not_linked(signed_in, settings, template):
    settings.CIO_PERSON_URL = template

    assert "Open in Customer.io" not in words(
        signed_in, make_brief(customer=make_customer(cio_id=None))
    )


def test_what_not_to_do_is_marked(signed_in):
    make_step()

    response = signed_in.get(make_brief().get_absolute_url())

    assert [(part.title, part.is_warning) for part in response.context["dossier"].advice] == [
        ("For this persona in general", False),
        ("Channel", False),
        ("Do not", True),
    ]


def test_attributes_show_mapped_roles_first_and_how_old_they_are(signed_in):
    AttributeName.objects.create(role="plan", label="Plan", names="plan")
    AttributeName.objects.create(role="industry", label="Industry", names="industry")
    customer = make_customer(
        attributes={"locale": "en", "plan": "pro"}, fetched_at=timezone.now() - timedelta(hours=2)
    )

    page = words(signed_in, make_brief(customer=customer))

    assert "looked up 2 h ago Plan pro plan Not filled in: Industry. 1 other attribute" in page


def test_good_news_and_what_colleagues_did_share_one_timeline(signed_in, user):
    brief = make_brief()
    make_signal(
        customer=brief.customer, kind="converted", effect="good_news",
        happened_at=timezone.now() - timedelta(days=2),
    )  # fmt: skip
    brief.assign(user, user)

    entries = signed_in.get(brief.get_absolute_url()).context["dossier"].timeline

    assert [(entry.title, entry.actor, entry.tone) for entry in entries] == [
        ("took it", "robin", ""),
        ("Converted", "", "good"),
    ]


def test_timeline_shows_a_stated_time_that_cannot_be(signed_in):
    brief = make_brief()
    make_signal(brief=brief, message={"stated_time": "1924992000"})

    page = words(signed_in, brief)

    assert (
        "Time: the event says 1924992000 (1 Jan 2031, 00:00 UTC), which cannot be; "
        "this is when it was received" in page
    )


def test_provenance_names_rule_question_thread_and_ledger(admin_client):
    research = answered(thread_id="mave_thread_1", question="What keeps them?")
    brief = make_brief(research=research, basis="new", persona_why="plan is “pro”")
    make_signal(brief=brief, why="rule “Unsubscribed” · plan is “pro”")
    MaveCall.objects.create(research=research, reference="savedesk-1", credits=24)

    response = admin_client.get(brief.get_absolute_url())

    for part in ("rule “Unsubscribed” · plan is “pro”", "What keeps them?", "mave_thread_1",
                 "savedesk-1", "Edit persona", "Event"):  # fmt: skip
        assert part in text(response)


def test_names_that_mave_gives_are_a_line_each_and_bounded(signed_in):
    many = ["Gen\u202e\nZ", *["x" * 200] * 19_999]
    research = answered(thread_id="mave\u202e_1", personas_used=many)

    response = signed_in.get(make_brief(research=research, basis="new").get_absolute_url())

    page = text(response)
    assert "Mave's personas Gen Z, xxx" in page
    assert "xxx… and 19,980 more" in page
    assert "\u202e" not in page
    assert len(response.content) < 60_000


def test_only_staff_is_sent_to_the_admin(signed_in):
    brief = make_brief()
    make_signal(brief=brief)

    assert "/admin/" not in signed_in.get(brief.get_absolute_url()).content.decode()


def test_waiting_for_a_profile_is_explained(signed_in):
    assert (
        "Waiting for profile: this customer could not be looked up yet. The reason: the App API of"
        in words(signed_in, make_brief(is_waiting_for_profile=True))
    )


def test_brief_that_waits_for_its_profile_looks_for_it(signed_in):
    brief = make_brief(is_waiting_for_profile=True)
    response = signed_in.get(brief.get_absolute_url())
    url = reverse("briefs:research", args=[brief.pk])

    polled = f'hx-get="{url}?seen=waiting&amp;based_on={Seen.of(brief)}" hx-trigger="every 5s"'
    assert polled in response.content.decode()
    assert signed_in.get(url, {"seen": "waiting"}).status_code == 204
    assert "the profile arrived" not in text(response)


@pytest.mark.parametrize("becomes", ["mapped", "withdrawn"])
def test_page_is_loaded_anew_once_the_profile_decided(signed_in, becomes):
    brief = make_brief(is_waiting_for_profile=True)
    if becomes == "mapped":
        type(brief).objects.update(is_waiting_for_profile=False, research=make_research())
    else:
        brief.withdraw("the profile arrived: they opted in")

    response = signed_in.get(reverse("briefs:research", args=[brief.pk]), {"seen": "waiting"})

    assert response["HX-Refresh"] == "true"


@pytest.mark.begins_at("2028-02-29T23:58")
@pytest.mark.parametrize(
    ("now", "at"),
    [
        ("2028-02-29T23:59", "23:58"),
        ("2028-03-01T00:00", "29 Feb, 23:58"),
    ],
)
def test_head_of_a_mapped_brief_says_when_its_profile_arrived(signed_in, now, at):
    brief = make_brief()
    brief.log("the profile arrived: persona “Enterprise”")
    brief.activities.update(code="profile_arrived")
    brief.log("the profile arrived: so a colleague says")
    clock.set(now)

    page = words(signed_in, brief)

    head = page[: page.index("What happened")]
    assert f"updated {at}: the profile arrived (UTC)" in head


def test_queries_do_not_grow_with_the_story(signed_in, django_assert_num_queries):
    brief = make_brief(research=answered(), basis="new")
    for _ in range(20):
        make_signal(brief=brief)
        brief.log("something happened")
    ResearchPolicy.current(), MaveHealth.current()

    # Two are the colleagues and the reasons of the forms, one whether thresholds are set.
    with django_assert_num_queries(25):
        signed_in.get(brief.get_absolute_url())


def after_a_complaint_and_300_conversions(**fields):
    """A brief whose page has room for the conversions alone."""
    brief = make_brief(**fields)
    now = timezone.now()
    make_signal(brief=brief, kind="spam_complaint", happened_at=now - timedelta(days=9))
    converted = make_signal(brief=brief, kind="converted", effect="good_news", event=None)
    rows = [{"kind": "converted", "effect": "good_news", "severity": 1, "happened_at": now}] * 300
    customer = converted.customer
    Signal.objects.bulk_create(Signal(customer=customer, brief=brief, **row) for row in rows)
    return brief


@pytest.mark.parametrize("is_open", [True, False])
def test_old_complaint_closes_the_channel_however_much_came_after(signed_in, is_open):
    brief = after_a_complaint_and_300_conversions()
    if not is_open:
        brief.close("no_response")

    assert "E-mail, marketing no a complaint suppresses the address" in words(signed_in, brief)


def test_page_section_and_api_agree_on_what_is_closed(signed_in):
    advice = answered(answer="## First\n\nSend them an e-mail with an offer.")
    brief = after_a_complaint_and_300_conversions(research=advice, basis="new")

    warned = "Closed for this customer: e-mail (a complaint suppresses the address"
    section = signed_in.get(reverse("briefs:research", args=[brief.pk]))
    api = signed_in.get(f"/api/v1/briefs/{brief.pk}/").json()

    assert warned in words(signed_in, brief)
    assert warned in text(section)
    assert api["research"]["reading"]["advises_closed"] == ["email"]


# Research.


def test_new_research_shows_answer_sources_confidence_and_credits(signed_in):
    research = answered(validation={"confidence_score": 0.86})
    brief = make_brief(research=research, basis="new", researched_at=timezone.now())

    page = words(signed_in, brief)

    assert "Research: new, 24 credits · confidence 86 %" in page
    assert "Too much mail [1]" in page
    assert "A study journal.example" in page


def test_shared_research_says_how_old_it_is_and_that_it_was_free(signed_in):
    page = words(signed_in, make_brief(research=answered(), basis="shared"))

    assert "Research: shared, researched 3 hours ago for this persona, 0 credits" in page
    assert "no validation given" in page


def test_nothing_that_mave_writes_runs_on_the_page(signed_in):
    brief = make_brief(research=answered(), basis="new")

    page = signed_in.get(brief.get_absolute_url()).content.decode()

    assert "<script>" not in page
    assert 'href="javascript' not in page
    assert '<a href="#source-1" class="cite"' in page
    assert '<li id="source-1">' in page


@pytest.mark.begins_at("2026-11-18T12:00")
def test_research_that_came_later_says_when(signed_in):
    created = timezone.now() - timedelta(days=3)
    arrived = created + timedelta(minutes=2)
    brief = make_brief(research=answered(), basis="new", created_at=created, researched_at=arrived)

    assert "updated 15 Nov, 12:02 (UTC): research arrived" in words(signed_in, brief)


def test_research_that_was_there_at_once_is_no_update(signed_in):
    now = timezone.now()
    brief = make_brief(research=answered(), basis="shared", created_at=now, researched_at=now)

    assert "research arrived" not in words(signed_in, brief)


def test_while_research_is_under_way_the_page_says_what_holds_and_polls(signed_in):
    brief = make_brief(research=make_research(status="running"))

    response = signed_in.get(brief.get_absolute_url())

    assert "No research yet, under way" in text(response)
    assert "Until then, follow the first step above" in text(response)
    assert "Reload" in text(response)
    assert 'hx-trigger="every 5s"' in response.content.decode()


def test_queued_research_says_what_it_waits_for(signed_in, settings):
    settings.MAVERA_API_KEY = "key"
    ResearchPolicy.current().pause("credits are used up")

    page = words(signed_in, make_brief(research=make_research()))

    assert "It waits, because research is paused: credits are used up." in page


def test_finished_research_does_not_poll(signed_in):
    brief = make_brief(research=answered(), basis="new")

    assert "hx-trigger" not in signed_in.get(brief.get_absolute_url()).content.decode()


def test_a_poll_brings_nothing_until_there_is_news(signed_in):
    research = make_research(status="running")
    brief = make_brief(research=research)
    url = reverse("briefs:research", args=[brief.pk])
    assert signed_in.get(url, {"seen": "playbook-running"}).status_code == 204

    brief.basis, research.status, research.answer = "new", "done", ANSWER
    brief.save()
    research.save()
    response = signed_in.get(url, {"seen": "playbook-running"})

    assert "Too much mail" in text(response)
    assert 'id="research-state" hx-swap-oob="true"' in response.content.decode()
    assert "<html" not in response.content.decode()


def test_a_persona_that_buys_no_research_says_so(signed_in):
    page = words(signed_in, make_brief(persona=make_persona(is_unknown=True)))

    assert "none is bought for this persona" in page


@pytest.mark.parametrize(
    ("length", "words_"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=3, minutes=5), "3 hours ago"),
        (timedelta(days=2), "2 days ago"),
    ],
)
def test_the_age_of_shared_research_is_said_in_full(signed_in, length, words_):
    research = answered(finished_at=timezone.now() - length)

    page = words(signed_in, make_brief(research=research, basis="shared"))

    assert f"Research: shared, researched {words_} for this persona, 0 credits" in page


@pytest.mark.begins_at("2026-11-18T12:00")
def test_research_shared_later_says_when_it_arrived(signed_in):
    created = timezone.now() - timedelta(days=3)
    brief = make_brief(research=make_research(status="running"), created_at=created)
    type(brief).objects.update(is_sharing=True)
    type(brief.research).objects.update(status="done", answer=ANSWER, finished_at=timezone.now())

    type(brief).objects.all().research_arrived()

    page = words(signed_in, brief)
    assert "updated 12:00 (UTC): research arrived" in page
    assert "Research: shared, researched just now for this persona, 0 credits" in page


def test_whatever_headings_mave_writes_the_page_keeps_its_order(signed_in):
    text_ = "Timeline\n===\n\n# Attributes\n\n###### What happened\n\nNo more."
    brief = make_brief(research=answered(answer=text_), basis="new")

    page = signed_in.get(brief.get_absolute_url()).content.decode()
    html, _, _ = page.partition("<dialog")  # of keys, on every page

    assert re.findall(r"<h2[^>]*>([^<]+)", html) == [
        "What happened", "What to do", "Still reachable by", "Research", "Attributes",
        "Timeline", "Where this comes from",
    ]  # fmt: skip
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_closed_channels_are_named_above_the_answer_and_marked_in_it(signed_in):
    customer = make_customer(is_unsubscribed=True)
    text_ = "1. Call them.\n2. Send an e-mail, or a message in-app."
    brief = make_brief(research=answered(answer=text_), basis="new", customer=customer)

    response = signed_in.get(brief.get_absolute_url())

    assert (
        "Closed for this customer: marketing e-mail, push, SMS and WhatsApp (unsubscribed)."
        " Where the answer names one, the word is marked"
    ) in text(response)
    assert "<li>Send an <mark>e-mail</mark>, or a message in-app.</li>" in response.content.decode()


def test_closed_channels_are_named_above_an_answer_that_names_none_of_them(signed_in):
    customer = make_customer(attributes={"phone": "+44 20"})
    brief = make_brief(research=answered(answer="Call."), basis="new", customer=customer)

    response = signed_in.get(brief.get_absolute_url())

    assert "Closed for this customer: push (no device is registered). Call." in text(response)
    assert "<mark>" not in response.content.decode()


def test_nothing_is_said_of_channels_while_none_is_closed(signed_in):
    customer = make_customer(attributes={"phone": "+44 20"}, devices=[{"id": "d"}])
    brief = make_brief(research=answered(answer="Send an e-mail."), basis="new", customer=customer)

    assert "Closed for this customer" not in words(signed_in, brief)


def test_an_answer_without_sources_says_so_at_the_top(signed_in):
    brief = make_brief(research=answered(sources=[], answer="40 % leave."), basis="new")

    page = words(signed_in, brief)

    assert "Mave gave no sources: treat every claim as unsupported. 40 % leave." in page
    assert "no source given" not in page


def test_sources_say_what_is_not_cited_and_what_is_no_link(signed_in):
    sources = [*SOURCES, {"title": "Plain", "url": "http://plain.example/a"}]
    brief = make_brief(research=answered(sources=sources), basis="new")

    response = signed_in.get(brief.get_absolute_url())

    assert (
        "[2] Plain plain.example http://plain.example/a (not https, so no link) not cited in the "
        "text" in text(response)
    )
    assert 'href="http://plain' not in response.content.decode()


def test_what_mave_says_of_its_answer_is_shown_as_given(signed_in):
    validation = {"hallucination_risk": "LOW", "unsupported_claims": ["That all leave."],
                  "confidence_score": 250}  # fmt: skip
    brief = make_brief(research=answered(validation=validation), basis="new")

    page = words(signed_in, brief)

    assert "24 credits · confidence not stated · risk of made-up claims: low" in page
    assert "Mave itself found no support for: That all leave." in page


@pytest.mark.parametrize(
    ("is_staff", "where"), [(True, "/admin/briefs/research/"), (False, "/api/v1/briefs/")]
)
def test_a_very_long_answer_says_where_the_rest_can_be_read(client, user, is_staff, where):
    type(user).objects.update(is_staff=is_staff, is_superuser=is_staff)
    client.force_login(user)
    brief = make_brief(research=answered(answer="word word word.\n\n" * 5_000), basis="new")

    response = client.get(brief.get_absolute_url())

    assert "Mave wrote 85,000 characters, and this page shows the first 29,9" in text(response)
    assert "Read the rest: about" in text(response)
    assert f'<a href="{where}' in response.content.decode()


def test_questions_with_which_mave_asked_back_are_shown_as_plain_text(signed_in):
    research = make_research(
        status="failed",
        status_reason="Mave asked back instead of answering: 1. Which …",
        reason_code="asked_back",
        answer="1. Which <b>market</b>?\n2. **Who**?",
    )

    response = signed_in.get(make_brief(research=research).get_absolute_url())

    assert (
        '<p class="asked">1. Which &lt;b&gt;market&lt;/b&gt;?<br>2. **Who**?</p>'
        in response.content.decode()
    )
    assert "Failed, can be retried Mave asked back instead of answering:" in text(response)
    assert "A retry asks the same question again, and it may be paid again." in text(response)


@pytest.mark.parametrize(
    "reason", ["Mavera's answer is empty", "Mavera answered a page instead of JSON",
               "Mavera answered broken JSON"],
)  # fmt: skip
def test_other_failures_are_shown_with_their_reason(signed_in, reason):
    brief = make_brief(research=make_research(status="failed", status_reason=reason))

    page = words(signed_in, brief)

    assert f"Failed, can be retried {reason}" in page
    assert "No research yet failed, can be retried" in page
    assert "Follow the first step above." in page


def test_the_head_says_why_it_has_its_priority(signed_in):
    reasons = [{"code": "top_tenth", "words": "USD 9,000 a month is in the top tenth: one up."}]
    told, old = make_brief(priority_reasons=reasons), make_brief()

    assert "Why Urgent? USD 9,000 a month is in the top tenth: one up." in words(signed_in, told)
    assert "The reasons were not kept by an earlier version." in words(signed_in, old)


def test_until_thresholds_are_set_the_head_says_that_no_value_decides(signed_in):
    brief = make_brief(value_month=100, value_currency="USD")
    told = (
        "1 of the 100 values that it takes are known: until then severity and persona decide alone"
    )
    assert told in words(signed_in, brief)

    PriorityThreshold.objects.create(currency="USD", top_from=900, low_below=90)

    assert "decide alone" not in words(signed_in, brief)


# Why it waits, and what it costs.


@pytest.fixture
def connected(settings):
    settings.MAVERA_API_KEY = "key"
    MaveHealth.current()
    return ResearchPolicy.current()


REFUSED = ("Mavera's credits are used up", 402, "402 (credits_exhausted)")
PAUSED = "research is paused: Mavera's credits are used up"
AGAIN = "; Mavera is asked again for free at"


def policy(**fields):
    ResearchPolicy.objects.update(**fields)


def test_price_of_a_fresh_answer_says_that_it_would_wait_and_why(signed_in, connected):
    policy(day_budget=60, urgent_reserve=0)

    page = words(signed_in, make_brief(research=answered(), basis="new"))

    assert "60 left today. It would wait, because the research budget is used up for now." in page


def test_reserve_for_urgent_briefs_makes_only_the_others_wait(signed_in, connected):
    make_threshold()
    policy(day_budget=100, urgent_reserve=50)
    urgent, low = (make_brief(research=answered(), basis="new", priority=p) for p in (4, 1))

    assert "It would wait" not in words(signed_in, urgent)
    assert "It would wait, because the research budget is down to its reserve" in words(
        signed_in, low
    )


def test_a_personas_own_budget_makes_a_question_wait(signed_in, connected):
    brief = make_brief(
        research=answered(), basis="new", persona=make_persona(name="Trial", month_budget=10)
    )

    assert "because the month's research budget of “Trial” is used up." in words(signed_in, brief)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_retry_names_its_price_and_that_it_would_wait(signed_in, connected, status):
    connected.pause(*REFUSED)

    page = words(signed_in, make_brief(research=make_research(status=status)))

    assert "It costs about 32 credits (10 to 75);" in page
    assert f"It would wait, because {PAUSED}{AGAIN}" in page
    assert "credits_exhausted" not in page


@pytest.mark.parametrize("is_staff", [True, False])
def test_after_a_question_back_staff_is_led_to_the_persona(client, user, is_staff):
    type(user).objects.update(is_staff=is_staff, is_superuser=is_staff)
    client.force_login(user)
    research = make_research(status="failed", reason_code="asked_back", answer="Who?")
    MaveCall.objects.create(research=research, outcome="answered", credits=12)

    response = client.get(make_brief(research=research).get_absolute_url())

    assert "These questions cost 12 credits. A retry asks the same question" in text(response)
    assert ("Edit the persona" in text(response)) == is_staff
    assert '<button class="button" type="submit">Retry' in response.content.decode()


def test_stands_on_says_the_real_reason(signed_in, connected):
    connected.pause(*REFUSED)

    page = words(signed_in, make_brief(research=make_research()))

    assert f"Research No research yet {PAUSED} " in page
    assert f"No research yet, paused It waits, because {PAUSED}{AGAIN}" in page
    assert "credits_exhausted" not in page


def test_a_reason_that_a_person_typed_is_shown_as_it_is(signed_in, connected):
    typed = "Mavera answered 402; we talk to them (Mavera answered 402)"
    connected.pause(typed)

    page = words(signed_in, make_brief(research=make_research()))

    assert f"Research No research yet research is paused: {typed} " in page


def test_research_that_is_put_off_says_until_when_and_why(signed_in, connected):
    later = timezone.now() + timedelta(minutes=30)
    research = make_research(
        available_at=later, status_reason="Mavera failed", mavera_code="500 (internal_error)"
    )

    page = words(signed_in, make_brief(research=research))

    assert "UTC: Mavera failed Assign to me" in page
    assert "No research yet, put off The last try did not work: Mavera failed." in page
    assert "internal_error" not in page


def test_a_search_for_a_lost_answer_says_what_is_known_and_that_it_waits(signed_in, connected):
    connected.pause(*REFUSED)
    research = make_research(status="recovering", status_reason="Mavera's answer is empty")

    page = words(signed_in, make_brief(research=research))

    assert "What is known of it: Mavera's answer is empty." in page
    assert f"The search waits, because {PAUSED}{AGAIN}" in page


def test_a_search_does_not_wait_for_the_budget(signed_in, connected):
    policy(day_budget=0)

    page = words(signed_in, make_brief(research=make_research(status="recovering")))

    assert "The search waits" not in page


def test_a_poll_brings_a_new_reason_to_wait(signed_in, connected):
    brief = make_brief(research=make_research())
    url = reverse("briefs:research", args=[brief.pk])
    seen = signed_in.get(brief.get_absolute_url()).context["dossier"].research.seen
    assert signed_in.get(url, {"seen": seen}).status_code == 204

    MaveHealth.current().hold(60, "Mavera asked to wait", "429 (rate_limit_exceeded)")

    assert "It waits, because Mavera asked to wait." in text(signed_in.get(url, {"seen": seen}))


@pytest.mark.parametrize(
    ("outcome", "words_"),
    [("answered", "24 credits; asked twice, 78 in all"),
     ("unknown", "24 credits; asked twice, up to 78 in all"),
     ("refused", "24 credits · ")],
)  # fmt: skip
def test_a_question_paid_more_than_once_says_so(signed_in, outcome, words_):
    research = answered()
    MaveCall.objects.create(research=research, outcome=outcome, credits=54)
    MaveCall.objects.create(research=research, outcome="answered", credits=24)

    assert f"Research: new, {words_}" in words(
        signed_in, make_brief(research=research, basis="new")
    )


def test_a_high_risk_of_made_up_claims_is_a_warning(signed_in):
    research = answered(validation={"hallucination_risk": "Very high"})

    response = signed_in.get(make_brief(research=research, basis="new").get_absolute_url())

    assert "Mavera rates the risk of made-up claims as very high:" in text(response)
    assert "risk of made-up claims: " not in text(response)


def test_a_brief_that_waits_for_its_profile_may_still_get_research(signed_in, settings):
    settings.CIO_APP_KEY = "key"
    AppApiHealth.current().failed("it answered 503", timedelta(minutes=1))

    page = words(signed_in, make_brief(is_waiting_for_profile=True))

    assert "Research is decided once the profile is there." in page
    assert "is all there is" not in page
    assert "look-ups have failed for 0 s: it answered 503" in page


def test_a_closed_brief_shows_why_in_the_place_of_the_first_step(signed_in):
    brief = make_brief()
    brief.withdraw("the profile arrived: a colleague, which opens no brief")

    page = words(signed_in, brief)

    assert "closed as “Withdrawn” The profile arrived: a colleague" in page
    assert "What was to be done" not in page


def test_arriving_research_is_told_in_a_region_that_was_there_before(signed_in):
    brief = make_brief(research=make_research(status="running"))
    page = signed_in.get(brief.get_absolute_url()).content.decode()
    assert 'id="research-news" role="status"></p>' in page

    type(brief).objects.update(research=answered(), basis="new")
    response = signed_in.get(reverse("briefs:research", args=[brief.pk]))

    assert "Research: new: the answer has arrived" in text(response)


# A fresh answer.


@pytest.fixture
def renewed(monkeypatch):
    """Set how asking anew ends; what it was asked with is collected."""
    calls = []

    def set_(outcome):
        monkeypatch.setattr(
            "briefs.research.renewal.renew",
            lambda brief, actor: calls.append((brief, actor)) or outcome,
        )
        return calls

    return set_


@pytest.mark.parametrize(
    ("left", "words_"),
    [
        (212, "212 left today. It would wait, because Mave is not connected"),
        (0, "0 left today."),
        (None, "there is no daily limit"),
    ],
)
def test_a_fresh_answer_is_offered_with_what_it_costs(signed_in, monkeypatch, left, words_):
    monkeypatch.setattr("briefs.research.spending.usual_cost", lambda persona: 27)
    monkeypatch.setattr("briefs.research.accounts.Account.left", left)

    page = words(signed_in, make_brief(research=answered(), basis="new"))

    assert "Ask for a fresh answer" in page
    assert f"about 27 credits (10 to 75); {words_}" in page


def test_a_newer_answer_of_another_brief_is_offered_for_0_credits(signed_in):
    persona = make_persona()
    asked = question_for(persona, "unsubscribed", [])
    brief = make_brief(persona=persona, research=answered(), basis="new")
    hour_ago = timezone.now() - timedelta(hours=1, minutes=1)
    answered(persona=persona, question_hash=asked.hash, finished_at=hour_ago)

    page = words(signed_in, brief)

    assert "It costs 0 credits: a newer answer to the same question is there" in page
    assert "researched 1 hour ago. It takes the place of this one." in page
    assert "(10 to 75)" not in page


def test_a_later_answer_to_another_question_changes_no_price(signed_in):
    persona = make_persona()
    brief = make_brief(persona=persona, research=answered(), basis="new")
    answered(persona=persona, finished_at=timezone.now())

    assert "(10 to 75)" in words(signed_in, brief)


@pytest.mark.parametrize(
    ("outcome", "words_"),
    [
        ("asked", "A fresh answer was asked for."),
        ("joined", "being researched for another brief"),
        ("answered", "A newer answer to the same question was there already"),
        ("under_way", "A fresh answer is under way already."),
        ("not_possible", "No fresh answer can be asked for"),
    ],
)
def test_asking_for_a_fresh_answer_tells_how_it_ended(signed_in, user, renewed, outcome, words_):
    calls = renewed(outcome)
    brief = make_brief(research=answered(), basis="new")

    response = act(signed_in, "renew", brief)

    assert words_ in messages(response)[0]
    assert calls == [(brief, user)]


def test_a_closed_brief_gets_no_fresh_answer(signed_in, renewed):
    calls = renewed("asked")
    brief = make_brief(research=answered(), basis="new")
    brief.close("churned")

    response = act(signed_in, "renew", brief)

    assert calls == []
    assert "This brief is closed" in messages(response)[0]
    assert "Ask for a fresh answer" not in text(response)


def test_without_an_answer_or_a_persona_that_buys_no_fresh_answer_is_offered(signed_in):
    unknown = make_persona(is_unknown=True)
    briefs = [make_brief(), make_brief(research=make_research(status="failed")),
              make_brief(research=answered(), basis="new", persona=unknown)]  # fmt: skip

    for brief in briefs:
        assert "Ask for a fresh answer" not in words(signed_in, brief)


def test_the_old_answer_stays_while_a_fresh_one_is_under_way(signed_in):
    fresh = make_research(status="running")
    brief = make_brief(research=answered(), basis="new", renewal=fresh)

    response = signed_in.get(brief.get_absolute_url())

    assert "A fresh answer is under way. This one stays until it is there." in text(response)
    assert "Too much mail [1]" in text(response)
    assert "Ask for a fresh answer" not in text(response)
    assert 'hx-trigger="every 5s"' in response.content.decode()


def test_a_poll_brings_the_fresh_answer(signed_in):
    fresh = make_research(status="running")
    brief = make_brief(research=answered(), basis="new", renewal=fresh)
    url = reverse("briefs:research", args=[brief.pk])
    seen = signed_in.get(brief.get_absolute_url()).context["dossier"].research.seen
    assert signed_in.get(url, {"seen": seen}).status_code == 204

    type(brief).objects.update(research=answered(answer="The fresh one."), renewal=None)

    assert "The fresh one." in text(signed_in.get(url, {"seen": seen}))


def test_a_fresh_answer_that_failed_says_why_and_can_be_asked_for_again(signed_in):
    fresh = make_research(status="failed", status_reason="Mavera failed", mavera_code="503")
    brief = make_brief(research=answered(), basis="new", renewal=fresh)

    page = words(signed_in, brief)

    assert "The fresh answer did not come: Mavera failed. This one is kept." in page
    assert "Ask for a fresh answer" in page


# Retry.


def test_failed_research_can_be_retried(signed_in, woken, django_capture_on_commit_callbacks):
    research = make_research(status="failed", status_reason="Mavera failed", mavera_code="503")
    brief = make_brief(research=research)
    assert "Failed, can be retried Mavera failed" in words(signed_in, brief)

    with django_capture_on_commit_callbacks(execute=True):
        response = act(signed_in, "retry", brief)

    research.refresh_from_db()
    assert (research.status, messages(response)) == ("queued", ["The research is queued again."])
    assert woken == [1]


def test_research_under_way_is_not_started_twice(signed_in):
    research = make_research(status="running")

    response = act(signed_in, "retry", make_brief(research=research))

    assert messages(response) == ["This question is under way or answered already."]


def test_nothing_is_retried_for_a_closed_brief(signed_in):
    research = make_research(status="failed")
    brief = make_brief(research=research)
    brief.close("churned")

    response = act(signed_in, "retry", brief)

    research.refresh_from_db()
    assert research.status == "failed"
    assert "nobody waits" in messages(response)[0]
    assert "Retry the research" not in text(response)


def test_without_research_there_is_nothing_to_retry(signed_in):
    response = act(signed_in, "retry", make_brief())

    assert messages(response) == ["There is no research to retry."]


# Assign.


def test_assigning_takes_the_brief(signed_in, user):
    brief = make_brief()

    response = act(signed_in, "assign", brief)

    brief.refresh_from_db()
    assert (brief.assignee, brief.state) == (user, "in_progress")
    assert messages(response) == ["The brief is yours."]
    assert "Assign to me" not in text(response)


def test_assigning_twice_logs_it_once(signed_in):
    brief = make_brief()
    act(signed_in, "assign", brief)

    response = act(signed_in, "assign", brief)

    assert messages(response) == ["This brief is yours already."]
    assert brief.activities.count() == 1


def test_a_brief_that_a_colleague_took_first_stays_theirs(signed_in, admin_user):
    brief = make_brief()
    seen = str(Seen.of(brief))
    brief.assign(admin_user, admin_user)

    response = act(signed_in, "assign", brief, based_on=seen)

    brief.refresh_from_db()
    assert brief.assignee == admin_user
    assert messages(response) == ["Meanwhile admin took this brief. It was left as it is."]


def test_a_brief_can_be_taken_over_knowingly(signed_in, user, admin_user):
    brief = make_brief()
    brief.assign(admin_user, admin_user)

    act(signed_in, "assign", brief)

    brief.refresh_from_db()
    assert brief.assignee == user


def test_a_closed_brief_cannot_be_taken(signed_in):
    brief = make_brief()
    brief.close("churned")

    response = act(signed_in, "assign", brief)

    brief.refresh_from_db()
    assert brief.assignee is None
    assert messages(response) == ["This brief was closed meanwhile: Churned."]


# Close.


def explained():
    """What is asked for if they were retained or churned."""
    return {"reason": ClosingReason.objects.first().pk, "offer": "nothing"}


@pytest.mark.parametrize("outcome", ["retained", "churned", "no_response", "not_at_risk"])
def test_closing_keeps_outcome_and_note(signed_in, user, outcome):
    brief = make_brief()

    response = act(signed_in, "close", brief, outcome=outcome, note="Called them.", **explained())

    brief.refresh_from_db()
    assert (brief.state, brief.outcome, brief.closing_note) == ("closed", outcome, "Called them.")
    assert not brief.is_persona_wrong
    assert f"Closed: {brief.get_outcome_display()}" in text(response)
    assert "Close this brief" not in text(response)


def test_closing_may_say_that_the_persona_was_wrong(signed_in, user):
    brief = make_brief()

    act(signed_in, "close", brief, outcome="no_response", is_persona_wrong="on")

    brief.refresh_from_db()
    assert brief.is_persona_wrong
    assert brief.activities.filter(actor=user, text__contains="persona was wrong").exists()


@pytest.mark.parametrize("outcome", ["", "withdrawn", "nonsense"])
def test_closing_needs_an_outcome_and_keeps_the_note_meanwhile(signed_in, outcome):
    brief = make_brief()

    response = act(signed_in, "close", brief, outcome=outcome, note="Half a thought")

    brief.refresh_from_db()
    assert response.status_code == 422
    assert brief.state == "new"
    assert "Half a thought" in text(response)


def test_a_second_click_closes_nothing_twice(signed_in):
    brief = make_brief()
    act(signed_in, "close", brief, outcome="no_response", note="Done")

    response = act(signed_in, "close", brief, outcome="no_response", note="Done")

    assert messages(response) == ["This brief is closed already: No response."]
    assert brief.activities.count() == 1


def test_outcome_and_note_of_a_second_closing_are_kept_in_the_timeline(signed_in, user):
    brief = make_brief()
    brief.close("retained", "They stay.")

    response = act(
        signed_in, "close", brief, outcome="no_response", note="Left", is_persona_wrong="on"
    )

    brief.refresh_from_db()
    assert (brief.outcome, brief.closing_note) == ("retained", "They stay.")
    assert "Somebody closed this brief before you: Retained." in messages(response)[0]
    assert "meant to close it as well: No response · the persona was wrong · Left" in text(response)


@pytest.mark.parametrize("name", ["assign", "close", "retry", "renew"])
def test_a_get_changes_nothing_and_leads_to_the_brief(signed_in, name):
    brief = make_brief()

    response = signed_in.get(reverse(f"briefs:{name}", args=[brief.pk]))

    assert response.url == brief.get_absolute_url()
    assert not brief.activities.exists()


def test_playbooks_own_first_step_is_left_out_where_nobody_is_contacted(signed_in):
    make_step(kind="spam_complaint", text="Send nothing.", channels=[])
    brief = make_brief(kind="spam_complaint")

    page = words(signed_in, brief)

    assert "Send nothing." in page
    assert "Have the account owner call" not in page


def test_head_says_first_that_they_came_back(signed_in):
    make_step()
    brief = make_brief(happened_at=timezone.now() - timedelta(hours=2))
    make_signal(brief=brief, kind="subscribed", effect="good_news")

    page = words(signed_in, brief)

    assert page.index("Came back: Subscribed again") < page.index("Have the account owner call.")
    assert "Came back: Subscribed again" in words_of_inbox(signed_in)


def words_of_inbox(client):
    return text(client.get("/"))
