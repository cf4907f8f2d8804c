"""The pages of the team in Chromium: nothing is cut off, nothing runs inline, keys suffice."""

import os
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.people import leaving
from conftest import make_user

pytestmark = [pytest.mark.browser, pytest.mark.on_sqlite]
SHOTS = os.environ.get("SHOTS")  # a folder, to look at the pages


@pytest.fixture
def people(live_server, django_user_model, user, lead):
    """A team with every kind of row."""
    model = django_user_model
    model.objects.filter(pk=user.pk).update(first_name="Robin", last_name="Berg")
    TOTPDevice.objects.create(user=user, confirmed=True)
    long = make_user(model, "maximiliane.von-und-zu-hohenlohe-langenburg@example.com", "Editor")
    make_user(model, "nobody", "")
    leaving.deactivate(make_user(model, "gone", "Agent"), lead)
    superuser = model.objects.create_superuser("root", "root@example.com", "a-password")
    return {"user": user, "lead": lead, "long": long, "root": superuser}


@pytest.fixture
def open_as(chromium, live_server, client):
    """Open a page as somebody."""
    contexts = {}

    def open_(somebody, path, *, width=1280, scheme="light", javascript=False):
        key = (somebody, width, scheme, javascript)
        if key not in contexts:
            contexts[key] = chromium.new_context(
                viewport={"width": width, "height": 900},
                color_scheme=scheme,
                java_script_enabled=javascript,
            )
            if somebody:
                client.force_login(somebody)
                session = client.cookies["sessionid"].value
                cookie = {"name": "sessionid", "value": session, "url": live_server.url}
                contexts[key].add_cookies([cookie])
        page = contexts[key].new_page()
        page.goto(f"{live_server.url}{path}")
        return page

    yield open_
    for context in contexts.values():
        context.close()


def looked_at(page, name):
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def pages(people):
    """Every page, with who opens it."""
    lead, user = people["lead"], people["user"]
    of = {name: reverse("accounts:person", args=[people[name].pk]) for name in people}
    return {
        "team": (lead, reverse("accounts:team")),
        "inactive": (lead, f"{reverse('accounts:team')}?show=inactive"),
        "add": (lead, reverse("accounts:add_person")),
        "person": (lead, of["user"]),
        "long": (lead, of["long"]),
        "superuser": (lead, of["root"]),
        "self": (lead, of["lead"]),
        "account": (user, reverse("accounts:account")),
        "password": (user, reverse("accounts:change_password")),
        "refused": (user, reverse("accounts:team")),
        "login": (None, reverse("login")),
        "used-link": (None, "/password-reset/MQ/x-y/"),
    }


@pytest.mark.parametrize(
    ("width", "scheme"),
    [pytest.param(1280, "light", marks=pytest.mark.long), (390, "dark")],
)
def test_pages_fit_their_screen_and_can_be_read_by_everybody(open_as, people, width, scheme):
    for name, (somebody, path) in pages(people).items():
        page = open_as(somebody, path, width=width, scheme=scheme, javascript=True)
        looked_at(page, f"{name}-{width}-{scheme}")

        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        found = Axe().run(page)
        assert found.violations_count == 0, (name, found.generate_report())
        page.close()


def test_person_is_added_and_invited_by_keyboard_and_without_javascript(open_as, people):
    page = open_as(people["lead"], reverse("accounts:add_person"))
    page.get_by_label("Name", exact=True).focus()
    for key in ("Ann Berg", "Tab", "ann@example.com", "Tab", "Space", "ArrowDown", "Enter"):
        page.keyboard.press(key) if key.isalpha() else page.keyboard.type(key)

    link = page.get_by_role("textbox", name="The link").input_value()
    looked_at(page, "link")
    invited = open_as(None, urlsplit(link).path)

    looked_at(invited, "invited")
    assert "ann@example.com" in invited.locator("main").inner_text()
