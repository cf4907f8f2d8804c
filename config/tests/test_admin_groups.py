"""The admin's index and side bar: pages in groups by what people do there, each with its rights."""

import pytest

from conftest import make_user

pytestmark = pytest.mark.django_db


def groups(client) -> dict[str, list[str]]:
    index = client.get("/admin/").context["app_list"]
    return {group["name"]: [str(page["name"]) for page in group["models"]] for group in index}


@pytest.fixture
def as_role(client, django_user_model):
    """The client, signed in as somebody with this role."""

    def sign_in(role):
        client.force_login(make_user(django_user_model, role.lower(), role))
        return client

    return sign_in


def test_editor_finds_rules_and_work_and_nothing_of_the_machinery(as_role):
    found = groups(as_role("Editor"))

    assert list(found) == ["Rules", "Work"]
    assert found["Rules"][:4] == ["Personas", "Signal rules", "First steps", "Attribute names"]
    assert "Research policy" not in found["Rules"]
    assert "Briefs" in found["Work"]


def test_lead_finds_what_the_role_may_read_among_the_work(as_role):
    found = groups(as_role("Lead"))

    assert list(found) == ["Rules", "Work"]
    assert "Closing reasons" in found["Rules"]
    assert {"Events", "Mave calls"} <= set(found["Work"])


def test_whoever_runs_savedesk_has_a_third_group(admin_client):
    found = groups(admin_client)

    assert list(found) == ["Rules", "Work", "Running Savedesk"]
    assert {"Events", "Webhook health", "Mave calls", "Users"} <= set(found["Running Savedesk"])
    assert "Events" not in found["Work"]


def test_each_page_of_the_admin_is_in_one_group(admin_client):
    from django.contrib.admin import site

    pages = [page for group in admin_client.get("/admin/").context["app_list"]
             for page in group["models"]]  # fmt: skip

    assert {page["model"] for page in pages if "model" in page} == set(site._registry)
    assert len({page["admin_url"] for page in pages}) == len(pages)
    assert all(page["about"] for page in pages)


def test_page_of_one_app_keeps_its_address(as_role):
    page = as_role("Editor").get("/admin/personas/")

    assert [app["app_label"] for app in page.context["app_list"]] == ["personas"]
