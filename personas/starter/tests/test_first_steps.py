"""The starter steps: each signal that opens a brief has one, also in installations of before."""

import importlib
from collections import Counter

import pytest
from django.apps import apps

from briefs.reading import advice
from personas.models import FirstStep, Persona, PersonaCondition, SignalRule
from personas.models.steps import kinds_in_use
from personas.rules.steps import Steps
from personas.starter.first_steps import rows
from personas.starter.personas import PERSONAS

pytestmark = [pytest.mark.on_sqlite, pytest.mark.usefixtures("starter")]
STEPS = rows({given["slug"]: given["name"] for given in PERSONAS})
migration = importlib.import_module("personas.migrations.0009_starter_first_steps")


def test_every_signal_that_opens_a_brief_has_a_step_of_its_own():
    assert kinds_in_use() - set(FirstStep.objects.of_signals().values_list("kind", flat=True)) == (
        set()
    )


def test_last_step_of_every_case_but_those_of_owners_contacts_nobody_by_a_channel_that_closes():
    may_close = {"email", "sms", "whatsapp", "push", "in_app"}
    steps = Steps.read()

    for persona in Persona.objects.all():
        for kind in kinds_in_use():
            last = steps.for_case(persona.pk, kind)[-1]
            assert may_close.isdisjoint(last.channels), (persona, kind)


@pytest.mark.parametrize(("name", "fields"), STEPS, ids=lambda value: str(value)[:40])
def test_step_names_no_channel_but_those_it_uses(name, fields):
    keys = {"email", "sms", "whatsapp", "push", "in_app"} - set(fields["channels"])

    assert [found.group() for found in advice.named(fields["text"], keys)] == []


def test_no_complaint_is_answered_by_mail_and_no_step_is_written_twice():
    for _, fields in STEPS:
        assert fields["kind"] != "spam_complaint" or "email" not in fields["channels"]
    assert max(Counter(fields["text"] for _, fields in STEPS).values()) == 1


def test_installation_that_exists_gets_the_steps_and_keeps_what_its_team_wrote():
    _before_the_upgrade()
    edited = Persona.objects.get(name="Trial")
    edited.playbook = "## First step\n\nOur own words.\n"
    edited.save()
    SignalRule.objects.filter(kind="converted").update(effect="opens_brief")

    migration.give(apps, None)

    assert FirstStep.objects.count() == len(STEPS) + 1
    assert FirstStep.objects.get(kind="converted").text == migration.GENERAL
    assert FirstStep.history.count() >= FirstStep.objects.count()
    edited.refresh_from_db()
    assert edited.playbook == "## First step\n\nOur own words.\n"


def test_unedited_playbooks_become_those_of_today():
    today = dict(Persona.objects.values_list("name", "playbook"))
    _before_the_upgrade()
    assert not any(persona.playbook == today[persona.name] for persona in Persona.objects.all())

    migration.give(apps, None)

    assert dict(Persona.objects.values_list("name", "playbook")) == today


def _before_the_upgrade():
    """No steps, and the first paragraphs that playbooks had."""
    FirstStep.objects.all()._raw_delete("default")
    for persona in Persona.objects.all():
        old, new = migration.REPLACED[persona.name]
        rest = persona.playbook.removeprefix(migration.NEW_HEADING).removeprefix(f"{new}\n\n")
        persona.playbook = f"{migration.HEADING}{old}\n\n{rest}"
        persona.save()


def test_new_installation_gets_none_from_the_migration():
    FirstStep.objects.all()._raw_delete("default")
    SignalRule.objects.all().delete()
    PersonaCondition.objects.all().delete()
    Persona.objects.all()._raw_delete("default")

    migration.give(apps, None)

    assert not FirstStep.objects.exists()
