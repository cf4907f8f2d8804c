"""Open pages learn what changed, and what somebody typed is never lost."""

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from briefs.desk import live
from briefs.desk.tests.pages import rows
from briefs.finding.tests.test_folds import make_folded
from briefs.finding.words import indexing
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_cause, make_customer
from briefs.triage.bulk import choose
from briefs.triage.freshness import Seen
from conftest import make_user

pytestmark = pytest.mark.django_db
SCRIPT = "text/javascript"
in_a_browser = [pytest.mark.browser, pytest.mark.on_sqlite]


@pytest.fixture(autouse=True)
def newest(monkeypatch):
    """The newest rows are looked at for each request, and no minute ends between two."""
    monkeypatch.setattr(live, "NEWEST_SECONDS", 0)
    monkeypatch.setattr(live, "_minute", lambda: 1)
    cache.clear()


def list_page(client, query=""):
    """Where the script of this list asks."""
    response = client.get(f"/{query}")
    shown = ",".join(f"{brief.pk}:{brief.revision}" for brief in rows(response))
    return f"{response.context['live']}&shown={shown}"


def asked(client, address, tag=""):
    response = client.get(address, headers={"If-None-Match": tag} if tag else {})
    return response.status_code, response.headers.get("ETag", ""), response


def told(client, address):
    return json.loads(client.get(address).content)


# The list.


def test_nothing_changed_is_304_and_takes_a_handful_of_queries(
    signed_in, django_assert_max_num_queries
):
    make_brief()
    address = list_page(signed_in)
    status, tag, response = asked(signed_in, address)
    assert (status, json.loads(response.content)) == (200, {"news": "", "rows": {}})

    with django_assert_max_num_queries(6):  # session, person, rows, newest brief and two entries
        status, same, response = asked(signed_in, address, tag)

    assert (status, same, response.content) == (304, tag, b"")


def test_new_briefs_of_the_list_are_counted_and_others_are_not(signed_in):
    make_brief()
    address = list_page(signed_in, "?kind=unsubscribed")
    _, tag, _ = asked(signed_in, address)
    make_brief(), make_brief(), make_brief(kind="bounced")

    status, _, response = asked(signed_in, address, tag)

    assert (status, json.loads(response.content)["news"]) == (200, "2 new")


def test_brief_that_a_colleague_gives_one_is_new_in_mine(signed_in, user, lead):
    brief = make_brief(created_at=timezone.now() - timedelta(days=1))
    address = list_page(signed_in, "?state=mine")

    brief.assign(user, lead)

    assert told(signed_in, address)["news"] == "1 new"


def test_changed_rows_say_what_was_done_and_by_whom(signed_in, user, lead):
    taken, closed, same = make_brief(), make_brief(), make_brief()
    address = list_page(signed_in)
    taken.assign(lead, lead)
    closed.close("no_response", "", lead)

    answer = told(signed_in, address)

    assert answer["news"] == "2 rows changed"
    assert str(same.pk) not in answer["rows"]
    assert answer["rows"][str(taken.pk)]["mark"] == "Changed"
    assert answer["rows"][str(closed.pk)] == {
        "mark": "Closed", "said": "lee closed it: No response"
    }  # fmt: skip


def test_a_closed_one_makes_room_for_no_new_one(signed_in, lead):
    closed = make_brief()
    make_brief()
    address = list_page(signed_in)

    closed.close("no_response", "", lead)

    assert told(signed_in, address)["news"] == "1 row changed"


@pytest.mark.parametrize("what", ["fewer", "more", "another owner"])
def test_fold_that_is_another_is_a_changed_row(signed_in, lead, what):
    cause = make_cause(incident_at=timezone.now())
    briefs = make_folded(cause, 6)
    [fold] = [line.fold for line in signed_in.get("/").context["lines"]]
    address = f"{list_page(signed_in)}&folds={cause.pk}:{fold.state}"
    _, tag, same = asked(signed_in, address)
    assert json.loads(same.content)["rows"] == {}

    match what:
        case "fewer":
            briefs[0].assign(lead, lead)
        case "more":
            make_folded(cause, 1)
        case _:
            cause.give(lead, "took it", lead)

    _, _, response = asked(signed_in, address, tag)
    answer = json.loads(response.content)
    number = {"fewer": 5, "more": 7}.get(what, 6)
    assert answer["rows"] == {f"fold-{cause.pk}": {"mark": "Changed", "said": f"{number} now"}}
    assert answer["news"].endswith("1 row changed")


def test_a_search_is_not_counted_but_its_rows_are_marked(signed_in, lead):
    brief = make_brief(customer=make_customer(attributes={"name": "Ada"}))
    indexing.run()
    address = list_page(signed_in, "?q=Ada")
    make_brief(customer=make_customer(attributes={"name": "Ada"}))
    brief.assign(lead, lead)

    assert told(signed_in, address)["news"] == "1 row changed"


@pytest.mark.parametrize(
    "query", ["", "shown=x", "shown=1:2:3,,", "count=x&at=x", "shown=" + "9" * 18 + ":1",
              "at=2026-13-45T00:00:00", "at=2026-11-29T10:00:00", "count=%C2%B2",
              "state=nonsense&page=x", "folds=x", "folds=1:2-3-1,9:9-9-9"]
)  # fmt: skip
def test_any_address_is_answered(signed_in, query):
    assert signed_in.get(f"{reverse('briefs:live')}?{query}").status_code == 200


@pytest.mark.parametrize("name", ["live", "live_brief"])
def test_without_session_or_role_nothing_is_told(client, django_user_model, name):
    brief = make_brief()
    address = reverse(f"briefs:{name}", args=[brief.pk] if name == "live_brief" else [])

    assert client.get(address).status_code == 401
    client.force_login(make_user(django_user_model, "kim", ""))
    assert client.get(address).status_code == 403


# The page of a brief.


def brief_page(brief):
    return f"{reverse('briefs:live_brief', args=[brief.pk])}?based_on={Seen.of(brief)}"


def test_brief_tells_who_did_what(signed_in, lead):
    brief = make_brief()
    address = brief_page(brief)
    _, tag, response = asked(signed_in, address)
    assert json.loads(response.content) == {"news": ""}
    assert asked(signed_in, address, tag)[0] == 304
    brief.assign(lead, lead)
    brief.close("no_response", "", lead)

    status, _, response = asked(signed_in, address, tag)

    words = "lee closed it: No response, just now, and 1 more"
    assert (status, json.loads(response.content)) == (200, {"news": words})


def test_change_without_an_entry_is_no_news(signed_in):
    brief = make_brief()
    address = brief_page(brief)

    Brief.objects.update()

    assert told(signed_in, address) == {"news": ""}


def test_brief_that_is_gone_is_404(signed_in):
    assert signed_in.get(reverse("briefs:live_brief", args=[999_999])).status_code == 404


# In a browser.


class TestInABrowser:
    pytestmark = in_a_browser

    @pytest.fixture
    def quick(self, open_page):
        """Pages that ask every 250 ms."""
        script = (settings.BASE_DIR / "static" / "live.js").read_text()
        assert "EVERY = 8000" in script
        quick = script.replace("EVERY = 8000", "EVERY = 250")

        def open_(path, **options):
            page = open_page("/account/", **options)
            # Of its own, for a page may be left before the server has answered.
            page.route("**/live.js", lambda route: route.fulfill(body=quick, content_type=SCRIPT))
            page.goto(page.url.replace("/account/", path))
            return page

        return open_

    def test_two_tabs_stay_true(self, quick, starter, lead):
        brief = make_brief(customer=make_customer(attributes={"name": "Ada Moreau"}))
        rows, page = quick("/"), quick(brief.get_absolute_url())
        page.locator("summary", has_text="Comment").click()
        page.fill("#comment-form textarea", "Half a thought")

        brief.close("no_response", "", lead)
        make_brief()

        expect(rows.locator(".live-news")).to_have_text("1 new · 1 row changed")
        expect(rows.locator(".live-mark")).to_have_text("Closed")
        expect(rows.locator("tbody tr")).to_have_count(1)  # nothing moved
        expect(page.locator("#live-note")).to_contain_text("lee closed it: No response, just now")
        expect(page.locator("#comment-form textarea")).to_have_value("Half a thought")
        page.locator("#live-note a").click()
        expect(page.locator(".triage")).to_contain_text("Closed: No response")
        expect(page.locator("#comment-form textarea")).to_have_value("Half a thought")

    def test_mark_of_a_row_says_what_was_done_last(self, quick, starter, lead):
        brief = make_brief()
        page = quick("/")
        mark = page.locator(".live-mark")

        brief.log("called them", lead)
        expect(mark).to_have_attribute("title", "lee called them")
        brief.log("called them again", lead)

        expect(mark).to_have_attribute("title", "lee called them again")
        expect(mark).to_have_text("Changed")

    def test_end_of_the_session_is_said_and_what_was_typed_comes_back(
        self, quick, starter, user, client
    ):
        brief = make_brief()
        page = quick(brief.get_absolute_url())
        page.locator("summary", has_text="Comment").click()
        page.fill("#comment-form textarea", "A long thought")
        page.context.clear_cookies(name="sessionid")

        expect(page.locator("#live-note")).to_contain_text("You are signed out")
        page.locator("#comment-form button[type=submit]").click()
        page.fill("[name=username]", "robin")
        page.fill("[name=password]", "a-long-password")
        page.get_by_role("button", name="Sign in").click()

        expect(page.locator("#comment-form textarea")).to_have_value("A long thought")
        page.locator("#comment-form [type=submit]").click()
        expect(page.locator(".messages")).to_contain_text("Your comment is there.")
        expect(page.locator("#comment-form textarea")).to_have_value("")

    def test_page_that_is_not_open_any_more_says_so_and_leads_to_whom_to_ask(
        self, quick, starter, user, lead
    ):
        page = quick(make_brief().get_absolute_url())

        user.groups.clear()

        note = page.locator("#live-note")
        expect(note).to_contain_text("This page is not open to you any more")
        note.get_by_role("link").click()
        expect(page.locator(".card")).to_contain_text("Please ask your lead: lee")

    def test_what_was_typed_survives_a_refused_form_that_one_turns_away_from(
        self, quick, starter, lead
    ):
        brief = make_brief()
        page = quick(brief.get_absolute_url())
        page.locator("summary", has_text="Close this brief").click()
        page.check("#close_form_outcome_3")
        page.fill("#close-form textarea", "They only moved.")
        brief.log("called them", lead)
        page.locator("#close-form [type=submit]").click()
        expect(page.locator(".arrived-since")).to_be_visible()

        page.goto(page.url.replace("close/", ""))

        expect(page.locator("#close-form textarea")).to_have_value("They only moved.")
        expect(page.locator("#close_form_outcome_3")).to_be_checked()

    def test_draft_of_a_form_that_is_gone_is_shown_and_forgotten_by_signing_out(
        self, quick, starter, lead
    ):
        brief = make_brief()
        page = quick(brief.get_absolute_url())
        page.locator("summary", has_text="Log contact").click()
        page.fill("#contact-form textarea", "They call back on Monday")
        brief.close("no_response", "", lead)

        page.reload()

        expect(page.locator(".draft-left")).to_contain_text("They call back on Monday")
        page.locator(".menu summary").click()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        kept = page.evaluate("Object.keys(sessionStorage)")
        assert not [key for key in kept if key.startswith("savedesk:")]

    def test_what_did_not_arrive_is_not_taken_for_sent_by_the_next_button(self, quick, starter):
        page = quick(make_brief().get_absolute_url())
        page.locator("summary", has_text="Comment").click()
        page.fill("#comment-form textarea", "A long thought")
        # As after an error one comes back to a page that the browser has kept.
        page.route("**/comment/", lambda route: route.fulfill(status=204))
        page.locator("#comment-form [type=submit]").click()

        page.locator("#assign [type=submit]").click()

        expect(page.locator(".messages")).to_contain_text("The brief is yours.")
        expect(page.locator("#comment-form textarea")).to_have_value("A long thought")

    def test_what_was_done_with_many_is_no_draft(self, quick, starter, user):
        act = choose([make_brief().pk], user, "close")
        page = quick(f"/bulk/{act.pk}/")
        page.check("#close_form_outcome_2")
        page.fill("textarea", "Nobody answers.")
        assert "draft:" in page.evaluate("Object.keys(sessionStorage).join()")

        page.locator("#bulk-form [type=submit]").click()

        expect(page.locator("main")).to_contain_text("1 brief is closed.")
        page.wait_for_load_state()  # its scripts have run
        assert "draft:" not in page.evaluate("Object.keys(sessionStorage).join()")

    def test_what_a_colleague_was_faster_with_was_sent_and_is_no_draft(self, quick, starter, lead):
        brief = make_brief()
        page = quick(brief.get_absolute_url())
        page.locator("summary", has_text="Close this brief").click()
        page.check("#close_form_outcome_3")
        page.fill("#close-form textarea", "They only moved.")
        brief.close("no_response", "", lead)

        page.locator("#close-form button[type=submit]").click()

        expect(page.locator(".messages")).to_contain_text("is kept in the timeline")
        expect(page.locator(".draft-left")).to_have_count(0)

    def test_what_was_typed_on_the_page_of_an_incident_outlasts_session_and_closing(
        self, quick, starter, user, lead
    ):
        incident = make_cause(incident_at=timezone.now())
        page = quick(incident.get_absolute_url())
        for form, words in (("note", "Sent twice"), ("close", "Stopped the second one")):
            page.locator("summary", has_text=form).click()
            page.fill(f"[action$='/{form}/'] textarea", words)
        page.context.clear_cookies(name="sessionid")
        page.locator("[action$='/note/'] button[type=submit]").click()
        page.fill("[name=username]", "robin")
        page.fill("[name=password]", "a-long-password")
        page.get_by_role("button", name="Sign in").click()

        expect(page.locator("[action$='/note/'] textarea")).to_have_value("Sent twice")
        page.locator("[action$='/note/'] button[type=submit]").click()
        expect(page.locator(".messages")).to_contain_text("The note is in the log.")
        expect(page.locator("[action$='/note/'] textarea")).to_have_value("")
        incident.close("It was one only.", lead)
        page.reload()
        expect(page.locator(".draft-left")).to_contain_text("Stopped the second one")
