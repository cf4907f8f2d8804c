"""Pages of the API's lists: `next` leads to each row once, whatever is added meanwhile."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_event,
    make_persona,
)
from webhooks.tests.clock import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages(signed_in):
    """The ids on each page, from this address on; `between`: done after each page."""

    def read(address, between=lambda: None, **asked):
        answer = signed_in.get(address, asked or None).json()
        found = [[row["id"] for row in answer["results"]]]
        while answer["next"]:
            between()
            answer = signed_in.get(answer["next"]).json()
            found.append([row["id"] for row in answer["results"]])
        return found

    return read


def test_pages_of_every_list_are_the_list(pages):
    for _ in range(3):
        make_event()
        make_brief(persona=make_persona())
    for name in (
        "events/?",
        "customers/?",
        "personas/?",
        "closing-reasons/?",
        "briefs/?ordering=due",
    ):
        [whole] = pages(f"/api/v1/{name}")

        parts = pages(f"/api/v1/{name}&page_size=2")

        assert len(parts) > 1
        assert [key for part in parts for key in part] == whole


def test_what_is_added_meanwhile_moves_no_row(pages):
    briefs = [make_brief() for _ in range(4)]

    parts = pages("/api/v1/briefs/", between=make_brief, page_size=2)

    newest_first = [brief.pk for brief in reversed(briefs)]
    assert parts == [newest_first[:2], newest_first[2:]]


@pytest.mark.begins_at("2026-12-01T10:00")
def test_what_becomes_overdue_meanwhile_is_on_its_page(pages):
    due = timezone.now() + timedelta(hours=1)
    briefs = [make_brief(value_sort=3 - number, due_at=due) for number in range(3)]

    parts = pages(
        "/api/v1/briefs/",
        between=lambda: clock.set("2026-12-01T12:00"),
        state="open",
        ordering="-priority",
        page_size=2,
    )

    assert [key for part in parts for key in part] == [brief.pk for brief in briefs]


def test_page_counts_nothing_and_joins_nothing_to_what_it_passes_over(
    signed_in, django_assert_max_num_queries
):
    for _ in range(3):
        make_brief()

    with django_assert_max_num_queries(20) as asked:
        signed_in.get("/api/v1/briefs/", {"page_size": 2})

    statements = [query["sql"] for query in asked if 'FROM "briefs_brief"' in query["sql"]]
    assert not any("COUNT(" in one for one in statements)
    assert "JOIN" not in statements[0]
    assert "LIMIT 3" in statements[0]


# What is refused


def test_numbered_page_is_refused_and_told_what_there_is(signed_in):
    answer = signed_in.get("/api/v1/briefs/", {"page": "2"})

    assert answer.status_code == 400
    [words] = answer.json()["errors"]["page"]
    assert words.startswith("There are no numbered pages: begin without one, and follow `next`.")
    assert words.endswith("ordering, cursor, page_size.")


@pytest.fixture
def cursor(signed_in):
    """Of the second page of briefs."""
    make_brief(), make_brief()
    following = signed_in.get("/api/v1/briefs/", {"page_size": 1}).json()["next"]
    return parse_qs(urlsplit(following).query)["cursor"][0]


def test_cursor_of_another_list_or_order_is_refused(signed_in, cursor):
    asked = [
        ("briefs", {"cursor": cursor, "ordering": "value"}),
        ("events", {"cursor": cursor}),
        ("briefs", {"cursor": "nonsense"}),
        ("briefs", {"cursor": cursor[:-4]}),
    ]
    for path, query in asked:
        answer = signed_in.get(f"/api/v1/{path}/", query)
        assert answer.status_code == 400
        assert "no cursor of this list in this order" in answer.json()["errors"]["cursor"][0]


def test_cursor_tells_nobody_what_a_customer_is_called(signed_in):
    """Addresses of pages are logged by machines that may not show who the customers are."""
    for number in range(2):
        make_brief(customer=make_customer(attributes={"name": f"zanzibar {number}"}))

    first = signed_in.get("/api/v1/briefs/", {"ordering": "customer", "page_size": 1}).json()

    assert "zanzibar" not in first["next"]
    assert len(first["next"]) < 1_000
