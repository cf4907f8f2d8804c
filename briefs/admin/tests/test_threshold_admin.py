"""The thresholds in the admin: suggested, checked, and told what they would change."""

import pytest
from django.utils import timezone

from briefs.models import Brief, PriorityThreshold
from briefs.tests.factories import make_brief, make_customer, make_persona, make_signal
from briefs.tests.factories import make_threshold as make

ADD = "/admin/briefs/prioritythreshold/add/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def leading(client, lead):
    client.force_login(lead)
    return client


def known(count):
    persona = make_persona()
    for month in range(1, count + 1):
        make_brief(persona=persona, customer=make_customer(), value_amount=month,
                   value_month=month, value_currency="USD", value_period="month",
                   state="closed", outcome="retained", closed_at=timezone.now())  # fmt: skip


def save(client, **fields):
    data = {"currency": "usd", "top_from": "91", "low_below": "50", **fields}
    return client.post(ADD, data, follow=True).content.decode()


def test_form_begins_with_what_the_data_suggest(leading):
    known(100)

    form = leading.get(ADD).context["adminform"].form

    assert (form["currency"].value(), form["top_from"].value()) == ("USD", 91)
    assert form["low_below"].value() == 50


def test_saving_tells_what_judging_anew_would_change_and_changes_nothing(leading):
    known(100)
    make_signal(brief=make_brief(value_amount=99, value_month=99, value_currency="USD",
                                 value_period="month", priority=1))  # fmt: skip

    page = save(leading)

    assert "1 of 1 open briefs would change: Urgent 1 (now 0)" in page
    assert "stay as they are until an engineer applies" in page
    assert "reprioritize" not in page
    assert Brief.objects.open().get().priority == 1
    assert PriorityThreshold.objects.get().history.get().history_user.username == "lee"


def test_thresholds_cannot_be_set_until_a_hundred_values_are_known(leading):
    known(99)

    assert "99 values in USD are known. Thresholds can be set from 100 on" in save(leading)
    assert not PriorityThreshold.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"top_from": "0", "low_below": "0"}, "Enter an amount above 0"),
     ({"low_below": "92"}, "The bottom half must end below")],
)  # fmt: skip
def test_amounts_that_cannot_be_are_refused_in_words(leading, fields, words):
    known(100)

    assert words in save(leading, **fields)


def test_agent_may_not_set_them(signed_in):
    make()

    assert signed_in.get(ADD).status_code in (302, 403)
