"""What may be asked of the API's lists, and that all else is refused and never ignored."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import ApiToken
from briefs.finding import ordering
from briefs.finding.words import indexing
from briefs.finding.words.matching import Statements, TooSlow
from briefs.models import Priority
from briefs.tests.factories import make_brief, make_customer, make_event, make_persona
from personas.models import CustomerAlias

pytestmark = pytest.mark.django_db

LISTS = ["/api/v1/briefs/", "/api/v1/events/", "/api/v1/personas/", "/api/v1/customers/"]


@pytest.fixture
def ask(signed_in):
    def send(path, **query):
        response = signed_in.get(path, query)
        assert response.status_code == 200, response.content
        return [item["id"] for item in response.json()["results"]]

    return send


@pytest.fixture
def refused(signed_in):
    """What is said of each parameter that is refused."""

    def send(path, **query):
        response = signed_in.get(path, query)
        assert response.status_code == 400, response.content
        return {name: " ".join(words) for name, words in response.json()["errors"].items()}

    return send


# Unknown ones


@pytest.mark.parametrize("path", LISTS)
def test_unknown_parameter_is_refused_by_name_with_the_known_ones(refused, path):
    said = refused(path, nonsense="1", page_size="1")

    assert list(said) == ["nonsense"]
    assert said["nonsense"].startswith("There is no parameter “nonsense”. Known: ")
    assert said["nonsense"].endswith("ordering, cursor, page_size.")


def test_known_parameters_are_those_of_the_list(refused):
    known = refused("/api/v1/customers/", state="open")["state"]

    assert known == (
        "There is no parameter “state”. Known: external_id, cio_id, email, phone, q, ordering, "
        "cursor, page_size."
    )


def test_one_row_takes_no_parameters(refused):
    brief = make_brief()

    said = refused(f"/api/v1/briefs/{brief.pk}/", state="closed")

    assert said == {"state": "There is no parameter “state”. Nothing can be asked here."}


def test_parameter_that_is_given_twice_is_refused(signed_in):
    response = signed_in.get("/api/v1/briefs/?kind=bounced&kind=unsubscribed")

    assert response.status_code == 400
    assert response.json()["errors"] == {"kind": ["“kind” is given 2 times. Give it once."]}


def test_stranger_hears_nothing_about_parameters(client):
    assert client.get("/api/v1/briefs/", {"nonsense": "1"}).status_code == 401


@pytest.mark.parametrize(
    ("path", "name", "value", "words"),
    [
        ("briefs", "priority", "severe", "none of: urgent, high, medium, low"),
        ("briefs", "priority", "5", "none of: urgent, high, medium, low"),
        ("briefs", "kind", "nonsense", "none of: unsubscribed, spam_complaint"),
        ("briefs", "state", "asleep", "snoozed, waiting, closed, all"),
        ("briefs", "research", "old", "none of: new, shared, playbook, under_way, failed"),
        ("briefs", "assignee", "robin", "none of: me, nobody"),
        ("briefs", "persona", "999", "No persona has this id"),
        ("briefs", "persona", "x", "No persona has this id"),
        ("briefs", "q", "x" * 201, "200"),
        ("events", "status", "done", "none of: pending, processed"),
        ("events", "received_after", "yesterday", "2026-11-01T12:00:00Z"),
        ("events", "received_after", "9999-12-31T23:59:59-14:00", "This is no moment"),
        ("events", "received_before", "0001-01-01T00:00:00+14:00", "This is no moment"),
        ("events", "event_id", "\0", "Null characters"),
        ("customers", "email", "\0", "Null characters"),
    ],
)
def test_unknown_value_is_refused_with_the_known_ones(refused, path, name, value, words):
    said = refused(f"/api/v1/{path}/", **{name: value})

    assert list(said) == [name]
    assert words in said[name]


@pytest.mark.parametrize("value", ["x", "0", "-1", "1.5", "²", "9" * 30])
def test_size_of_a_page_is_a_number_from_one_on(refused, value):
    said = refused("/api/v1/briefs/", page_size=value)

    assert said == {"page_size": f"“{value}” is not a number from 1 on."}


def test_empty_value_asks_for_nothing(ask):
    brief = make_brief()

    assert ask("/api/v1/briefs/", kind="", priority="", ordering="", cursor="") == [brief.pk]


# Values


@pytest.mark.parametrize("value", ["urgent", "URGENT", "Urgent", " urgent", "4"])
def test_priority_is_asked_for_as_it_is_printed_or_by_number(signed_in, ask, value):
    wanted = make_brief(priority=Priority.URGENT)
    make_brief(priority=Priority.HIGH)

    assert ask("/api/v1/briefs/", priority=value) == [wanted.pk]


@pytest.mark.parametrize("priority", Priority)
def test_every_printed_priority_finds_its_own_brief(signed_in, ask, priority):
    briefs = {one: make_brief(priority=one) for one in Priority}
    address = f"/api/v1/briefs/{briefs[priority].pk}/"

    printed = signed_in.get(address).json()["priority"]

    assert ask("/api/v1/briefs/", priority=printed) == [briefs[priority].pk]


def test_snoozed_briefs_are_found(ask):
    tomorrow = timezone.now() + timedelta(days=1)
    wanted = make_brief(state="snoozed", snoozed_until=tomorrow)
    make_brief()
    make_brief().close("retained")

    assert ask("/api/v1/briefs/", state="snoozed") == [wanted.pk]


@pytest.mark.parametrize("value", ["d1234567", "cio_d1234567", " cio_d1234567 "])
def test_customer_is_found_by_cio_id_with_or_without_its_prefix(ask, value):
    wanted = make_customer(cio_id="d1234567")
    make_customer(cio_id="d1234568")

    assert ask("/api/v1/customers/", cio_id=value) == [wanted.pk]


@pytest.mark.parametrize("value", ["+15550100", "+1 (555) 0100", "+1\u20115550100"])
def test_customer_is_found_by_number_however_it_is_written(ask, value):
    wanted = make_customer(phone="+15550100")
    make_customer()

    assert ask("/api/v1/customers/", phone=value) == [wanted.pk]


def test_number_without_digits_finds_nobody(ask):
    make_customer(phone="")

    assert ask("/api/v1/customers/", phone="-") == []


@pytest.mark.parametrize("query", [{"metric": "Unsubscribed"}, {"object_type": "CUSTOMER"}])
def test_kind_of_an_event_is_asked_for_in_any_case(ask, query):
    event = make_event()

    assert ask("/api/v1/events/", **query) == [event.pk]


@pytest.mark.parametrize(
    ("kind", "value", "query"),
    [
        ("cio_id", "a1", {"cio_id": "cio_a1"}),
        ("id", "old-7", {"external_id": "old-7"}),
        ("email", "old@example.com", {"email": "Old@Example.com"}),
        ("phone", "+15550100", {"phone": "+1 555-0100"}),
    ],
)
def test_customer_is_found_by_an_identifier_they_had(ask, kind, value, query):
    wanted = make_customer()
    make_customer()
    CustomerAlias.objects.create(customer=wanted, kind=kind, value=value)

    assert ask("/api/v1/customers/", **query) == [wanted.pk]


# Ordering


def test_briefs_are_sorted_by_what_is_asked(ask):
    low, urgent, high = (make_brief(priority=priority) for priority in (1, 4, 3))

    assert ask("/api/v1/briefs/", ordering="priority") == [low.pk, high.pk, urgent.pk]
    assert ask("/api/v1/briefs/", ordering="-priority") == [urgent.pk, high.pk, low.pk]


@pytest.mark.parametrize("path", ["briefs", "briefs/csv", "customers"])
def test_search_that_the_database_gives_up_is_no_answer(signed_in, monkeypatch, path):
    def slow(*args, **kw):
        raise TooSlow

    monkeypatch.setattr(Statements, "rows", slow)

    response = signed_in.get(f"/api/v1/{path}/?q=ann")

    assert (response.status_code, response.json()["code"]) == (503, "busy")
    assert response.headers["Retry-After"] == "5"


def test_several_orders_decide_one_after_the_other(ask):
    now = timezone.now()
    old, new = (make_brief(priority=3, created_at=now - timedelta(days=d)) for d in (2, 1))
    urgent = make_brief(priority=4)

    found = ask("/api/v1/briefs/", ordering="-priority, -created_at")

    assert found == [urgent.pk, new.pk, old.pk]


@pytest.mark.parametrize("sign", ["", "-"])
def test_rows_without_a_value_come_last_either_way(ask, sign):
    open_ = make_brief()
    closed = make_brief()
    closed.close("retained")

    assert ask("/api/v1/briefs/", ordering=f"{sign}closed_at") == [closed.pk, open_.pk]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("briefs", "customer__email"), ("briefs", "kind"), ("events", "body"),
        ("personas", "playbook"), ("customers", "email"), ("briefs", "priority,nonsense"),
        ("briefs", "--priority"), ("briefs", "?"),
    ],
)  # fmt: skip
def test_order_that_is_not_allowed_is_refused_with_those_that_are(refused, path, value):
    said = refused(f"/api/v1/{path}/", ordering=value)["ordering"]

    assert f"“{value.split(',')[-1]}” is none of: " in said
    assert ", -id." in said or "-fetched_at" in said


def test_other_lists_are_sorted_too(ask):
    b, a = make_persona(name="B", position=1), make_persona(name="A", position=2)
    late, early = make_event(), make_event(occurred_at=timezone.now() - timedelta(days=900))

    assert ask("/api/v1/personas/", ordering="name") == [a.pk, b.pk]
    assert ask("/api/v1/events/", ordering="occurred_at") == [early.pk, late.pk]
    first, last = make_customer(), make_customer(fetched_at=None)
    assert ask("/api/v1/customers/", ordering="fetched_at")[-2:] == [first.pk, last.pk]


# Tokens


@pytest.mark.parametrize("scheme", ["Token", "Bearer", "token", "bearer"])
def test_token_is_accepted_under_either_name(client, user, scheme):
    _, token = ApiToken.objects.create(user=user)

    response = client.get("/api/v1/briefs/", headers={"Authorization": f"{scheme} {token}"})

    assert response.status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer nonsense", "Token nonsense", "Basic {}", "Bearers {}", "{}"]
)
def test_anything_else_is_refused_and_told_which_schemes_there_are(client, user, header):
    _, token = ApiToken.objects.create(user=user)

    response = client.get("/api/v1/briefs/", headers={"Authorization": header.format(token)})

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Token, Bearer"
    assert set(response.json()) == {"type", "title", "status", "detail"}


def test_schema_names_both_schemes_and_either_is_enough(signed_in):
    schema = signed_in.get("/api/schema/", headers={"Accept": "application/json"}).json()

    schemes = schema["components"]["securitySchemes"]
    assert schemes["bearerAuth"] == {"type": "http", "scheme": "bearer"}
    assert schemes["tokenAuth"]["name"] == "Authorization"
    security = schema["paths"]["/api/v1/briefs/"]["get"]["security"]
    assert security == [{"tokenAuth": []}, {"bearerAuth": []}, {"cookieAuth": []}]


# The inbox stays tolerant


@pytest.mark.parametrize("value", ["priority,priority", "due,-due", ",".join(["priority"] * 1_200)])
def test_ordering_that_is_named_twice_is_refused(refused, value):
    """No database sorts by thousands of columns."""
    said = refused("/api/v1/briefs/", ordering=value)["ordering"]

    assert said.endswith("times. Name it once.")


def test_list_can_be_sorted_by_all_there_is_page_by_page(signed_in):
    keys = [make_brief().pk for _ in range(3)]
    every = ",".join(ordering.ORDERINGS)
    found, answer = [], signed_in.get("/api/v1/briefs/", {"ordering": every, "page_size": 1}).json()
    while True:
        found += [one["id"] for one in answer["results"]]
        if not answer["next"]:
            break
        answer = signed_in.get(answer["next"]).json()

    assert sorted(found) == keys


@pytest.mark.parametrize(
    "query", ["?nonsense=1", "?priority=severe", "?state=asleep", "?ordering=x", "?kind=x&kind=y"]
)
def test_inbox_shows_a_page_whatever_is_asked(signed_in, query):
    assert signed_in.get(f"/{query}").status_code == 200


@pytest.mark.parametrize("value", ["urgent", "4", "Urgent"])
def test_inbox_takes_a_priority_by_name_and_shows_which(signed_in, value):
    make_brief(priority=Priority.URGENT)
    make_brief(priority=Priority.LOW)

    html = signed_in.get(f"/?priority={value}").content.decode()

    assert '<option value="urgent" selected>' in html
    assert "1 brief" in html


def test_inbox_finds_a_customer_by_cio_id_with_its_prefix(signed_in):
    brief = make_brief(customer=make_customer(cio_id="d7654321", external_id="wanted"))
    make_brief()
    indexing.run()

    html = signed_in.get("/?q=cio_d7654321").content.decode()

    assert "1 brief" in html
    assert f"/briefs/{brief.pk}/" in html
