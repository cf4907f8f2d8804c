"""The inbox's tabs, columns and closed rows, as the address asks for them."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.desk.tests.pages import rows, text
from briefs.finding import tabs
from briefs.finding.words import indexing
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _connected(settings):
    settings.CIO_APP_KEY = settings.MAVERA_API_KEY = "key"


def links(response):
    return re.findall(r'<a href="([^"]*)"', response.content.decode())


def test_tabs_say_how_many_briefs_each_holds(signed_in, user):
    make_brief(assignee=user, state="in_progress")
    make_brief()
    make_brief().close("churned")

    words = text(signed_in.get("/"))

    shown = "Open 2 Mine 1 Unassigned 1 Overdue 0 Snoozed 0 Waiting for profile 0 Closed 1 All 3"
    assert shown in words


def test_numbers_follow_the_filters_as_the_tabs_links_do(signed_in, user):
    make_brief(kind="bounced", assignee=user)
    make_brief()

    response = signed_in.get("/?kind=bounced")

    assert "Open 1 Mine 1 Unassigned 0" in text(response)
    assert "/?kind=bounced&amp;state=mine" in links(response)


def test_numbers_of_a_search_are_of_what_it_finds(signed_in):
    make_brief(customer=make_customer(email="needle@example.com"))
    make_brief()
    indexing.run()

    assert "Open 1 Mine 0 Unassigned 1 Overdue 0" in text(signed_in.get("/?q=needle"))


def test_state_without_a_tab_gets_one_while_it_is_asked_for(signed_in):
    make_brief()

    assert "All 1 New 1" in text(signed_in.get("/?state=new"))
    assert "New" not in [one["label"] for one in signed_in.get("/").context["tabs"]]


def test_clear_filters_keeps_the_tab(signed_in):
    make_brief().close("retained")

    response = signed_in.get("/?state=closed&kind=bounced&q=x")

    assert '<a class="button" href="/?state=closed">Clear search' in response.content.decode()


def test_tab_and_order_survive_another_filter(signed_in):
    make_brief(assignee=None)

    page = signed_in.get("/?state=unassigned&ordering=customer").content.decode()

    assert '<input type="hidden" name="state" value="unassigned">' in page
    assert '<input type="hidden" name="ordering" value="customer">' in page


def test_unknown_filter_is_left_out_and_said_so(signed_in):
    brief = make_brief()

    response = signed_in.get("/?colour=red")

    assert "“colour” is no filter, so it was left out." in text(response)
    assert rows(response) == [brief]


@pytest.mark.parametrize(
    ("tab", "words"),
    [("mine", "You have no brief in hand"), ("unassigned", "Every open brief has somebody"),
     ("snoozed", "No brief is snoozed"), ("closed", "No brief was closed yet")],
)  # fmt: skip
def test_empty_tab_says_what_that_means(signed_in, lead, tab, words):
    make_brief(assignee=lead)

    assert words in text(signed_in.get(f"/?state={tab}"))


# Columns.


def test_heads_sort_keep_the_filters_and_say_by_what_the_list_is_sorted(signed_in):
    make_brief()

    page = signed_in.get("/?kind=unsubscribed&page=1").content.decode()

    assert 'class="c-priority" aria-sort="descending"' in page
    assert page.count("aria-sort") == 1
    assert 'href="?kind=unsubscribed&amp;ordering=customer"' in page


def test_list_is_sorted_by_the_word_of_its_address(signed_in):
    by_name = [
        make_brief(customer=make_customer(attributes={"name": name})) for name in ("Zoe", "Ada")
    ]

    response = signed_in.get("/?ordering=customer")

    assert rows(response) == by_name[::-1]
    assert 'class="c-customer" aria-sort="ascending"' in response.content.decode()


def test_column_of_two_things_sorts_by_either(signed_in):
    late = make_brief(due_at=timezone.now() - timedelta(hours=30))
    soon = make_brief(due_at=timezone.now() + timedelta(hours=3, seconds=30))
    open_end = make_brief()

    response = signed_in.get("/?ordering=due")

    assert rows(response) == [late, soon, open_end]
    page = response.content.decode()
    assert "Briefs, sorted by Due, ascending" in page
    assert 'class="c-age" aria-sort="ascending"' in page
    assert 'href="?ordering=-age"' in page
    assert 'href="?ordering=plan"' in page
    assert all(words in text(response) for words in ("Overdue 1 d", "Due in 3 h"))


def test_unknown_order_is_the_tabs_own(signed_in):
    make_brief()

    assert 'aria-sort="descending"' in signed_in.get("/?ordering=shoe").content.decode()


# Closed rows.


def test_closed_row_says_when_how_by_whom_and_with_which_note(signed_in, user):
    brief = make_brief()
    brief.close("retained", "Moved to the yearly plan.", user)
    Brief.objects.update(closed_at=timezone.now() - timedelta(hours=3))

    words = text(signed_in.get("/?state=closed"))

    assert "Retained, by robin: Moved to the yearly plan." in words
    assert "Nobody 3 h" in words
    assert "Retained, by robin, 3 h ago: Moved" in text(signed_in.get("/?state=all"))
    assert "Have the account owner call" not in words


def test_closed_rows_take_one_query_more_however_many(
    signed_in, user, django_assert_max_num_queries
):
    for _ in range(25):
        make_brief().close("churned", "gone", user)
    signed_in.get("/")

    with django_assert_max_num_queries(26):
        assert len(rows(signed_in.get("/?state=closed"))) == 25


def test_long_lists_are_not_counted_twice(signed_in, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(tabs, "EXACT", 10)
    for _ in range(30):
        make_brief()
    signed_in.get("/")

    with django_assert_max_num_queries(28):
        assert "1–25 of 30 briefs" in text(signed_in.get("/"))


def test_unknown_tab_is_named_and_all_briefs_are_counted(signed_in):
    make_brief()
    make_brief().close("retained")

    words = text(signed_in.get("/?state=x"))

    assert "“x” is none of: open, mine" in words
    assert " 2 briefs" in words
