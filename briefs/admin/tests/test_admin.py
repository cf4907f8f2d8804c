"""The admin pages of what events led to: signals, briefs, research, ledger and policy."""

from datetime import datetime
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from briefs.finding.words import indexing
from briefs.models import Comment, ContactLog, MaveCall, ResearchPolicy
from briefs.tests.factories import (
    make_brief,
    make_cause,
    make_customer,
    make_event,
    make_persona,
    make_reason,
    make_research,
    make_signal,
)
from personas.models import CustomerAlias, Persona
from webhooks import waking

pytestmark = pytest.mark.django_db

POLICY = "/admin/briefs/researchpolicy/"


def list_of(model: str) -> str:
    return reverse(f"admin:briefs_{model}_changelist")


def page_of(obj) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def shown(client, url: str, **query) -> str:
    return client.get(url, query).content.decode()


def start_again(client, *rows):
    data = {"action": "start_again", "_selected_action": [row.pk for row in rows]}
    return client.post(list_of("research"), data, follow=True).content.decode()


def dates(*days):
    """Noon of each of these days."""
    return [timezone.make_aware(datetime.fromisoformat(f"{day}T12:00")) for day in days]


def make_story():
    """An event with everything it led to."""
    persona = make_persona()
    research = make_research(persona=persona, status="done", answer="Call them.")
    brief = make_brief(persona=persona, research=research)
    signal = make_signal(brief=brief, event=make_event(status="processed"), persona=persona)
    return signal, brief, research


# Events


def test_event_page_links_everything_it_led_to(admin_client):
    signal, brief, research = make_story()

    html = shown(admin_client, page_of(signal.event))

    for row in (signal, brief, research, brief.customer):
        assert f'href="{page_of(row)}"' in html


def test_event_that_led_to_nothing_says_so_with_a_dash(admin_client):
    response = admin_client.get(page_of(make_event(status="ignored")))

    assert response.status_code == 200
    assert "What it led to" in response.content.decode()


def test_event_is_found_by_what_was_learnt_of_the_customer_later(admin_client):
    customer = make_customer(email="late@example.com")
    event = make_event(identifiers={"cio_id": "zz"})
    make_signal(customer=customer, event=event)
    make_event()

    url = reverse("admin:webhooks_webhookevent_changelist")
    response = admin_client.get(url, {"q": "Late@example.com"})

    assert list(response.context["cl"].result_list) == [event]


def test_event_list_needs_no_query_per_signal(admin_client, django_assert_num_queries):
    for _ in range(20):
        make_story()

    with django_assert_num_queries(8):
        html = shown(admin_client, reverse("admin:webhooks_webhookevent_changelist"))

    assert html.count(">brief ") == 20


# Customers


@pytest.mark.parametrize("asked", ["ann@fjord.example", "Ann", "fjord", "moller"])
def test_customer_is_found_by_an_identifier_and_by_words_as_in_the_inbox(admin_client, asked):
    ann = make_customer(
        email="ann@fjord.example", attributes={"name": "Ann Doe"}, company="Möller Ltd"
    )
    make_customer()
    indexing.run()

    url = reverse("admin:personas_customer_changelist")
    response = admin_client.get(url, {"q": asked})

    assert list(response.context["cl"].result_list) == [ann]


# Briefs and signals


def test_brief_page_shows_its_signals_and_what_was_done(admin_client):
    signal, brief, _ = make_story()
    brief.log("took it")

    html = shown(admin_client, page_of(brief))

    assert signal.why in html
    assert "took it" in html
    assert f'href="{page_of(signal)}?' in html or f'href="{page_of(signal)}"' in html


def test_brief_page_shows_what_came_of_all_that_people_may_do_with_it(admin_client, user):
    last = make_brief(customer=make_customer())
    last.close("retained", actor=user)
    brief = make_brief(customer=last.customer, returned_from=last)
    due, touched = dates("2026-11-02", "2026-11-04")
    type(brief).objects.filter(pk=brief.pk).update(due_at=due, first_touch_at=touched)
    brief.close("churned", "Too late.", user, closing_reason=make_reason("Too dear"),
                offer="discount", offer_percent=20)  # fmt: skip

    html = shown(admin_client, page_of(brief))

    assert f'href="{page_of(last)}"' in html
    for words in ("2 Nov 2026", "4 Nov 2026", "Too dear", "20 %", "Too late."):
        assert words in html, words


def test_customer_page_names_persona_and_briefs_and_leads_to_the_desk(admin_client, starter):
    last = make_brief(customer=make_customer())
    last.close("churned")
    brief = make_brief(customer=last.customer)

    html = shown(admin_client, page_of(brief.customer))

    persona = Persona.objects.get(name="Enterprise, low usage")
    assert f'<a href="{page_of(persona)}">Enterprise, low usage</a>' in html
    assert f'<a href="{page_of(last)}">Brief {last.pk}</a>: Unsubscribed, Churned' in html
    assert f'<a href="{page_of(brief)}">Brief {brief.pk}</a>: Unsubscribed, New' in html
    assert f'<a href="/customers/{brief.customer_id}/">This customer on the desk</a>' in html


def test_customer_page_without_rules_and_briefs_says_so(admin_client):
    html = shown(admin_client, page_of(make_customer()))

    assert '<div class="readonly">—</div>' in html
    assert '<div class="readonly">none</div>' in html


def test_brief_page_says_when_a_snooze_ends_and_leads_to_the_desk(admin_client, user):
    brief = make_brief()
    [until] = dates("2026-11-05")
    brief.snooze(until, "until Thursday", user, until, for_signal=False)

    html = shown(admin_client, page_of(brief))

    assert "5 Nov 2026" in html
    assert f'<a href="{brief.get_absolute_url()}">Work on this brief on the desk</a>' in html


def test_incident_page_shows_its_log_and_leads_to_the_desk(admin_client, user):
    cause = make_cause(incident_at=timezone.now())
    cause.log("noted: stopped the newsletter", user)
    make_cause(message="newsletter:6", described={"newsletter_name": "No incident"})

    html = shown(admin_client, page_of(cause))

    assert "noted: stopped the newsletter" in html
    assert f'href="{cause.get_absolute_url()}"' in html
    assert "No incident" not in shown(admin_client, list_of("cause"))


def make_entries(actor, brief=None, **contact):
    """A try to reach the customer, and a comment, on one brief."""
    brief = brief or make_brief()
    return (
        ContactLog.objects.create(
            brief=brief, actor=actor, **{"channel": "phone", "is_reached": True, **contact}
        ),
        Comment.objects.create(brief=brief, actor=actor, text="Doe is on holiday. " * 20),
    )


@pytest.mark.parametrize("model", ["contactlog", "comment"])
def test_entry_is_found_by_its_author_its_day_and_its_customer(
    admin_client, admin_user, user, model
):
    for actor in (admin_user, user):
        make_entries(actor)
    wanted = {row._meta.model_name: row for row in make_entries(user)}[model]
    [day] = dates("2026-11-05")
    type(wanted).objects.filter(pk=wanted.pk).update(at=day)

    for asked in (
        {"actor__id__exact": user.pk, "at__year": 2026, "at__month": 11, "at__day": 5},
        {"q": wanted.brief_id},
        {"q": wanted.brief.customer.external_id},
    ):
        response = admin_client.get(list_of(model), asked)
        assert list(response.context["cl"].result_list) == [wanted], asked


def test_briefs_are_found_by_words_where_they_are_no_identifier(admin_client):
    wanted = make_brief(persona_why="industry is “banking”")
    make_brief()
    indexing.run()

    response = admin_client.get(list_of("brief"), {"q": "bank"})

    assert list(response.context["cl"].result_list) == [wanted]


def test_entry_pages_show_all_that_was_written_and_lead_to_the_brief(admin_client, user):
    contact, comment = make_entries(user, note="Call after lunch.")
    comment.mentioned.add(user)

    for row, words in ((contact, "Call after lunch."), (comment, comment.text.strip())):
        html = shown(admin_client, page_of(row))
        assert words in html
        assert f'href="{page_of(row.brief)}"' in html


@pytest.mark.parametrize("act", ["change", "delete"])
def test_nobody_edits_or_deletes_what_people_wrote_in_the_admin(admin_client, user, act):
    for row in make_entries(user):
        url = reverse(f"admin:briefs_{row._meta.model_name}_{act}", args=[row.pk])
        assert admin_client.post(url, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    "model", ["brief", "cause", "signal", "research", "mavecall", "contactlog", "comment"]
)
def test_nobody_adds_what_only_events_can_cause(admin_client, model):
    assert admin_client.get(reverse(f"admin:briefs_{model}_add")).status_code == 403


def test_nobody_edits_or_deletes_a_brief_in_the_admin(admin_client):
    brief = make_brief()

    assert admin_client.post(page_of(brief), {"state": "closed"}).status_code == 403
    url = reverse("admin:briefs_brief_delete", args=[brief.pk])
    assert admin_client.post(url, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("term", ["number", "person-7", "c7", "cio_c7", "Seven@example.com", "p-0"])
def test_brief_is_found_by_its_number_or_its_customer(admin_client, term):
    make_brief()
    wanted = make_brief(
        customer=make_customer(external_id="person-7", cio_id="c7", email="seven@example.com")
    )
    CustomerAlias.objects.remember(wanted.customer.pk, {"id": "p-0"})

    query = str(wanted.pk) if term == "number" else term
    response = admin_client.get(list_of("brief"), {"q": query})

    assert list(response.context["cl"].result_list) == [wanted]


def test_signal_page_shows_its_message_and_its_event(admin_client):
    signal = make_signal(message={"campaign_name": "Autumn <news>"})

    html = shown(admin_client, page_of(signal))

    assert "Autumn &lt;news&gt;" in html
    assert f'href="{page_of(signal.event)}"' in html


@pytest.mark.parametrize(
    ("model", "queries"),
    [("brief", 7), ("signal", 6), ("research", 8), ("mavecall", 9), ("contactlog", 7),
     ("comment", 7)],
)  # fmt: skip
def test_lists_need_no_query_per_row(
    admin_client, admin_user, django_assert_num_queries, model, queries
):
    for _ in range(20):
        _, brief, research = make_story()
        make_entries(admin_user, brief)
        MaveCall.objects.create(research=research, outcome="answered", credits=40)

    with django_assert_num_queries(queries):
        response = admin_client.get(list_of(model))

    assert response.context["cl"].result_count == 20


# Research


def test_failed_research_is_started_again_and_the_workers_are_woken(
    admin_client, settings, monkeypatch
):
    settings.MAVERA_API_KEY = "key"
    failed, done = make_research(status="failed"), make_research(status="done")

    html = start_again(admin_client, failed, done)

    failed.refresh_from_db()
    assert failed.status == "queued"
    assert "1 started, 1 skipped." in html
    assert OrmQ.objects.count() == 1


def test_starting_again_survives_a_dead_broker(admin_client, settings, monkeypatch):
    settings.MAVERA_API_KEY = "key"
    monkeypatch.setattr(waking, "async_task", Mock(side_effect=ConnectionError))
    failed = make_research(status="failed")

    html = start_again(admin_client, failed)

    assert "1 started, 0 skipped." in html


def test_research_is_not_started_again_by_a_user_who_may_only_view(client, user):
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="view_research"))
    client.force_login(user)
    failed = make_research(status="failed")

    start_again(client, failed)

    failed.refresh_from_db()
    assert failed.status == "failed"


def test_research_page_shows_answer_sources_and_ledger(admin_client):
    research = make_research(
        status="done",
        answer="<b>Call</b> them.",
        sources=[{"title": "Study", "url": "https://example.com/a"}],
        validation={"confidence_score": 0.8},
    )
    MaveCall.objects.create(research=research, outcome="answered", credits=42)

    html = shown(admin_client, page_of(research))

    assert "&lt;b&gt;Call&lt;/b&gt; them." in html
    assert '<a href="https://example.com/a" rel="noopener noreferrer">Study</a>' in html
    assert "80 %" in html
    assert "42" in html


def test_source_with_a_script_address_is_no_link(admin_client):
    source = {"title": "Study", "url": "javascript:alert(1)"}
    research = make_research(status="done", answer="x", sources=[source])

    html = shown(admin_client, page_of(research))

    assert "javascript:" not in html
    assert "<p>Study</p>" in html


@pytest.mark.parametrize(
    "url", ["http://example.com/a", "https://example.com@evil.example/", "https://[/"]
)
def test_source_that_is_no_plain_https_address_is_no_link(admin_client, url):
    source = {"title": "Study", "url": url}
    research = make_research(status="done", answer="x", sources=[source])

    html = shown(admin_client, page_of(research))

    assert f'href="{url}"' not in html
    assert "<p>Study</p>" in html


def test_research_page_shows_no_characters_that_reverse_text(admin_client):
    source = {"title": "Stu\u202edy", "url": "https://example.com/a"}
    research = make_research(
        status="failed", status_reason="Mave: si\u202ech", question="Wh\u202ey?",
        answer="Ca\u202ell", sources=[source], personas_used=["An\u202en"],
    )  # fmt: skip

    for page in (page_of(research), list_of("research")):
        assert "\u202e" not in shown(admin_client, page)
    html = shown(admin_client, page_of(research))
    assert all(words in html for words in ("Mave: sich", "Why?", "Call", "Study", "Ann"))


# Ledger


def test_ledger_adds_up_the_credits_of_what_is_selected(admin_client):
    research = make_research()
    MaveCall.objects.create(research=research, outcome="answered", credits=1200)
    MaveCall.objects.create(research=research, outcome="pending", credits=75)

    assert "<b>1,275</b> credits in all" in shown(admin_client, list_of("mavecall"))
    only = shown(admin_client, list_of("mavecall"), outcome__exact="answered")
    assert "<b>1,200</b> credits in all" in only


# Policy


def test_policy_list_is_its_one_row(admin_client):
    response = admin_client.get(POLICY)

    assert response.headers["Location"] == f"{POLICY}1/change/"


def test_policy_can_neither_be_added_nor_deleted(admin_client):
    ResearchPolicy.current()

    assert admin_client.get(f"{POLICY}add/").status_code == 403
    assert admin_client.post(f"{POLICY}1/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.begins_at("2026-11-18T12:00")
def test_policy_page_shows_what_is_spent_and_what_holds_research_back(admin_client):
    ResearchPolicy.current()
    ResearchPolicy.objects.update(day_budget=500, concurrency=5)
    MaveCall.objects.create(research=make_research(), outcome="answered", credits=120)

    html = shown(admin_client, f"{POLICY}1/change/")

    assert "120 of 500 credits" in html
    assert "Held back, because Mave is not connected" in html
    assert "0 of 5" in html


def test_policy_without_a_budget_says_that_there_is_no_limit(admin_client):
    ResearchPolicy.current()
    ResearchPolicy.objects.update(month_budget=None)

    assert "0 credits, no limit" in shown(admin_client, f"{POLICY}1/change/")


def test_pausing_keeps_the_reason_and_leaves_a_trace_in_the_history(admin_client, admin_user):
    admin_client.post(f"{POLICY}pause/", {"reason": "end of quarter"})

    policy = ResearchPolicy.current()
    assert policy.paused_at
    assert policy.paused_reason == "end of quarter"
    assert policy.history.first().paused_reason == "end of quarter"
    assert policy.history.first().history_user == admin_user
    assert "end of quarter" in shown(admin_client, f"{POLICY}1/change/")


def test_pausing_needs_a_reason(admin_client):
    response = admin_client.post(f"{POLICY}pause/", {"reason": "  "}, follow=True)

    assert ResearchPolicy.current().paused_at is None
    assert "Say why" in response.content.decode()


def test_resuming_lets_research_go_on(admin_client, settings, django_capture_on_commit_callbacks):
    settings.MAVERA_API_KEY = "key"
    ResearchPolicy.current().pause("a test")
    make_research()

    with django_capture_on_commit_callbacks(execute=True):
        response = admin_client.post(f"{POLICY}resume/", follow=True)

    assert ResearchPolicy.current().paused_at is None
    assert "Research goes on." in response.content.decode()
    assert OrmQ.objects.count() == 1


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_switch_needs_post_and_the_permission_to_change(client, user, verb):
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="view_researchpolicy"))
    client.force_login(user)

    assert client.get(f"{POLICY}{verb}/").status_code == 405
    assert client.post(f"{POLICY}{verb}/", {"reason": "x"}).status_code == 403


def test_saving_the_policy_keeps_a_pause_that_came_meanwhile(admin_client):
    ResearchPolicy.current().pause("credits are used up")
    data = {"concurrency": 3, "requests_per_minute": 50, "urgent_reserve": 100, "day_budget": 400,
            "month_budget": "", "fresh_after_minutes": 60}  # fmt: skip

    admin_client.post(f"{POLICY}1/change/", data)

    policy = ResearchPolicy.current()
    assert (policy.concurrency, policy.month_budget) == (3, None)
    assert policy.paused_reason == "credits are used up"


# All of it


def test_every_registered_page_opens_and_obeys_the_content_security_policy(
    admin_client, admin_user
):
    signal, brief, research = make_story()
    call = MaveCall.objects.create(research=research, outcome="answered")
    rows = (signal, signal.event, brief, brief.customer, research, call)
    pages = [page_of(row) for row in (*rows, *make_entries(admin_user, brief))]
    pages.append(reverse("admin:index"))

    for url in pages:
        html = shown(admin_client, url)
        assert "admin.css" in html
        assert " style=" not in html
        assert "<style" not in html
        assert "onclick=" not in html
