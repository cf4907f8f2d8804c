"""Each word sorts, both ways, in the inbox and in the API; what has no value comes last."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.api.views import BriefViewSet
from briefs.desk.tests.pages import rows
from briefs.finding import ordering
from briefs.finding.ordering import ORDERINGS, ordered
from briefs.models import Brief, Priority
from briefs.tests.factories import make_brief, make_customer, make_persona
from conftest import make_user
from personas.models import Persona

pytestmark = pytest.mark.django_db

CLOSED = {"closed", "closed_at"}  # those have a test of their own


def found(*words):
    return list(ordered(Brief.objects.all(), *words))


def shown(client, **query):
    return [brief.pk for brief in rows(client.get("/", query))]


def asked(client, **query):
    response = client.get("/api/v1/briefs/", query)
    return [one["id"] for one in response.json()["results"]]


def named(name):
    return make_customer(attributes={"name": name})


def worth(month, **kw):
    return make_brief(value_amount=month, value_month=month, value_sort=month, value_currency="USD",
                      value_period="month", **kw)  # fmt: skip


def two(**values):
    """Two briefs that differ in one thing; the smaller one first."""
    [(name, (small, large))] = values.items()
    return make_brief(**{name: small}), make_brief(**{name: large})


def pairs(user, lead):
    now = timezone.now()
    lead.first_name = "Ada"
    lead.save()
    yesterday, tomorrow = now - timedelta(days=1), now + timedelta(days=1)
    return {
        "priority": {"priority": (1, 4)},
        "customer": {"customer": (named("ada"), named("Berta"))},
        "signal": {"kind": ("bounced", "unsubscribed")},
        "persona": {"persona": (make_persona(name="a"), make_persona(name="B"))},
        "value": {"value_sort": (5, 900)},
        "plan": {"plan": ("Enterprise", "pro")},
        "research": {"basis": ("new", "playbook")},
        "assignee": {"assignee": (lead, user)},  # Ada before robin
        "age": {"created_at": (now, yesterday)},
        "due": {"due_at": (now, tomorrow)},
        "created_at": {"created_at": (yesterday, now)},
        "happened_at": {"happened_at": (yesterday, now)},
        "researched_at": {"researched_at": (yesterday, now)},
        "id": {"pk": (7, 8)},
    }


@pytest.mark.parametrize("name", [name for name in ORDERINGS if name not in CLOSED])
def test_word_sorts_both_ways(user, lead, name):
    small, large = two(**pairs(user, lead)[name])

    assert found(name) == [small, large]
    assert found(f"-{name}") == [large, small]


@pytest.mark.parametrize("word", ["assignee", "-assignee"])
def test_what_has_no_value_comes_last_either_way(user, word):
    nobodys, users = make_brief(assignee=None), make_brief(assignee=user)

    assert found(word) == [users, nobodys]


def test_customer_without_a_name_is_sorted_by_what_is_shown():
    by_id = make_brief(customer=make_customer(attributes={}, external_id="b-1"))
    by_mail = make_brief(customer=make_customer(attributes={}, external_id=None, email="c@e.com"))
    by_name = make_brief(customer=named("Ada"))

    assert found("customer") == [by_name, by_id, by_mail]


def test_equal_rows_come_by_urgency():
    low, urgent = make_brief(priority=1), make_brief(priority=4)

    assert found("signal") == found("-signal") == [urgent, low]


@pytest.mark.parametrize("most", [0, 100], ids=["more names than are numbered", "few names"])
def test_personas_whose_names_differ_in_case_alone_are_equal(monkeypatch, most):
    monkeypatch.setattr(ordering, "MOST_PLACES", most)
    pro, also_pro, basic = (make_persona(name=name) for name in ("Pro", "pRO", "Basic"))
    low, urgent = make_brief(persona=pro, priority=1), make_brief(persona=also_pro, priority=4)
    first = make_brief(persona=basic)

    assert found("persona") == [first, urgent, low]
    assert found("-persona") == [urgent, low, first]


@pytest.mark.parametrize("word", ["persona", "-assignee"])
def test_list_is_sorted_where_there_is_no_name_yet(word):
    Persona.objects.all().delete()

    assert found(word) == []


def test_list_that_is_read_in_parts_sorts_by_names_which_stay():
    """A number changes with each further persona, and the next part would begin elsewhere."""
    make_persona(name="A")
    whole = str(ordered(Brief.objects.all(), "persona").query)
    parts = str(ordered(Brief.objects.all(), "persona", at=timezone.now()).query)

    assert "personas_persona" not in whole
    assert 'ORDER BY LOWER("personas_persona"."name")' in parts


def test_closed_ones_sort_by_their_closing():
    first, last = make_brief(), make_brief()
    for brief in (last, first):
        brief.close("retained")
    Brief.objects.filter(pk=last.pk).update(closed_at=timezone.now() - timedelta(days=1))

    assert found("-closed") == found("-closed_at") == [first, last]


def test_list_of_closed_ones_sorts_by_the_bare_column_as_an_index_does():
    first, last = make_brief(), make_brief()
    for brief in (last, first):
        brief.close("retained")
    Brief.objects.filter(pk=last.pk).update(closed_at=timezone.now() - timedelta(days=1))
    closed = Brief.objects.filter(state="closed")

    for name in CLOSED:
        down, up = (ordered(closed, word, state="closed") for word in (f"-{name}", name))
        assert (list(down), list(up)) == ([first, last], [last, first])
        assert "NULLS" not in str(down.query)


def test_open_ones_come_after_closed_ones_in_a_list_of_all():
    still_open, closed = make_brief(), make_brief()
    closed.close("retained")

    assert found("-closed") == found("closed") == [closed, still_open]


def test_within_a_priority_what_is_overdue_comes_first_then_by_value_then_by_age():
    now = timezone.now()
    before = now - timedelta(days=1)
    high = {"priority": Priority.HIGH}
    young = worth(700, created_at=now, **high)
    rich, old = (worth(month, created_at=before, **high) for month in (900, 700))
    late = worth(1, due_at=before, **high)
    urgent = worth(1, priority=Priority.URGENT)

    assert list(Brief.objects.by_urgency()) == [urgent, late, rich, old, young]


def test_several_words_decide_one_after_the_other():
    cheap, dear = worth(5, kind="bounced"), worth(900, kind="bounced")
    other = worth(7, kind="unsubscribed")

    assert found("signal", "value") == [cheap, dear, other]


def test_click_on_the_sorted_column_turns_it_and_on_another_begins_there():
    assert ordering.next_word("priority", "-priority") == "priority"
    assert ordering.next_word("customer", "-priority") == "customer"
    assert ordering.next_word("age", "customer") == "-age"
    assert ordering.next_word("value", "customer") == "-value"


# Page and API


@pytest.fixture
def briefs():
    """The first is worth 5 and the second 900."""
    poor = worth(5, plan="pro", company="Bolt")
    rich = worth(900, plan="Enterprise", company="Acme Ltd", priority=Priority.LOW)
    return poor.pk, rich.pk


@pytest.mark.parametrize("word", ["value", "-value", "plan", "-plan", "priority", "-priority"])
def test_inbox_and_api_sort_alike(signed_in, briefs, word):
    assert shown(signed_in, ordering=word) == asked(signed_in, ordering=word)


@pytest.mark.parametrize("state", ["all", "open", "closed"])
def test_inbox_and_api_show_equal_rows_in_the_same_order(signed_in, state):
    now, persona = timezone.now(), make_persona()
    for priority, value in ((4, 5), (1, 5), (4, 900), (1, 5)):
        make_brief(persona=persona, priority=priority, value_sort=value, created_at=now)
    if state == "closed":
        Brief.objects.update(state="closed", outcome="retained", closed_at=now)

    for word in ("priority", "signal", "persona", "-value", "-plan", "age", "due", "-closed"):
        inbox = shown(signed_in, state=state, ordering=word)

        assert len(inbox) == 4
        assert asked(signed_in, state=state, ordering=word) == inbox, word
        assert state != "all" or asked(signed_in, ordering=word) == inbox, word


def test_unknown_word_is_refused_by_the_api_and_told_by_the_inbox(signed_in, briefs):
    assert signed_in.get("/api/v1/briefs/?ordering=colour").status_code == 400
    page = signed_in.get("/?ordering=colour")

    assert len(rows(page)) == 2
    assert "Lists are not sorted by “colour”" in page.content.decode()


@pytest.mark.parametrize(
    ("query", "is_poor"),
    [({"value_min": "6"}, False), ({"value_max": "5"}, True), ({"plan": "PRO"}, True),
     ({"company": "acme"}, False)],
)  # fmt: skip
def test_value_plan_and_company_narrow_inbox_and_api_down(signed_in, briefs, query, is_poor):
    wanted = [briefs[0 if is_poor else 1]]

    assert shown(signed_in, **query) == asked(signed_in, **query) == wanted


def test_whoever_may_not_read_personal_data_may_not_ask_for_a_company(client, django_user_model):
    client.force_login(make_user(django_user_model, "vic", "Viewer"))

    assert client.get("/api/v1/briefs/?company=a").status_code == 403
    assert client.get("/api/v1/briefs/?plan=a").status_code == 200


# Whoever may not read who the customers are learns nothing of it by the order either.


@pytest.fixture
def viewer(client, django_user_model):
    client.force_login(make_user(django_user_model, "vic", "Viewer"))
    return client


@pytest.mark.parametrize("path", ["", "csv/"])
@pytest.mark.parametrize("words", ["customer", "-customer", "priority, -customer"])
def test_order_of_names_is_for_who_may_read_names(viewer, path, words):
    answer = viewer.get(f"/api/v1/briefs/{path}", {"ordering": words})

    assert answer.status_code == 403
    detail = answer.json()["detail"]
    assert "The ordering customer sorts by personal data." in detail
    assert "needs personas.view_personal_data" in detail


@pytest.mark.parametrize("path", ["", "csv/"])
def test_whoever_may_read_names_sorts_by_them(signed_in, path):
    assert signed_in.get(f"/api/v1/briefs/{path}?ordering=customer").status_code == 200


def test_order_of_signals_is_that_of_their_kinds_for_others(viewer, user):
    """What exactly was signalled may be an address or a company's name."""
    zoe = make_brief(kind="address_gone", detail="zoe@acme.example", priority=4)
    ann = make_brief(kind="address_gone", detail="ann@acme.example", priority=1)
    bounced = make_brief(kind="bounced", priority=1)
    query = {"state": "open", "ordering": "signal"}

    assert asked(viewer, **query) == [zoe.pk, ann.pk, bounced.pk]
    viewer.force_login(user)
    assert asked(viewer, **query) == [ann.pk, zoe.pk, bounced.pk]


def test_every_order_by_what_is_null_for_others_is_personal(viewer):
    """By each word that a Viewer may sort by, briefs that differ in who it is alone are equal."""
    for name, detail in (("Ada", "zoe@e.com"), ("Zoe", "ann@e.com"), ("Mia", "mia@e.com")):
        make_brief(customer=named(name), detail=detail, company=name)
    now = timezone.now()
    Brief.objects.update(created_at=now, happened_at=now, persona=make_persona())
    keys = sorted(Brief.objects.values_list("pk", flat=True))

    for word in ORDERINGS:
        if word not in BriefViewSet.personal_orderings:
            assert asked(viewer, state="open", ordering=word) == keys, word
