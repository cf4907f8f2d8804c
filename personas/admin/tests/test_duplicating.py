"""“Duplicate”: a rule is copied with all that belongs to it, and the copy is opened."""

import pytest

from personas.admin.tests.test_admin import page_of, persona
from personas.models import Persona, SignalRule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
NAME = "Enterprise, regulated industry"


def parts(rule) -> list:
    """What belongs to a rule, without keys."""
    steps = rule.first_steps.all() if isinstance(rule, Persona) else []
    said = [(step.kind, step.text, step.channels, step.within_hours) for step in steps]
    return sorted([*said, *((one.field, one.operator, one.value) for one in rule.conditions.all())])


def names_in_order() -> list[str]:
    placed = Persona.objects.filter(is_default=False, is_unknown=False)
    return list(placed.values_list("name", flat=True))


def test_persona_is_copied_with_conditions_and_steps_and_opened(admin_client):
    original = persona(NAME)
    before = parts(original)

    response = admin_client.post(page_of(original, "duplicate"))

    copy = persona(f"Copy of {NAME}")
    assert response.url == page_of(copy)
    assert parts(copy) == before == parts(persona(NAME))
    assert (copy.playbook, copy.value) == (original.playbook, original.value)
    assert copy.history.get().history_type == "+"


def test_copy_is_placed_right_after_the_original(admin_client):
    admin_client.post(page_of(persona(NAME), "duplicate"))

    names = names_in_order()
    assert names.index(f"Copy of {NAME}") == names.index(NAME) + 1


def test_later_rows_move_where_there_is_no_room(admin_client):
    first, second = Persona.objects.all()[:2]
    Persona.objects.filter(pk=second.pk).update(position=first.position)
    names = names_in_order()

    admin_client.post(page_of(first, "duplicate"))

    after = names_in_order()
    assert after == [first.name, f"Copy of {first.name}", *names[1:]]


def test_second_copy_has_a_name_of_its_own(admin_client):
    for _ in range(2):
        admin_client.post(page_of(persona(NAME), "duplicate"))

    assert persona(f"Copy of {NAME} (2)")


def test_signal_rule_is_copied_with_its_conditions(admin_client):
    rule = SignalRule.objects.filter(conditions__isnull=False).first()

    admin_client.post(page_of(rule, "duplicate"))

    assert parts(SignalRule.objects.get(name=f"Copy of {rule.name}")) == parts(rule)


def test_personas_that_serve_everybody_left_are_not_copied(admin_client):
    fixed = persona("Everyone else")

    assert admin_client.post(page_of(fixed, "duplicate")).status_code == 404
    assert "duplicate_url" not in admin_client.get(page_of(fixed)).context


def test_nothing_is_copied_by_looking_or_without_the_right(admin_client, signed_in, user):
    page = page_of(persona(NAME), "duplicate")

    assert admin_client.get(page).status_code == 405
    user.is_staff = True
    user.save()
    signed_in.force_login(user)
    assert signed_in.post(page).status_code == 403
    assert not Persona.objects.filter(name__startswith="Copy").exists()
