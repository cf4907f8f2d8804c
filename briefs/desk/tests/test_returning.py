"""From a list to a brief and back: the tab, the filters and the page are still there."""

import pytest
from django.urls import reverse

from briefs.models import Brief
from briefs.tests.factories import make_brief
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
