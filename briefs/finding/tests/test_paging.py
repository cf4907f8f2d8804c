"""Pages of long lists: how many rows there are, and how a page is read."""

import pytest
from django.core.cache import cache

from briefs.finding import tabs
from briefs.finding.paging import LongPaginator
from briefs.models import Brief
from briefs.tests.factories import make_brief

pytestmark = pytest.mark.django_db


def pages():
    return LongPaginator(Brief.objects.select_related("customer").order_by("-pk"), 2)


def test_short_list_is_counted_each_time(monkeypatch):
    monkeypatch.setattr(tabs, "EXACT", 3)
    first, *_ = [make_brief() for _ in range(3)]
    assert pages().count == 3

    first.delete()

    assert pages().count == 2


def test_count_of_a_long_list_is_true_and_kept_for_a_minute(monkeypatch):
    monkeypatch.setattr(tabs, "EXACT", 3)
    first, *_ = [make_brief() for _ in range(5)]
    assert pages().count == 5

    first.delete()

    assert pages().count == 5
    cache.clear()  # as after a minute
    assert pages().count == 4


def test_page_of_a_long_list_has_the_same_rows_in_the_same_order(monkeypatch):
    briefs = [make_brief() for _ in range(5)]
    short = list(pages().page(2).object_list)

    monkeypatch.setattr(tabs, "EXACT", 4)

    assert list(pages().page(2).object_list) == short == briefs[2:0:-1]


def test_page_of_a_long_list_joins_nothing_to_what_it_passes_over(
    monkeypatch, django_assert_num_queries
):
    for _ in range(5):
        make_brief()
    monkeypatch.setattr(tabs, "EXACT", 4)
    page = pages()
    assert page.count == 5

    with django_assert_num_queries(2) as asked:
        list(page.page(2).object_list)

    keys, rows = (query["sql"] for query in asked)
    assert ("JOIN" in keys, "OFFSET" in keys) == (False, True)
    assert ("JOIN" in rows, "OFFSET" in rows) == (True, False)


def test_rows_that_are_gone_since_they_were_counted_leave_the_last_page_empty(monkeypatch):
    monkeypatch.setattr(tabs, "EXACT", 0)
    briefs = [make_brief() for _ in range(3)]
    assert pages().count == 3

    briefs[0].delete()

    assert list(pages().page(2).object_list) == []
