"""The persona's page: its first steps, and what its briefs would say before it is saved."""

import pytest

from briefs.desk.tests.pages import text
from personas.admin.tests.test_admin import form_of, page_of, persona
from personas.models import FirstStep

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
NAME = "Pro, low usage"
STEP = {"kind": "unsubscribed", "position": "1", "text": "Send a card.", "channels": ["letter"],
        "within_hours": "4"}  # fmt: skip


def added(form) -> dict:
    """The form with one more first step."""
    number = int(form["first_steps-TOTAL_FORMS"])
    step = {f"first_steps-{number}-{name}": value for name, value in STEP.items()}
    return form | step | {"first_steps-TOTAL_FORMS": number + 1}


def test_preview_shows_the_playbook_and_steps_as_typed_and_saves_nothing(admin_client):
    page = page_of(persona(NAME))
    form = added(form_of(admin_client, page) | {"playbook": "## Tone\n\nBe **brief**."})

    response = admin_client.post(page, form | {"_preview": "1"})

    assert "<h3>Tone</h3><p>Be <strong>brief</strong>.</p>" in response.content.decode()
    shown = text(response).split("What its briefs say")[1]
    assert "This is not saved yet." in shown
    assert "Send a card." in shown
    assert "Tone" not in persona(NAME).playbook
    assert not FirstStep.objects.filter(text="Send a card.").exists()


def test_preview_of_a_new_persona_says_what_holds_for_everybody(admin_client):
    page = "/admin/personas/persona/add/"

    response = admin_client.post(page, form_of(admin_client, page) | {"_preview": "1"})

    own = FirstStep.objects.of_signals().filter(kind="unsubscribed").first()
    assert own.text in text(response)


def test_markdown_of_a_preview_is_made_safe(admin_client):
    page = page_of(persona(NAME))
    form = form_of(admin_client, page) | {"playbook": "## A\n\n<script>alert(1)</script>"}

    response = admin_client.post(page, form | {"_preview": "1"}).content.decode()

    assert "<script>alert(1)" not in response


def test_step_is_added_changed_and_deleted_on_the_personas_page(admin_client):
    page = page_of(persona(NAME))
    assert admin_client.post(page, added(form_of(admin_client, page))).status_code == 302
    step = persona(NAME).first_steps.get(text="Send a card.")
    assert step.channels == ["letter"]

    form = form_of(admin_client, page)
    [number] = [name.split("-")[1] for name, value in form.items() if value == "Send a card."]
    admin_client.post(page, form | {f"first_steps-{number}-text": "Send a letter."})
    step.refresh_from_db()
    assert step.text == "Send a letter."
    admin_client.post(page, form | {f"first_steps-{number}-DELETE": "on"})

    assert not FirstStep.objects.filter(pk=step.pk).exists()


def test_step_that_another_editor_added_meanwhile_is_told_and_stays(admin_client):
    page = page_of(persona(NAME))
    version = admin_client.get(page).context["version"]
    mine = form_of(admin_client, page) | {"_version": version, "description": "My words."}
    admin_client.post(page, added(form_of(admin_client, page)))

    response = admin_client.post(page, mine)

    [conflict] = response.context["conflicts"]
    [told] = [one for one in conflict.differences if one.label == "First steps"]
    assert "Unsubscribed: Send a card." in told.theirs
    assert "Send a card." not in told.yours
    steps = response.context["inline_admin_formsets"][0].formset
    assert steps.initial_form_count() == persona(NAME).first_steps.count()
    assert steps.is_valid(), steps.errors
