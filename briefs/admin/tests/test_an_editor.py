"""Somebody who has never seen the product changes its rules, is warned, and takes it back."""

from urllib.parse import urljoin

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from briefs.desk.tests.conftest import open_page  # noqa: F401 - a fixture
from briefs.desk.tests.test_browser import editor  # noqa: F401 - a fixture
from briefs.models import Brief
from briefs.pipeline import draining
from briefs.tests.factories import make_payload
from personas.models import Persona, PersonaCondition, RuleVersion
from webhooks.tests.sending import post

pytestmark = [
    pytest.mark.browser,
    pytest.mark.on_sqlite,
    pytest.mark.usefixtures("editor", "sandbox"),
]
NAME = "Enterprise, finance, low usage"
LIST = reverse("admin:personas_persona_changelist")
VERSIONS = reverse("admin:personas_ruleversion_changelist")


def unsubscribes(person: str) -> Brief:
    """Send an event of a customer whose id spells their profile; returns their brief."""
    now = int(timezone.now().timestamp())
    payload = make_payload(data={"identifiers": {"id": person}}, timestamp=now)
    assert post(payload, timestamp=str(now)).status_code == 200
    draining.drain()
    return Brief.objects.get(customer__external_id=person)


def click(page, name):
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def condition(page, number, field, operator, value):
    page.locator(f"#id_conditions-{number}-field").fill(field)
    page.locator(f"#id_conditions-{number}-operator").select_option(label=operator)
    page.locator(f"#id_conditions-{number}-value").fill(value)


def accept(page):
    """Read what would happen, tick it, and send the form again."""
    expect(page.locator(".refusal")).to_contain_text("Enterprise, regulated industry")
    page.locator("[name=_accepted]").check()


def restore(page, number):
    page.goto(urljoin(page.url, f"{VERSIONS}{number}/restore/"))
    if page.get_by_label("Why").count():
        page.get_by_label("Why").fill("It was only a try.")
    page.locator("[name=_confirm]").click()
    if page.locator(".refusal").count():
        page.locator("[name=_accepted]").check()
        page.locator("[name=_confirm]").click()


def test_a_persona_is_added_tried_guarded_used_and_taken_back(open_page):  # noqa: F811
    known = [unsubscribes(f"enterprise-finance-low-{number}") for number in range(6)]
    assert {brief.persona.name for brief in known} == {"Enterprise, regulated industry"}
    page = open_page(LIST)
    page.get_by_role("link", name="Add persona").click()
    before = RuleVersion.objects.count()

    # It is written down, with its first step, and goes before the persona that had them so far.
    page.locator("#id_name").fill(NAME)
    page.locator("#id_position").fill("5")
    page.locator("#id_description").fill("Banks and insurers whose people hardly use it.")
    page.locator("#id_value").select_option("high")
    page.locator("#id_playbook").fill("## Before you start\n\nLook for an open audit.")
    condition(page, 0, "plan", "is", "enterprise")
    page.get_by_role("button", name="Add another Condition").click()
    condition(page, 1, "industry", "is one of", "finance, banking")
    page.get_by_role("button", name="Add another Condition").click()
    condition(page, 2, "usage", "is", "low")
    page.locator("#first_steps-group summary").click()
    page.get_by_role("button", name="Add another First step").click()
    page.locator("#id_first_steps-0-kind").select_option("unsubscribed")
    page.locator("#id_first_steps-0-text").fill("Ask their auditor.")

    # It is tried on the event of somebody who is stored.
    page.get_by_label("Find a customer or an event").fill("enterprise-finance-low-0")
    click(page, "Find")
    page.get_by_role("radio", name="enterprise-finance-low-0").first.check()
    click(page, "Try it")
    expect(page.locator("#tried .verdict")).to_contain_text(f"for “{NAME}”")
    assert not Persona.objects.filter(name=NAME).exists()

    # It would take all customers of another persona: that needs a tick.
    click(page, "Save")
    accept(page)
    assert not Persona.objects.filter(name=NAME).exists()
    click(page, "Save")
    expect(page.locator(".messagelist .success")).to_contain_text(NAME)
    assert RuleVersion.objects.count() == before + 1

    # The next event is theirs.
    brief = unsubscribes("enterprise-finance-low-new")
    assert (brief.persona.name, brief.rules_version) == (NAME, before + 1)
    page.goto(urljoin(page.url, brief.get_absolute_url()))
    expect(page.get_by_text("Look for an open audit.")).to_be_visible()
    expect(page.get_by_text("Ask their auditor.").first).to_be_visible()
    expect(page.locator("body")).to_contain_text(f"rules version {before + 1}")

    # Taken back, it is gone with its conditions, and the next event is decided as before.
    restore(page, before)
    page.goto(urljoin(page.url, LIST))
    expect(page.get_by_role("link", name="Enterprise, regulated industry")).to_be_visible()
    expect(page.get_by_role("link", name=NAME)).to_have_count(0)
    assert not Persona.objects.in_use().filter(name=NAME).exists()
    again = unsubscribes("enterprise-finance-low-later")
    assert (again.persona.name, again.rules_version) == (
        "Enterprise, regulated industry",
        before + 2,
    )
    brief.refresh_from_db()
    assert brief.persona.name == NAME  # what was decided stays decided


def test_a_condition_that_is_taken_back_decides_the_next_event_as_before(open_page):  # noqa: F811
    first = unsubscribes("enterprise-finance-low-1")
    persona = first.persona
    before = RuleVersion.objects.count()
    industries = persona.conditions.get(field="industry")
    page = open_page(f"{LIST}{persona.pk}/change/")
    page.get_by_label("Value").filter(has_text="insurance").first.fill("telecommunications")
    click(page, "Save")
    assert unsubscribes("enterprise-finance-low-2").persona != persona

    restore(page, before)

    assert unsubscribes("enterprise-finance-low-3").persona == persona
    condition = PersonaCondition.objects.get(persona=persona, field="industry")
    assert condition.value == industries.value
