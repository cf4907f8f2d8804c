"""Pages and actions of the desk ask for a permission, and show only what may be used."""

import pytest

from briefs.tests.factories import make_brief, make_research
from conftest import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_role(client, django_user_model):
    def sign_in(role):
        client.force_login(make_user(django_user_model, "kim", role))
        return client

    return sign_in


@pytest.mark.parametrize(
    "action",
    [
        "assign",
        "close",
        "retry",
        "renew",
        "contact",
        "give",
        "give-back",
        "snooze",
        "wake",
        "comment",
        "correct",
        "reopen",
    ],
)
def test_viewer_reads_a_brief_and_is_refused_every_action(as_role, action):
    brief = make_brief(research=make_research(status="failed"))
    viewer = as_role("Viewer")

    page = viewer.get(brief.get_absolute_url())
    refused = viewer.post(f"{brief.get_absolute_url()}{action}/", {"outcome": "retained"})

    assert brief.customer.email in page.content.decode()
    assert f"{brief.get_absolute_url()}{action}/" not in page.content.decode()
    brief.refresh_from_db()
    assert (refused.status_code, brief.state) == (403, "new")


def test_agent_is_shown_the_actions(as_role):
    brief = make_brief(research=make_research(status="failed"))

    page = as_role("Agent").get(brief.get_absolute_url()).content.decode()

    for action in ("assign", "close", "retry", "contact", "give", "snooze", "comment"):
        assert f"{brief.get_absolute_url()}{action}/" in page


@pytest.mark.parametrize(
    "path",
    ["/", "/insights/", "/insights/days.csv", "/webhook-health/", "/companies/?name=Acme",
     "/customers/1/"],
)  # fmt: skip
def test_without_a_role_no_page_is_open(as_role, path):
    assert as_role("").get(path).status_code == 403


def test_links_into_the_admin_ask_the_page_that_they_lead_to(as_role, django_user_model):
    brief = make_brief()
    link = f"/admin/personas/persona/{brief.persona_id}/change/"
    client = as_role("Agent")
    django_user_model.objects.update(is_staff=True)

    as_agent = client.get(brief.get_absolute_url()).content.decode()
    client.force_login(make_user(django_user_model, "ed", "Editor"))
    as_editor = client.get(brief.get_absolute_url()).content.decode()

    assert link not in as_agent
    assert link in as_editor
