"""Trying rules on one case: the edit that is not saved, and the present rules on their own page."""

import json
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from briefs.finding.words import indexing
from briefs.models import Brief, MaveCall, Research, Signal
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_event,
    make_payload,
    make_signal,
    make_step,
    make_threshold,
)
from conftest import make_user
from personas.admin.tests.test_admin import form_of, page_of, persona
from personas.models import AppApiHealth, AttributeName, Customer, Persona, SignalRule
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]

PAGE = reverse("admin:try_rules")
ENTERPRISE = {"name": "Ada Moreau", "plan": "enterprise", "usage_tier": "low", "mrr": "4200"}


def rule(name: str) -> SignalRule:
    return SignalRule.objects.get(name=name)


def payload_of(customer: Customer | None = None, metric: str = "unsubscribed", **data) -> dict:
    """A webhook about this customer, or about somebody unknown."""
    named = {"id": customer.external_id, "cio_id": customer.cio_id} if customer else {"id": "new"}
    object_type = "customer" if metric == "unsubscribed" else "email"
    return make_payload(object_type=object_type, metric=metric, data={"identifiers": named, **data})


def try_edit(client, row, chosen: str = "", **changed):
    """Press “Try it” on the page of this rule, with these fields changed and this case chosen."""
    form = form_of(client, page_of(row)) | {"_try": "case", "try-on": chosen} | changed
    return client.post(page_of(row), form)


def try_present(client, chosen: str = "", **fields):
    """Press “Try it” on the page of its own."""
    posted = {f"try-{name}": value for name, value in fields.items()}
    return client.post(PAGE, {"_try": "case", "try-on": chosen, **posted})


def find(client, words: str) -> list[str]:
    """What a search offers to choose from."""
    response = client.post(PAGE, {"_try": "find", "try-search": words})
    return [one.value for one in response.context["try_form"].hits]


def seen(response):
    """What the page shows of the trial."""
    context = response.context
    shown = context["trial"].seen if "trial" in context else context["seen"]
    assert shown.tried, (shown.trouble, context["try_form"].errors)
    return shown.tried


def why(lines, name: str) -> str:
    return next(line.why for line in lines if line.row.name == name)


def key(row) -> str:
    return f"{'event' if isinstance(row, WebhookEvent) else 'customer'}-{row.pk}"


# The edit that is not saved


def test_edit_of_a_persona_is_tried_on_a_stored_event(admin_client):
    customer = make_customer(attributes=ENTERPRISE)
    event = make_event(payload_of(customer))
    trial = persona("Trial")
    edit = {"position": 1, "conditions-0-operator": "equals", "conditions-0-value": "enterprise",
            "opens_brief": "on", "playbook": "## Channel\n\nOnly by pigeon."}  # fmt: skip

    response = try_edit(admin_client, trial, key(event), **edit)

    tried, html = seen(response), response.content.decode()
    assert tried.imagined.brief.persona == trial
    assert "A brief is opened: " in html
    assert "Only by pigeon." in html
    assert "Only by pigeon." not in Persona.objects.get(pk=trial.pk).playbook


def test_trying_leaves_nothing_behind(admin_client, sandbox):
    """No row of any kind, no task, no version of a rule; and nobody is asked about the customer."""
    event = make_event()  # of a person who has no row, too
    trial = persona("Trial")
    page_of_trial = form_of(admin_client, page_of(trial))
    rows = [Customer, Brief, Signal, Research, MaveCall, AppApiHealth, LogEntry, OrmQ, WebhookEvent]
    before = [list(model.objects.values()) for model in rows], list(trial.history.values())

    try_edit(admin_client, trial, key(event), position=1)
    try_present(admin_client, "pasted", webhook=json.dumps(payload_of()), attributes="plan: pro")

    after = [list(model.objects.values()) for model in rows], list(trial.history.values())
    assert after == before
    assert form_of(admin_client, page_of(trial)) == page_of_trial
    assert not sandbox.requests


def test_edit_of_a_signal_rule_is_tried_on_a_stored_event(admin_client):
    customer = make_customer(attributes=ENTERPRISE)
    event = make_event(payload_of(customer, "opened", subject="Hello"))
    unsubscribed = rule("Unsubscribed")

    edit = {"metrics": "opened", "object_types": "", "level": "any", "severity": 1}
    tried = seen(try_edit(admin_client, unsubscribed, key(event), **edit))

    assert tried.imagined.draft.rule == unsubscribed
    assert tried.imagined.brief.get_priority_display() == "Medium"  # low, and the persona one up
    assert rule("Unsubscribed").metrics != "opened"


def test_edit_of_an_attribute_name_is_tried_on_a_stored_customer(admin_client):
    customer = make_customer(attributes={"abo": "enterprise", "usage_tier": "low", "fee": "50"})
    plan = AttributeName.objects.get(role="plan")

    before = seen(try_edit(admin_client, plan, key(customer)))
    after = seen(try_edit(admin_client, plan, key(customer), names="abo"))

    assert before.imagined.explanation.persona.name != "Enterprise, low usage"
    assert after.imagined.explanation.persona.name == "Enterprise, low usage"


def test_changed_names_of_the_value_change_the_priority(admin_client):
    make_threshold(top_from=40, low_below=10)
    customer = make_customer(attributes={"plan": "enterprise", "fee": "50"})
    value = AttributeName.objects.get(role="value")

    tried = seen(try_edit(admin_client, value, key(customer), names="fee", other_period_names=""))

    assert "USD 50 a month is in the top tenth" in " ".join(one["words"] for one in tried.reasons)


def test_persona_that_is_not_there_yet_can_be_tried(admin_client):
    customer = make_customer(attributes={"plan": "galactic"})
    add = reverse("admin:personas_persona_add")
    form = form_of(admin_client, add) | {
        "name": "Galactic", "position": 1, "description": "x", "playbook": "x", "_try": "case",
        "conditions-0-field": "plan", "conditions-0-value": "galactic", "try-on": key(customer),
    }  # fmt: skip

    tried = seen(admin_client.post(add, form))

    assert tried.imagined.explanation.persona.name == "Galactic"
    assert not Persona.objects.filter(name="Galactic").exists()


def test_edit_with_a_mistake_is_named_and_nothing_is_tried(admin_client):
    customer = make_customer()

    response = try_edit(admin_client, persona("Trial"), key(customer), **{"conditions-0-value": ""})

    assert "Say what to compare with." in response.content.decode()
    assert "trial" not in response.context


def test_page_shows_the_edit_and_the_case_again(admin_client):
    customer = make_customer(attributes=ENTERPRISE)

    html = try_edit(admin_client, persona("Trial"), key(customer), position=7).content.decode()

    assert 'name="position" value="7"' in html
    assert f'value="{key(customer)}" checked' in html


def test_rule_that_is_not_active_says_so(admin_client):
    customer = make_customer(attributes=ENTERPRISE)
    event = make_event(payload_of(customer))
    form = form_of(admin_client, page_of(rule("Unsubscribed")))
    form.pop("is_active")

    response = admin_client.post(
        page_of(rule("Unsubscribed")), form | {"_try": "case", "try-on": key(event)}
    )

    assert "“Unsubscribed” is not active, so no event is compared" in response.content.decode()
    assert seen(response).imagined.brief is None


# What is shown


def test_every_rule_and_persona_passed_over_says_what_failed(admin_client):
    customer = make_customer(attributes={"plan": "pro", "usage_tier": "high"})
    event = make_event(payload_of(customer, "bounced", failure_message="550 5.1.1 user unknown"))

    tried = seen(try_present(admin_client, key(event)))

    lines = tried.imagined.explanation
    assert why(lines.personas, "Enterprise, low usage").startswith("“plan is one of ")
    assert why(lines.personas, "Enterprise, low usage").endswith(" does not hold: plan is “pro”")
    assert why(tried.other_rules, "Unsubscribed") == "is about unsubscribed"
    assert lines.rule == tried.imagined.draft.rule


def test_first_step_uses_no_channel_that_the_event_has_closed(admin_client):
    customer = make_customer(attributes=ENTERPRISE, phone="+44 20 7946 0000")
    event = make_event(payload_of(customer))
    mapped = persona("Enterprise, low usage")
    make_step(persona=mapped, text="Write an e-mail.", channels=["email"], position=0)
    make_step(persona=mapped, text="Ring them.", channels=["phone"], position=1)

    response = try_present(admin_client, key(event))

    assert seen(response).step.text == "Ring them."
    assert "marketing e-mail (unsubscribed" in response.content.decode()


def test_question_is_the_one_that_a_brief_would_ask(admin_client):
    """And it says nothing of the customer but what the persona's conditions say."""
    customer = make_customer(attributes=ENTERPRISE)
    event = make_event(payload_of(customer))

    tried = seen(try_present(admin_client, key(event)))

    text = tried.imagined.question.text
    assert "Segment: Enterprise, low usage" in text
    assert "Ada" not in text
    assert customer.external_id not in text


def test_persona_that_opens_no_brief_says_so_and_asks_nothing(admin_client):
    Persona.objects.filter(name="Enterprise, low usage").update(opens_brief=False)
    event = make_event(payload_of(make_customer(attributes=ENTERPRISE)))

    response = try_present(admin_client, key(event))

    words = "No brief, because persona “Enterprise, low usage” opens none."
    assert words in response.content.decode()
    assert seen(response).imagined.question is None


def test_open_brief_of_the_customer_is_named(admin_client):
    brief = make_brief(customer=make_customer(attributes=ENTERPRISE))
    event = make_event(payload_of(brief.customer))

    html = try_present(admin_client, key(event)).content.decode()

    assert f"brief {brief.pk}</a> open: the signal would join it" in html


def test_delivery_that_shows_nothing_says_that_no_rule_was_asked(admin_client):
    event = make_event(payload_of(make_customer(), "delivered", recipient="a@example.com"))

    response = try_present(admin_client, key(event))

    assert "no rule was asked" in response.content.decode()
    assert seen(response).rules == []


def test_customer_without_an_event_is_tried_as_if_a_rule_had_decided(admin_client):
    customer = make_customer(attributes=ENTERPRISE)
    chosen = rule("Spam complaint")

    tried = seen(try_present(admin_client, key(customer), rule=chosen.pk))

    assert tried.imagined.brief.kind == "spam_complaint"


def test_page_of_a_signal_rule_supposes_that_rule(admin_client):
    customer = make_customer(attributes=ENTERPRISE)
    spam = rule("Spam complaint")

    tried = seen(try_edit(admin_client, spam, key(customer), severity=1))

    assert tried.imagined.draft.rule == spam
    assert tried.imagined.draft.rule.severity == 1


def test_unsubscribe_that_was_processed_long_ago_can_be_tried_again(admin_client):
    """A stored event shows what the rules make of it now, not the brief of then."""
    brief = make_brief(customer=make_customer(attributes=ENTERPRISE), persona=persona("Trial"))
    event = make_event(payload_of(brief.customer), status="processed")
    make_signal(brief=brief, event=event, happened_at=timezone.now() - timedelta(days=90))

    tried = seen(try_present(admin_client, key(event)))

    assert tried.imagined.brief.persona.name == "Enterprise, low usage"


# Finding somebody


def test_customer_is_found_by_identifiers_words_and_the_briefs_number(admin_client):
    customer = make_customer(attributes={**ENTERPRISE, "company": "Galactic Ltd"},
                             company="Galactic Ltd", phone="+442079460000")  # fmt: skip
    brief = make_brief(customer=customer)
    indexing.run()

    for words in (customer.external_id, customer.cio_id, customer.email, "+44 20 7946 0000",
                  "moreau", "galactic", f"#{brief.pk}"):  # fmt: skip
        assert find(admin_client, words) == [key(customer)], words


def test_event_is_found_by_its_id_and_by_its_person(admin_client):
    customer = make_customer()
    event = make_event(payload_of(customer))

    assert find(admin_client, event.event_id) == [key(event)]
    assert find(admin_client, customer.external_id) == [key(customer), key(event)]


def test_single_hit_is_tried_at_once_and_of_several_one_is_chosen(admin_client):
    customer = make_customer(attributes=ENTERPRISE)

    response = admin_client.post(PAGE, {"_try": "find", "try-search": customer.email})

    assert seen(response).case.customer == customer
    make_event(payload_of(customer))
    several = {"_try": "find", "try-search": customer.external_id}
    assert admin_client.post(PAGE, several).context["seen"].tried is None


def test_nothing_found_is_said(admin_client):
    html = admin_client.post(PAGE, {"_try": "find", "try-search": "nobody"}).content.decode()

    assert "Nothing is found by “nobody”." in html


def test_latest_events_and_customers_are_offered_without_a_search(admin_client):
    customer = make_customer()
    event = make_event(payload_of(customer))

    offered = [
        c.value for g in admin_client.get(PAGE).context["try_form"].groups for c in g.choices
    ]

    assert offered == [key(event), key(customer)]


def test_page_of_a_signal_rule_offers_events_of_its_kinds(admin_client):
    make_event(payload_of(make_customer()))
    bounced = make_event(payload_of(make_customer(), "bounced"))

    groups = (
        admin_client.get(page_of(rule("E-mail bounced: address gone or suspended")))
        .context["try_form"]
        .groups
    )

    assert [one.value for one in groups[0].choices] == [key(bounced)]


def test_the_key_enter_searches_where_a_search_was_typed(admin_client):
    customer = make_customer(attributes=ENTERPRISE)
    trial = persona("Trial")
    form = form_of(admin_client, page_of(trial)) | {"position": 3, "_enter": "Go on"}

    response = admin_client.post(
        page_of(trial), form | {"try-search": customer.email, "try-searched": ""}
    )

    assert seen(response).case.customer == customer
    assert persona("Trial").position != 3


def test_the_key_enter_never_saves(admin_client):
    """It may have been pressed on a choice of the trial."""
    trial = persona("Trial")
    form = form_of(admin_client, page_of(trial)) | {"position": 3, "_enter": "Go on"}

    response = admin_client.post(page_of(trial), form | {"try-search": "", "try-searched": ""})

    assert "Nothing is saved yet." in response.content.decode()
    assert persona("Trial").position != 3


def test_row_that_is_gone_is_said(admin_client):
    response = try_present(admin_client, "customer-999999")

    assert "This is no longer there." in response.content.decode()


# Pasting


def test_pasted_attributes_pick_the_persona(admin_client):
    tried = seen(try_present(admin_client, attributes="plan: enterprise\nusage_tier: low"))

    assert tried.imagined.brief.persona.name == "Enterprise, low usage"


def test_pasted_webhook_finds_the_stored_customer(admin_client):
    customer = make_customer(attributes=ENTERPRISE)
    webhook = json.dumps(payload_of(customer))

    tried = seen(try_present(admin_client, webhook=webhook, attributes="plan: trial"))

    assert tried.case.customer == customer
    assert tried.case.notes == [
        "The customer is stored here, so the pasted attributes were not used."
    ]


def test_pasted_attributes_go_with_a_webhook_of_somebody_not_stored(admin_client):
    webhook, attributes = json.dumps(payload_of()), json.dumps(ENTERPRISE)

    tried = seen(try_present(admin_client, webhook=webhook, attributes=attributes))

    assert tried.imagined.brief.persona.name == "Enterprise, low usage"
    assert tried.imagined.brief.customer.external_id == "new"


def test_pasted_webhook_of_somebody_unknown_gets_the_unknown_persona(admin_client):
    response = try_present(admin_client, webhook=json.dumps(payload_of()))

    assert seen(response).imagined.brief.persona.is_unknown
    assert "Nobody here has the event’s identifiers" in response.content.decode()


def test_pasted_change_of_preferences_is_compared_with_what_is_known(admin_client):
    known = {"topics": {"topic_1": True}, "channels": {"email": True, "sms": True}}
    customer = make_customer(attributes=ENTERPRISE, preferences=known)
    content = json.dumps({"channels": {"email": True, "sms": False}, "topics": {"topic_1": True}})
    payload = make_payload(
        metric="cio_subscription_preferences_changed",
        data={"identifiers": {"id": customer.external_id}, "content": content},
    )

    tried = seen(try_present(admin_client, webhook=json.dumps(payload)))

    assert tried.imagined.brief.title == "Channel opt-out: SMS"
    assert "SMS" in tried.closed


def test_pasted_data_is_in_no_address_and_in_no_log(admin_client, caplog):
    response = try_present(admin_client, attributes='{"name": "Zebedee" "plan": "pro"}')

    assert response.status_code == 200
    assert "Zebedee" not in caplog.text


# Who may


def test_who_may_change_rules_may_try_them_and_nobody_else(client, django_user_model):
    allowed = {}
    for role in ("", "Viewer", "Agent", "Editor", "Lead"):
        client.force_login(make_user(django_user_model, f"u{role}", role))
        allowed[role] = client.get(PAGE).status_code == 200

    assert allowed == {"": False, "Viewer": False, "Agent": False, "Editor": True, "Lead": True}


def test_who_may_not_see_customers_tries_only_what_they_paste(client, django_user_model):
    from django.contrib.auth.models import Permission

    stored = make_customer(attributes=ENTERPRISE)
    make_event(payload_of(stored))
    editor = django_user_model.objects.create_user("blind", is_staff=True)
    editor.user_permissions.set(
        Permission.objects.filter(codename__in=["change_persona", "view_persona"])
    )
    client.force_login(editor)

    assert client.get(PAGE).context["try_form"].groups == []
    assert (
        client.post(PAGE, {"_try": "find", "try-search": stored.email}).context["seen"].tried
        is None
    )
    assert try_present(client, key(stored)).context["seen"].tried is None
    tried = seen(try_present(client, webhook=json.dumps(payload_of(stored))))
    assert tried.imagined.draft.customer.pk is None


def test_index_and_the_pages_of_event_and_customer_lead_there(admin_client):
    customer = make_customer(attributes=ENTERPRISE)
    event = make_event(payload_of(customer))
    pages = (
        reverse("admin:personas_customer_change", args=[customer.pk]),
        reverse("admin:webhooks_webhookevent_change", args=[event.pk]),
    )

    assert f'href="{PAGE}"' in admin_client.get(reverse("admin:index")).content.decode()
    for page, row in zip(pages, (customer, event), strict=True):
        address = admin_client.get(page).context["try_url"]
        assert seen(admin_client.get(address)).imagined.brief.customer == customer, row


def test_trying_needs_the_rules(admin_client):
    customer = make_customer()
    SignalRule.objects.all().delete()
    Persona.objects.all().delete()

    html = try_present(admin_client, key(customer)).content.decode()

    assert "Nothing can be said: no personas yet" in html
