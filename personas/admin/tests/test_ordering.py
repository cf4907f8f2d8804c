"""The order of rules in their lists: numbered, and moved by static/ordering.js where it runs."""

import pytest

from personas.admin.tests.test_admin import PERSONAS, RULES, persona
from personas.models import FirstStep, Persona, SignalRule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
STEPS = "/admin/personas/firststep/"
SCRIPT = "ordering.js"


def list_form(page) -> dict:
    """The list's form as a browser would send it back, unchanged."""
    formset = page.context["cl"].formset
    fields = [field for form in (formset.management_form, *formset.forms) for field in form]
    sent = {f.html_name: f.value() for f in fields if f.value() not in (None, False)}
    return sent | {"_save": "Save"}


@pytest.mark.parametrize("rows", [PERSONAS, RULES, STEPS])
def test_rows_can_be_moved_where_the_whole_order_is_shown(admin_client, rows):
    assert SCRIPT in admin_client.get(rows).content.decode()
    for narrowed in ("?q=a", "?o=1"):
        page = admin_client.get(rows + narrowed).content.decode()
        assert SCRIPT not in page
        assert "show all of them in their order" in page


def test_list_of_part_of_the_personas_moves_none(admin_client):
    assert SCRIPT not in admin_client.get(f"{PERSONAS}?value__exact=high").content.decode()


def test_steps_of_one_signal_can_be_moved(admin_client):
    page = admin_client.get(f"{STEPS}?kind__exact=unsubscribed")

    assert SCRIPT in page.content.decode()


def test_numbers_are_saved_by_the_lists_form(admin_client):
    page = admin_client.get(PERSONAS)
    form = list_form(page)
    last = page.context["cl"].formset.forms[9]
    assert last.instance.name == "Free, heavy use"

    admin_client.post(PERSONAS, form | {last["position"].html_name: "5"})

    assert Persona.objects.first().name == "Free, heavy use"


def test_personas_that_must_stay_have_no_place_to_be_changed(admin_client):
    forms = admin_client.get(PERSONAS).context["cl"].formset.forms

    assert [form.instance.name for form in forms if "position" not in form.fields] == [
        "Everyone else", "Profile unknown",
    ]  # fmt: skip


def test_steps_are_moved_among_those_of_their_signal_and_persona(admin_client):
    forms = admin_client.get(STEPS).context["cl"].formset.forms

    orders = {form.fields["position"].widget.attrs["data-order"]: form.instance for form in forms}
    cases = {(step.kind, step.persona_id) for step in FirstStep.objects.all()}
    assert len(orders) == len(cases)


def test_new_rule_comes_last(admin_client):
    page = admin_client.get(f"{RULES}add/")

    last = SignalRule.objects.latest("position").position
    assert page.context["adminform"].form["position"].value() == last + 10


def test_new_persona_comes_after_all_but_the_two_that_serve_everybody_left(admin_client):
    page = admin_client.get(f"{PERSONAS}add/")

    last = persona("Free, heavy use").position
    assert page.context["adminform"].form["position"].value() == last + 10
