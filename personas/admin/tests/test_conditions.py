"""The rows of conditions on a rule's page: what they take, suggest, and say after saving."""

import pytest
from django.urls import reverse

from briefs.tests.factories import make_customer
from personas.admin.tests.test_admin import form_of, page_of, persona, sentences
from personas.models import CustomerSegment, PersonaCondition, SegmentList, SignalRule

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(starter):
    return page_of(persona("Enterprise, low usage"))


def save(client, page, button="_continue", **row):
    """Send the page's form with its first condition changed."""
    change = {f"conditions-0-{name}": value for name, value in row.items()}
    return client.post(page, form_of(client, page) | change | {button: "1"}, follow=True)


def first_condition():
    return PersonaCondition.objects.filter(persona__name="Enterprise, low usage").first()


def test_condition_on_a_segment_needs_no_field(admin_client, page):
    save(admin_client, page, field="", operator="in_segment", value="Trials")

    assert first_condition().words == "customer is in segment Trials"
    assert first_condition().field == "customer"


def test_other_conditions_need_one(admin_client, page):
    response = save(admin_client, page, field="", operator="equals", value="pro")

    assert "Name the field." in response.content.decode()
    assert first_condition().field == "plan"


@pytest.mark.parametrize(
    ("operator", "value", "words"),
    [
        ("older", "a month", "Write a number of days"),
        ("before", "soon", "is not a date. Write it like 2026-03-04 or 4 March 2026."),
        ("matches", "(a", "is not a pattern (missing ): (a)"),
    ],
)
def test_value_that_cannot_be_used_is_refused_beside_it(admin_client, page, operator, value, words):
    response = save(admin_client, page, operator=operator, value=value)

    assert words in response.content.decode()


def test_date_with_two_readings_is_said(admin_client, page):
    response = save(admin_client, page, operator="before", value="03/04/2026")

    assert "is read as 4 March 2026, not 3 April 2026." in sentences(response)


def test_signal_rule_offers_no_segments(admin_client, starter):
    content = admin_client.get(page_of(SignalRule.objects.first())).content.decode()

    assert "is more than … days ago" in content
    assert "is in segment" not in content.split("How conditions compare")[0]


def test_segments_of_customer_io_are_listed(admin_client, page):
    CustomerSegment.objects.create(number=1, name="Trials")
    CustomerSegment.objects.create(number=2, name="Deleted ones", is_listed=False)

    content = admin_client.get(page).content.decode()

    assert "<code>Trials</code>" in content
    assert "Deleted ones" not in content


def test_segment_that_nobody_has_heard_of_is_said_with_the_nearest_name(admin_client, page):
    CustomerSegment.objects.create(number=1, name="Trials")
    row = SegmentList.claim()
    row.learn([(1, "Trials")])

    response = save(admin_client, page, operator="in_segment", value="Trails")

    assert "No segment of Customer.io is called “Trails”: did you mean “Trials”?" in sentences(
        response
    )
    assert first_condition().value == "Trails"  # it may be made tomorrow


def test_nothing_is_said_of_a_segment_before_the_list_is_known(admin_client, page):
    response = save(admin_client, page, operator="in_segment", value="Trails")

    assert "No segment" not in sentences(response)


# Values that customers have


def values_on(client, page):
    content = client.get(page).content.decode()
    return content.split("Values that customers have")[1].split("</details>")[0]


def test_commonest_values_of_a_field_are_shown_with_their_numbers(admin_client, page):
    for usage in ["low"] * 4 + ["high"] * 3 + ["odd"] * 2:
        make_customer(attributes={"usage_tier": usage, "plan": '["pro", "team"]'})

    shown = values_on(admin_client, page)

    assert "<code>low</code> 4 · <code>high</code> 3</td>" in shown
    assert "<code>pro</code> 9 · <code>team</code> 9</td>" in shown
    assert "odd" not in shown  # fewer than three


@pytest.mark.parametrize(
    ("field", "value"),
    [("first_name", "Ann"), ("company", "Acme"), ("owner", '{"name": "Ann"}'),
     ("note", "call ann@example.com"), ("note", "x" * 61)],
)  # fmt: skip
def test_values_that_say_who_somebody_is_are_not_shown(admin_client, page, field, value):
    PersonaCondition.objects.filter(persona__name="Enterprise, low usage").update(field=field)
    for _ in range(5):
        make_customer(attributes={field: value})

    assert "none to show" in values_on(admin_client, page)
    assert "<code>" not in values_on(admin_client, page)


def test_values_of_a_field_that_was_just_typed_are_shown_by_a_trial(admin_client, page):
    for _ in range(3):
        make_customer(attributes={"region": "North"})

    response = save(admin_client, page, "_try", field="region", operator="equals", value="x")

    assert "<code>North</code> 3" in response.content.decode()


def test_page_of_a_new_persona_shows_no_values(admin_client, starter):
    content = admin_client.get(reverse("admin:personas_persona_add")).content.decode()

    assert "Values that customers have" not in content
