"""The page of tokens in Chromium: with the keyboard alone, without JavaScript, on a phone."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import ApiToken, Role
from accounts.tokens.tests.making import make_token

pytestmark = [pytest.mark.browser, pytest.mark.on_sqlite]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
OWN, TEAM = "/account/tokens/", "/team/tokens/"


@pytest.fixture
def open_page(chromium, live_server, client, lead):
    """Open a page as a lead, without JavaScript; complaints of the console are collected."""
    client.force_login(lead)
    contexts = []

    def open_(path, size=DESK, scheme="light"):
        context = chromium.new_context(
            viewport=size, color_scheme=scheme, java_script_enabled=False
        )
        contexts.append(context)
        value = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": value, "url": live_server.url}])
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.goto(f"{live_server.url}{path}")
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.fixture
def rows(user, lead):
    """Tokens in every state."""
    for person in (user, lead):
        make_token(person, Role.VIEWER, name="weekly report")
        make_token(person, Role.VIEWER, name="expired", months=3)
        make_token(person, Role.VIEWER, name="a-name-of-one-long-word-" * 3)
        make_token(person, Role.VIEWER, name="of before")
    now = timezone.now()
    ApiToken.objects.filter(name="expired").update(expiry=now, last_used_at=now)
    ApiToken.objects.filter(name="of before").update(role="", expiry=now + timedelta(days=9))


@pytest.mark.parametrize("path", [OWN, TEAM])
@pytest.mark.parametrize(  # no colour changes a width
    ("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone", "desk"]
)
def test_page_is_as_wide_as_the_screen_and_the_browser_has_no_complaint(
    open_page, rows, path, size, scheme
):
    page = open_page(path, size, scheme)

    widest = page.locator("main").evaluate("() => document.documentElement.scrollWidth")
    assert widest <= size["width"]
    assert page.complaints == []


def test_token_is_made_copied_and_revoked_with_the_keyboard_alone(open_page, lead):
    page = open_page(OWN, PHONE)
    page.get_by_label("Name").focus()
    page.keyboard.type("weekly report")
    for key in ("Tab", "Tab", "Tab", "Enter"):  # past role and months to the button
        page.keyboard.press(key)

    shown = page.get_by_label("The token", exact=True)
    expect(shown).to_be_focused()
    assert len(shown.input_value()) == 64
    assert shown.evaluate("field => field.scrollHeight <= field.clientHeight")  # all of it
    page.get_by_role("link", name="I have copied it").press("Enter")
    page.get_by_role("button", name="Revoke weekly report").press("Enter")

    expect(page.get_by_role("status")).to_contain_text("“weekly report” is revoked")
    assert not ApiToken.objects.exists()


def test_reload_of_the_page_with_the_token_shows_it_no_more_after_going_on(open_page):
    page = open_page(OWN)
    page.get_by_label("Name").fill("weekly report")
    page.get_by_role("button", name="Make a token").click()
    token = page.get_by_label("The token", exact=True).input_value()

    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("button", name="Make a token").wait_for()
    page.reload()

    assert token not in page.content()
    assert ApiToken.objects.count() == 1
