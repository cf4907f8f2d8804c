"""Trying rules in Chromium: with and without JavaScript, at a desk and on a phone."""

from urllib.parse import urljoin

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from briefs.admin.tests.test_trying import ENTERPRISE, PAGE, payload_of, persona
from briefs.desk.tests.conftest import open_page  # noqa: F401 - a fixture
from briefs.desk.tests.test_browser import LOOKS, assert_fit_for_everybody, editor  # noqa: F401
from briefs.tests.factories import make_customer, make_event
from personas.models import Persona

pytestmark = [
    pytest.mark.browser,
    pytest.mark.on_sqlite,
    pytest.mark.usefixtures("editor"),
]


@pytest.fixture
def ada(starter):
    customer = make_customer(attributes=ENTERPRISE)
    make_event(payload_of(customer))
    return customer


def page_of(row) -> str:
    return reverse("admin:personas_persona_change", args=[row.pk])


def press(page, button="Try it"):
    with page.expect_navigation():
        page.get_by_role("button", name=button, exact=True).click()


@LOOKS
def test_the_pages_are_accessible_and_fit_the_screen(open_page, ada, size, scheme):  # noqa: F811
    page = open_page(PAGE, size=size, scheme=scheme)
    assert_fit_for_everybody(page)
    page.get_by_role("radio").first.check()
    press(page)
    expect(page.get_by_role("heading", name="What would happen")).to_be_in_viewport()
    assert_fit_for_everybody(page)

    page.goto(urljoin(page.url, page_of(persona("Enterprise, low usage"))))
    page.get_by_label("A customer’s attributes").fill('{"plan": "enterprise" "usage": "low"}')
    press(page)
    expect(page.locator("#try .errorlist")).to_contain_text("breaks in line 1, at character 23")
    # Django's own: the first column of its inline tables has no heading.
    assert_fit_for_everybody(page, besides={"empty-table-header"})


@pytest.mark.parametrize("javascript", [True, False])
def test_an_edit_is_tried_on_somebody_found_with_the_keyboard(open_page, ada, javascript):  # noqa: F811
    trial = persona("Trial")
    page = open_page(page_of(trial), javascript=javascript)
    page.get_by_label("Position", exact=False).fill("1")
    page.locator("#id_conditions-0-value").fill("enterprise")

    page.get_by_label("Find a customer or an event").fill(ada.email)
    with page.expect_navigation():
        page.keyboard.press("Enter")

    expect(page.get_by_role("radio", name="Ada Moreau")).to_be_checked()
    expect(page.locator("#tried .verdict")).to_have_text(
        "A brief is opened: High, Unsubscribed, for “Trial”."
    )
    expect(page.locator("#id_position")).to_have_value("1")
    assert Persona.objects.get(pk=trial.pk).position == 90


def test_enter_on_a_choice_tries_and_saves_nothing(open_page, ada):  # noqa: F811
    trial = persona("Trial")
    page = open_page(page_of(trial))
    page.locator("#id_position").fill("1")

    page.get_by_role("radio", name="customer unsubscribed").check()
    with page.expect_navigation():
        page.keyboard.press("Enter")

    expect(page.locator("#tried .verdict")).to_contain_text("for “Enterprise, low usage”")
    assert Persona.objects.get(pk=trial.pk).position == 90
