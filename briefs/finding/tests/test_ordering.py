"""By what lists are sorted, in the inbox and in the API, and what narrows them down."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.finding.ordering import KNOWN, ordered
from briefs.models import Brief, Priority
from briefs.tests.factories import make_brief, make_customer, make_persona

pytestmark = pytest.mark.django_db


def shown(client, **query):
    return [one.brief.pk for one in client.get("/", query).context["dossiers"]]


def asked(client, **query):
    response = client.get("/api/v1/briefs/", query)
    return [one["id"] for one in response.json()["results"]]


def worth(month, **kw):
    return make_brief(value_amount=month, value_month=month, value_sort=month, value_currency="USD",
                      value_period="month", **kw)  # fmt: skip


@pytest.fixture
def briefs():
    now = timezone.now()
    old = worth(5, created_at=now - timedelta(days=2), persona=make_persona(name="B"),
                customer=make_customer(sort_name="zoe"), kind="spam_complaint",
                plan="pro")  # fmt: skip
    new = worth(900, created_at=now, persona=make_persona(name="A"), plan="Enterprise",
                customer=make_customer(sort_name="ann"), kind="bounced", company="Acme Ltd",
                priority=Priority.LOW)  # fmt: skip
    return old.pk, new.pk


@pytest.mark.parametrize(
    ("name", "is_old_first"),
    [("priority", False), ("value", True), ("age", False), ("customer", False),
     ("persona", False), ("signal", False), ("plan", False)],
)  # fmt: skip
def test_every_column_sorts_both_ways_in_inbox_and_api(signed_in, briefs, name, is_old_first):
    old, new = briefs
    up = [old, new] if is_old_first else [new, old]

    assert shown(signed_in, ordering=name) == asked(signed_in, ordering=name) == up
    assert (
        shown(signed_in, ordering=f"-{name}") == asked(signed_in, ordering=f"-{name}") == up[::-1]
    )


@pytest.mark.parametrize("name", KNOWN)
def test_every_known_order_is_one_that_the_database_knows(briefs, name):
    assert len(ordered(Brief.objects.all(), [name])) == 2


def test_unknown_order_is_refused_by_the_api_and_told_by_the_inbox(signed_in, briefs):
    assert signed_in.get("/api/v1/briefs/?ordering=colour").status_code == 400
    page = signed_in.get("/?ordering=colour")

    assert page.status_code == 200
    assert len(page.context["dossiers"]) == 2
    assert "“colour” is none of: priority, -priority, value" in page.content.decode()


def test_within_a_priority_the_most_valuable_comes_first_and_then_the_oldest():
    now = timezone.now()
    urgent = worth(1, priority=Priority.URGENT)
    young = worth(700, priority=Priority.HIGH, created_at=now)
    rich, old = (
        worth(month, priority=Priority.HIGH, created_at=now - timedelta(days=1))
        for month in (900, 700)
    )

    assert list(Brief.objects.by_urgency()) == [urgent, rich, old, young]


@pytest.mark.parametrize(
    ("query", "is_old"),
    [({"value_min": "6"}, False), ({"value_max": "5"}, True), ({"plan": "PRO"}, True),
     ({"company": "acme"}, False)],
)  # fmt: skip
def test_value_plan_and_company_narrow_inbox_and_api_down(signed_in, briefs, query, is_old):
    wanted = [briefs[0 if is_old else 1]]

    assert shown(signed_in, **query) == asked(signed_in, **query) == wanted


def test_whoever_may_not_read_personal_data_may_not_ask_for_a_company(client, django_user_model):
    from conftest import make_user

    client.force_login(make_user(django_user_model, "vic", "Viewer"))

    assert client.get("/api/v1/briefs/?company=a").status_code == 403
    assert client.get("/api/v1/briefs/?plan=a").status_code == 200
