import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from briefs.desk.tests.pages import rows, text
from briefs.finding import companies, search
from briefs.finding.words import indexing
from briefs.models import Brief, MaveHealth, Priority, ResearchPolicy
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_event,
    make_persona,
    make_research,
    make_step,
)
from personas.models import AppApiHealth, AttributeName, Persona, PersonaCondition

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _connected(settings):
    settings.CIO_APP_KEY = settings.MAVERA_API_KEY = "key"


def found(client, query=""):
    return rows(client.get(f"/{query}"))


def closed(**kw):
    return make_brief(state="closed", outcome="retained", closed_at=timezone.now(), **kw)


# The list.


def test_the_most_urgent_come_first_and_the_oldest_of_them_before_the_rest(signed_in):
    now = timezone.now()
    low = make_brief(priority=Priority.LOW, created_at=now - timedelta(days=9))
    young = make_brief(created_at=now)
    old = make_brief(created_at=now - timedelta(hours=3))

    assert found(signed_in) == [old, young, low]


def test_a_row_says_who_what_value_and_first_step(signed_in):
    AttributeName.objects.create(role="plan", label="Plan", names="plan")
    AttributeName.objects.create(role="value", label="Value", names="mrr")
    customer = make_customer(
        email="mei@example.com", attributes={"name": "Mei", "plan": "pro", "mrr": "12500"}
    )
    make_brief(customer=customer, persona=make_persona(name="Pro, low usage"),
               value_amount=12500, value_month=12500, value_currency="USD",
               value_period="month")  # fmt: skip
    make_step()

    words = text(signed_in.get("/"))

    for part in ("Urgent", "Mei", "mei@example.com", "Unsubscribed", "Pro, low usage", "pro",
                 "USD 12,500 a month", "Have the account owner call."):  # fmt: skip
        assert part in words


@pytest.mark.parametrize(
    ("basis", "status", "words"),
    [
        ("new", "done", "Research: new"),
        ("shared", "done", "Research: shared, 3 h old"),
        ("playbook", "running", "No research yet under way"),
        ("playbook", "queued", "No research yet waiting for its turn"),
        ("playbook", "failed", "No research yet failed, can be retried"),
    ],
)
def test_a_row_says_what_the_brief_stands_on(signed_in, basis, status, words):
    finished = timezone.now() - timedelta(hours=3, minutes=5)
    make_brief(basis=basis, research=make_research(status=status, finished_at=finished))

    assert words in text(signed_in.get("/"))


def held(how):
    limits = ResearchPolicy.current()
    if how == "paused":
        limits.pause("Mavera's credits are used up", 402, "402 (credits_exhausted)")
    elif how == "over budget":
        ResearchPolicy.objects.update(day_budget=0)
    elif how == "persona":
        Persona.objects.update(month_budget=0)
    elif how == "Mave is down":
        MaveHealth.current()
        MaveHealth.objects.update(breaker_until=timezone.now(), opened_at=timezone.now())
    elif how == "429":
        MaveHealth.current().hold(60, "Mavera asked to wait")


@pytest.mark.parametrize(
    ("how", "words"),
    [("paused", "paused"), ("over budget", "over budget"), ("persona", "over budget"),
     ("Mave is down", "Mave is down"), ("429", "Mavera’s limit")],
)  # fmt: skip
def test_a_row_says_in_short_what_holds_its_research_back(signed_in, how, words):
    make_brief(research=make_research())

    held(how)

    assert f"No research yet {words} Nobody" in text(signed_in.get("/"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"available_at": Now() + timedelta(hours=1)}, "put off"),
     ({"status": "recovering"}, "looking for a lost answer")],
)  # fmt: skip
def test_a_row_says_what_its_own_question_waits_for(signed_in, fields, words):
    make_brief(research=make_research(**fields))

    assert f"No research yet {words} Nobody" in text(signed_in.get("/"))


def test_notices_of_the_inbox_carry_no_codes(signed_in):
    held("paused")

    page = text(signed_in.get("/"))

    assert "because research is paused: Mavera's credits are used up; Mavera is asked again" in page
    assert "credits_exhausted" not in page


def test_a_row_says_why_no_research_is_bought(signed_in):
    make_brief(persona=make_persona(is_unknown=True))

    assert "none is bought for this persona" in text(signed_in.get("/"))


def test_queries_do_not_grow_with_the_list(signed_in, django_assert_max_num_queries):
    signed_in.get("/")  # creates the policy row
    for _ in range(25):
        make_brief(research=make_research(), assignee=None)

    with django_assert_max_num_queries(29):
        assert len(found(signed_in)) == 25


def test_pages_keep_the_filters(signed_in):
    for _ in range(30):
        make_brief()
    make_brief(kind="bounced")

    response = signed_in.get("/?kind=unsubscribed&page=2")

    assert len(rows(response)) == 5
    assert "26–30 of 30 briefs" in text(response)
    assert "?kind=unsubscribed&amp;page=1" in response.content.decode()


def test_a_page_beyond_the_last_shows_the_last(signed_in):
    brief = make_brief()

    assert found(signed_in, "?page=99") == [brief]


# Filters.


def test_closed_briefs_are_shown_on_demand_only(signed_in):
    open_brief, closed_brief = make_brief(), closed()

    assert found(signed_in) == [open_brief]
    assert found(signed_in, "?state=closed") == [closed_brief]
    assert set(found(signed_in, "?state=all")) == {open_brief, closed_brief}


def test_states_of_open_briefs(signed_in):
    new, taken = make_brief(), make_brief(state="in_progress")

    assert found(signed_in, "?state=new") == [new]
    assert found(signed_in, "?state=in_progress") == [taken]


def test_briefs_that_wait_for_a_profile_are_listed_apart(signed_in):
    AppApiHealth.current().failed("Customer.io's App API answered 503", timedelta(minutes=1))
    waiting = make_brief(is_waiting_for_profile=True)

    assert found(signed_in) == []
    assert "Waiting for profile 1 " in text(signed_in.get("/"))
    assert found(signed_in, "?state=waiting") == [waiting]
    assert "Customer.io's App API answered 503" in text(signed_in.get("/?state=waiting"))


def offered_personas(client, query=""):
    return {label for _, label in client.get(f"/{query}").context["filter"].form["persona"]
            .field.choices}  # fmt: skip


def test_persona_that_was_retired_is_offered_while_it_has_open_briefs(signed_in):
    _, busy, over = (make_persona(name=name) for name in ("Used", "Busy", "Over"))
    make_brief(persona=busy)
    old = make_brief(persona=over, state="closed", outcome="churned", closed_at=timezone.now())
    for persona in (busy, over):
        persona.remove()

    offered = offered_personas(signed_in)
    linked = signed_in.get(f"/?state=closed&persona={over.pk}")

    assert {"Used", "Busy (retired)"} <= offered
    assert not any("Over" in label for label in offered)
    assert old.customer.name in text(linked)
    assert "Over (retired)" in offered_personas(signed_in, f"?persona={over.pk}")


def test_by_persona_signal_and_priority(signed_in):
    brief = make_brief(kind="bounced", priority=Priority.LOW)
    make_brief()

    for query in (f"?persona={brief.persona_id}", "?kind=bounced", "?priority=1"):
        assert found(signed_in, query) == [brief]


@pytest.mark.parametrize(
    ("value", "basis", "status"),
    [
        ("new", "new", "done"),
        ("shared", "shared", "done"),
        ("under_way", "playbook", "recovering"),
        ("failed", "playbook", "failed"),
    ],
)
def test_by_research(signed_in, value, basis, status):
    brief = make_brief(basis=basis, research=make_research(status=status))
    make_brief()

    assert found(signed_in, f"?research={value}") == [brief]


def test_by_research_on_the_playbook_includes_what_is_under_way(signed_in):
    alone, waiting = make_brief(), make_brief(research=make_research())
    make_brief(basis="new", research=make_research(status="done"))

    assert set(found(signed_in, "?research=playbook")) == {alone, waiting}


def test_by_assignee(signed_in, user):
    mine, nobodys = make_brief(assignee=user), make_brief()

    assert found(signed_in, "?assignee=me") == [mine]
    assert found(signed_in, "?assignee=nobody") == [nobodys]


def test_search_and_filters_go_together(signed_in):
    customer = make_customer(email="needle@example.com")
    brief = make_brief(customer=customer)
    make_brief()
    indexing.run()

    assert found(signed_in, "?q=needle&kind=unsubscribed") == [brief]
    assert found(signed_in, "?q=needle&kind=bounced") == []


def test_the_list_compares_months_and_says_what_is_unknown(signed_in):
    make_brief(value_amount=120000, value_month=10000, value_currency="USD", value_period="year",
               plan="pro")  # fmt: skip
    make_brief(customer=make_customer(attributes={}))

    page = text(signed_in.get("/"))

    assert "USD 10,000 a month" in page
    assert "Unknown" in page
    assert "Value behind these signals: USD 10,000 a month" in page
    assert "The value of 1 brief is unknown, so it is not in it." in page


def test_value_plan_and_company_are_asked_for_in_the_form_and_stay_there(signed_in):
    wanted = make_brief(value_month=900, plan="pro", company="Acme Ltd")
    make_brief(value_month=5, plan="pro", company="Acme Ltd")

    page = signed_in.get("/?value_min=6&plan=pro&company=acme")

    assert rows(page) == [wanted]
    assert "More filters (3)" in page.content.decode()
    for name, value in (("value_min", "6"), ("plan", "pro"), ("company", "acme")):
        assert re.search(f'name="{name}" value="{value}"', page.content.decode())


@pytest.mark.parametrize("most", [1, 500])
def test_company_is_found_by_any_part_of_its_name_in_any_case(signed_in, monkeypatch, most):
    """However many names have it: from `most` on the index of whole names is not asked."""
    monkeypatch.setattr(companies, "MOST", most)
    wanted = {make_brief(company=name) for name in ("Acme Ltd", "NEW ACME", "acme ltd")}
    make_brief(company="Bolt")
    make_brief(company="")

    assert set(rows(signed_in.get("/?company=Acm"))) == wanted


def test_a_search_that_finds_very_much_says_so(signed_in, monkeypatch):
    monkeypatch.setattr(search, "FEW", 2)
    monkeypatch.setattr(search, "MOST", 2)
    briefs = [make_brief(), make_brief(), make_brief()]
    indexing.run()

    response = signed_in.get("/?q=unsubscribed")

    assert rows(response) == [briefs[2], briefs[1]]
    assert "2 or more briefs" in text(response)


def test_queries_of_a_search_do_not_grow_with_the_list(signed_in, django_assert_num_queries):
    def searched(number):
        while Brief.objects.count() < number:
            make_brief(research=make_research())
        indexing.run()
        assert len(found(signed_in, "?q=unsubscribed")) == number

    searched(2)  # is noted as a last search
    with CaptureQueriesContext(connection) as asked:
        searched(2)
    of_two = len(asked)  # the next request forgets them
    searched(25)

    with django_assert_num_queries(of_two):
        searched(25)


@pytest.mark.parametrize(
    "query", ["?persona=x", "?kind=x", "?state=x", "?research=x", "?assignee=x", "?q=%00",
              "?page=x", "?q=" + "x" * 300, "?priority=9"]
)  # fmt: skip
def test_nonsense_in_the_address_is_answered_without_an_error(signed_in, query):
    make_brief()

    assert signed_in.get(f"/{query}").status_code == 200


def test_a_wrong_filter_is_named(signed_in):
    assert "Signal: “x” is none of: unsubscribed" in text(signed_in.get("/?kind=x"))


# Nothing to show.


def test_without_any_brief_whoever_runs_savedesk_reads_how_to_send_one(signed_in, admin_client):
    for_agent, for_engineer = (text(client.get("/")) for client in (signed_in, admin_client))

    assert "No briefs yet" in for_agent
    assert "ask whoever runs Savedesk for you" in for_agent
    assert "manage.py" not in for_agent
    assert "register_webhook --url http://testserver/webhooks/customerio/" in for_engineer


def test_without_a_match_the_inbox_says_how_to_clear(signed_in):
    make_brief()

    words = text(signed_in.get("/?q=nobody"))

    assert "Nothing matches" in words
    assert "Clear search and filters" in words


@pytest.mark.parametrize("query", ["?state=waiting", "?state=waiting&q=&persona="])
def test_when_no_brief_waits_for_its_profile_the_inbox_says_so(signed_in, query):
    make_brief()

    words = text(signed_in.get(f"/{query}"))

    assert "No brief waits for its profile" in words
    assert "Nothing matches" not in words


@pytest.mark.parametrize("query", ["", "?state=open&q=&persona="])
def test_when_all_is_closed_the_inbox_says_so(signed_in, query):
    closed()

    assert "Everything is done" in text(signed_in.get(f"/{query}"))


# Notices.


def notices(client):
    return [notice.text for notice in client.get("/").context["notices"]]


def test_no_trouble_no_notices(signed_in):
    assert notices(signed_in) == []


def test_a_missing_app_key_is_told_to_whom_it_helps(signed_in, admin_client, settings):
    settings.CIO_APP_KEY = ""

    assert "the App API of Customer.io is not connected: ask whoever" in notices(signed_in)[0]
    assert "set CIO_APP_KEY to an App API key" in notices(admin_client)[0]


def test_a_failing_app_api_is_named(signed_in):
    AppApiHealth.current().failed("it answered 401", timedelta(minutes=1))

    assert "it answered 401; check the key" in notices(signed_in)[0]


def test_a_reason_that_names_a_setting_is_told_without_it(signed_in, admin_client):
    AppApiHealth.current().failed("it answered 401: check CIO_APP_KEY", timedelta(minutes=1))

    assert "CIO_APP_KEY" not in notices(signed_in)[0]
    assert "it answered 401: check CIO_APP_KEY; check" in notices(admin_client)[0]


def test_missing_research_is_told_to_whom_it_helps(signed_in, admin_client, settings):
    settings.MAVERA_API_KEY = ""

    assert "Mave is not connected: ask whoever" in notices(signed_in)[0]
    assert "set MAVERA_API_KEY to start research" in notices(admin_client)[0]


def test_paused_research_is_named_with_its_reason(signed_in):
    ResearchPolicy.current().pause("credits are used up")

    assert "research is paused: credits are used up; resume it" in notices(signed_in)[0]


def test_failed_events_are_counted(signed_in):
    make_event(status="dead")

    assert notices(signed_in) == [
        "1 event failed on every try and led to nothing: read why, then retry."
    ]


@pytest.fixture
def plan():
    PersonaCondition.objects.create(persona=make_persona(), field="plan", value="pro")
    return AttributeName.objects.create(role="plan", label="Plan", names="plan\ntier")


def test_a_role_that_nobody_fills_is_named(signed_in, plan):
    for _ in range(5):
        make_customer(attributes={"subscription": "pro"})

    assert "None of the last 5 customers has a value for “Plan”" in notices(signed_in)[0]


@pytest.mark.parametrize("attributes", [{"Tier": "pro"}, {"plan": "x"}])
def test_one_customer_who_fills_the_role_is_enough(signed_in, plan, attributes):
    for _ in range(5):
        make_customer(attributes={"subscription": "pro"})
    make_customer(attributes=attributes)

    assert notices(signed_in) == []


def test_a_role_that_decides_about_no_brief_may_have_no_value(signed_in):
    internal = make_persona(opens_brief=False)
    PersonaCondition.objects.create(persona=internal, field="internal", value="true")
    AttributeName.objects.create(role="internal", label="Internal", names="is_internal")
    for _ in range(5):
        make_customer(attributes={"plan": "pro"})

    assert notices(signed_in) == []


def test_with_few_customers_nothing_is_said_about_a_role(signed_in, plan):
    for _ in range(4):
        make_customer(attributes={})

    assert notices(signed_in) == []


def test_only_staff_is_sent_to_the_admin(signed_in, admin_client, settings):
    make_event(status="dead")

    assert signed_in.get("/").context["notices"][0].url == ""
    assert "/admin/webhooks/" in admin_client.get("/").context["notices"][0].url
    assert "Admin" not in text(signed_in.get("/"))


# Failed questions


def fail_for(number=1):
    research = make_research(status="failed", status_reason="Mave asked back")
    return [make_brief(research=research) for _ in range(number)]


@pytest.mark.parametrize(
    ("questions", "words"),
    [
        (1, "1 question failed and its briefs have no research: read why, then start it"),
        (2, "2 questions failed and their briefs have no research: read why, then start them"),
    ],
)
def test_failed_questions_are_counted_however_many_briefs_rest_on_each(signed_in, questions, words):
    for _ in range(questions):
        fail_for(3)

    assert notices(signed_in) == [f"{words} again."]


def test_failed_question_without_an_open_brief_is_not_announced(signed_in):
    make_research(status="failed")
    make_research(status="queued")
    fail_for()[0].close("churned")
    renewed = make_research(status="done")
    make_brief(research=renewed, basis="new", renewal=make_research(status="failed"))

    assert notices(signed_in) == []


def test_notice_of_failed_questions_links_to_them(signed_in, admin_client):
    brief, *_ = fail_for(2)
    make_brief()

    for client in (signed_in, admin_client):
        (notice,) = client.get("/").context["notices"]
        page = client.get(notice.url)
        assert page.status_code == 200

    assert notice.url == "/admin/briefs/research/?status__exact=failed"
    (notice,) = signed_in.get("/").context["notices"]
    assert notice.url == "/?research=failed"
    assert brief in rows(signed_in.get(notice.url))


# A pause, by who reads of it


@pytest.fixture
def changer(signed_in, user):
    user.user_permissions.add(Permission.objects.get(codename="change_researchpolicy"))
    return signed_in


def test_user_who_may_not_resume_is_told_who_may(signed_in):
    ResearchPolicy.current().pause("Mavera refuses the key", 401)

    (notice,) = signed_in.get("/").context["notices"]

    assert "anybody who may change the research policy can resume it" in notice.text
    assert "yourself" not in notice.text
    assert notice.url == ""


def test_staff_without_the_permission_get_no_link(signed_in, user):
    type(user).objects.update(is_staff=True)
    ResearchPolicy.current().pause("end of quarter")

    (notice,) = signed_in.get("/").context["notices"]

    assert notice.text.endswith(
        "somebody who may change the research policy, once that is settled."
    )
    assert notice.url == ""


def test_user_who_may_resume_gets_a_link_to_the_button(changer, user):
    ResearchPolicy.current().pause("Mavera refuses the key", 401)

    (notice,) = changer.get("/").context["notices"]
    assert notice.text.endswith("resume it yourself to try at once.")
    assert notice.url == "/insights/#switch"

    type(user).objects.update(is_staff=True)
    (notice,) = changer.get("/").context["notices"]
    assert notice.url == "/admin/briefs/researchpolicy/1/change/"
