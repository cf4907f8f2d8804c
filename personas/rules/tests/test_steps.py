"""Which first step is for a case, and which edits of the steps and rules are refused."""

import pytest
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError

from personas.models import FirstStep, Persona, SignalRule
from personas.rules.steps import Steps

pytestmark = pytest.mark.django_db


def make_step(kind="unsubscribed", text="Call.", channels=(), **kw):
    return FirstStep.objects.create(kind=kind, text=text, channels=list(channels), **kw)


def make_rule(kind="unsubscribed", effect="opens_brief", **kw):
    return SignalRule(name=f"Rule {kind}", metrics="x", kind=kind, effect=effect, **kw)


@pytest.fixture
def persona():
    return Persona.objects.create(name="P", description="d", playbook="p")


def test_persona_and_signal_go_before_the_signals_own(persona):
    general, special = make_step(), make_step(persona=persona)

    steps = Steps.read()

    assert steps.for_case(persona.pk, "unsubscribed") == [special, general]
    assert steps.for_case(persona.pk + 1, "unsubscribed") == [general]
    assert steps.for_case(persona.pk, "spam_complaint") == []


def test_steps_of_a_case_are_tried_in_their_order(persona):
    last, first = make_step(position=20), make_step(position=10)

    assert Steps.read().for_case(persona.pk, "unsubscribed") == [first, last]


def test_steps_are_read_in_one_query(django_assert_num_queries):
    make_step()

    with django_assert_num_queries(1):
        steps = Steps.read()
        assert [step.within_hours for step in steps.for_case(1, "unsubscribed")] == [8]


def test_rule_whose_signal_has_no_step_is_refused():
    with pytest.raises(ValidationError, match="“Other” has no first step"):
        make_rule("other").full_clean()


def test_step_of_a_persona_alone_is_not_enough(persona):
    make_step("other", persona=persona)

    with pytest.raises(ValidationError, match="has no first step"):
        make_rule("other").full_clean()


def test_rule_is_saved_once_its_signal_has_a_step():
    make_step("other")

    make_rule("other").full_clean()
    make_rule("bounced", effect="timeline").full_clean()


def test_last_step_of_a_signal_in_use_cannot_be_deleted():
    make_rule().save()
    step = make_step()

    with pytest.raises(ProtectedError, match="last first step of “Unsubscribed”"):
        step.delete()
    with pytest.raises(ProtectedError, match="last first step"):
        FirstStep.objects.all().delete()

    assert FirstStep.objects.get() == step


def test_last_step_of_a_signal_in_use_stays_its_own(persona):
    make_rule().save()
    step = make_step()
    step.persona = persona

    with pytest.raises(ValidationError, match="last first step"):
        step.full_clean()


def test_step_of_link_scanners_is_always_in_use():
    with pytest.raises(ProtectedError, match="Probably a link scanner"):
        make_step("scanner").delete()


def test_other_steps_can_be_deleted(persona):
    make_rule().save()
    make_step(), make_step(persona=persona), make_step("other")

    FirstStep.objects.exclude(pk=FirstStep.objects.first().pk).exclude(
        kind="unsubscribed", persona=None
    ).delete()

    assert FirstStep.objects.filter(kind="unsubscribed", persona=None).exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"is_wait": True}, "A step that waits has no time"),
        ({"within_hours": None}, "Say within how many working hours"),
        ({"channels": ["pigeon"]}, "Name each channel once"),
        ({"channels": ["email", "email"]}, "Name each channel once"),
        ({"channels": "email"}, "Name each channel once"),
        ({"text": "Write to {name}."}, "only {detail} is understood"),
        ({"text": "Leave {detail}."}, "is only for the signals"),
    ],
)
def test_step_that_makes_no_sense_is_refused_in_words(fields, words):
    step = FirstStep(**{"kind": "unsubscribed", "text": "Call.", **fields})

    with pytest.raises(ValidationError, match=words):
        step.full_clean()
