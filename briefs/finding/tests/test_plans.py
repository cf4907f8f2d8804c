"""PostgreSQL reads long lists by an index. With few rows it is told to do without other ways."""

import re
from random import choice

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from briefs.finding import archive, ordering, tabs
from briefs.finding.filters import BriefFilter
from briefs.finding.folds import folds_of
from briefs.models import Brief, Comment, ContactLog
from briefs.tests.factories import make_brief
from conftest import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgresql]

OTHER_WAYS = ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin")


def without_other_ways() -> None:
    with connection.cursor() as cursor:
        for way in OTHER_WAYS:
            cursor.execute(f"SET LOCAL enable_{way} = off")


def plan(rows) -> str:
    without_other_ways()
    return rows.explain()


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())


def is_read_alone(index: str, plan: str) -> bool:
    return bool(re.search(rf"Index Only Scan (Backward )?using {index} ", plan))


@pytest.mark.parametrize(
    ("state", "word", "index"),
    [
        ("open", "-priority", "brief_by_urgency_covering"),
        ("open", "customer", "customer_shown"),
        ("open", "-customer", "customer_shown"),
        ("closed", "closed", "brief_closed_at_covering"),
        ("closed", "-closed", "brief_closed_at_covering"),
    ],
)
def test_order_is_that_of_an_index(state, word, index):
    briefs = tabs.of_state(state, Brief.objects.all(), None)

    assert index in plan(ordering.ordered(briefs, word, state=state).values("pk")[:25])


@pytest.mark.parametrize(
    ("word", "index"),
    [
        ("age", "brief_created_covering"),
        ("customer", "customer_shown"),
        ("value", "brief_value"),
        ("-value", "brief_value"),
    ],
)
def test_order_of_the_archive_is_that_of_an_index(word, index):
    assert index in plan(ordering.ordered(Brief.objects.all(), word, state="all").values("pk")[:25])


@pytest.mark.parametrize(
    ("state", "index"),
    [
        ("open", "brief_awake"),
        ("mine", "brief_awake"),
        ("unassigned", "brief_awake"),
        ("snoozed", "brief_snoozed"),
        ("waiting", "brief_waiting"),
    ],
)
def test_number_of_a_tab_is_counted_along_an_index(django_user_model, state, index):
    user = make_user(django_user_model, "robin", "Agent")
    briefs = tabs.of_state(state, Brief.objects.all(), user).order_by().values("pk")

    assert index in plan(briefs)


def test_closed_briefs_of_somebody_are_found_along_an_index():
    closed = tabs.of_state("closed", Brief.objects.all(), None)

    # Few rows are read in another way, unless an order asks for the index.
    assert "brief_closed_assignee" in plan(closed.order_by("assignee").values("pk"))


def test_plan_is_found_in_an_index():
    assert "brief_plan" in plan(BriefFilter({"plan": "Pro"}, Brief.objects.all()).qs.values("pk"))


def test_company_is_found_in_an_index():
    brief = make_brief(company="Acme Ltd")
    without_other_ways()
    with CaptureQueriesContext(connection) as asked:
        assert list(BriefFilter({"company": "acm"}, Brief.objects.all()).qs) == [brief]

    names, keys, _ = (query["sql"] for query in asked)
    assert is_read_alone("brief_company_covering", plan_of(names))
    assert "brief_company_covering" in plan_of(keys)


@pytest.mark.parametrize(
    ("state", "index", "keys"),
    [
        ("open", "brief_by_urgency_covering", ["-priority", "-value_sort", "created_at", "pk"]),
        ("all", "brief_created_covering", ["-created_at", "-pk"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("word", ["signal", "persona", "value", "plan", "research", "assignee"])
def test_briefs_can_be_sorted_without_being_read(state, index, keys, word):
    make_brief(assignee=make_user(get_user_model(), "robin", "Agent"))
    briefs = ordering.ordered(tabs.of_state(state, Brief.objects.all(), None), word, state=state)
    # Few rows are read in another way, unless an order asks for the index.
    briefs = briefs.order_by(*keys, *briefs.query.order_by)

    assert is_read_alone(index, plan(briefs.values("pk")[:25]))


@pytest.mark.parametrize("word", ["-priority", "signal", "persona", "plan", "research"])
def test_archive_begins_in_the_index_by_age_and_nothing_is_sorted(word):
    make_brief(plan="Pro")
    beginning = archive.Keys(Brief.objects.all(), word).beginning(25)

    asked = plan(beginning.values("pk")[:25])
    assert is_read_alone("brief_created_covering", asked)
    assert "Sort" not in asked


def test_folds_are_found_without_reading_briefs():
    asked = plan(folds_of(tabs.of_state("overdue", Brief.objects.all(), None)))

    assert asked.count("Index Only Scan using brief_folds_covering") == asked.count("Scan") == 2


def test_newest_briefs_are_passed_over_in_an_index_alone():
    briefs = Brief.objects.order_by("-created_at", "-pk").values("pk")[100:125]

    assert is_read_alone("brief_created_covering", plan(briefs))


@pytest.mark.parametrize(
    ("model", "index"), [(ContactLog, "contact_made_at"), (Comment, "comment_made_at")]
)
def test_newest_entries_are_found_in_an_index(model, index):
    assert index in plan(model.objects.order_by("-at", "-pk")[:50])


def test_longest_texts_fit_into_the_indexes():
    def text(length):
        """Of characters that take four bytes each and cannot be compressed."""
        return "".join(chr(choice(range(0x20000, 0x2A6D6))) for _ in range(length))

    brief = make_brief(detail=text(300), plan=text(60), company=text(200))

    assert Brief.objects.filter(pk=brief.pk, company=brief.company).exists()
