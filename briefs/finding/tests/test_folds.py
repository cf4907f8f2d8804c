"""One cause, one line: which briefs a list folds, and where the fold stands."""

import pytest
from django.utils import timezone

from briefs.desk.tests.pages import rows, text
from briefs.finding.words import indexing
from briefs.models import Brief, BulkAct, Priority
from briefs.tests.factories import make_brief, make_cause, make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def cause():
    return make_cause()


def make_folded(cause, number=5, **kw):
    fields = {"priority": Priority.HIGH, "cause": cause, **kw}
    return [make_brief(**fields) for _ in range(number)]


def worth(brief, amount, **kw):
    Brief.objects.filter(pk=brief.pk).update(
        value_month=amount, value_sort=amount, value_currency="USD", **kw
    )


def folds(response):
    return [line.fold for line in response.context["lines"] if line.fold]


def test_five_briefs_of_one_message_are_one_line(signed_in, cause):
    make_folded(cause)
    single = make_brief()

    response = signed_in.get("/")

    [fold] = folds(response)
    assert (fold.number, fold.cause) == (5, cause)
    assert rows(response) == [single]
    assert "5 × Unsubscribed Spring sale" in text(response)
    assert "2 lines with 6 briefs" in text(response)


def test_four_stay_rows(signed_in, cause):
    make_folded(cause, 4)

    response = signed_in.get("/")

    assert (folds(response), len(rows(response))) == ([], 4)


@pytest.mark.parametrize("what", ["urgent", "assigned", "returned"])
def test_urgent_assigned_and_returned_ones_stay_rows_with_a_mark(signed_in, lead, cause, what):
    kept = {
        "urgent": {"priority": Priority.URGENT},
        "assigned": {"assignee": lead},
        "returned": {"returned_from": make_brief(state="closed", outcome="retained",
                                                 closed_at=timezone.now())},
    }[what]  # fmt: skip
    make_folded(cause)
    briefs = make_folded(cause, 2, **kept)

    response = signed_in.get("/")

    assert set(rows(response)) == set(briefs)
    assert [fold.number for fold in folds(response)] == [5]
    assert text(response).count("Same message as the 5 folded ones") == 2


def test_fold_stands_where_its_most_valuable_brief_would(signed_in, cause):
    briefs = make_folded(cause)
    more, less = (make_brief(priority=Priority.HIGH) for _ in range(2))
    worth(briefs[3], 500)
    worth(more, 900)
    worth(less, 100)

    lines = signed_in.get("/").context["lines"]

    assert [line.row.dossier.brief if line.row else "fold" for line in lines] == [
        more,
        "fold",
        less,
    ]


def test_value_of_a_company_counts_once_in_a_fold(signed_in, cause):
    briefs = make_folded(cause, 6)
    for brief in briefs[:2]:
        worth(brief, 700, company="Acme", value_level="company")
    worth(briefs[2], 50, value_level="person")

    [fold] = folds(signed_in.get("/"))

    assert [one.words for one in fold.value.sums] == ["USD 750 a month"]
    assert fold.value.unknown == 3


def test_tabs_count_briefs(signed_in, cause):
    make_folded(cause, 7)

    tabs = {tab["label"]: tab["number"] for tab in signed_in.get("/").context["tabs"]}

    assert (tabs["Open"], tabs["Unassigned"]) == (7, 7)


def test_fold_opens_in_place(signed_in, cause):
    make_folded(cause, 6)

    response = signed_in.get(f"/?unfold={cause.pk}")

    [fold] = folds(response)
    assert len(fold.rows) == 6
    assert fold.address == "/"
    assert text(response).count("customer-") >= 6


def test_long_fold_shows_the_first_ones_and_leads_to_all(signed_in, cause, monkeypatch):
    monkeypatch.setattr("briefs.desk.lines.MOST_UNFOLDED", 3)
    make_folded(cause, 6)

    response = signed_in.get(f"/?unfold={cause.pk}")

    assert "All 6 in a list of their own" in text(response)
    alone = signed_in.get(folds(response)[0].list_address)
    assert (folds(alone), len(rows(alone))) == ([], 6)
    assert "Only briefs of Unsubscribed: Spring sale" in text(alone)


def test_search_shows_each_brief(signed_in, cause):
    briefs = make_folded(cause)
    indexing.run()

    found = signed_in.get("/?q=Persona")

    assert not folds(found)
    assert len(rows(found)) == len(briefs)


def test_filters_hold_within_a_fold(signed_in, cause):
    briefs = make_folded(cause, 8)
    for brief in briefs[:3]:
        worth(brief, 900)

    response = signed_in.get("/?value_min=500")

    assert (folds(response), len(rows(response))) == ([], 3)


def test_closed_ones_are_rows(signed_in, cause):
    make_folded(cause, state="closed", outcome="retained", closed_at=timezone.now())

    assert len(rows(signed_in.get("/?state=closed"))) == 5


def test_ticked_fold_takes_bulk_acts_with_the_filters_of_the_list(signed_in, cause):
    briefs = make_folded(cause, 8)
    other = make_brief()
    for brief in briefs[:6]:
        worth(brief, 900)

    signed_in.post(
        "/bulk/",
        {"kind": "close", "which": "rows", "fold": cause.pk, "brief": other.pk,
         "query": "value_min=500"},
    )  # fmt: skip

    chosen = set(BulkAct.objects.get().parts.values_list("brief", flat=True))
    assert chosen == {other.pk, *(brief.pk for brief in briefs[:6])}


def test_page_as_a_whole_holds_its_folds(signed_in, cause):
    make_folded(cause, 5)
    single = make_brief()
    page = signed_in.get("/")
    assert page.context["on_page"] == 6

    signed_in.post(
        "/bulk/",
        {"kind": "close", "which": "page", "shown": single.pk, "shown_fold": cause.pk, "query": ""},
    )

    assert BulkAct.objects.get().parts.count() == 6


def test_pages_are_as_long_as_their_lines(signed_in, cause):
    make_folded(cause, 30)
    for _ in range(26):
        make_brief(customer=make_customer())

    page = signed_in.get("/").context["page"]

    assert (page.paginator.count, page.paginator.num_pages) == (27, 2)


def test_queries_do_not_grow_with_the_folds(signed_in, cause, django_assert_max_num_queries):
    make_folded(cause)
    with django_assert_max_num_queries(60) as few:
        signed_in.get("/")
    for number in range(6, 10):
        make_folded(make_cause(message=f"newsletter:{number}"))

    with django_assert_max_num_queries(len(few)):
        signed_in.get("/")
