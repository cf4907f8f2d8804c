"""The admin as a person meets it: the lists and forms of the rules, on a desk and on a phone."""

from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from briefs.desk.tests.conftest import open_page  # noqa: F401 - a fixture
from briefs.tests.factories import make_event
from personas.admin.tests.test_admin import PERSONAS, RULES, page_of, persona
from personas.models import Persona, SignalRule

pytestmark = [pytest.mark.browser, pytest.mark.on_sqlite]
NAME = "Pro, low usage"


@pytest.fixture
def editor(live_server, starter, user):
    user.is_staff = user.is_superuser = True
    user.save()
    return user


def faults(page) -> list[tuple[str, str]]:
    """What axe calls serious or critical, and where."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found
            if one["impact"] in ("serious", "critical")]  # fmt: skip


# Other forms and lists of the rules are looked at by the desk's tests.
@pytest.mark.parametrize(
    ("size", "scheme", "pages"),
    [
        ("desk", "light", ["/admin/briefs/brief/", "/admin/webhooks/webhookevent/", RULES]),
        ("phone", "dark", ["/admin/", PERSONAS]),
    ],
)
def test_lists_and_forms_are_accessible_and_fit(open_page, editor, size, scheme, pages):  # noqa: F811
    make_event()
    form = page_of(SignalRule.objects.first() if size == "desk" else persona(NAME))
    page = open_page("/admin/", size=size, scheme=scheme)

    for path in (*pages, form):
        page.goto(urljoin(page.url, path))
        assert not page.complaints, path
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        main = page.locator("#content-main").bounding_box()["width"]
        assert main > page.viewport_size["width"] / 2, path
        assert faults(page) == [], path
        page.complaints.clear()  # of axe's own inline styles


def names(page) -> list[str]:
    return page.locator("#result_list th.field-name").all_inner_texts()


def test_persona_is_dragged_and_moved_by_keyboard_and_the_list_saves_it(open_page, editor):  # noqa: F811
    page = open_page(PERSONAS)
    before = names(page)

    grip = page.locator("#result_list tr", has_text=before[2]).locator(".grip").bounding_box()
    top = page.locator("#result_list tbody tr").first.bounding_box()
    page.mouse.move(grip["x"] + 5, grip["y"] + 5)
    page.mouse.down()
    page.mouse.move(grip["x"] + 5, top["y"] + 2, steps=4)
    page.mouse.up()
    assert names(page)[:3] == [before[2], before[0], before[1]]
    page.get_by_role("button", name=f"Move down: {before[2]}").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("now 2 of 10. Not saved yet.")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("were changed successfully").wait_for()

    stored = Persona.objects.values_list("name", "position")[:3]
    assert list(stored) == [(before[0], 10), (before[2], 20), (before[1], 30)]


@pytest.mark.parametrize("javascript", [True, False])
def test_playbook_is_previewed_as_the_brief_shows_it(open_page, editor, javascript):  # noqa: F811
    page = open_page(page_of(persona(NAME)), javascript=javascript)

    for section in ("Playbook", "What its briefs say"):
        page.locator("summary", has_text=section).click()
    page.fill("[name=playbook]", "## Tone\n\nBe **brief**.")
    page.get_by_role("button", name="Preview").click()

    expect(page.locator("#preview strong")).to_have_text("brief")
    assert page.locator("[name=playbook]").input_value() == "## Tone\n\nBe **brief**."
    assert "Tone" not in persona(NAME).playbook
