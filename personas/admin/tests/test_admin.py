"""The admin's pages of what the team edits: rules, personas, attribute names; and customers."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from briefs.tests.factories import make_brief, make_customer, make_event, make_payload
from personas.models import AttributeName, CustomerAlias, Persona, SignalRule

pytestmark = pytest.mark.django_db

PERSONAS = reverse("admin:personas_persona_changelist")
RULES = reverse("admin:personas_signalrule_changelist")
CUSTOMERS = reverse("admin:personas_customer_changelist")


def page_of(obj, view="change") -> str:
    return reverse(f"admin:personas_{obj._meta.model_name}_{view}", args=[obj.pk])


def persona(name: str) -> Persona:
    return Persona.objects.get(name=name)


def form_of(client, url: str) -> dict:
    """The page's form as a browser would send it back, unchanged."""
    context = client.get(url).context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    data = {}
    for form in forms:
        for field in form:
            value = field.value()
            if value is not None and value is not False:
                data[field.html_name] = value
    return data


def act(client, url, action, rows, **data):
    chosen = [row.pk for row in rows]
    return client.post(url, {"action": action, "_selected_action": chosen, **data}, follow=True)


def sentences(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


# Personas


def test_persona_whose_question_would_be_too_long_is_refused(admin_client, starter):
    page = page_of(persona("Enterprise, low usage"))
    form = form_of(admin_client, page) | {"description": "word " * 1000}

    response = admin_client.post(page, form)

    assert response.status_code == 200
    assert "more than the 4,000 that are sent at most" in response.content.decode()


def test_conditions_that_make_a_question_too_long_are_told(admin_client, starter):
    page = page_of(persona("Enterprise, low usage"))
    form = form_of(admin_client, page) | {"conditions-0-value": f"enterprise, {'x' * 4000}"}

    response = admin_client.post(page, form, follow=True)

    assert "more than the 4,000 that are sent at most" in sentences(response)


def test_condition_on_who_somebody_is_is_kept_and_said_not_to_be_told(admin_client, starter):
    page = page_of(persona("Enterprise, low usage"))
    change = {"conditions-0-field": "company", "conditions-0-operator": "in"}
    form = form_of(admin_client, page) | change

    response = admin_client.post(page, form, follow=True)

    assert "Mave is not told of “company”: that may say who the customer is." in sentences(response)
    assert persona("Enterprise, low usage").conditions.filter(field="company").exists()


@pytest.mark.parametrize("field", ["name", "description", "research_focus"])
def test_persona_with_an_address_in_what_mave_is_told_is_refused(admin_client, starter, field):
    page = page_of(persona("Internal and test accounts"))
    form = form_of(admin_client, page) | {field: "Ask Ann, ann@example.com"}

    response = admin_client.post(page, form)

    [error] = response.context["adminform"].form.errors[field]
    assert error.startswith("“ann@example.com” looks like an e-mail address.")


def test_list_is_saved_although_an_old_persona_holds_an_address(admin_client, starter):
    Persona.objects.filter(is_unknown=True).update(description="ann@example.com")
    formset = admin_client.get(PERSONAS).context["cl"].formset
    data = {f.html_name: f.value() for form in formset.forms for f in form if f.value()}
    data |= {f.html_name: f.value() for f in formset.management_form}

    response = admin_client.post(PERSONAS, data | {"_save": "Save"})

    assert response.status_code == 302


def test_personas_are_listed_in_the_order_they_are_tried(admin_client, starter):
    response = admin_client.get(PERSONAS)

    names = [item.name for item in response.context["cl"].result_list]
    assert names[0] == "Internal and test accounts"
    assert names[-2:] == ["Everyone else", "Profile unknown"]


def test_position_and_value_are_edited_in_the_list(admin_client, starter):
    admin = admin_client.get(PERSONAS).context["cl"]
    data = {"form-TOTAL_FORMS": 12, "form-INITIAL_FORMS": 12, "_save": "Save"}
    for number, item in enumerate(admin.result_list):
        data |= {f"form-{number}-id": item.pk, f"form-{number}-position": item.position,
                 f"form-{number}-value": "low"}  # fmt: skip
    data["form-0-position"] = 95

    admin_client.post(PERSONAS, data)

    assert persona("Internal and test accounts").position == 95
    assert not Persona.objects.exclude(value="low").exists()


def test_number_with_two_readings_is_said_when_a_rule_is_tried_or_saved(admin_client, starter):
    page = page_of(persona("Enterprise, low usage"))
    change = {"conditions-0-operator": "gt", "conditions-0-value": "1.234"}
    form = form_of(admin_client, page) | change
    told = "“plan is more than 1.234” is read as 1.234, not 1,234."

    assert told in sentences(admin_client.post(page, form | {"_try": "1"}))
    assert told in sentences(admin_client.post(page, form, follow=True))


def test_misspelt_field_is_said_with_the_nearest_name_when_tried_and_saved(admin_client, starter):
    make_customer()
    page = page_of(persona("Enterprise, low usage"))
    form = form_of(admin_client, page) | {"conditions-0-field": "usage_teir"}
    told = "None of the 1 customers looked at has “usage_teir”. Did you mean “usage_tier”?"

    assert told in sentences(admin_client.post(page, form | {"_try": "1"}))
    assert told in sentences(admin_client.post(page, form, follow=True))


def test_persona_that_leaves_nobody_to_the_next_one_is_told(admin_client, starter):
    page = page_of(persona("Enterprise, active"))
    form = form_of(admin_client, page) | {"position": 1}

    said = sentences(admin_client.post(page, form | {"_try": "1"}))

    assert "“Enterprise, active” takes all that would come to" in said


def test_signal_rule_with_conditions_that_exclude_each_other_is_told(admin_client, starter):
    rule = SignalRule.objects.get(name="Turned off a channel")
    form = form_of(admin_client, page_of(rule)) | {
        "conditions-1-field": "preferences", "conditions-1-operator": "not_equals",
        "conditions-1-value": "channel off",
    }  # fmt: skip

    said = sentences(admin_client.post(page_of(rule), form, follow=True))

    assert "never hold together, so “Turned off a channel” decides for nobody." in said


def test_field_that_no_event_of_the_rule_has_is_told(admin_client, starter):
    make_event(make_payload(metric="unsubscribed"))
    rule = SignalRule.objects.get(name="Unsubscribed")
    form = form_of(admin_client, page_of(rule)) | {
        "conditions-0-field": "campain_id", "conditions-0-operator": "exists",
    }  # fmt: skip

    said = sentences(admin_client.post(page_of(rule), form | {"_try": "1"}))

    assert "None of the 1 events looked at has “campain_id”. Did you mean “campaign_id”?" in said


def test_quotation_marks_that_do_not_match_are_refused_beside_the_value(admin_client, starter):
    page = page_of(persona("Enterprise, low usage"))
    form = form_of(admin_client, page) | {"conditions-0-value": 'pro, "Design, Print'}

    html = admin_client.post(page, form).content.decode()

    assert "begins with a quotation mark and does not end with one." in html


def test_rule_page_explains_how_conditions_compare(admin_client, starter):
    for page in (page_of(persona("Trial")), page_of(SignalRule.objects.first())):
        assert "How conditions compare" in admin_client.get(page).content.decode()


def test_customer_page_shows_lists_and_objects_in_words(admin_client):
    customer = make_customer(attributes={"tags": '["a", "b"]', "company": '{"name": "Acme"}'})

    html = admin_client.get(page_of(customer)).content.decode()

    assert "<b>tags</b> a, b" in html
    assert "<b>company</b> Acme" in html


def test_persona_page_says_how_many_customers_it_matches(admin_client, starter):
    make_customer(attributes={"plan": "enterprise", "usage_tier": "low"})
    make_customer(attributes={"plan": "trial"})

    response = admin_client.get(page_of(persona("Enterprise, low usage")))

    assert "Matches 1 of the 2 most recently fetched customers." in response.content.decode()


def test_persona_page_names_who_takes_its_customers_before_it(admin_client, starter):
    make_customer(attributes={"plan": "enterprise", "usage_tier": "low", "industry": "banking"})

    html = admin_client.get(page_of(persona("Enterprise, low usage"))).content.decode()

    assert "Matches 0 of the 1" in html
    assert "A further 1 meet its conditions" in html
    assert "“Enterprise, regulated industry” 1" in html


def test_deleted_and_unfetched_customers_are_not_sampled(admin_client, starter):
    make_customer(fetched_at=None)
    make_customer(is_deleted=True)

    html = admin_client.get(page_of(persona("Trial"))).content.decode()

    assert "No customer has been looked up yet" in html


def test_trying_shows_the_effect_of_a_change_and_saves_nothing(admin_client, starter):
    make_customer(attributes={"plan": "enterprise", "usage_tier": "low"})
    tried = persona("Trial")
    url = page_of(tried)
    data = form_of(admin_client, url) | {
        "position": 1, "conditions-0-operator": "equals", "conditions-0-value": "enterprise",
        "_try": "Try",
    }  # fmt: skip
    history = tried.history.count()

    response = admin_client.post(url, data)

    assert "Nothing is saved yet. Matches 1 of the 1" in sentences(response)
    assert 'name="position" value="1"' in response.content.decode()
    tried.refresh_from_db()
    assert tried.position == 90
    assert tried.conditions.first().operator == "in"
    assert (tried.history.count(), LogEntry.objects.count()) == (history, 0)


def test_trying_a_new_persona_leaves_no_row_behind(admin_client, starter):
    make_customer(attributes={"plan": "galactic"})
    data = form_of(admin_client, reverse("admin:personas_persona_add")) | {
        "name": "Galactic", "position": 1, "description": "x", "playbook": "x", "_try": "Try",
        "conditions-0-field": "plan", "conditions-0-value": "galactic",
    }  # fmt: skip

    response = admin_client.post(reverse("admin:personas_persona_add"), data)

    assert "Matches 1 of the 1" in sentences(response)
    assert not Persona.objects.filter(name="Galactic").exists()


def test_trying_a_mistake_names_the_mistake(admin_client, starter):
    url = page_of(persona("Trial"))
    data = form_of(admin_client, url) | {"conditions-0-value": "", "_try": "Try"}

    response = admin_client.post(url, data)

    assert "Say what to compare with." in response.content.decode()


def test_saved_condition_appears_in_the_personas_history(admin_client, starter):
    trial = persona("Trial")
    data = form_of(admin_client, page_of(trial)) | {"conditions-0-value": "taster"}
    admin_client.post(page_of(trial), data)

    html = admin_client.get(page_of(trial, "history")).content.decode()

    assert "plan is one of taster" in html
    assert "admin" in html


def test_old_version_of_a_persona_can_be_looked_at(admin_client, starter):
    trial = persona("Trial")
    version = trial.history.first()

    url = reverse("admin:personas_persona_simple_history", args=[trial.pk, version.pk])

    assert admin_client.get(url).status_code == 200


def test_condition_field_suggests_roles_and_attributes_seen(admin_client, starter):
    make_customer(attributes={"seat_count": "4"})

    html = admin_client.get(page_of(persona("Trial"))).content.decode()

    assert 'list="condition-fields"' in html
    assert '<option value="usage">Usage</option>' in html
    assert '<option value="seat_count">attribute of 1 customers</option>' in html


@pytest.mark.parametrize("name", ["Everyone else", "Profile unknown"])
def test_fixed_persona_has_no_conditions_and_says_why(admin_client, starter, name):
    response = admin_client.get(page_of(persona(name)))

    inlines = response.context["inline_admin_formsets"]
    assert [inline.formset.prefix for inline in inlines] == ["first_steps"]
    assert "cannot be deleted" in response.content.decode()


@pytest.mark.parametrize("name", ["Everyone else", "Profile unknown"])
def test_fixed_persona_cannot_be_deleted(admin_client, starter, name):
    response = admin_client.post(page_of(persona(name), "delete"), {"post": "yes"})

    assert response.status_code == 403
    assert persona(name)


def test_deleting_a_selection_with_a_fixed_persona_refuses_in_a_sentence(admin_client, starter):
    rows = [persona("Everyone else"), persona("Trial")]

    response = act(admin_client, PERSONAS, "delete_selected", rows, post="yes")

    assert "Nothing was deleted: “Everyone else” must stay" in sentences(response)
    assert Persona.objects.count() == 12


def test_deleting_a_selection_of_other_personas_works(admin_client, starter):
    act(admin_client, PERSONAS, "delete_selected", [persona("Trial")], post="yes")

    assert not Persona.objects.filter(name="Trial").exists()


def test_persona_with_briefs_is_retired(admin_client, starter):
    brief = make_brief(persona=persona("Trial"))

    asked = admin_client.get(page_of(brief.persona, "delete")).content.decode()
    admin_client.post(page_of(brief.persona, "delete"), {"post": "yes"})

    assert "Where a persona has briefs, they keep it" in asked
    assert persona("Trial").retired_at


def test_persona_page_works_where_no_starter_rules_were_loaded(admin_client):
    lonely = make_brief().persona

    html = admin_client.get(page_of(lonely)).content.decode()

    assert "Nothing can be said: no personas yet" in html


def test_persona_list_needs_no_query_per_persona(admin_client, starter, django_assert_num_queries):
    with django_assert_num_queries(10):
        admin_client.get(PERSONAS)


# Signal rules


def test_rules_are_switched_off_in_the_list(admin_client, starter):
    rules = list(admin_client.get(RULES).context["cl"].result_list)
    data = {"form-TOTAL_FORMS": len(rules), "form-INITIAL_FORMS": len(rules), "_save": "Save"}
    for number, rule in enumerate(rules):
        data |= {f"form-{number}-id": rule.pk, f"form-{number}-position": rule.position}

    admin_client.post(RULES, data)

    assert not SignalRule.objects.filter(is_active=True).exists()


def test_rule_page_suggests_payload_fields(admin_client, starter):
    html = admin_client.get(page_of(SignalRule.objects.first())).content.decode()

    assert '<option value="smtp_class">read from failure_message: 4 passes, 5 stays' in html
    assert '<option value="campaign_name">' in html


def test_rule_page_says_how_many_events_it_decides(admin_client, starter):
    make_event(make_payload())
    rule = SignalRule.objects.get(name="Unsubscribed")

    html = admin_client.get(page_of(rule)).content.decode()

    assert "Decides 1 of the 1 events of these kinds that came in last." in html


def test_trying_a_rule_shows_its_effect_and_saves_nothing(admin_client, starter):
    make_event(make_payload())
    rule = SignalRule.objects.get(name="Unsubscribed")
    data = form_of(admin_client, page_of(rule)) | {"metrics": "opened", "_try": "Try"}

    response = admin_client.post(page_of(rule), data)

    assert "No event of these kinds came in lately" in sentences(response)
    rule.refresh_from_db()
    assert rule.metrics == "unsubscribed"


def test_trying_a_rule_names_the_rule_that_comes_before_it(admin_client, starter):
    make_event(make_payload())
    url = reverse("admin:personas_signalrule_add")
    data = form_of(admin_client, url) | {
        "name": "Late", "position": 900, "metrics": "unsubscribed", "kind": "bounced",
        "_try": "Try",
    }  # fmt: skip

    response = admin_client.post(url, data)

    assert "Decides 0 of the 1" in sentences(response)
    assert "“Unsubscribed” 1" in sentences(response)


def test_rule_list_needs_no_query_per_rule(admin_client, starter, django_assert_num_queries):
    with django_assert_num_queries(9):
        admin_client.get(RULES)


# Attribute names


def test_attribute_page_lists_the_names_seen_on_customers(admin_client, starter):
    make_customer(attributes={"plan_2024": "pro", "empty": " "})
    make_customer(attributes={"plan_2024": "free"})

    html = admin_client.get(page_of(AttributeName.objects.first())).content.decode()

    assert "<code>plan_2024</code> 2" in html
    assert "<code>empty</code>" not in html


def test_attribute_list_shows_the_names_in_their_order(admin_client, starter):
    html = admin_client.get(reverse("admin:personas_attributename_changelist")).content.decode()

    assert "plan, plan_type, plan_name" in html


# Customers


@pytest.mark.parametrize(
    "term",
    ["p-1", "abc0001", "cio_abc0001", "Robin@Example.com", "+1 555-0100", "p-0", "Old@example.com"],
)
def test_customer_is_found_by_a_whole_identifier_of_now_or_before(admin_client, term):
    wanted = make_customer(
        external_id="p-1", cio_id="abc0001", email="robin@example.com", phone="+15550100"
    )
    CustomerAlias.objects.remember(wanted.pk, {"id": "p-0", "email": "old@example.com"})
    make_customer()

    response = admin_client.get(CUSTOMERS, {"q": term})

    assert list(response.context["cl"].result_list) == [wanted]


def test_customer_page_shows_attributes_and_their_age(admin_client):
    customer = make_customer(
        attributes={"plan": "<b>pro</b>"}, fetched_at=timezone.now() - timedelta(hours=3)
    )

    html = admin_client.get(page_of(customer)).content.decode()

    assert "&lt;b&gt;pro&lt;/b&gt;" in html
    assert "3\xa0hours old" in html


def test_customer_page_shows_what_the_person_was_called_before(admin_client):
    customer = make_customer(phone="+15550100")
    CustomerAlias.objects.remember(customer.pk, {"id": "p-0", "email": "old@example.com"})

    html = admin_client.get(page_of(customer)).content.decode()

    assert "+15550100" in html
    assert "<p>id p-0</p>" in html
    assert "<p>address old@example.com</p>" in html


def test_nobody_edits_or_deletes_a_customer(admin_client):
    customer = make_customer()

    assert admin_client.post(page_of(customer), {"email": "x"}).status_code == 403
    assert admin_client.post(page_of(customer, "delete"), {"post": "yes"}).status_code == 403


def test_customer_list_needs_no_query_per_customer(admin_client, django_assert_num_queries):
    for _ in range(20):
        make_customer()

    with django_assert_num_queries(4):
        admin_client.get(CUSTOMERS)


def test_look_up_again_refreshes_even_what_is_fresh(admin_client, sandbox):
    customer = make_customer(
        cio_id=None, external_id="enterprise-healthcare-low-7f3a", attributes={"plan": "old"}
    )

    response = act(admin_client, CUSTOMERS, "look_up_again", [customer])

    customer.refresh_from_db()
    assert "1 looked up, 0 failed." in sentences(response)
    assert customer.attributes["plan"] == "enterprise"
    assert timezone.now() - customer.fetched_at < timedelta(minutes=1)


def test_look_up_again_reports_failures_and_keeps_what_was_known(admin_client):
    fetched_at = timezone.now() - timedelta(minutes=5)
    customer = make_customer(attributes={"plan": "pro"}, fetched_at=fetched_at)

    response = act(admin_client, CUSTOMERS, "look_up_again", [customer])

    customer.refresh_from_db()
    assert "0 looked up, 1 failed: the App API of Customer.io is not connected" in sentences(
        response
    )
    assert (customer.attributes, customer.fetched_at) == ({"plan": "pro"}, fetched_at)


def test_look_up_again_takes_a_hundred_at_most(admin_client):
    rows = [make_customer() for _ in range(101)]

    response = act(admin_client, CUSTOMERS, "look_up_again", rows, select_across=1)

    assert "Select 100 customers at most." in sentences(response)


# The persona's page is folded


def folded(response) -> set[str]:
    """The headings of the sections that are folded."""
    found = re.findall(r"<details><summary>\s*<h2[^>]*>\s*(.+?)\s*</h2>", response.content.decode())
    return set(found)


def test_page_of_a_persona_begins_with_its_conditions_and_folds_the_rest(admin_client, starter):
    response = admin_client.get(page_of(persona("Pro, low usage")))

    assert folded(response) == {
        "Who it serves",
        "What it is worth",
        "Who gets it",
        "Research",
        "Playbook",
        "First steps for this persona",
    }
    page = response.content.decode()
    assert page.index("id_position") < page.index("id_conditions-0-field") < page.index("id_value")


def test_folded_section_with_an_error_is_open(admin_client, starter):
    page = page_of(persona("Pro, low usage"))

    response = admin_client.post(page, form_of(admin_client, page) | {"playbook": ""})

    assert "Playbook" not in folded(response)
    assert "Research" in folded(response)


def test_what_a_new_persona_needs_is_not_folded(admin_client):
    response = admin_client.get("/admin/personas/persona/add/")

    assert folded(response) == {"Who gets it", "Research", "First steps for this persona"}
