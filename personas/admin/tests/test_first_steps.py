"""First steps in the admin: edited with checks in words, and never the last one deleted."""

import pytest

from personas.models import FirstStep

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
LIST = "/admin/personas/firststep/"
FORM = {"kind": "unsubscribed", "persona": "", "position": "5", "text": "Call.",
        "channels": ["phone", "letter"], "within_hours": "4"}  # fmt: skip


def test_step_is_added_with_its_channels_and_a_history(admin_client):
    assert admin_client.post(f"{LIST}add/", FORM).status_code == 302

    step = FirstStep.objects.get(text="Call.")
    assert (step.channels, step.within_hours) == (["phone", "letter"], 4)
    assert "Call." in admin_client.get(f"{LIST}{step.pk}/history/").content.decode()


def test_step_without_channels_can_be_saved(admin_client):
    data = {name: value for name, value in FORM.items() if name != "channels"}

    assert admin_client.post(f"{LIST}add/", data).status_code == 302

    assert FirstStep.objects.get(text="Call.").channels == []


def test_step_that_waits_takes_no_time(admin_client):
    page = admin_client.post(f"{LIST}add/", {**FORM, "is_wait": "on"}).content.decode()

    assert "A step that waits has no time: leave it empty." in page


def test_last_step_of_a_signal_in_use_is_not_deleted(admin_client):
    [step] = FirstStep.objects.of_signals().filter(kind="address_gone")
    asked = {"action": "delete_selected", "_selected_action": [step.pk]}

    page = admin_client.post(LIST, asked, follow=True).content.decode()

    assert "Nothing was deleted. This is the last first step of “Address gone”" in page
    assert admin_client.post(f"{LIST}{step.pk}/delete/", {"post": "yes"}).status_code == 403
    assert FirstStep.objects.filter(pk=step.pk).exists()


def test_rule_for_a_signal_without_a_step_is_refused_in_its_form(admin_client):
    rule = {"name": "New", "position": "5", "metrics": "x", "level": "any", "match": "all",
            "kind": "other", "effect": "opens_brief", "severity": "2",
            "conditions-TOTAL_FORMS": "0", "conditions-INITIAL_FORMS": "0"}  # fmt: skip

    page = admin_client.post("/admin/personas/signalrule/add/", rule).content.decode()

    assert "“Other” has no first step, so its briefs could not say what to do." in page
