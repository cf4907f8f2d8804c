"""Many briefs at once, from the list: the number first, then the act, then its undo."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from briefs.desk.tests.pages import messages, text
from briefs.models import Brief, BulkAct
from briefs.tests.factories import make_brief, make_customer
from conftest import make_user

pytestmark = pytest.mark.django_db


def choose(client, kind="close", which="rows", **data):
    return client.post("/bulk/", {"kind": kind, "which": which, **data}, follow=True)


def address():
    return f"/bulk/{BulkAct.objects.get().pk}/"


def test_ticked_rows_are_counted_before_anything_is_done(signed_in):
    keys = [make_brief().pk for _ in range(3)]

    page = choose(signed_in, brief=keys[:2])

    assert "2 briefs will change. Nothing was changed yet." in text(page)
    assert not Brief.objects.filter(state="closed").exists()


def test_what_is_left_out_is_named_with_its_reason(signed_in):
    over = make_brief(customer=make_customer(attributes={}, external_id="ada"))
    over.close("churned")

    page = choose(signed_in, brief=[make_brief().pk, over.pk])

    assert "1 left out: closed already" in text(page)
    assert over.get_absolute_url() in page.content.decode()


def test_page_is_taken_as_it_was_shown(signed_in):
    keys = [make_brief().pk for _ in range(3)]

    page = choose(signed_in, which="page", shown=f"{keys[0]},{keys[2]}")

    assert "2 briefs will change" in text(page)


def test_all_that_match_are_taken_with_the_filters_of_the_list(signed_in, user):
    for _ in range(3):
        make_brief(kind="bounced")
    make_brief(kind="bounced").close("churned")
    make_brief()

    page = choose(signed_in, which="all", query="kind=bounced&state=all")

    assert "3 briefs will change" in text(page)


def test_list_whose_filters_are_too_long_to_be_kept_is_not_taken_for_a_wider_one(signed_in):
    make_brief(company="я" * 200)
    query = urlencode({"q": "я" * 200, "state": "mine", "company": "я" * 150})

    page = choose(signed_in, which="all", query=query)

    assert "more than 2,000 characters" in messages(page)[0]
    assert page.redirect_chain == [(f"/?{query}", 302)]
    assert not BulkAct.objects.exists()


@pytest.mark.parametrize("brief", ["", "x", "9" * 30])
def test_without_a_choice_the_list_comes_back(signed_in, brief):
    page = choose(signed_in, brief=brief, query="state=mine")

    assert messages(page) == ["No brief was chosen. Tick some, or take the page."]
    assert page.redirect_chain == [("/?state=mine", 302)]


@pytest.mark.parametrize(
    ("kind", "data", "said"),
    [
        ("snooze", {"until": "signal"}, "2 briefs are snoozed."),
        ("contact", {"channel": "phone", "is_reached": "no"}, "2 briefs are in hand, contact"),
        ("close", {"outcome": "no_response"}, "2 briefs are closed."),
    ],
)
def test_act_says_what_was_done_and_can_be_undone(signed_in, kind, data, said):
    choose(signed_in, kind, brief=[make_brief().pk, make_brief().pk])

    page = signed_in.post(address(), data, follow=True)
    undone = signed_in.post(f"{address()}undo/", follow=True)

    assert said in text(page)
    assert "Undo until" in text(page)
    assert "2 briefs are as before." in text(undone)
    assert Brief.objects.filter(state="new").count() == 2


def test_briefs_are_assigned_to_a_colleague(signed_in, lead):
    choose(signed_in, "assign", brief=make_brief().pk)

    page = signed_in.post(address(), {"to": lead.pk}, follow=True)

    assert "1 brief is assigned." in text(page)
    assert Brief.objects.get().assignee == lead


def test_form_with_a_fault_comes_back_with_what_was_entered(signed_in):
    choose(signed_in, brief=make_brief().pk)

    page = signed_in.post(address(), {"outcome": "churned", "note": "Half a thought"})

    assert page.status_code == 422
    assert "Half a thought" in text(page)
    assert Brief.objects.get().is_open


def test_second_click_leads_to_what_the_first_one_did(signed_in):
    choose(signed_in, brief=make_brief().pk)
    signed_in.post(address(), {"outcome": "no_response"})

    page = signed_in.post(address(), {"outcome": "no_response"}, follow=True)

    assert page.redirect_chain == [(address(), 302)]
    assert "1 brief is closed." in text(page)


def test_page_of_an_act_that_broke_off_says_so(signed_in):
    choose(signed_in, brief=make_brief().pk)
    BulkAct.objects.update(begun_at=timezone.now(), done_at=timezone.now())

    page = signed_in.get(address())

    assert "It broke off: 1 more was not reached and stayed as before." in text(page)


def test_undo_names_what_was_changed_since(signed_in, lead):
    brief = make_brief()
    choose(signed_in, brief=brief.pk)
    signed_in.post(address(), {"outcome": "no_response"})
    brief.log("corrected it", lead)

    page = signed_in.post(f"{address()}undo/", follow=True)

    assert "1 not undone: changed since" in text(page)
    assert brief.get_absolute_url() in page.content.decode()


def test_undo_that_broke_off_can_be_gone_on_with(signed_in):
    choose(signed_in, "snooze", brief=make_brief().pk)
    signed_in.post(address(), {"until": "tomorrow"})
    BulkAct.objects.update(undone_at=timezone.now())
    assert "Go on with the undo" in text(signed_in.get(address()))

    page = signed_in.post(f"{address()}undo/", follow=True)

    assert "1 brief is as before." in text(page)
    assert "Go on with the undo" not in text(page)


def test_undo_that_comes_too_late_says_so(signed_in):
    choose(signed_in, brief=make_brief().pk)
    signed_in.post(address(), {"outcome": "no_response"})
    BulkAct.objects.update(done_at=timezone.now() - timedelta(minutes=2))

    page = signed_in.post(f"{address()}undo/", follow=True)

    assert "The minute is over" in messages(page)[0]
    assert "Undo until" not in text(page)


def test_act_of_a_colleague_is_nobody_elses(client, signed_in, lead):
    choose(signed_in, brief=make_brief().pk)
    client.force_login(lead)

    assert client.get(address()).status_code == 404


def test_only_those_who_may_work_on_briefs_see_ticks(client, signed_in, django_user_model):
    brief = make_brief()
    assert 'form="bulk"' in signed_in.get("/").content.decode()
    client.force_login(make_user(django_user_model, "kim", "Viewer"))

    assert 'form="bulk"' not in client.get("/").content.decode()
    assert choose(client, brief=brief.pk).status_code == 403


def test_way_back_leads_to_the_list_with_its_filters(signed_in):
    page = choose(signed_in, brief=make_brief().pk, query="kind=bounced&next=https://evil.example")

    assert 'href="/?kind=bounced"' in page.content.decode()
