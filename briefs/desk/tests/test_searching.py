"""The search box of the inbox: what its page shows besides the list."""

import pytest

from briefs.finding import listing
from briefs.finding import search as searching
from briefs.finding.words import indexing
from briefs.models import Brief, Comment, RecentSearch
from briefs.tests.factories import make_brief, make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(user):
    customer = make_customer(attributes={"name": "Ann Doe"}, company="Doe & Sons")
    brief = make_brief(customer=customer)
    Comment.objects.create(brief=brief, actor=user, text="<script>alert(1)</script> needle")
    indexing.run()
    return brief


def page(client, query):
    return client.get(f"/{query}").content.decode()


def test_row_says_where_it_was_found_and_runs_nothing(signed_in, ann):
    html = page(signed_in, "?q=needle")

    assert "Comment: &lt;script" in html
    assert "<mark>needle</mark>" in html
    assert "<script>alert" not in html


def test_customers_and_companies_stand_above_the_list(signed_in, ann):
    alone = make_customer(attributes={"name": "Ann Lee"})
    indexing.run()

    html = page(signed_in, "?q=ann")
    assert f'<a href="/customers/{ann.customer_id}/">Ann Doe</a>' in html
    assert f'<a href="/customers/{alone.pk}/">Ann Lee</a>' in html
    assert "Companies:" not in html
    assert '<a href="/companies/?name=Doe%20%26%20Sons">' in page(signed_in, "?q=sons")


def test_company_is_shown_once_also_where_newer_customers_hide_its_people(signed_in):
    for company in ("Fjord", "FJORD", "Fjord", "Fjord Holding"):
        make_customer(company=company)
    for number in range(6):
        make_customer(email=f"{number}@fjord.example")
    indexing.run()

    response = signed_in.get("/?q=fjord")

    assert response.context["companies"] == ["Fjord", "Fjord Holding"]


def test_company_is_shown_once_in_any_alphabet(signed_in):
    for company in ("Ünal", "ünal", "Ünal"):
        make_customer(company=company)
    indexing.run()

    assert signed_in.get("/?q=unal").context["companies"] == ["Ünal"]


def test_best_comes_first_unless_another_order_is_asked_for(signed_in, ann):
    newer = make_brief(persona_why="said by ann")
    indexing.run()

    def keys(query):
        return [brief.pk for brief in signed_in.get(f"/{query}").context["page"].object_list]

    assert keys("?q=ann") == [ann.pk, newer.pk]
    assert keys("?q=ann&ordering=age") == [newer.pk, ann.pk]
    assert "Sort by date" in page(signed_in, "?q=ann")
    assert "Sort by relevance" in page(signed_in, "?q=ann&ordering=age")


def test_best_comes_first_also_where_it_is_older_than_what_is_shown(signed_in, monkeypatch):
    best = make_brief(customer=make_customer(attributes={"name": "Fjord"}))
    for number in range(3):
        make_brief(customer=make_customer(email=f"{number}@fjordline.example"))
    indexing.run()
    monkeypatch.setattr(listing, "MOST", 2)

    response = signed_in.get("/?q=fjord")

    assert response.context["page"].object_list[0] == best
    assert response.context["page"].paginator.count == 2


def test_page_says_if_there_are_more_words_than_are_searched_for(signed_in, ann):
    ten = " ".join(f"-{letter}{letter}" for letter in "bcdefghij") + " ann"

    assert "Only the first ten" not in page(signed_in, f"?q={ten} ann -bb")  # each counts once
    assert "Only the first ten words and phrases were searched for." in page(
        signed_in, f"?q={ten} -ann"
    )
    assert len(signed_in.get(f"/?q={ten} -ann").context["page"].object_list) == 1


def test_page_tells_how_to_find_more_when_nothing_is_found(signed_in, ann):
    assert "Words match from their start" in page(signed_in, "?q=eedle")


def test_page_says_that_the_search_is_still_being_built(signed_in, ann):
    assert "still being built" in page(signed_in, "?q=ann")

    indexing.build(60)

    assert "still being built" not in page(signed_in, "?q=ann")


def test_of_very_many_the_page_says_so_and_no_tab_has_a_number(signed_in, ann, monkeypatch):
    make_brief()
    indexing.run()
    monkeypatch.setattr(searching, "FEW", 1)
    monkeypatch.setattr(searching, "LOOKED_AT", (1,))

    html = page(signed_in, "?q=unsubscribed")

    assert "Very many briefs say this" in html
    assert html.count("tab-number") == 1


@pytest.mark.parametrize(
    ("looked_at", "words", "ending"),
    [
        (1, "Download some of the newest as CSV", "-some-of-the-newest.csv"),
        (2, "Download as CSV", "1.csv"),  # the day ends the name
    ],
)
@pytest.mark.begins_at("2027-03-01T12:00")
def test_download_of_a_search_says_whether_briefs_may_be_missing(
    signed_in, ann, monkeypatch, looked_at, words, ending
):
    make_brief()
    indexing.run()
    monkeypatch.setattr(searching, "FEW", 1)
    monkeypatch.setattr(searching, "LOOKED_AT", (looked_at,))

    assert words in page(signed_in, "?q=unsubscribed")
    for address in ("/briefs.csv", "/api/v1/briefs/csv/"):
        told = signed_in.get(f"{address}?q=unsubscribed")["Content-Disposition"]
        assert told.endswith(f'{ending}"')


def test_last_ten_searches_are_offered_to_the_person_alone(signed_in, user, lead, ann):
    RecentSearch.objects.note(lead, "theirs alone")
    for number in range(12):
        RecentSearch.objects.note(user, f"search {number}")

    page(signed_in, "?q=needle")
    page(signed_in, "?q=finds-nothing")
    page(signed_in, "?q=needle&page=2")

    offered = RecentSearch.objects.last_of(user)
    assert offered == ["needle", *(f"search {number}" for number in range(11, 2, -1))]
    html = page(signed_in, "")
    assert '<option value="needle">' in html
    assert "theirs alone" not in html


def test_search_is_not_offered_before_it_is_typed_to_its_end(signed_in, user, ann):
    typing = {"HX-Request": "true", "HX-Trigger": "id_q"}

    html = signed_in.get("/?q=need", headers=typing).content.decode()

    assert "needle" in html
    assert not RecentSearch.objects.last_of(user)


def test_search_that_is_repeated_comes_first_once(user):
    for text in ("a", "b", "a"):
        RecentSearch.objects.note(user, text)

    assert RecentSearch.objects.last_of(user) == ["a", "b"]


def test_person_can_have_their_searches_forgotten(signed_in, user, lead):
    RecentSearch.objects.note(user, "mine")
    RecentSearch.objects.note(lead, "theirs alone")

    assert signed_in.get("/searches/forget/").status_code == 405
    signed_in.post("/searches/forget/")

    assert RecentSearch.objects.last_of(user) == []
    assert RecentSearch.objects.last_of(lead) == ["theirs alone"]


def test_search_within_a_tab_finds_what_the_tab_holds(signed_in, ann):
    Brief.objects.filter(pk=ann.pk).close("retained")

    assert not signed_in.get("/?q=needle").context["page"].object_list
    assert signed_in.get("/?q=needle&state=closed").context["page"].object_list == [ann]
