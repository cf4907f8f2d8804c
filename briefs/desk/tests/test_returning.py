"""From a list to a brief and back: the tab, the filters and the page are still there."""

import pytest
from django.urls import reverse

from briefs.desk import neighbours
from briefs.desk.tests.pages import messages
from briefs.desk.tests.test_stale_forms import opened, send
from briefs.finding.tests.test_folds import make_folded
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_cause, make_customer
from briefs.triage.freshness import Seen

pytestmark = pytest.mark.django_db
FROM = "kind%3Dunsubscribed%26state%3Dunassigned"
BACK = '<a href="/?kind=unsubscribed&amp;state=unassigned">Inbox: Unassigned</a>'


def test_row_leads_to_the_brief_with_its_list(signed_in):
    brief = make_brief()

    page = signed_in.get("/?state=unassigned&kind=unsubscribed").content.decode()

    assert f'href="{brief.get_absolute_url()}?from={FROM}"' in page


def test_breadcrumb_leads_back_to_the_list(signed_in):
    page = signed_in.get(f"{make_brief().get_absolute_url()}?from={FROM}").content.decode()

    assert BACK in page


def test_without_a_list_the_breadcrumb_is_the_inbox(signed_in):
    page = signed_in.get(make_brief().get_absolute_url()).content.decode()

    assert '<a href="/">Inbox</a>' in page


@pytest.mark.parametrize("is_named", [True, False])
def test_action_keeps_the_way_back(signed_in, is_named):
    brief = make_brief()
    data = {"based_on": str(Seen.of(Brief.objects.get(pk=brief.pk)))}
    where = {"from": "kind=unsubscribed&state=unassigned"} if is_named else {}
    before = f"http://testserver{brief.get_absolute_url()}?from={FROM}"
    headers = {} if is_named else {"Referer": before}

    response = signed_in.post(
        reverse("briefs:assign", args=[brief.pk]), {**data, **where}, headers=headers, follow=True
    )

    assert BACK in response.content.decode()


@pytest.mark.parametrize(
    "given",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "next=https://evil.example",
     "javascript:alert(1)", "state=mine#//evil.example", "%00", "&" * 5000],
)  # fmt: skip
def test_way_back_leads_nowhere_else(signed_in, given):
    response = signed_in.get(make_brief().get_absolute_url(), {"from": given})

    assert response.context["back"].startswith("/")
    assert not response.context["back"].startswith(("//", "/\\"))
    assert "evil" not in response.context["back"].partition("?")[0]
    assert "next" not in response.context["back"]


def test_page_before_of_another_host_is_not_believed(signed_in):
    headers = {"Referer": "https://evil.example/?state=closed"}

    response = signed_in.get(make_brief().get_absolute_url(), headers=headers)

    assert response.context["back"] == "/"


# After closing comes the next brief of the list.


def closed(client, brief, query=""):
    entered = {"outcome": "no_response", "from": query}
    return send(client, "close", brief, opened(client, brief), **entered)


def address(response):
    return response.redirect_chain[-1][0]


def test_after_closing_comes_the_next_one_of_the_list(signed_in):
    make_brief(priority=1)
    make_brief(priority=2, kind="bounced")
    following, brief = make_brief(priority=3), make_brief(priority=4)

    first = closed(signed_in, brief, "kind=unsubscribed")

    assert address(first) == f"{following.get_absolute_url()}?from=kind%3Dunsubscribed"
    [said] = messages(first)
    assert said.startswith("Closed: No response.")
    assert f'href="{brief.get_absolute_url()}?from=kind%3Dunsubscribed#reopen-form"' in said


def test_after_one_of_an_open_fold_comes_the_next_of_the_fold_and_then_the_line_below(signed_in):
    cause = make_cause()
    briefs = make_folded(cause, 6, priority=3)
    below = make_brief(priority=1)
    query = f"unfold={cause.pk}"

    after = address(closed(signed_in, briefs[2], query))
    after_the_last = address(closed(signed_in, briefs[5], query))

    assert after == f"{briefs[3].get_absolute_url()}?from=unfold%3D{cause.pk}"
    assert after_the_last.startswith(below.get_absolute_url())


def test_in_the_list_of_all_the_closed_ones_are_passed_over(signed_in):
    following, ended, brief = make_brief(), make_brief(), make_brief()
    ended.close("retained")

    assert address(closed(signed_in, brief, "state=all")).startswith(following.get_absolute_url())


@pytest.mark.parametrize("cause", ["None", "0", "-", "x"])
def test_open_fold_that_is_none_is_no_fault(signed_in, cause):
    following, brief = make_brief(priority=3), make_brief(priority=4)

    after = address(closed(signed_in, brief, f"unfold={cause}"))

    assert after.startswith(following.get_absolute_url())


def test_after_the_last_one_comes_the_list(signed_in):
    make_brief(priority=4)
    last = make_brief(priority=1)

    assert address(closed(signed_in, last, "state=unassigned")) == "/?state=unassigned"


@pytest.mark.parametrize(
    ("page", "is_found"), [("1", True), ("2", True), ("4", False), ("x", True)]
)
def test_the_page_of_the_brief_and_those_beside_it_are_looked_at(
    signed_in, monkeypatch, page, is_found
):
    monkeypatch.setattr(neighbours, "PAGE_SIZE", 2)
    briefs = [make_brief(priority=4 - number // 2) for number in range(4)]

    led_to = address(closed(signed_in, briefs[1], f"page={page}"))

    assert led_to.startswith(briefs[2].get_absolute_url() if is_found else "/?page=4")


def test_name_of_a_customer_is_no_markup_in_the_message(signed_in):
    customer = make_customer(attributes={"name": "<b>Ada</b>"})

    [said] = messages(closed(signed_in, make_brief(customer=customer)))

    assert "&lt;b&gt;Ada&lt;/b&gt;" in said
